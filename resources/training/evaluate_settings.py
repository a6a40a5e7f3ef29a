"""Compares settings of the program with none: speed, likeness and the scorer's marks on held-out prompts.

python evaluate_settings.py caches --fw ../../build/release/bin/fw --prompts 16 --out work/caches
python evaluate_settings.py methods --fw ../../build/release/bin/fw --adapters work/adapters --out work/methods

Every setting draws the same prompts (evaluate.py's, none of whose pairs training saw) from the same seeds, one prompt after the other, all
settings of a prompt in turn, so that a busy moment of the machine meets them all; --jobs N draws N prompts at a time on a machine with many
cores, --threads each. PSNR and SSIM are those of the frames against the first
setting's clip; speed is the ratio of the denoising times. `methods` looks in --adapters for salad.safetensors (salad.py) and
lora.safetensors (salad.py --no-branch) and leaves out what needs one that is not there; its last row is the LinGen model, whose clips are
others by nature: its PSNR says nothing, its marks do. With --seconds no prompt is begun after that time and the table has those that were.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import torch
from evaluate import draw_prompts
from minimodel.scorer import Scorer, judge, read_clips
from PIL import Image
from safetensors.torch import load_file

CACHES = {
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

LINGEN = Path("../models/mini-lingen")
# Name, method, adapter, parameters.
METHODS = [
    ("dense", "dense", None, []),
    ("window, untuned", "sliding_window", None, ["sparsity=0.9"]),
    ("top-k, untuned", "top_k", None, ["sparsity=0.9"]),
    ("window, LoRA only", "sliding_window", "lora", ["sparsity=0.9"]),
    ("SALAD", "salad", "salad", ["sparsity=0.9"]),
    ("SALAD, naive sum", "salad", "salad", ["sparsity=0.9", "gate=off", "projection=false"]),
    ("SALAD, gate off", "salad", "salad", ["sparsity=0.9", "gate=off"]),
    ("SALAD, λ 0", "salad", "salad", ["sparsity=0.9", "branch_scale=0"]),
    ("SALAD, λ 0.5", "salad", "salad", ["sparsity=0.9", "branch_scale=0.5"]),
    ("SALAD, λ 1.5", "salad", "salad", ["sparsity=0.9", "branch_scale=1.5"]),
    ("SALAD, 20 % of the branches dropped", "salad", "salad", ["sparsity=0.9", "drop_branches=0.2"]),
]


def cache_settings(first: bool) -> dict[str, list[str]]:
    """Options of fw generate by name."""
    settings = {}
    for cache, lists in CACHES.items():
        for values in lists[:1] if first else lists:
            options = ["--cache", cache, *(word for value in values for word in ("--set-cache", value))]
            settings[f"{cache} {' '.join(values)}".strip()] = options
    return settings


def method_settings(adapters: Path) -> dict[str, list[str]]:
    settings = {}
    for name, method, adapter, values in METHODS:
        file = adapters / f"{adapter}.safetensors"
        if adapter is None or file.exists():
            options = ["--method", method, *(word for value in values for word in ("--set", value))]
            settings[name] = options + (["--adapter", str(file)] if adapter else [])
    if LINGEN.exists():
        settings["LinGen"] = ["--model", str(LINGEN)]
    return settings


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


def make(fw: Path, prompt: str, seed: int, options: list[str], out: Path) -> dict:
    command = [str(fw), "generate", prompt, "--seed", str(seed), "--out", f"{out}/", "--json", *options]
    ended = subprocess.run(command, capture_output=True, text=True)
    if ended.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {ended.stderr.strip()}")
    return json.loads(ended.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("caches", "methods"))
    parser.add_argument("--fw", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, default=Path("scorer.safetensors"))
    parser.add_argument("--adapters", type=Path, default=Path("../models/mini/adapters"))
    parser.add_argument("--out", type=Path, default=Path("work/settings"))
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--jobs", type=int, default=1, help="prompts drawn at a time")
    parser.add_argument("--threads", type=int, default=0, help="threads of each; 0: all of the machine's")
    parser.add_argument("--seconds", type=float, default=0, help="begin no prompt after this time; 0: draw all")
    parser.add_argument("--first", action="store_true", help="only the first setting of each cache")
    parser.add_argument("--more", nargs=argparse.REMAINDER, default=[], help="all that follows are further options of fw generate")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    scorer = Scorer()
    scorer.load_state_dict({name: value.float() for name, value in load_file(arguments.scorer).items()})
    scorer.eval()
    scenes, prompts = draw_prompts(2024, 64, 1)
    settings = cache_settings(arguments.first) if arguments.what == "caches" else method_settings(arguments.adapters)
    rows: dict[str, dict] = {name: {"seconds": [], "psnr": [], "ssim": [], "clips": [], "bytes": 0} for name in settings}

    begun = time.monotonic()

    def draw(number: int) -> list[tuple[dict, numpy.ndarray]] | None:
        if arguments.seconds and time.monotonic() - begun > arguments.seconds:
            return None
        made = []
        for place, options in enumerate(settings.values()):
            folder = arguments.out / f"{number}-{place}"
            more = ["--threads", str(arguments.threads), *arguments.more] if arguments.threads else arguments.more
            made.append((make(arguments.fw, prompts[number], number, options + more, folder), frames_of(folder)))
        return made

    with ThreadPoolExecutor(arguments.jobs) as pool:
        for made in pool.map(draw, range(min(arguments.prompts, len(prompts)))):
            if made is None:
                break
            plain = made[0][1]
            for row, (report, clip) in zip(rows.values(), made):
                row["seconds"].append(report["seconds"]["denoise"])
                row["bytes"] = report["plan"]["cache"]["bytes"]
                row["psnr"].append(psnr(clip, plain))
                row["ssim"].append(ssim(clip, plain))
                row["clips"].append(clip)
    base = statistics.median(next(iter(rows.values()))["seconds"])
    print(f"{len(next(iter(rows.values()))['clips'])} prompts")
    print("| setting | speed of denoising | PSNR | SSIM | cache MiB | marks | of them |")
    print("|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        clips = torch.from_numpy(numpy.stack(row["clips"])).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        score, _ = judge(read_clips(scorer, clips), scenes[: len(clips)])
        marks = score.as_table()
        right, of = (sum(entry[key] for entry in marks.values()) for key in ("right", "of"))
        each = ", ".join(f"{question} {entry['right']}/{entry['of']}" for question, entry in marks.items())
        print(f"| {name} | {base / statistics.median(row['seconds']):.2f} | {statistics.mean(row['psnr']):.1f} | "
              f"{statistics.mean(row['ssim']):.3f} | {row['bytes'] / 2**20:.1f} | {right}/{of} | {each} |", flush=True)


if __name__ == "__main__":
    main()
