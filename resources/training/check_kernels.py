"""Compares the fused GPU kernels with plain PyTorch, values and gradients; needs a GPU: python check_kernels.py"""

import torch
from minimodel.configs import TransformerConfig, VaeConfig
from minimodel.fused_norm import norm_silu_pad, plain_norm_silu_pad
from minimodel.video_vae import VideoVae
from minimodel.wan_transformer import WanTransformer, wan_block

FLOAT_TOLERANCE, BFLOAT_TOLERANCE = 1e-4, 2e-2


def relative_error(result: torch.Tensor, reference: torch.Tensor) -> float:
    return float((result.float() - reference.float()).norm() / reference.float().norm())


def check_norm(shape: tuple[int, ...], dtype: torch.dtype, tolerance: float) -> None:
    x = torch.randn(shape, device="cuda").to(dtype).requires_grad_()
    gamma = (1 + 0.3 * torch.randn(shape[1], 1, 1, 1, device="cuda")).requires_grad_()
    expected, result = plain_norm_silu_pad(x, gamma), norm_silu_pad(x, gamma)
    upstream = torch.randn_like(expected)
    errors = [relative_error(result, expected)]
    for ours, reference in zip(torch.autograd.grad(result, (x, gamma), upstream), torch.autograd.grad(expected, (x, gamma), upstream)):
        errors.append(relative_error(ours, reference))
    print(f"norm {shape} {dtype}: " + " ".join(f"{error:.1e}" for error in errors))
    assert max(errors) < tolerance


def check_vae() -> None:
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(0)
    vae = VideoVae(VaeConfig())
    clip = torch.rand(1, 3, 9, 32, 48) * 2 - 1
    with torch.no_grad():
        expected, _ = vae.encode(clip)
        decoded = vae.decode(expected)
        vae.cuda()
        result, _ = vae.encode(clip.cuda())
        again = vae.decode(expected.cuda())
        half = vae.decode(expected.cuda().bfloat16())
    errors = [relative_error(result.cpu(), expected), relative_error(again.cpu(), decoded), relative_error(half.cpu(), decoded)]
    print("vae gpu against cpu: encode %.1e decode %.1e decode in bfloat16 %.1e" % tuple(errors))
    assert errors[0] < FLOAT_TOLERANCE and errors[1] < FLOAT_TOLERANCE and errors[2] < 2 * BFLOAT_TOLERANCE


def check_attention() -> None:
    """The transformer in bfloat16 with cuDNN's attention, values and gradients, against float32."""
    torch.backends.cuda.enable_flash_sdp(False)
    torch.backends.cuda.enable_cudnn_sdp(True)
    transformer = WanTransformer(TransformerConfig(num_layers=2)).cuda()
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.05)
    latents, text = torch.randn(4, 16, 9, 16, 16, device="cuda"), torch.randn(4, 64, 256, device="cuda")
    timestep = torch.tensor([50.0, 300.0, 800.0, 990.0], device="cuda")
    outcomes = []
    for dtype, block in ((torch.float32, wan_block), (torch.bfloat16, wan_block), (torch.bfloat16, torch.compile(wan_block, dynamic=False))):
        transformer.zero_grad()
        result = transformer(latents, timestep, text, dtype, block).float()
        result.square().mean().backward()
        outcomes.append((result.detach(), transformer.blocks[0].attn1.to_q.weight.grad.clone(), transformer.blocks[1].ffn.net[2].weight.grad.clone()))
    for name, outcome in zip(("eager", "compiled"), outcomes[1:]):
        errors = [relative_error(ours, reference) for ours, reference in zip(outcome, outcomes[0])]
        print(f"transformer in bfloat16, {name}: " + " ".join(f"{error:.1e}" for error in errors))
        assert max(errors) < 0.1


def main() -> None:
    torch.manual_seed(0)
    for shape in ((2, 24, 3, 5, 7), (1, 96, 1, 4, 4), (2, 32, 17, 64, 64), (2, 72, 5, 32, 32)):
        check_norm(shape, torch.float32, FLOAT_TOLERANCE)
        check_norm(shape, torch.bfloat16, BFLOAT_TOLERANCE)
    check_vae()
    check_attention()


if __name__ == "__main__":
    main()
