"""Compares settings of the program with none: speed, likeness and the scorer's marks on held-out prompts.

python evaluate_settings.py caches --fw ../../build/release/bin/fw --prompts 16 --out work/caches
python evaluate_settings.py methods --fw ../../build/release/bin/fw --adapters work/adapters --out work/methods

Every setting draws the same prompts (evaluate.py's, none of whose pairs training saw) from the same seeds, one prompt after the other, all
settings of a prompt in turn, each prompt beginning with another one, so that a busy moment of the machine meets them all; --jobs N draws N prompts at a time on a machine with many
cores, --threads each. PSNR and SSIM are those of the frames against the first
setting's clip; speed is the ratio of the denoising times. `methods` looks in --adapters for salad.safetensors (salad.py) and
lora.safetensors (salad.py --no-branch) and leaves out what needs one that is not there; its last row is the LinGen model, whose clips are
others by nature: its PSNR says nothing, its marks do.

OUT/results.json has what every prompt gave, written as soon as it is there: called again, the script draws only prompts that are missing. With
--seconds no prompt is begun after that time and the table has those that were; --from begins behind the first ones, --only names settings.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import multiprocessing
import shutil
import statistics
import subprocess
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
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
    "guidance": [[], ["guidance_from=0.5"], ["guidance_interval=2"], ["guidance_strength=0"]],
    "taylorseer": [["interval=2"], ["interval=3"], ["interval=5"]],
}

MINI = Path("../models/mini")
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


def hash_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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


@dataclass(frozen=True)
class Task:
    """One prompt with every setting, for a process of its own."""

    number: int
    prompt: str
    fw: Path
    settings: dict[str, list[str]]
    out: Path
    keep: bool


def draw(task: Task) -> tuple[list[dict], numpy.ndarray]:
    """What the program reported of every setting, with the likeness to the first, and the clips as [setting, frame, row, column, 3].

    Every prompt begins with another setting: what a run costs depends on what else the machine does, at the beginning most of all.
    """
    commands = list(task.settings.values())
    reports, clips = [{}] * len(commands), [numpy.empty(0)] * len(commands)
    for turn in range(len(commands)):
        place = (task.number + turn) % len(commands)
        folder = task.out / f"{task.number}-{place}"
        reports[place] = make(task.fw, task.prompt, task.number, commands[place], folder)
        clips[place] = frames_of(folder)
        if not task.keep:
            shutil.rmtree(folder)
    rows = [
        {
            "seconds": report["seconds"]["denoise"], "bytes": report["plan"]["cache"]["bytes"],
            "psnr": psnr(clip, clips[0]), "ssim": ssim(clip, clips[0]),
        }
        for report, clip in zip(reports, clips)
    ]  # fmt: skip
    return rows, numpy.stack(clips)


def print_table(results: dict[str, dict[str, dict]], settings: dict[str, list[str]]) -> None:
    """results: by prompt, then by setting. Only prompts that have every setting count."""
    whole = [rows for rows in results.values() if all(name in rows for name in settings)]
    print(f"{len(whole)} prompts")
    if not whole:
        return
    print("| setting | speed of denoising | PSNR | SSIM | cache MiB | marks | of them |")
    print("|---|---|---|---|---|---|---|")
    base = statistics.median(rows[next(iter(settings))]["seconds"] for rows in whole)
    for name in settings:
        mine = [rows[name] for rows in whole]
        marks = {question: [sum(row["marks"][question][i] for row in mine) for i in (0, 1)] for question in mine[0]["marks"]}
        right, of = (sum(pair[i] for pair in marks.values()) for i in (0, 1))
        each = ", ".join(f"{question} {pair[0]}/{pair[1]}" for question, pair in marks.items())
        speed = base / statistics.median(row["seconds"] for row in mine)
        likeness = [statistics.mean(row[key] for row in mine) for key in ("psnr", "ssim")]
        print(f"| {name} | {speed:.2f} | {likeness[0]:.1f} | {likeness[1]:.3f} | {mine[0]['bytes'] / 2**20:.1f} | {right}/{of} | {each} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("caches", "methods"))
    parser.add_argument("--fw", type=Path, required=True)
    parser.add_argument("--scorer", type=Path, default=Path("scorer.safetensors"))
    parser.add_argument("--adapters", type=Path, default=Path("../models/mini/adapters"))
    parser.add_argument("--out", type=Path, default=Path("work/settings"))
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--seed", type=int, default=2024, help="of the 64 prompts; the model card has 2024 and 77")
    parser.add_argument("--from", dest="first_prompt", type=int, default=0, help="number of the first prompt")
    parser.add_argument("--jobs", type=int, default=1, help="prompts drawn at a time")
    parser.add_argument("--threads", type=int, default=0, help="threads of each; 0: all of the machine's")
    parser.add_argument("--seconds", type=float, default=0, help="begin no prompt after this time; 0: draw all")
    parser.add_argument("--first", action="store_true", help="only the first setting of each cache")
    parser.add_argument("--only", action="append", default=[], help="only the setting of this name, and the first; may stand several times")
    parser.add_argument("--keep", type=int, default=4, help="clips of so many prompts stay in --out")
    parser.add_argument("--more", nargs=argparse.REMAINDER, default=[], help="all that follows are further options of fw generate")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    scorer = Scorer()
    scorer.load_state_dict({name: value.float() for name, value in load_file(arguments.scorer).items()})
    scorer.eval().to("cuda" if torch.cuda.is_available() else "cpu")
    scenes, prompts = draw_prompts(arguments.seed, 64, 1)
    settings = cache_settings(arguments.first) if arguments.what == "caches" else method_settings(arguments.adapters)
    if unknown := set(arguments.only) - set(settings):
        raise SystemExit(f"no setting is called {sorted(unknown)}; there are {list(settings)}")
    if arguments.only:
        settings = {name: value for place, (name, value) in enumerate(settings.items()) if place == 0 or name in arguments.only}
    more = ["--threads", str(arguments.threads), *arguments.more] if arguments.threads else arguments.more
    commands = {name: options + more for name, options in settings.items()}

    file = arguments.out / "results.json"
    inputs = [arguments.fw, arguments.scorer, *sorted(arguments.adapters.glob("*.safetensors")), *sorted(MINI.rglob("*.safetensors"))]
    inputs += sorted(LINGEN.glob("*/mate.safetensors"))
    about = {"what": arguments.what, "seed": arguments.seed, "order": "each prompt begins with another setting", "more": more, "files": {path.name: hash_of(path) for path in inputs}}
    results: dict[str, dict] = {}
    if file.exists():
        saved = json.loads(file.read_text())
        if saved["about"] != about:
            raise SystemExit(f"{file} is of another program, model, adapter or other options: choose another --out, or remove it")
        results = saved["prompts"]
    numbers = range(arguments.first_prompt, min(arguments.prompts, len(prompts)))
    missing = [n for n in numbers if not all(name in results.get(prompts[n], {}) for name in settings)]
    begun = time.monotonic()

    def tasks():
        for number in missing:
            yield Task(number, prompts[number], arguments.fw, commands, arguments.out, number < arguments.keep)

    waiting, queue = {}, tasks()
    with ProcessPoolExecutor(arguments.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        while True:
            while len(waiting) < arguments.jobs and not (arguments.seconds and time.monotonic() - begun > arguments.seconds):
                task = next(queue, None)
                if task is None:
                    break
                waiting[pool.submit(draw, task)] = task
            if not waiting:
                break
            ended = next(as_completed(waiting))
            task = waiting.pop(ended)
            rows, clips = ended.result()
            pictures = torch.from_numpy(clips).permute(0, 4, 1, 2, 3).float() / 127.5 - 1
            with torch.no_grad():
                answers = read_clips(scorer, pictures)
            for place, (name, row) in enumerate(zip(settings, rows)):
                tally, _ = judge({head: value[place : place + 1] for head, value in answers.items()}, scenes[task.number : task.number + 1])
                row["marks"] = {question: [entry["right"], entry["of"]] for question, entry in tally.as_table().items()}
            results.setdefault(task.prompt, {}).update(zip(settings, rows))
            part = file.with_suffix(".part")
            part.write_text(json.dumps({"about": about, "prompts": results}))
            part.replace(file)
    print_table(results, settings)


if __name__ == "__main__":
    main()
