"""Draws how much every kind of module changes from step to step, from the file `fw calibrate` writes.

python docs/images/make_change_curve.py resources/models/mini/cache_constants.json docs/images/change-curve-mini.svg

For each step the mean over layers of mean (y - y before)² / mean (y before)²: the error of reusing the output once.
"""

import json
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 400, 70, 30, 24, 54
COLOURS = {"self": "#1f6fb2", "temporal": "#7a4fb0", "cross": "#c2571a", "mlp": "#3a8a4d"}
NAMES = {"self": "self-attention", "temporal": "temporal attention", "cross": "cross-attention", "mlp": "feed-forward"}


def draw(measured: dict) -> str:
    curves = {
        kind: [sum(layers) / len(layers) for layers in steps[1:]]
        for kind, steps in measured["change_by_step_and_layer"].items()
    }
    steps = len(next(iter(curves.values())))
    values = [value for curve in curves.values() for value in curve if value > 0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x(step: float) -> float:
        return LEFT + (step - 1) / max(1, steps - 1) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (high - math.log10(value)) / max(1, high - low) * (HEIGHT - TOP - BOTTOM)

    total = steps + 1
    first, last = math.ceil(0.15 * total), math.floor(0.85 * total) - 1
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<rect x="{x(first):.1f}" y="{TOP}" width="{x(last) - x(first):.1f}" height="{HEIGHT - TOP - BOTTOM}" fill="#eef1f4"/>',
    ]
    for power in range(low, high + 1):
        at = y(10.0**power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="#d0d5da"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#444">{10.0**power:g}</text>')
    for step in range(1, steps + 1, max(1, steps // 10)):
        parts.append(f'<text x="{x(step):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle" fill="#444">{step}</text>')
    for row, (kind, curve) in enumerate(curves.items()):
        points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in enumerate(curve, start=1) if value > 0)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{COLOURS[kind]}" stroke-width="2"/>')
        at = TOP + 18 + 18 * row
        parts.append(f'<line x1="{WIDTH - 190}" x2="{WIDTH - 166}" y1="{at - 4}" y2="{at - 4}" stroke="{COLOURS[kind]}" stroke-width="2"/>')
        parts.append(f'<text x="{WIDTH - 160}" y="{at}" fill="#222">{NAMES[kind]}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 14}" text-anchor="middle" fill="#222">step, counted from 0</text>')
    parts.append(f'<text x="{LEFT}" y="{TOP - 10}" fill="#222">relative squared change since the step before</text>')
    parts.append("</svg>")
    return "\n".join(parts) + "\n"


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        picture = draw(json.load(file))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(picture)


if __name__ == "__main__":
    main()
