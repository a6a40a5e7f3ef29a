#!/usr/bin/env python3
"""Writes tests/golden/fixtures/mamba2.safetensors and lingen.safetensors.

Needs transformers 5.23.0, torch 2.11.0 and safetensors 0.8.0. Run: python tests/golden/make_lingen_fixture.py

mamba2: what transformers' Mamba2Mixer (its PyTorch path) computes, in float32, for each case and length: "<case>.<length>.conv" after
convolution and SiLU, ".scan" after the scan with its skip, ".norm" after the gated norm, ".mixer" at the end; all [length, channels].
Weights have the tensor names of the package under "<case>/", the input is "<case>.<length>.hidden"; both follow recipe.py (seed 11,
inputs seed 1) and are not stored. Rows of in_proj are z, x, B, C, dt. The case "forgetting" has huge step sizes in one head and tiny
ones in another.

lingen: the velocity in float32 of small random LinGen transformers, by the training code (resources/training/minimodel), which
lingen_check.py compares with docs/lingen.md written out. Weights and inputs follow recipe.py; configurations are in the metadata.
"""

import json
import pathlib
import sys

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import Mamba2Config
from transformers.models.mamba2 import modeling_mamba2

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parents[1] / "resources" / "training")]

import recipe  # noqa: E402
from minimodel.lingen_transformer import LinGenConfig, LinGenTransformer  # noqa: E402

MAMBA_SEED = 11
MAMBA_CASES = {
    "stock": dict(hidden_size=24, expand=2, head_dim=8, num_heads=6, state_size=16, n_groups=1, conv_kernel=4, chunk_size=8),
    "groups": dict(hidden_size=32, expand=1, head_dim=8, num_heads=4, state_size=8, n_groups=4, conv_kernel=3, chunk_size=8),
    "forgetting": dict(hidden_size=16, expand=2, head_dim=8, num_heads=4, state_size=8, n_groups=2, conv_kernel=4, chunk_size=8),
}
MAMBA_LENGTHS = (1, 16, 21)
NORM_EPS = 1e-5

SEED = 13
TEXT_ROWS = 7
TIMESTEP = 640.0
SMALL = dict(num_attention_heads=2, attention_head_dim=16, ffn_dim=48, in_channels=4, out_channels=4, text_dim=20, freq_dim=32)
CASES = {  # grids of tokens: 5 x 7 x 6, 4 x 3 x 5, 3 x 6 x 4
    "stock": (
        LinGenConfig(
            **SMALL, num_layers=5, tesa_window=(4, 2, 4), tesa_shift=(2, 1, 2), ssm_expand=2, ssm_head_dim=16, ssm_state_dim=16,
            ssm_num_groups=1, ssm_chunk_size=16, position_embedding_size=(3, 8, 6),
        ),
        (4, 5, 14, 12),
    ),
    "attention": (
        LinGenConfig(
            **SMALL, num_layers=4, tesa_window=(9, 2, 3), tesa_shift=(4, 1, 1), ssm_expand=1, ssm_head_dim=16, ssm_state_dim=16,
            ssm_num_groups=2, ssm_chunk_size=64, ssm_directions="tied", review_pooling=(2, 2, 2), review_directions="both",
            position_embedding_size=(4, 3, 5),
        ),
        (4, 4, 6, 10),
    ),
    "plain": (
        LinGenConfig(
            **SMALL, num_layers=4, scan_orders=("s_row", "zigzag_s_col", "zigzag_t_row"), tesa_window=(2, 3, 2), tesa_shift=(1, 0, 1),
            ssm_expand=2, ssm_head_dim=8, ssm_state_dim=8, ssm_num_groups=4, ssm_chunk_size=32, review_pooling=None,
            position_embedding="none",
        ),
        (4, 3, 12, 8),
    ),
}  # fmt: skip


