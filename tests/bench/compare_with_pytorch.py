"""One guided denoising step: this engine beside PyTorch, same weights, same data type, same threads, in turns.

    python tests/bench/compare_with_pytorch.py --fw build/release/bin/fw --threads 2 --dtype bf16 f32

PyTorch runs the published classes (diffusers' WanTransformer3DModel) in eager mode and, with --compile, through
torch.compile; the faster of the two is what the ratio is taken against. Needs torch, diffusers and safetensors
(versions are printed); not part of the test suite.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time

import diffusers
import torch
from diffusers import WanTransformer3DModel


def engine_step_seconds(fw: str, model: str, dtype: str, threads: int) -> dict:
    """Median seconds of a step and the report around it."""
    command = [fw, "bench", "step", "--model", model, "--dtype", dtype, "--threads", str(threads), "--repeats", "3", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


class TorchStep:
    """Two forwards (prompt, empty prompt) and the guidance between them, as the pipeline does them."""

    def __init__(self, model: str, dtype: torch.dtype, report: dict, compiled: bool):
        self.transformer = WanTransformer3DModel.from_pretrained(model, subfolder="transformer", torch_dtype=dtype).eval()
        if compiled:
            self.transformer = torch.compile(self.transformer)
        config = self.transformer.config
        generator = torch.Generator().manual_seed(0)
        frames = (report["frames"] - 1) // 4 + 1
        shape = (1, config.in_channels, frames, report["height"] // 8, report["width"] // 8)
        self.latents = torch.randn(shape, generator=generator).to(dtype)
        self.texts = [torch.randn(1, 64, config.text_dim, generator=generator).to(dtype) for _ in range(2)]
        self.timestep = torch.tensor([500])

    @torch.inference_mode()
    def __call__(self) -> torch.Tensor:
        with_prompt, without = (
            self.transformer(self.latents, self.timestep, text, return_dict=False)[0].float() for text in self.texts
        )
        return without + 4.0 * (with_prompt - without)


def seconds_of(step: TorchStep) -> float:
    start = time.perf_counter()
    step()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fw", default="build/release/bin/fw")
    parser.add_argument("--model", default="resources/models/mini")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--dtype", nargs="+", choices=("bf16", "f32"), default=["bf16", "f32"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="also time torch.compile")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, diffusers {diffusers.__version__}, {arguments.threads} threads")
    for dtype in arguments.dtype:
        first = engine_step_seconds(arguments.fw, arguments.model, dtype, arguments.threads)
        variants = {"eager": TorchStep(arguments.model, getattr(torch, {"bf16": "bfloat16", "f32": "float32"}[dtype]), first, False)}
        if arguments.compile:
            variants["compiled"] = TorchStep(arguments.model, getattr(torch, {"bf16": "bfloat16", "f32": "float32"}[dtype]), first, True)
        for step in variants.values():
            step()  # warm-up, compilation included
        ours, theirs = [], {name: [] for name in variants}
        for _ in range(arguments.rounds):
            for name, step in variants.items():
                theirs[name].append(seconds_of(step))
            ours.append(engine_step_seconds(arguments.fw, arguments.model, dtype, arguments.threads)["step"]["median_seconds"])
        engine = statistics.median(ours)
        print(f"{dtype}: engine {engine * 1e3:.0f} ms ({first['step_gflop'] / engine:.0f} GFLOP/s)")
        for name, samples in theirs.items():
            median = statistics.median(samples)
            print(f"      PyTorch {name} {median * 1e3:.0f} ms; the engine is {median / engine:.2f} times as fast")


if __name__ == "__main__":
    main()
