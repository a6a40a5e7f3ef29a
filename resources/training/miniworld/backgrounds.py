"""Painted panoramas: for every place, time of day and variant a far layer (RGB) and a near layer (premultiplied RGBA).

A panorama is 640 x 288 world units: wide enough for a camera pan, and 16 units taller than the frame on either side for zooming.
It is painted at twice that size and averaged down. The far layer moves at half the speed of the near one when the camera pans.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT = 640, 288
MARGIN = 16  # rows above and below the frame
SUPERSAMPLE = 2
TIMES = ("day", "sunset", "night")
NO_TIME = "none"

Colour = tuple[int, int, int]

SKY_GRADIENT = {
    "day": ((66, 140, 226), (196, 228, 250)),
    "sunset": ((98, 62, 140), (255, 164, 96)),
    "night": ((10, 14, 44), (46, 56, 112)),
}
LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (1.0, 0.75, 0.68), "night": (0.36, 0.42, 0.66)}
CLOUD = {"day": (255, 255, 255), "sunset": (255, 200, 172), "night": (58, 66, 112)}
SEA = {
    "day": ((56, 156, 218), (30, 110, 190)),
    "sunset": ((236, 144, 112), (96, 70, 140)),
    "night": ((36, 52, 112), (14, 24, 66)),
}


def blend(first: Colour, second: Colour, amount: float) -> Colour:
    """Returns `first` moved towards `second` by `amount` in [0, 1]."""
    return tuple(int(a * (1 - amount) + b * amount) for a, b in zip(first, second))


@dataclass
class Canvas:
    """The two layers being painted. Coordinates are world units; `horizon` is where the ground begins."""

    time: str
    random: np.random.Generator

    def __post_init__(self) -> None:
        size = (WIDTH * SUPERSAMPLE, HEIGHT * SUPERSAMPLE)
        self.far = Image.new("RGB", size)
        self.near = Image.new("RGBA", size, (0, 0, 0, 0))
        self.horizon = 0.66 * HEIGHT

    # -- drawing in world units -------------------------------------------------------------------------------------------------

    def _pen(self, layer: str) -> ImageDraw.ImageDraw:
        return ImageDraw.Draw(getattr(self, layer))

    @staticmethod
    def _scaled(points) -> list[float]:
        return [float(value) * SUPERSAMPLE for point in points for value in point]

    def polygon(self, layer: str, points, colour: Colour) -> None:
        self._pen(layer).polygon(self._scaled(points), fill=colour)

    def rectangle(self, layer: str, left, top, right, bottom, colour: Colour) -> None:
        self._pen(layer).rectangle(self._scaled([(left, top), (right, bottom)]), fill=colour)

    def ellipse(self, layer: str, x, y, radius_x, radius_y, colour: Colour) -> None:
        self._pen(layer).ellipse(self._scaled([(x - radius_x, y - radius_y), (x + radius_x, y + radius_y)]), fill=colour)

    def rounded(self, layer: str, left, top, right, bottom, radius, colour: Colour) -> None:
        self._pen(layer).rounded_rectangle(self._scaled([(left, top), (right, bottom)]), radius=radius * SUPERSAMPLE, fill=colour)

    def line(self, layer: str, points, width, colour: Colour) -> None:
        self._pen(layer).line(self._scaled(points), fill=colour, width=max(1, round(width * SUPERSAMPLE)), joint="curve")

    def arc(self, layer: str, left, top, right, bottom, start, end, width, colour: Colour) -> None:
        box = self._scaled([(left, top), (right, bottom)])
        self._pen(layer).arc(box, start, end, fill=colour, width=max(1, round(width * SUPERSAMPLE)))

    def gradient(self, layer: str, top_colour: Colour, bottom_colour: Colour, outline=None, top: float = 0, bottom: float = HEIGHT) -> None:
        """Fills the layer, or the inside of the polygon `outline`, with a vertical gradient between two rows."""
        target = getattr(self, layer)
        rows = (np.arange(HEIGHT * SUPERSAMPLE) / SUPERSAMPLE - top) / max(1, bottom - top)
        amount = np.clip(rows, 0, 1)[:, None, None]
        column = np.asarray(top_colour, np.float32) * (1 - amount) + np.asarray(bottom_colour, np.float32) * amount
        image = Image.fromarray(np.repeat(column, target.size[0], axis=1).astype(np.uint8))
        mask = Image.new("L", target.size, 255 if outline is None else 0)
        if outline is not None:
            ImageDraw.Draw(mask).polygon(self._scaled(outline), fill=255)
        target.paste(image.convert(target.mode), (0, 0), mask)

    def glow(self, x, y, radius, colour: Colour, strength: float) -> None:
        """Adds a soft disc of light to the far layer."""
        rows, columns = np.mgrid[0:HEIGHT:2, 0:WIDTH:2]
        falloff = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2)) * strength
        mask = Image.fromarray((np.clip(falloff, 0, 1) * 255).astype(np.uint8)).resize(self.far.size, Image.Resampling.BILINEAR)
        self.far.paste(Image.new("RGB", self.far.size, colour), (0, 0), mask)

    # -- helpers ----------------------------------------------------------------------------------------------------------------

    def lit(self, colour: Colour, gain: float = 1.0) -> Colour:
        """The colour under the light of this time of day."""
        return tuple(int(min(255, c * light * gain)) for c, light in zip(colour, LIGHT[self.time]))

    def hazy(self, colour: Colour, amount: float) -> Colour:
        """The lit colour, faded towards the sky at the horizon: things far away."""
        return blend(self.lit(colour), SKY_GRADIENT[self.time][1], amount)

    def pick(self, choices):
        return choices[int(self.random.integers(len(choices)))]

    def uniform(self, low, high) -> float:
        return float(self.random.uniform(low, high))

    def spread(self, low_count: int, high_count: int) -> list[float]:
        """Between low and high x positions, one in each equal stretch of the panorama."""
        count = int(self.random.integers(low_count, high_count + 1))
        return [(index + self.uniform(0.15, 0.85)) * WIDTH / count for index in range(count)]

    def ridge(self, base, height) -> list[tuple[float, float]]:
        """A smooth skyline around the row `base`."""
        phases = self.random.uniform(0, 2 * math.pi, 3)
        waves = self.random.uniform(0.8, 1.6, 3)
        line = []
        for x in range(0, WIDTH + 8, 8):
            turn = x / WIDTH * 2 * math.pi
            swell = sum(math.sin(turn * (k + 1) * waves[k] + phases[k]) / (k + 1) for k in range(3))
            line.append((x, base + 0.5 * height * swell))
        return line


def below(skyline) -> list[tuple[float, float]]:
    """The polygon from a skyline down to the bottom of the panorama."""
    return [(0, HEIGHT), *skyline, (WIDTH, HEIGHT)]


def row_at(skyline, x: float) -> float:
    """The row of a skyline at column x."""
    return float(np.interp(x, [p[0] for p in skyline], [p[1] for p in skyline]))


# -- parts of landscapes --------------------------------------------------------------------------------------------------------


def paint_cloud(canvas: Canvas, x, y, size, colour: Colour) -> None:
    for dx, dy, radius in ((-1.5, 0, 0.62), (-0.7, -0.35, 0.85), (0.2, -0.5, 1.0), (1.1, -0.15, 0.75), (1.8, 0.1, 0.5)):
        canvas.ellipse("far", x + dx * size, y + dy * size, radius * size, radius * size * 0.8, colour)
    canvas.rounded("far", x - 2.1 * size, y - 0.05 * size, x + 2.3 * size, y + 0.5 * size, 0.27 * size, colour)


def paint_sky(canvas: Canvas, horizon: float) -> None:
    top, bottom = SKY_GRADIENT[canvas.time]
    jitter = canvas.random.integers(-8, 9, 3)
    top = tuple(int(np.clip(c + j, 0, 255)) for c, j in zip(top, jitter))
    canvas.gradient("far", top, bottom, bottom=horizon)
    if canvas.time == "night":
        for _ in range(60):
            radius, level = canvas.pick((0.9, 1.2, 1.7)), int(canvas.uniform(180, 255))
            canvas.ellipse("far", canvas.uniform(0, WIDTH), canvas.uniform(0, horizon * 0.85), radius, radius, (level, level, level))
    for x in ((canvas.uniform(0.1, 0.4)) * WIDTH, canvas.uniform(0.6, 0.9) * WIDTH):
        if canvas.time == "day":
            y = canvas.uniform(0.12, 0.22) * HEIGHT
            canvas.glow(x, y, 48, (255, 250, 210), 0.75)
            canvas.ellipse("far", x, y, 18, 18, (255, 236, 130))
        elif canvas.time == "sunset":
            y = horizon - canvas.uniform(22, 46)
            canvas.glow(x, y, 72, (255, 212, 124), 0.85)
            canvas.ellipse("far", x, y, 23, 23, (255, 234, 156))
        else:
            y = canvas.uniform(0.12, 0.22) * HEIGHT
            canvas.glow(x, y, 40, (150, 165, 220), 0.55)
            canvas.ellipse("far", x, y, 17, 17, (246, 244, 220))
            for dx, dy, radius in ((-5, -3, 3.6), (5, 3, 2.8)):
                canvas.ellipse("far", x + dx, y + dy, radius, radius, (222, 220, 198))
    for x in canvas.spread(2, 4):
        paint_cloud(canvas, x, canvas.uniform(0.1, 0.3) * HEIGHT, canvas.uniform(9, 17), CLOUD[canvas.time])


def paint_ground(canvas: Canvas, skyline, top_colour: Colour, bottom_colour: Colour) -> None:
    canvas.gradient("near", canvas.lit(top_colour), canvas.lit(bottom_colour), below(skyline), min(y for _, y in skyline))


def paint_tree(canvas: Canvas, layer: str, x, y, size, leaves: Colour, highlight: Colour, trunk: Colour) -> None:
    canvas.rectangle(layer, x - 0.07 * size, y - 0.5 * size, x + 0.07 * size, y, trunk)
    for dx, dy, radius in ((-0.22, -0.62, 0.26), (0.22, -0.6, 0.26), (0, -0.85, 0.3)):
        canvas.ellipse(layer, x + dx * size, y + dy * size, radius * size, radius * size, leaves)
    canvas.ellipse(layer, x - 0.06 * size, y - 0.9 * size, 0.16 * size, 0.15 * size, highlight)


def paint_pine(canvas: Canvas, layer: str, x, y, size, needles: Colour, trunk: Colour, snow: Colour | None = None) -> None:
    canvas.rectangle(layer, x - 0.08 * size, y - 0.2 * size, x + 0.08 * size, y, trunk)
    for tier in range(3):
        half = size * (0.42 - 0.1 * tier)
        bottom = y - size * (0.15 + 0.26 * tier)
        tip = bottom - 0.42 * size
        canvas.polygon(layer, [(x - half, bottom), (x + half, bottom), (x, tip)], needles)
        if snow:
            middle = bottom - 0.21 * size
            canvas.polygon(layer, [(x - half * 0.5, middle), (x, middle + 0.07 * size), (x + half * 0.5, middle), (x, tip)], snow)


def paint_stones(canvas: Canvas, count: int, first_row: float, colours) -> None:
    for _ in range(count):
        radius = canvas.uniform(4, 8)
        canvas.ellipse("near", canvas.uniform(0, WIDTH), canvas.uniform(first_row, HEIGHT), radius, radius * 0.6, canvas.lit(canvas.pick(colours)))


# -- places ---------------------------------------------------------------------------------------------------------------------


def paint_meadow(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    canvas.polygon("far", below(canvas.ridge(horizon - 18, 30)), canvas.hazy((120, 180, 130), 0.35))
    skyline = canvas.ridge(horizon, 16)
    for x in canvas.spread(2, 4):
        size = canvas.uniform(36, 54)
        paint_tree(canvas, "near", x, row_at(skyline, x) + 3, size, canvas.lit((60, 150, 70)), canvas.lit((90, 180, 90)), canvas.lit((120, 80, 50)))
    paint_ground(canvas, skyline, (136, 206, 92), (74, 154, 62))
    for _ in range(34):
        x, y = canvas.uniform(0, WIDTH), canvas.uniform(horizon + 20, HEIGHT - 4)
        radius = canvas.uniform(2.4, 3.6)
        petals = canvas.lit(canvas.pick(((255, 255, 255), (255, 120, 150), (255, 200, 60), (190, 130, 240))), 1.1)
        canvas.ellipse("near", x, y, radius * 1.5, radius * 1.3, petals)
        canvas.ellipse("near", x, y, radius * 0.6, radius * 0.6, canvas.lit((250, 210, 60)))


def paint_mountains(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    snow = canvas.lit((250, 252, 255), 1.15)
    for base, tallest, rock, haze in ((horizon, 118, (150, 165, 200), 0.25), (horizon + 10, 84, (105, 125, 165), 0.08)):
        x = -30.0
        while x < WIDTH + 30:
            height = tallest * canvas.uniform(0.7, 1.0)
            half = height * canvas.uniform(0.75, 1.0)
            peak, foot = (x, base - height), base + 30
            face = canvas.hazy(rock, haze)
            canvas.polygon("far", [(x - half, foot), peak, (x + half, foot)], face)
            canvas.polygon("far", [peak, (x + half, foot), (x + 0.12 * half, foot)], blend(face, (0, 0, 0), 0.13))
            cap = 0.3 * height
            edge = half * cap / (height + 30)
            zigzag = [peak, (x - edge, peak[1] + cap), (x - 0.35 * edge, peak[1] + 0.7 * cap), (x, peak[1] + 1.05 * cap)]
            canvas.polygon("far", [*zigzag, (x + 0.4 * edge, peak[1] + 0.72 * cap), (x + edge, peak[1] + cap)], snow)
            x += half * canvas.uniform(0.9, 1.3)
    skyline = canvas.ridge(horizon + 7, 13)
    for x in canvas.spread(6, 10):
        paint_pine(canvas, "near", x, row_at(skyline, x) + 4, canvas.uniform(28, 44), canvas.lit((44, 110, 74)), canvas.lit((90, 64, 44)))
    paint_ground(canvas, skyline, (112, 172, 92), (66, 122, 62))
    paint_stones(canvas, 10, horizon + 22, ((140, 145, 150),))


def paint_beach(canvas: Canvas) -> None:
    sea_row, shore = 0.52 * HEIGHT, canvas.horizon + 12
    paint_sky(canvas, sea_row)
    top, bottom = SEA[canvas.time]
    canvas.gradient("far", top, bottom, [(0, sea_row), (WIDTH, sea_row), (WIDTH, HEIGHT), (0, HEIGHT)], sea_row, HEIGHT)
    for _ in range(22):
        x, y, length = canvas.uniform(0, WIDTH), canvas.uniform(sea_row + 5, shore), canvas.uniform(10, 26)
        canvas.line("far", [(x, y), (x + length, y)], 1.8, blend(top, (255, 255, 255), 0.35))
    skyline = canvas.ridge(shore, 9)
    canvas.polygon("near", below([(x, y - 6) for x, y in skyline]), canvas.lit((250, 250, 250)))
    paint_ground(canvas, skyline, (246, 224, 164), (224, 188, 120))
    for x in canvas.spread(2, 3):
        paint_palm(canvas, x, row_at(skyline, x) + 12, canvas.uniform(76, 98))
    paint_stones(canvas, 10, shore + 20, ((255, 245, 235), (240, 150, 120), (200, 160, 110)))


def paint_palm(canvas: Canvas, x, y, size) -> None:
    trunk = [(x + math.sin(k / 8 * 1.2) * size * 0.22, y - k / 8 * size) for k in range(9)]
    canvas.line("near", trunk, size * 0.09, canvas.lit((150, 105, 60)))
    top_x, top_y = trunk[-1]
    for angle in (-2.7, -2.0, -1.2, -0.5, 0.2, 3.4):
        tip = (top_x + math.cos(angle) * size * 0.5, top_y + math.sin(angle) * size * 0.3 + size * 0.14)
        bend = (top_x + math.cos(angle) * size * 0.28, top_y + math.sin(angle) * size * 0.3 - size * 0.05)
        frond = [(top_x, top_y - size * 0.03), (bend[0], bend[1] - size * 0.05), tip, (bend[0], bend[1] + size * 0.06), (top_x, top_y + size * 0.04)]
        canvas.polygon("near", frond, canvas.lit((40, 150, 70)))


def paint_ocean(canvas: Canvas) -> None:
    sea_row = 0.52 * HEIGHT
    paint_sky(canvas, sea_row)
    top, bottom = SEA[canvas.time]
    canvas.gradient("near", top, bottom, [(0, sea_row), (WIDTH, sea_row), (WIDTH, HEIGHT), (0, HEIGHT)], sea_row, HEIGHT)
    crest = blend(top, (255, 255, 255), 0.42)
    for rank in range(7):
        row = sea_row + 8 + rank * 8 + rank * rank * 1.6
        step = 16 + rank * 6
        x = -canvas.uniform(0, step)
        while x < WIDTH:
            canvas.arc("near", x, row - step * 0.18, x + step, row + step * 0.22, 200, 340, 1.6 + rank / 4, crest)
            x += step * canvas.uniform(1.7, 2.5)


def paint_desert(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    canvas.polygon("far", below(canvas.ridge(horizon - 17, 35)), canvas.hazy((236, 190, 120), 0.25))
    canvas.polygon("far", below(canvas.ridge(horizon - 3, 23)), canvas.lit((230, 176, 100)))
    skyline = canvas.ridge(horizon + 8, 15)
    for x in canvas.spread(2, 4):
        paint_saguaro(canvas, x, row_at(skyline, x) + 7, canvas.uniform(38, 56))
    paint_ground(canvas, skyline, (244, 204, 122), (216, 158, 86))
    paint_stones(canvas, 8, horizon + 25, ((180, 130, 90),))


def paint_saguaro(canvas: Canvas, x, y, size) -> None:
    green, width = canvas.lit((60, 140, 80)), size * 0.16
    canvas.rounded("near", x - width / 2, y - size, x + width / 2, y, width / 2, green)
    canvas.rounded("near", x - 0.34 * size, y - 0.55 * size, x, y - 0.42 * size, 0.06 * size, green)
    canvas.rounded("near", x - 0.34 * size, y - 0.8 * size, x - 0.22 * size, y - 0.42 * size, 0.06 * size, green)
    canvas.rounded("near", x, y - 0.45 * size, x + 0.3 * size, y - 0.33 * size, 0.06 * size, green)
    canvas.rounded("near", x + 0.18 * size, y - 0.7 * size, x + 0.3 * size, y - 0.33 * size, 0.06 * size, green)


def paint_snow(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    canvas.polygon("far", below(canvas.ridge(horizon - 14, 36)), canvas.hazy((214, 226, 244), 0.3))
    skyline = canvas.ridge(horizon, 14)
    for x in canvas.spread(5, 8):
        size = canvas.uniform(38, 60)
        paint_pine(canvas, "near", x, row_at(skyline, x) + 5, size, canvas.lit((50, 104, 92)), canvas.lit((90, 64, 44)), canvas.lit((246, 250, 255), 1.1))
    paint_ground(canvas, skyline, (250, 252, 255), (208, 224, 244))
    for _ in range(7):
        x, y, length = canvas.uniform(0, WIDTH), canvas.uniform(horizon + 22, HEIGHT), canvas.uniform(30, 70)
        canvas.arc("near", x, y, x + length, y + 9, 190, 350, 2.2, canvas.lit((212, 226, 246)))


def paint_forest(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    for colour, haze in (((120, 170, 130), 0.3), ((84, 140, 96), 0.15)):
        for x in canvas.spread(11, 13):
            paint_pine(canvas, "far", x, horizon + 10, canvas.uniform(85, 118), canvas.hazy(colour, haze), canvas.hazy((90, 80, 60), haze))
    skyline = canvas.ridge(horizon + 3, 9)
    for x in canvas.spread(5, 8):
        size = canvas.uniform(85, 122)
        if canvas.uniform(0, 1) < 0.5:
            paint_tree(canvas, "near", x, horizon + 12, size, canvas.lit((46, 128, 62)), canvas.lit((76, 158, 80)), canvas.lit((104, 70, 44)))
        else:
            paint_pine(canvas, "near", x, horizon + 12, size, canvas.lit((34, 104, 66)), canvas.lit((90, 62, 40)))
    paint_ground(canvas, skyline, (86, 142, 64), (50, 100, 46))
    paint_stones(canvas, 12, horizon + 22, ((66, 124, 56),))


def paint_building(canvas: Canvas, layer: str, left, width, height, ground, wall: Colour, window: tuple[float, float]) -> None:
    canvas.rectangle(layer, left, ground - height, left + width, ground, wall)
    pane_width, pane_height = window
    columns = max(1, int((width - 6) // (pane_width * 2)))
    pitch = width / columns
    lit_share = {"day": 0.0, "sunset": 0.35, "night": 0.6}[canvas.time]
    dark = blend(wall, (200, 230, 255) if canvas.time == "day" else (20, 24, 50), 0.45)
    row = ground - height + 7
    while row + pane_height < ground - 8:
        for column in range(columns):
            x = left + pitch * (column + 0.5) - pane_width / 2
            colour = (255, 222, 124) if canvas.uniform(0, 1) < lit_share else dark
            canvas.rectangle(layer, x, row, x + pane_width, row + pane_height, colour)
        row += pane_height * 1.9


def paint_city(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    left = -10.0
    while left < WIDTH:
        width = canvas.uniform(34, 56)
        paint_building(canvas, "far", left, width, canvas.uniform(60, 122), horizon + 15, canvas.hazy((140, 150, 180), 0.4), (5, 7))
        left += width + 1
    left = -15.0
    walls = ((196, 110, 96), (120, 140, 170), (214, 178, 130), (150, 120, 160), (110, 150, 150))
    while left < WIDTH:
        width = canvas.uniform(48, 80)
        paint_building(canvas, "near", left, width, canvas.uniform(42, 94), horizon + 20, canvas.lit(canvas.pick(walls)), (8, 10))
        left += width + canvas.uniform(0, 20)
    canvas.rectangle("near", 0, horizon + 17, WIDTH, horizon + 32, canvas.lit((190, 190, 196)))
    canvas.rectangle("near", 0, horizon + 32, WIDTH, HEIGHT, canvas.lit((92, 94, 104)))
    offset = canvas.uniform(0, 50)
    for x in range(0, WIDTH, 65):
        canvas.rectangle("near", x + offset, horizon + 61, x + offset + 32, horizon + 66, canvas.lit((240, 236, 210)))


def paint_road(canvas: Canvas) -> None:
    horizon = canvas.horizon
    paint_sky(canvas, horizon)
    canvas.polygon("far", below(canvas.ridge(horizon - 15, 35)), canvas.hazy((130, 180, 140), 0.4))
    canvas.polygon("far", below(canvas.ridge(horizon - 2, 20)), canvas.hazy((110, 170, 100), 0.12))
    for x in canvas.spread(2, 4):
        size = canvas.uniform(36, 54)
        paint_tree(canvas, "near", x, horizon + 8, size, canvas.lit((64, 146, 74)), canvas.lit((92, 172, 92)), canvas.lit((110, 76, 48)))
    canvas.gradient("near", canvas.lit((134, 196, 92)), canvas.lit((90, 156, 66)), below([(0, horizon + 2), (WIDTH, horizon + 2)]), horizon)
    canvas.rectangle("near", 0, horizon + 22, WIDTH, horizon + 76, canvas.lit((88, 90, 100)))
    for row in (horizon + 24, horizon + 71):
        canvas.rectangle("near", 0, row, WIDTH, row + 2.5, canvas.lit((236, 236, 236)))
    offset = canvas.uniform(0, 50)
    for x in range(0, WIDTH, 60):
        canvas.rectangle("near", x + offset, horizon + 46, x + offset + 30, horizon + 50.5, canvas.lit((250, 210, 80)))


ROOM_LIGHT = {"day": (1.0, 1.0, 1.0), "sunset": (1.0, 0.9, 0.82), "night": (0.58, 0.57, 0.7)}


def paint_room(canvas: Canvas) -> None:
    def lamp(colour: Colour) -> Colour:
        return tuple(int(min(255, c * light)) for c, light in zip(colour, ROOM_LIGHT[canvas.time]))

    wall = canvas.pick(((236, 206, 170), (178, 208, 220), (220, 190, 206), (190, 214, 178)))
    floor = 0.7 * HEIGHT
    paint_sky(canvas, canvas.horizon)
    sky = canvas.far.copy()
    canvas.far.paste(lamp(wall), (0, 0, *canvas.far.size))
    for x in range(0, WIDTH, 40):
        canvas.rectangle("far", x, 0, x + 18, HEIGHT, lamp(blend(wall, (255, 255, 255), 0.16)))
    frame = lamp((250, 246, 238))
    for x in canvas.spread(2, 3):
        left, top, right, bottom = x - 42, 0.13 * HEIGHT, x + 42, 0.13 * HEIGHT + 88
        canvas.rectangle("far", left - 5, top - 5, right + 5, bottom + 5, frame)
        box = [round(value * SUPERSAMPLE) for value in (left, top, right, bottom)]
        source = round(canvas.uniform(0, WIDTH - 90)) * SUPERSAMPLE
        view = sky.crop((source, 30, source + box[2] - box[0], 30 + box[3] - box[1]))
        canvas.far.paste(view, (box[0], box[1]))
        canvas.line("far", [(x, top), (x, bottom)], 4, frame)
        canvas.line("far", [(left, (top + bottom) / 2), (right, (top + bottom) / 2)], 4, frame)
        cloth = lamp(canvas.pick(((214, 84, 84), (84, 120, 196), (96, 160, 110))))
        for side in (-1, 1):
            outer, inner = x + side * 58, x + side * 30
            canvas.polygon("far", [(outer, top - 10), (inner, top - 10), (x + side * 44, bottom + 10), (outer, bottom + 10)], cloth)
    canvas.rectangle("near", 0, floor, WIDTH, HEIGHT, lamp((198, 144, 94)))
    canvas.rectangle("near", 0, floor - 7, WIDTH, floor, lamp((250, 244, 234)))
    for depth in (16, 38, 66):
        canvas.line("near", [(0, floor + depth), (WIDTH, floor + depth)], 1.6, lamp((172, 118, 74)))
    for x in canvas.spread(3, 4):
        paint_furniture(canvas, x, floor, lamp)


def paint_furniture(canvas: Canvas, x, floor, lamp: Callable[[Colour], Colour]) -> None:
    kind = canvas.pick(("sofa", "lamp", "plant"))
    if kind == "sofa":
        cloth = lamp(canvas.pick(((200, 80, 90), (80, 120, 170), (90, 150, 110))))
        canvas.rounded("near", x - 45, floor - 38, x + 45, floor + 8, 11, cloth)
        canvas.rounded("near", x - 40, floor - 13, x + 40, floor + 11, 7, blend(cloth, (255, 255, 255), 0.2))
    elif kind == "lamp":
        canvas.rectangle("near", x - 2, floor - 65, x + 2, floor + 4, lamp((90, 70, 60)))
        canvas.polygon("near", [(x - 20, floor - 60), (x + 20, floor - 60), (x + 12, floor - 90), (x - 12, floor - 90)], (255, 226, 150))
        canvas.ellipse("near", x, floor + 3, 13, 4, lamp((90, 70, 60)))
    else:
        canvas.polygon("near", [(x - 11, floor - 15), (x + 11, floor - 15), (x + 8, floor + 5), (x - 8, floor + 5)], lamp((206, 120, 80)))
        for angle in np.linspace(-2.6, -0.5, 6):
            canvas.ellipse("near", x + math.cos(angle) * 18, floor - 28 + math.sin(angle) * 23, 7, 9, lamp((70, 150, 90)))


def paint_space(canvas: Canvas) -> None:
    canvas.gradient("far", (8, 8, 30), (28, 18, 62))
    for _ in range(4):
        tint = canvas.pick(((120, 50, 160), (40, 90, 180), (170, 60, 120), (40, 140, 150)))
        canvas.glow(canvas.uniform(0, WIDTH), canvas.uniform(0, HEIGHT), canvas.uniform(35, 75), tint, 0.5)
    for _ in range(85):
        radius, level = canvas.pick((1.0, 1.3, 1.9)), int(canvas.uniform(170, 255))
        canvas.ellipse("far", canvas.uniform(0, WIDTH), canvas.uniform(0, HEIGHT), radius, radius, (level, level, level))
    for x in canvas.spread(2, 2):
        y = (canvas.uniform(0.12, 0.28) if canvas.uniform(0, 1) < 0.6 else canvas.uniform(0.76, 0.9)) * HEIGHT
        radius = canvas.uniform(16, 30)
        body = canvas.pick(((220, 130, 80), (110, 160, 220), (200, 110, 160), (130, 200, 160)))
        canvas.ellipse("near", x, y, radius, radius, body)
        for dx, dy, share in ((-0.35, -0.3, 0.2), (0.25, 0.1, 0.26), (-0.2, 0.45, 0.15)):
            canvas.ellipse("near", x + dx * radius, y + dy * radius, share * radius, share * radius, blend(body, (255, 255, 255), 0.25))


def paint_underwater(canvas: Canvas) -> None:
    canvas.gradient("far", (62, 172, 216), (12, 62, 132))
    rays = Image.new("L", canvas.far.size, 0)
    pen = ImageDraw.Draw(rays)
    for x in canvas.spread(5, 6):
        left, width = x * SUPERSAMPLE, canvas.uniform(30, 60)
        pen.polygon([(left, 0), (left + width, 0), (left + 2 * width - 90, rays.size[1]), (left - 140, rays.size[1])], fill=40)
    canvas.far.paste(Image.new("RGB", canvas.far.size, (200, 240, 255)), (0, 0), rays.filter(ImageFilter.GaussianBlur(10)))
    canvas.polygon("far", below(canvas.ridge(canvas.horizon + 5, 30)), (24, 88, 142))
    skyline = canvas.ridge(canvas.horizon + 31, 12)
    for x in canvas.spread(6, 8):
        root = row_at(skyline, x) + 7
        if canvas.uniform(0, 1) < 0.6:
            weed = canvas.pick(((40, 150, 90), (60, 170, 80), (30, 120, 90)))
            for offset in (-7, 0, 7):
                height = canvas.uniform(34, 64)
                stem = [(x + offset + math.sin(k * 1.3 + offset) * 4.5, root - k / 6 * height) for k in range(7)]
                canvas.line("near", stem, 5.5, weed)
        else:
            coral = canvas.pick(((240, 110, 130), (250, 160, 90), (190, 110, 210)))
            for angle in np.linspace(-2.4, -0.7, 5):
                tip = (x + math.cos(angle) * 27, root + math.sin(angle) * 31)
                canvas.line("near", [(x, root), tip], 6.5, coral)
                canvas.ellipse("near", *tip, 5, 5, coral)
    canvas.gradient("near", (228, 208, 154), (188, 164, 114), below(skyline), min(y for _, y in skyline))
    for _ in range(12):
        radius = canvas.uniform(3, 5)
        x, y = canvas.uniform(0, WIDTH), canvas.uniform(0.08, 0.62) * HEIGHT
        canvas.arc("far", x - radius, y - radius, x + radius, y + radius, 0, 360, 1.6, (206, 238, 252))


PAINTERS: dict[str, Callable[[Canvas], None]] = {
    "meadow": paint_meadow,
    "mountains": paint_mountains,
    "beach": paint_beach,
    "ocean": paint_ocean,
    "desert": paint_desert,
    "snow": paint_snow,
    "forest": paint_forest,
    "city": paint_city,
    "road": paint_road,
    "room": paint_room,
    "space": paint_space,
    "underwater": paint_underwater,
}
PLACES = tuple(PAINTERS)
TIMELESS_PLACES = frozenset({"space", "underwater"})
INDOOR_PLACES = frozenset({"room"})
SCENERIES = tuple((place, time) for place in PLACES for time in ((NO_TIME,) if place in TIMELESS_PLACES else TIMES))
"""Every (place, time of day) there is."""


def paint(place: str, time: str, variant: int) -> tuple[np.ndarray, np.ndarray]:
    """Paints one panorama: far uint8 [HEIGHT, WIDTH, 3] and near uint8 [HEIGHT, WIDTH, 4], premultiplied."""
    seed = zlib.crc32(f"{place}/{time}/{variant}".encode())
    canvas = Canvas("day" if time == NO_TIME else time, np.random.default_rng(seed))
    PAINTERS[place](canvas)
    far = np.asarray(canvas.far.resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    near = np.asarray(canvas.near).astype(np.float32)
    near[..., :3] *= near[..., 3:] / 255
    near = near.reshape(HEIGHT, SUPERSAMPLE, WIDTH, SUPERSAMPLE, 4).mean((1, 3))
    return far, (near + 0.5).astype(np.uint8)


def _paint_task(task: tuple[str, str, int]) -> tuple[np.ndarray, np.ndarray]:
    return paint(*task)


def paint_bank(variants: int, processes: int = 1) -> tuple[list[tuple[str, str, int]], np.ndarray, np.ndarray]:
    """Paints `variants` panoramas of every scenery; returns their keys and the stacked layers, in the same order."""
    tasks = [(place, time, variant) for place, time in SCENERIES for variant in range(variants)]
    if processes > 1:
        with get_context("fork").Pool(processes) as pool:
            layers = pool.map(_paint_task, tasks, chunksize=4)
    else:
        layers = [_paint_task(task) for task in tasks]
    return tasks, np.stack([far for far, _ in layers]), np.stack([near for _, near in layers])
