"""Compares step caches of the program with no cache: speed, likeness and the scorer's marks on held-out prompts.

python evaluate_caches.py --fw ../../build/release/bin/fw --prompts 16 --out work/caches

Every setting draws the same prompts (evaluate.py's, none of whose pairs training saw) from the same seeds, one prompt after the other, all
settings of a prompt in turn, so that a busy moment of the machine meets them all. PSNR and SSIM are those of the frames against the clip
without a cache; speed is the ratio of the denoising times.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
from pathlib import Path

import numpy
import torch
from evaluate import draw_prompts
from minimodel.scorer import Scorer, judge, read_clips
from PIL import Image
from safetensors.torch import load_file

SETTINGS = {
    "none": [[]],
    "pab": [["self_range=2"], ["self_range=3"], ["self_range=2", "cross_range=2", "from=0.3"]],
    "teacache": [["threshold=0.05"], ["threshold=0.1"], ["threshold=0.2"]],
    "magcache": [["longest_run=1"], ["longest_run=2"], ["longest_run=4"]],
    "easycache": [["threshold=0.025"], ["threshold=0.05"], ["threshold=0.1"]],
    "first_block": [["threshold=0.03"], ["threshold=0.05"], ["threshold=0.1"]],
    "fastercache": [["from=0.5", "guidance_from=0.5"], ["from=0.3"], ["guidance_strength=0"]],
    "guidance": [["guidance_from=0.5"], ["guidance_interval=2"], ["guidance_strength=0"]],
    "taylorseer": [["interval=2"], ["interval=3"], ["interval=5"]],
}


def frames_of(folder: Path) -> numpy.ndarray:
    return numpy.stack([numpy.asarray(Image.open(name).convert("RGB")) for name in sorted(folder.glob("*.png"))])


def psnr(a: numpy.ndarray, b: numpy.ndarray) -> float:
    error = numpy.mean((a.astype(float) - b.astype(float)) ** 2)
    return 100.0 if error == 0 else 10 * math.log10(255**2 / error)


def ssim(a: numpy.ndarray, b: numpy.ndarray) -> float:
    """Mean over 8 x 8 blocks of the grey pictures."""
    def blocks(clip: numpy.ndarray) -> numpy.ndarray:
        grey = clip.astype(float).mean(axis=3)
        n, h, w = grey.shape
        return grey[:, : h // 8 * 8, : w // 8 * 8].reshape(n, h // 8, 8, w // 8, 8).transpose(0, 1, 3, 2, 4).reshape(-1, 64)

    x, y = blocks(a), blocks(b)
    mx, my = x.mean(1), y.mean(1)
    covariance = ((x - mx[:, None]) * (y - my[:, None])).mean(1)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(numpy.mean((2 * mx * my + c1) * (2 * covariance + c2) / ((mx**2 + my**2 + c1) * (x.var(1) + y.var(1) + c2))))


def make(fw: Path, prompt: str, seed: int, cache: str, values: list[str], out: Path, more: list[str]) -> dict:
    command = [str(fw), "generate", prompt, "--seed", str(seed), "--out", f"{out}/", "--json", "--cache", cache, *more]
    for value in values:
        command += ["--set-cache", value]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fw", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, default=Path("scorer.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("work/caches"))
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--first", action="store_true", help="only the first setting of each cache")
    parser.add_argument("more", nargs="*", help="further options of fw generate, after --")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    scorer = Scorer()
    scorer.load_state_dict({name: value.float() for name, value in load_file(arguments.scorer).items()})
    scorer.eval()
    scenes, prompts = draw_prompts(2024, 64, 1)
    settings = [(cache, values) for cache, lists in SETTINGS.items() for values in (lists[:1] if arguments.first else lists)]
    rows: dict[str, dict] = {f"{cache} {' '.join(values)}".strip(): {"seconds": [], "psnr": [], "ssim": [], "clips": []} for cache, values in settings}
    for number, prompt in enumerate(prompts[: arguments.prompts]):
        plain = None
        for cache, values in settings:
            row = rows[f"{cache} {' '.join(values)}".strip()]
            folder = arguments.out / f"{number}-{cache}-{'-'.join(values)}"
            report = make(arguments.fw, prompt, number, cache, values, folder, arguments.more)
            clip = frames_of(folder)
            plain = clip if plain is None else plain
            row["seconds"].append(report["seconds"]["denoise"])
            row["psnr"].append(psnr(clip, plain))
            row["ssim"].append(ssim(clip, plain))
            row["clips"].append(torch.from_numpy(clip).permute(3, 0, 1, 2).float() / 127.5 - 1)
    base = statistics.median(rows["none"]["seconds"])
    print("| cache | speed of denoising | PSNR | SSIM | marks |")
    print("|---|---|---|---|---|")
    for name, row in rows.items():
        score, _ = judge(read_clips(scorer, torch.stack(row["clips"])), scenes[: len(row["clips"])])
        marks = score.as_table()
        right, of = (sum(entry[key] for entry in marks.values()) for key in ("right", "of"))
        print(f"| {name} | {base / statistics.median(row['seconds']):.2f} | {statistics.mean(row['psnr']):.1f} | "
              f"{statistics.mean(row['ssim']):.3f} | {right}/{of} |", flush=True)


if __name__ == "__main__":
    main()
