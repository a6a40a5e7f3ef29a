"""Draws how open SALAD's gates are for each layer and step, and how they are spread, from what `fw inspect` exports.

fw generate "a red fox walks in the snow" --seed 7 --method salad --trace run.safetensors --probe gate --probe-steps all
fw inspect run.safetensors --table gates --export gates.csv
python docs/images/make_gate_picture.py gates.csv docs/images/gates-mini.svg

Left: mean gate of every layer (rows) and step (columns). Right: share of tokens in each tenth, over all steps, layer by layer.
"""

import csv
import sys

CELL, HIGH, LEFT, TOP, GAP, BAR = 22, 26, 70, 44, 60, 24


def shade(value: float) -> str:
    """White to the blue of the other pictures."""
    low, high = (255, 255, 255), (31, 111, 178)
    return "#" + "".join(f"{round(a + (b - a) * min(1.0, max(0.0, value))):02x}" for a, b in zip(low, high))


def draw(rows: list[dict]) -> str:
    steps, layers = sorted({int(row["step"]) for row in rows}), sorted({int(row["layer"]) for row in rows})
    tenths = [f"from_0.{i}" for i in range(10)]
    means = {(int(row["layer"]), int(row["step"])): float(row["mean"]) for row in rows if int(row["branch"]) == 0}
    spread = {layer: [0.0] * 10 for layer in layers}
    for row in rows:
        for i, name in enumerate(tenths):
            spread[int(row["layer"])][i] += float(row[name]) / sum(int(other["layer"]) == int(row["layer"]) for other in rows)
    right = LEFT + CELL * len(steps) + GAP
    width, height = right + BAR * 10 + 24, TOP + HIGH * len(layers) + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="{TOP - 16}" fill="#222" font-size="13">mean gate by step</text>',
        f'<text x="{right}" y="{TOP - 16}" fill="#222" font-size="13">share of tokens by gate</text>',
    ]
    top = max(max(shares) for shares in spread.values())
    for row, layer in enumerate(layers):
        at = TOP + HIGH * row
        parts.append(f'<text x="{LEFT - 8}" y="{at + HIGH / 2 + 4}" text-anchor="end" fill="#444">layer {layer}</text>')
        for column, step in enumerate(steps):
            value = means.get((layer, step))
            if value is None:
                continue
            parts.append(f'<rect x="{LEFT + CELL * column}" y="{at + 1}" width="{CELL - 1}" height="{HIGH - 2}" fill="{shade(value)}"/>')
            ink = "#ffffff" if value > 0.7 else "#333333"
            x = LEFT + CELL * (column + 0.5)
            parts.append(f'<text x="{x:.1f}" y="{at + HIGH / 2 + 4}" text-anchor="middle" font-size="10" fill="{ink}">{round(100 * value)}</text>')
        for i, share in enumerate(spread[layer]):
            tall = (HIGH - 4) * share / top
            parts.append(f'<rect x="{right + BAR * i}" y="{at + HIGH - 2 - tall:.1f}" width="{BAR - 2}" height="{tall:.1f}" fill="#1f6fb2"/>')
        parts.append(f'<line x1="{right}" x2="{right + BAR * 10}" y1="{at + HIGH - 1.5}" y2="{at + HIGH - 1.5}" stroke="#d0d5da"/>')
    bottom = TOP + HIGH * len(layers) + 18
    for column, step in enumerate(steps):
        if step % 5 == 0:
            parts.append(f'<text x="{LEFT + CELL * (column + 0.5):.1f}" y="{bottom}" text-anchor="middle" fill="#444">{step}</text>')
    for i in (0, 5, 10):
        parts.append(f'<text x="{right + BAR * i}" y="{bottom}" text-anchor="middle" fill="#444">{i / 10:g}</text>')
    parts.append(f'<text x="{LEFT}" y="{bottom + 20}" fill="#222">step, counted from 0; per cent</text>')
    parts.append(f'<text x="{right}" y="{bottom + 20}" fill="#222">gate; highest bar {round(100 * top)} %</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main() -> None:
    with open(sys.argv[1], encoding="utf-8", newline="") as file:
        picture = draw(list(csv.DictReader(file)))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(picture)


if __name__ == "__main__":
    main()
