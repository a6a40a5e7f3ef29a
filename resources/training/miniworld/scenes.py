"""Random scene specifications and the rule that keeps some combinations out of training.

A scene is pure meaning (what, where, when, how it moves); numbers such as positions are drawn later, in `batches`.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

from .backgrounds import INDOOR_PLACES, SCENERIES, TIMELESS_PLACES
from .sprites import NATURAL_HUE, SPRITE_INDEX, SPRITES

MOTIONS = ("left", "right", "up", "down", "bounce", "spin", "grow", "shrink", "circle", "zigzag", "still", "swing")
SIDEWAYS = frozenset({"left", "right", "zigzag"})
COMPATIBLE_WITH_SIDEWAYS = ("left", "right", "zigzag", "still", "spin", "swing", "grow", "shrink")
"""Motions that stay in their own half of the picture while the other sprite crosses it."""
WEATHERS = ("none", "rain", "snowfall")
CAMERAS = ("static", "pan left", "pan right", "zoom in", "zoom out")

MOTION_WEIGHTS = (2.0, 2.0) + (1.0,) * (len(MOTIONS) - 2)
CAMERA_WEIGHTS = (7.0, 1.0, 1.0, 1.0, 1.0)
WEATHER_WEIGHTS = (0.86, 0.06, 0.08)
SPRITE_WEIGHTS = tuple(0.5 if sprite.shape in NATURAL_HUE else 1.0 for sprite in SPRITES)
"""A recoloured shape comes in six colours and so appears three times as often as another, each colour half as often."""
TWO_SPRITE_SHARE = 0.2
HELD_OUT_ONE_IN = 12


@dataclass(frozen=True)
class Scene:
    """What one clip shows. `sprites` are keys of SPRITES; `motions` runs parallel to it."""

    place: str
    time: str
    sprites: tuple[str, ...]
    motions: tuple[str, ...]
    weather: str = "none"
    camera: str = "static"


def pair_is_held_out(sprite_key: str, other: str) -> bool:
    """True when the pair (shape, motion) or (shape, place) never occurs in training. All colours of a shape share the answer."""
    shape = SPRITES[SPRITE_INDEX[sprite_key]].shape
    return zlib.crc32(f"{shape}|{other}".encode()) % HELD_OUT_ONE_IN == 0


def is_held_out(scene: Scene) -> bool:
    """True when the scene holds at least one pair that never occurs in training."""
    return any(
        pair_is_held_out(sprite, motion) or pair_is_held_out(sprite, scene.place) for sprite, motion in zip(scene.sprites, scene.motions)
    )


def _draw_scene(rng: random.Random, sprite_count: int) -> Scene:
    place, time = rng.choice(SCENERIES)
    keys: list[str] = []
    while len(keys) < sprite_count:
        sprite = rng.choices(SPRITES, SPRITE_WEIGHTS)[0]
        if sprite.key not in keys:
            keys.append(sprite.key)
    motions = rng.choices(MOTIONS, MOTION_WEIGHTS, k=sprite_count)
    if sprite_count == 2:
        if motions[0] in SIDEWAYS and motions[1] not in COMPATIBLE_WITH_SIDEWAYS:
            motions[1] = rng.choice(COMPATIBLE_WITH_SIDEWAYS)
        elif motions[1] in SIDEWAYS and motions[0] not in COMPATIBLE_WITH_SIDEWAYS:
            motions[0] = rng.choice(COMPATIBLE_WITH_SIDEWAYS)
    outdoors = place not in INDOOR_PLACES and place not in TIMELESS_PLACES
    weather = rng.choices(WEATHERS, WEATHER_WEIGHTS)[0] if outdoors else "none"
    camera = rng.choices(CAMERAS, CAMERA_WEIGHTS)[0]
    return Scene(place, time, tuple(keys), tuple(motions), weather, camera)


def draw_scene(rng: random.Random, held_out: bool | None = False, sprite_count: int | None = None) -> Scene:
    """Draws a scene that training may use, with `held_out` one that it never sees, with None either. `sprite_count` None: one or two."""
    while True:
        count = sprite_count or (2 if rng.random() < TWO_SPRITE_SHARE else 1)
        scene = _draw_scene(rng, count)
        if held_out is None or is_held_out(scene) == held_out:
            return scene
