"""The things that can appear in the world, and their pictures.

Every sprite is one glyph of Noto Color Emoji. `rasterise_atlas` draws them once into an array; nothing of the font is kept in the
repository. Five shapes exist in six colours each, made by turning the hue of the natural picture.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT_PATH = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"
FONT_SIZE = 109  # the only size the bitmap font holds
ATLAS_SIZE = 128  # pixels, square, premultiplied RGBA
ATLAS_MARGIN = 3  # empty pixels on every side, so that bilinear sampling never meets an opaque edge


@dataclass(frozen=True)
class Shape:
    """One glyph: its key, its names in captions, how it travels, and which way the picture looks."""

    key: str
    glyph: str
    names: tuple[str, ...]
    gait: str  # walk, drive, fly, swim, slide: chooses the verb of a sideways motion
    faces: str  # "left", "right" or "" when the picture has no direction
    hue_word: str = ""  # a true adjective sometimes used in captions


def _shape(key: str, glyph: str, names: str, gait: str, faces: str = "", hue_word: str = "") -> Shape:
    return Shape(key, glyph, tuple(names.split("|")), gait, faces, hue_word)


SHAPES: tuple[Shape, ...] = (
    # Animals, whole body.
    _shape("dog", "🐕", "dog|puppy", "walk", "left"),
    _shape("cat", "🐈", "cat|kitten", "walk", "left", "orange"),
    _shape("pig", "🐖", "pig|piglet", "walk", "left", "pink"),
    _shape("elephant", "🐘", "elephant", "walk", "left", "gray"),
    _shape("rabbit", "🐇", "rabbit|bunny", "walk", "left", "white"),
    _shape("turtle", "🐢", "turtle|tortoise", "walk", "left", "green"),
    _shape("dinosaur", "🦕", "dinosaur", "walk", "left", "green"),
    _shape("penguin", "🐧", "penguin", "walk"),
    _shape("sheep", "🐑", "sheep|lamb", "walk", "left", "white"),
    _shape("snail", "🐌", "snail", "walk", "left", "brown"),
    _shape("chick", "🐤", "chick", "walk", "left", "yellow"),
    # Animals, head only.
    _shape("monkey", "🐵", "monkey", "slide", "", "brown"),
    _shape("lion", "🦁", "lion", "slide"),
    _shape("bear", "🐻", "bear|brown bear", "slide"),
    _shape("panda", "🐼", "panda", "slide"),
    _shape("fox", "🦊", "fox", "slide", "", "orange"),
    _shape("frog", "🐸", "frog", "slide", "", "green"),
    _shape("koala", "🐨", "koala", "slide", "", "gray"),
    _shape("unicorn", "🦄", "unicorn", "slide", "left", "white"),
    # In the air.
    _shape("bee", "🐝", "bee|honeybee", "fly", "left"),
    _shape("ladybug", "🐞", "ladybug|ladybird", "fly", "", "red"),
    _shape("owl", "🦉", "owl", "fly", "", "brown"),
    _shape("parrot", "🦜", "parrot", "fly", "left", "green"),
    _shape("rocket", "🚀", "rocket|spaceship", "fly", "right"),
    _shape("airplane", "✈", "airplane|plane", "fly", "right", "blue"),
    _shape("ufo", "🛸", "ufo|flying saucer", "fly"),
    # In the water.
    _shape("whale", "🐳", "whale", "swim", "left", "blue"),
    _shape("dolphin", "🐬", "dolphin", "swim", "left", "blue"),
    _shape("fish", "🐟", "fish", "swim", "left", "blue"),
    _shape("octopus", "🐙", "octopus", "swim", "", "pink"),
    _shape("crab", "🦀", "crab", "swim", "", "orange"),
    _shape("shark", "🦈", "shark", "swim", "left", "gray"),
    _shape("duck", "🦆", "duck", "swim", "left"),
    _shape("sailboat", "⛵", "sailboat|boat", "swim", "left"),
    # On wheels.
    _shape("taxi", "🚕", "taxi|cab", "drive", "left", "yellow"),
    _shape("bus", "🚌", "bus", "drive", "left"),
    _shape("firetruck", "🚒", "fire truck|fire engine", "drive", "left", "red"),
    _shape("tractor", "🚜", "tractor", "drive", "left", "green"),
    _shape("train", "🚂", "train|locomotive", "drive", "left"),
    # Food.
    _shape("apple", "🍎", "apple", "slide", "", "red"),
    _shape("banana", "🍌", "banana", "slide", "", "yellow"),
    _shape("strawberry", "🍓", "strawberry", "slide", "", "red"),
    _shape("watermelon", "🍉", "watermelon|slice of watermelon", "slide"),
    _shape("pizza", "🍕", "pizza|slice of pizza", "slide"),
    _shape("burger", "🍔", "burger|hamburger", "slide"),
    _shape("donut", "🍩", "donut|doughnut", "slide"),
    _shape("icecream", "🍦", "ice cream", "slide"),
    _shape("carrot", "🥕", "carrot", "slide", "", "orange"),
    _shape("mushroom", "🍄", "mushroom|toadstool", "slide", "", "red"),
    _shape("pineapple", "🍍", "pineapple", "slide", "", "yellow"),
    # Objects.
    _shape("football", "⚽", "soccer ball|football", "slide"),
    _shape("basketball", "🏀", "basketball", "slide", "", "orange"),
    _shape("gift", "🎁", "gift|present", "slide"),
    _shape("crown", "👑", "crown", "slide", "", "golden"),
    _shape("umbrella", "☂", "umbrella", "slide", "", "purple"),
    _shape("teddy", "🧸", "teddy bear", "slide", "", "brown"),
    _shape("sunflower", "🌻", "sunflower", "slide", "", "yellow"),
    _shape("cactus", "🌵", "cactus", "slide", "", "green"),
    _shape("snowman", "⛄", "snowman", "slide", "", "white"),
    _shape("pumpkin", "🎃", "pumpkin|jack-o-lantern", "slide", "", "orange"),
    _shape("robot", "🤖", "robot", "slide"),
    _shape("ghost", "👻", "ghost", "fly", "", "white"),
    _shape("smiley", "😀", "smiley|smiley face", "slide", "", "yellow"),
    # Shapes that come in every colour of HUES.
    _shape("car", "🚗", "car", "drive", "left"),
    _shape("balloon", "🎈", "balloon", "fly"),
    _shape("heart", "❤", "heart", "slide"),
    _shape("butterfly", "🦋", "butterfly", "fly"),
    _shape("star", "⭐", "star", "slide"),
)

HUES = {"red": 0.0, "yellow": 0.145, "green": 0.36, "blue": 0.58, "purple": 0.76, "pink": 0.90}
"""Colour name -> hue in turns, for the shapes of NATURAL_HUE."""

NATURAL_HUE = {"car": 0.0, "balloon": 0.0, "heart": 0.0, "butterfly": 0.075, "star": 0.145}
"""Shape key -> the hue of the glyph as the font draws it."""


@dataclass(frozen=True)
class Sprite:
    """One picture of the atlas: a shape, and a colour name when the shape is a recoloured one."""

    key: str  # unique, e.g. "dog" or "red car"
    shape: str
    colour: str
    names: tuple[str, ...]
    gait: str
    faces: str
    hue_word: str


def _all_sprites() -> tuple[Sprite, ...]:
    sprites = []
    for shape in SHAPES:
        colours = list(HUES) if shape.key in NATURAL_HUE else [""]
        for colour in colours:
            key = f"{colour} {shape.key}".strip()
            sprites.append(Sprite(key, shape.key, colour, shape.names, shape.gait, shape.faces, shape.hue_word))
    return tuple(sprites)


SPRITES: tuple[Sprite, ...] = _all_sprites()
SPRITE_INDEX = {sprite.key: index for index, sprite in enumerate(SPRITES)}


def _draw_glyph(font: ImageFont.FreeTypeFont, glyph: str) -> np.ndarray:
    """Returns the glyph scaled to fill the atlas cell, [ATLAS_SIZE, ATLAS_SIZE, 4], premultiplied, in [0, 1]."""
    canvas = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    ImageDraw.Draw(canvas).text((30, 30), glyph, font=font, embedded_color=True)
    canvas = canvas.crop(canvas.getbbox())
    pixels = np.asarray(canvas).astype(np.float32) / 255
    pixels[..., :3] *= pixels[..., 3:]
    scale = (ATLAS_SIZE - 2 * ATLAS_MARGIN) / max(canvas.size)
    width, height = (max(1, round(side * scale)) for side in canvas.size)
    planes = [Image.fromarray(pixels[..., c]).resize((width, height), Image.Resampling.LANCZOS) for c in range(4)]
    cell = np.zeros((ATLAS_SIZE, ATLAS_SIZE, 4), np.float32)
    top, left = (ATLAS_SIZE - height) // 2, (ATLAS_SIZE - width) // 2
    cell[top : top + height, left : left + width] = np.clip(np.stack(planes, -1), 0, 1)
    cell[..., :3] = np.minimum(cell[..., :3], cell[..., 3:])
    return cell


def _turn_hue(cell: np.ndarray, natural_hue: float, colour: str) -> np.ndarray:
    """Moves the saturated pixels near `natural_hue` to the hue of `colour`; other pixels (tyres, glass, outlines) stay."""
    alpha = np.clip(cell[..., 3:], 1e-6, 1)
    straight = Image.fromarray((np.clip(cell[..., :3] / alpha, 0, 1) * 255).astype(np.uint8))
    hsv = np.asarray(straight.convert("HSV")).astype(np.int32)
    natural = round(natural_hue * 255)
    distance = np.abs((hsv[..., 0] - natural + 128) % 256 - 128)
    chosen = (hsv[..., 1] > 70) & (distance < 24)
    turned = hsv.copy()
    turned[..., 0] = np.where(chosen, (hsv[..., 0] - natural + round(HUES[colour] * 255)) % 256, hsv[..., 0])
    if colour == "pink":  # a paler red-violet, otherwise it reads as purple
        turned[..., 1] = np.where(chosen, hsv[..., 1] * 0.55, hsv[..., 1])
        turned[..., 2] = np.where(chosen, np.minimum(255, hsv[..., 2] * 1.15), hsv[..., 2])
    rgb = np.asarray(Image.fromarray(turned.astype(np.uint8), "HSV").convert("RGB")).astype(np.float32) / 255
    result = cell.copy()
    result[..., :3] = rgb * cell[..., 3:]
    return result


def rasterise_atlas(font_path: str = FONT_PATH) -> np.ndarray:
    """Draws every sprite, uint8 [len(SPRITES), ATLAS_SIZE, ATLAS_SIZE, 4], premultiplied RGBA."""
    font = ImageFont.truetype(font_path, FONT_SIZE)
    glyphs = {shape.key: _draw_glyph(font, shape.glyph) for shape in SHAPES}
    cells = []
    for sprite in SPRITES:
        cell = glyphs[sprite.shape]
        if sprite.colour and HUES[sprite.colour] != NATURAL_HUE[sprite.shape]:
            cell = _turn_hue(cell, NATURAL_HUE[sprite.shape], sprite.colour)
        cells.append(cell)
    return (np.clip(np.stack(cells), 0, 1) * 255 + 0.5).astype(np.uint8)


def load_atlas(path: str | Path) -> np.ndarray:
    """Reads an atlas written by `save_atlas` and checks that it belongs to this table of sprites."""
    with np.load(path) as stored:
        keys = json.loads(str(stored["sprites"]))
        if keys != [sprite.key for sprite in SPRITES]:
            raise ValueError(f"{path} holds another set of sprites; run build_atlas.py again")
        return stored["pixels"]


def save_atlas(path: str | Path, pixels: np.ndarray) -> None:
    """Writes the atlas with the keys of its sprites."""
    np.savez_compressed(path, pixels=pixels, sprites=json.dumps([sprite.key for sprite in SPRITES]))


def table() -> list[dict]:
    """The sprite table as plain values, for the model card."""
    return [asdict(sprite) for sprite in SPRITES]
