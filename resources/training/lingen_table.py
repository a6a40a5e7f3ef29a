"""Prints what runs of lingen.py and their evaluations came to: python lingen_table.py FOLDER...

Every folder holds `run` (lingen.py --out), `short` and `long` (evaluate.py --out, at 33 and 129 frames), as lingen_trip.sh leaves them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

RECORD = Path(__file__).resolve().parent / "record" / "run.json"
HEADS = ("sprite", "motion", "place", "time", "weather", "camera")
WITHIN = 5.0  # points that the variant may lose on each score at 33 frames
GUIDANCE = "4.0"


def percent(entry: dict) -> float:
    return 100 * entry["right"] / max(1, entry["of"])


def column(folder: Path, dense: dict) -> dict[str, str]:
    """The results of one variant, by the name of the row."""
    history = json.loads((folder / "run" / "history.json").read_text())
    short, long = (json.loads((folder / name / "scores.json").read_text())["model"][GUIDANCE] for name in ("short", "long"))
    cells = {}
    for head in HEADS:
        value = percent(short["score"][head])
        cells[f"{head} at 33"] = f"{value:.1f}" + ("" if value >= percent(dense[head]) - WITHIN else " *")
    cells |= {f"{head} at 129": f"{percent(long['score'][head]):.1f}" for head in HEADS}
    cells |= {f"sprite {name} to the end": f"{percent(entry):.1f}" for name, entry in long["identity"].items()}
    errors = [entry["check"] for entry in history if "check" in entry][-1]
    for name, values in errors.items():
        cells[f"error on {name} (dense)"] = f"{values['lingen']:.4f} ({values['dense']:.4f})"
    reports = [entry for entry in history if "loss" in entry]
    middle = [entry for entry in reports if "seconds" in entry and 0.4 < entry["progress"] < 0.95]
    cells["steps"] = str(reports[-1]["step"])
    if len(middle) > 1:
        steps, seconds = (middle[-1][key] - middle[0][key] for key in ("step", "seconds"))
        cells["steps a second, second part"] = f"{steps / max(seconds, 1e-9):.2f}"
    cells["own tensors, MiB"] = f"{(folder / 'run' / 'model' / 'transformer' / 'mate.safetensors').stat().st_size / 2**20:.2f}"
    return cells


def main() -> None:
    folders = [Path(word) for word in sys.argv[1:]]
    dense = json.loads(RECORD.read_text())["evaluation"]["64 prompts, seed 2024"]["guidance"][GUIDANCE]["score"]
    real = json.loads((folders[0] / "long" / "scores.json").read_text())
    columns = {"mini": {f"{head} at 33": f"{percent(dense[head]):.1f}" for head in HEADS}}
    columns["real clips"] = {f"{head} at 129": f"{percent(real['ceiling'][head]):.1f}" for head in HEADS}
    columns["real clips"] |= {f"sprite {name} to the end": f"{percent(entry):.1f}" for name, entry in real["identity of real clips"].items()}
    columns |= {folder.name: column(folder, dense) for folder in folders}
    rows = list(dict.fromkeys(row for cells in columns.values() for row in cells))
    rows.sort(key=lambda row: (not row.endswith("at 33"), not row.endswith("at 129"), not row.endswith("the end")))
    print(f"mini-lingen: scores in percent; * more than {WITHIN:.0f} points below mini")
    print(f"{'':32}" + "".join(f"{name:>18}" for name in columns))
    for row in rows:
        print(f"{row:32}" + "".join(f"{cells.get(row, ''):>18}" for cells in columns.values()))


if __name__ == "__main__":
    main()
