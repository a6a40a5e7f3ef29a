"""Compares the training networks with diffusers and transformers, in float32 on the CPU; fails when they differ.

python check_reference.py                 random weights
python check_reference.py --model DIR     also loads an exported model as a WanPipeline and draws one small clip with it
"""

from __future__ import annotations

import argparse

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from minimodel.configs import TextEncoderConfig, TransformerConfig, VaeConfig
from minimodel.text_encoder import TextEncoder
from minimodel.video_vae import VideoVae
from minimodel.wan_transformer import WanTransformer
from transformers import UMT5Config, UMT5EncoderModel

TOLERANCE = 1e-4


def relative_error(result: torch.Tensor, reference: torch.Tensor) -> float:
    return float((result - reference).norm() / reference.norm())


def report(name: str, error: float) -> None:
    print(f"{name}: relative error {error:.1e}")
    if not error < TOLERANCE:
        raise SystemExit(f"{name} differs from the reference")


def randomise(module: torch.nn.Module, std: float = 0.05) -> None:
    """Random values everywhere, so that no zero or one hides a mistake."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) * std)


@torch.no_grad()
def check_vae(config: VaeConfig) -> None:
    reference = AutoencoderKLWan(**config.to_dict()).eval()
    randomise(reference)
    ours = VideoVae(config).eval()
    ours.load_state_dict(reference.state_dict())
    for frames, height, width in ((9, 32, 48), (1, 32, 32)):
        clip = torch.rand(1, 3, frames, height, width) * 2 - 1
        mean, log_variance = ours.encode(clip)
        report(f"VAE encode {frames} frames", relative_error(torch.cat([mean, log_variance], 1), reference.encode(clip).latent_dist.parameters))
        z = torch.randn_like(mean)
        report(f"VAE decode {frames} frames", relative_error(ours.decode(z).clamp(-1, 1), reference.decode(z).sample))


@torch.no_grad()
def check_transformer(config: TransformerConfig) -> None:
    reference = WanTransformer3DModel(**config.to_dict()).eval()
    randomise(reference)
    ours = WanTransformer(config).eval()
    ours.load_state_dict(reference.state_dict())
    latents, text = torch.randn(2, 16, 3, 8, 12), torch.randn(2, 16, config.text_dim)
    timestep = torch.tensor([300.0, 800.0])
    expected = reference(latents, timestep, text, return_dict=False)[0]
    report("transformer", relative_error(ours(latents, timestep, text, torch.float32), expected))


@torch.no_grad()
def check_text_encoder(config: TextEncoderConfig) -> None:
    reference = UMT5EncoderModel(UMT5Config(**config.to_dict())).eval()
    randomise(reference)
    ours = TextEncoder(config).eval()
    state = {name: value for name, value in reference.state_dict().items() if name != "encoder.embed_tokens.weight"}
    ours.load_state_dict(state)
    tokens = torch.randint(2, config.vocab_size, (3, 64))
    for row, length in enumerate((1, 20, 64)):
        tokens[row, length - 1] = 1
        tokens[row, length:] = 0
    mask = (tokens != 0).long()
    expected = reference(input_ids=tokens, attention_mask=mask).last_hidden_state * mask[..., None]
    report("text encoder", relative_error(ours(tokens), expected))


def check_pipeline(folder: str) -> None:
    from diffusers import WanPipeline

    pipeline = WanPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    options = dict(height=64, width=64, num_frames=5, num_inference_steps=2, guidance_scale=4.0, max_sequence_length=64, output_type="np")
    frames = pipeline("A red balloon rises in a meadow at sunset.", generator=torch.Generator().manual_seed(0), **options).frames
    print(f"pipeline: clip of shape {frames.shape}, mean {frames.mean():.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="exported model folder")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    check_vae(VaeConfig())
    check_vae(VaeConfig(base_dim=8, decoder_base_dim=16, dim_mult=(1, 2, 2), num_res_blocks=2, temperal_downsample=(False, True)))
    check_transformer(TransformerConfig())
    check_text_encoder(TextEncoderConfig())
    if arguments.model:
        check_pipeline(arguments.model)


if __name__ == "__main__":
    main()
