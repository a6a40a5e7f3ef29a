"""Prints what a run of lingen.py and its two evaluations came to: python lingen_table.py RUN SHORT LONG (folders)"""

from __future__ import annotations

import json
import sys
from pathlib import Path

RECORD = Path(__file__).resolve().parent / "record" / "run.json"
HEADS = ("sprite", "motion", "place", "time", "weather", "camera")
WITHIN = 5.0  # points that the variant may lose on each score at 33 frames


def percent(entry: dict) -> float:
    return 100 * entry["right"] / max(1, entry["of"])


def main() -> None:
    run, short, long = (Path(word) for word in sys.argv[1:4])
    history = json.loads((run / "history.json").read_text())
    reports = [entry for entry in history if "loss" in entry]
    checks = [entry["check"] for entry in history if "check" in entry]
    dense = json.loads(RECORD.read_text())["evaluation"]["64 prompts, seed 2024"]["guidance"]["4.0"]["score"]
    scores = [json.loads((folder / "scores.json").read_text()) for folder in (short, long)]
    ours, ours_long = (report["model"]["4.0"] for report in scores)
    print("mini-lingen: scores in percent, 20 steps, guidance 4")
    print(f"{'':10}{'dense 33':>10}{'33':>8}{'129':>8}{'real 129':>10}")
    for head in HEADS:
        values = [percent(table[head]) for table in (dense, ours["score"], ours_long["score"], scores[1]["ceiling"])]
        verdict = "" if values[1] >= values[0] - WITHIN else "  more than 5 points below dense"
        print(f"{head:10}{values[0]:10.1f}{values[1]:8.1f}{values[2]:8.1f}{values[3]:10.1f}{verdict}")
    for name, entry in ours_long["identity"].items():
        print(f"identity over 129 frames, {name}: {entry['right']}/{entry['of']} (real {scores[1]['identity of real clips'][name]['right']})")
    for name, errors in checks[-1].items():
        print(f"error on {name}: {errors}")
    middle = [entry for entry in reports if "seconds" in entry and 0.4 < entry["progress"] < 0.95]
    if len(middle) > 1:
        steps, seconds = (middle[-1][key] - middle[0][key] for key in ("step", "seconds"))
        print(f"{reports[-1]['step']} steps, {steps / max(seconds, 1e-9):.2f} a second in the second part")
    own = run / "model" / "transformer" / "mate.safetensors"
    print(f"own tensors: {own.stat().st_size / 2**20:.2f} MiB")


if __name__ == "__main__":
    main()
