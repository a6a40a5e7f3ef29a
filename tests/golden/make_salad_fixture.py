#!/usr/bin/env python3
"""Writes tests/golden/fixtures/salad.safetensors: what the tuning code computes for a small random model with random adapters.

Needs torch 2.11.0 and safetensors 0.8.0. Run: python tests/golden/make_salad_fixture.py

Weights of the base and inputs follow recipe.py (seed 7) and are not stored. The fixture holds, for each case, the adapter's
tensors under "<case>/" with the names of an adapter file, and the velocity in float32 under "<case>.velocity". Adapters are
rounded to bfloat16, as they are shipped.
"""

import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).resolve().parent
sys.path += [str(HERE), str(HERE.parents[1] / "resources" / "training")]

import recipe  # noqa: E402
from minimodel.configs import TransformerConfig  # noqa: E402
from minimodel.wan_transformer import WanTransformer  # noqa: E402
from salad_network import SaladAdapter, SaladPlan  # noqa: E402

SEED = 7
CONFIG = TransformerConfig(num_attention_heads=2, attention_head_dim=32, num_layers=2, ffn_dim=96, in_channels=8, out_channels=8, text_dim=24, freq_dim=64)
LATENTS = (8, 3, 16, 16)  # 3 x 8 x 8 tokens
TEXT_ROWS = 6
TIMESTEP = 700.0
CASES = {
    "window": SaladPlan(sparsity=0.8, order="table", rank=4),
    "window_b": SaladPlan(sparsity=0.6, order="table", rank=0, gate="sample", rope_form="b"),
    "top_k": SaladPlan(sparse="top_k", sparsity=0.3, rank=3),
}


def filled(adapter: SaladAdapter, case: str) -> SaladAdapter:
    """Random values everywhere, rounded to bfloat16; heads in turns, the other way round in every second layer."""
    with torch.no_grad():
        for name, value in adapter.tensors().items():
            if value.dtype == torch.uint8:
                layer = int(name.split(".")[1])
                value.copy_((torch.arange(len(value)) + layer) % 2)
            else:
                deviation = 0.3 if "gate" in name else 0.5 / value.shape[-1] ** 0.5
                numbers = torch.from_numpy(recipe.values(f"{case}/{name}", SEED, tuple(value.shape), deviation))
                value.copy_(numbers.to(torch.bfloat16))
    return adapter.eval()


def main() -> None:
    torch.manual_seed(0)
    transformer = WanTransformer(CONFIG).requires_grad_(False).eval()
    with torch.no_grad():
        for name, parameter in transformer.named_parameters():
            parameter.copy_(torch.from_numpy(recipe.weight(name, SEED, tuple(parameter.shape))))
    latents = torch.from_numpy(recipe.values("salad.latents", 1, LATENTS))[None]
    text = torch.from_numpy(recipe.values("salad.text", 1, (TEXT_ROWS, CONFIG.text_dim)))[None]
    tensors, plans = {}, {}
    for case, plan in CASES.items():
        adapter = filled(SaladAdapter(transformer, plan), case)
        with torch.no_grad():
            velocity = transformer(latents, torch.tensor([TIMESTEP]), text, torch.float32, adapter.block_of(latents, eager=True))
        for name, value in adapter.tensors().items():
            tensors[f"{case}/{name}"] = value.detach().contiguous() if value.dtype == torch.uint8 else value.detach().to(torch.bfloat16).contiguous()
        tensors[f"{case}.velocity"] = velocity[0].contiguous()
        plans[case] = {
            "parameters": {"sparse": plan.sparse, "sparsity": plan.sparsity, "order": "table" if plan.sparse == "window" else "alternate"},
            "metadata": {"gate": plan.gate, "rope_form": plan.rope_form, "eps": str(plan.eps)},
        }  # fmt: skip
    config = {"_class_name": "WanTransformer3DModel", **CONFIG.to_dict()}
    metadata = {"config": config, "cases": plans, "timestep": TIMESTEP, "latents": LATENTS, "text_rows": TEXT_ROWS, "seed": SEED}
    path = HERE / "fixtures" / "salad.safetensors"
    save_file(tensors, path, {key: json.dumps(value) for key, value in metadata.items()})
    print(path.name, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