def mamba_weight(case: str, name: str, shape: tuple) -> torch.Tensor:
    if name == "dt_bias" and case == "forgetting":
        return torch.tensor([-9.0, -2.0, 1.0, 25.0])
    if name == "norm.weight":
        name = "ssm.norm.weight"
    return torch.from_numpy(recipe.weight(f"{case}/{name}", MAMBA_SEED, shape))


@torch.no_grad()
def mamba_results(case: str, options: dict, tensors: dict) -> None:
    config = Mamba2Config(num_hidden_layers=1, layer_norm_epsilon=NORM_EPS, use_bias=False, use_conv_bias=True, **options)
    mixer = modeling_mamba2.Mamba2Mixer(config, 0).eval()
    for name, parameter in mixer.named_parameters():
        parameter.copy_(mamba_weight(case, name, tuple(parameter.shape)))
    seen = {}
    convolve, scan = modeling_mamba2.causal_conv1d_fn, modeling_mamba2.mamba2_chunk_scan

    def keep(name, function):
        def call(*arguments, **keywords):
            result = function(*arguments, **keywords)
            seen[name] = result[0] if isinstance(result, tuple) else result
            return result

        return call

    modeling_mamba2.causal_conv1d_fn, modeling_mamba2.mamba2_chunk_scan = keep("conv", convolve), keep("scan", scan)
    handle = mixer.norm.register_forward_hook(lambda module, inputs, output: seen.__setitem__("norm", output))
    for length in MAMBA_LENGTHS:
        hidden = torch.from_numpy(recipe.values(f"{case}.{length}.hidden", 1, (length, config.hidden_size)))
        result = mixer(hidden[None])
        tensors[f"{case}.{length}.conv"] = seen["conv"][0].T.contiguous()
        tensors[f"{case}.{length}.scan"] = seen["scan"][0].reshape(length, -1).contiguous()
        tensors[f"{case}.{length}.norm"] = seen["norm"][0].contiguous()
        tensors[f"{case}.{length}.mixer"] = result[0].contiguous()
    handle.remove()
    modeling_mamba2.causal_conv1d_fn, modeling_mamba2.mamba2_chunk_scan = convolve, scan


@torch.no_grad()
def lingen_velocity(case: str, config: LinGenConfig, shape: tuple) -> torch.Tensor:
    transformer = LinGenTransformer(config).eval()
    for name, parameter in transformer.named_parameters():
        parameter.copy_(torch.from_numpy(recipe.weight(name, SEED, tuple(parameter.shape))))
    latents = torch.from_numpy(recipe.values(f"{case}.latents", 1, shape))[None]
    text = torch.from_numpy(recipe.values(f"{case}.text", 1, (TEXT_ROWS, config.text_dim)))[None]
    return transformer(latents, torch.tensor([TIMESTEP]), text, torch.float32)[0]


def write(name: str, tensors: dict, metadata: dict) -> None:
    for key, value in tensors.items():
        assert np.isfinite(value.numpy()).all(), key
    path = HERE / "fixtures" / f"{name}.safetensors"
    save_file(tensors, path, {key: json.dumps(value) for key, value in metadata.items()})
    print(path.name, path.stat().st_size, "bytes")


def main() -> None:
    tensors: dict = {}
    for case, options in MAMBA_CASES.items():
        mamba_results(case, options, tensors)
    write("mamba2", tensors, {"cases": MAMBA_CASES, "lengths": MAMBA_LENGTHS, "seed": MAMBA_SEED, "eps": NORM_EPS})
    configs = {case: {"_class_name": "LinGenTransformer3DModel", **config.to_dict()} for case, (config, _) in CASES.items()}
    velocities = {f"{case}.velocity": lingen_velocity(case, *values).contiguous() for case, values in CASES.items()}
    shapes = {case: shape for case, (_, shape) in CASES.items()}
    write("lingen", velocities, {"configs": configs, "latents": shapes, "seed": SEED, "timestep": TIMESTEP, "text_rows": TEXT_ROWS})


if __name__ == "__main__":
    main()
