"""From scenes to the numeric arrays the renderer draws; made by worker processes so that the GPU never waits."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Callable, Sequence

import numpy as np

from . import CLIP_FRAMES, FRAME_SIZE
from .backgrounds import SCENERIES, WIDTH
from .captions import caption
from .motion import CAMERA_INDEX, MOTION_INDEX, SPRITE_ZOOM_EXPONENT, camera_path, sprite_paths
from .scenes import SIDEWAYS, WEATHERS, Scene, draw_scene
from .sprites import SPRITE_INDEX, SPRITES

SLOTS = 2  # most sprites in one scene
NIGHT_TINT = 0.88
SCENERY_INDEX = {scenery: index for index, scenery in enumerate(SCENERIES)}


@dataclass(frozen=True)
class View:
    """What part of the world is drawn and at what size.

    height, width: pixels.  frames: number of frames.  stride: clip frames between two drawn ones, below 1 for slow motion.
    scale: pixels per world unit.  crop: draw a random window of the 256 x 256 frame instead of all of it.
    random_start: begin at a random frame (a still: any moment of the clip).
    """

    height: int = FRAME_SIZE
    width: int = FRAME_SIZE
    frames: int = CLIP_FRAMES
    stride: float = 1
    scale: float = 1.0
    crop: bool = False
    random_start: bool = False

    @staticmethod
    def of_size(height: int, width: int, frames: int = CLIP_FRAMES, **options) -> "View":
        """The whole frame at any size: 256 world units high, as wide as the aspect ratio says."""
        return View(height, width, frames, scale=height / FRAME_SIZE, **options)

    @property
    def world_width(self) -> float:
        return FRAME_SIZE if self.crop else self.width / self.scale


def whole_course(frames: int, height: int = FRAME_SIZE, width: int = FRAME_SIZE) -> View:
    """A view of `frames` frames: at the usual pace up to CLIP_FRAMES, and longer ones the same course of things more slowly.

    So nothing leaves the picture in a long clip, and evenly spread frames of it look like those of a short one.
    """
    return View.of_size(height, width, frames, stride=min(1, (CLIP_FRAMES - 1) / max(1, frames - 1)))


@dataclass
class SceneBatch:
    """Arrays for B clips of T frames with up to S sprites. Positions are world units; see `motion` for the rest."""

    view: View
    scenery: np.ndarray  # int [B], index into SCENERIES
    variant: np.ndarray  # float [B] in [0, 1): which painted variant
    origin: np.ndarray  # [B, 2] x, y of the window's left upper corner
    zoom: np.ndarray  # [B, T]
    pan: np.ndarray  # [B, T]
    sprite: np.ndarray  # int [B, S]
    present: np.ndarray  # bool [B, S]
    x: np.ndarray  # [B, S, T]
    y: np.ndarray  # [B, S, T]
    size: np.ndarray  # [B, S, T], share of FRAME_SIZE
    rotation: np.ndarray  # [B, S, T]
    mirrored: np.ndarray  # bool [B, S]
    tint: np.ndarray  # [B], factor on the sprite's colour
    weather: np.ndarray  # int [B], index into WEATHERS
    weather_shift: np.ndarray  # int [B]
    first_frame: np.ndarray  # int [B]
    scenes: list[Scene] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    tokens: np.ndarray | None = None  # int [B, L]

    def __len__(self) -> int:
        return len(self.scenery)

    def part(self, start: int, stop: int) -> "SceneBatch":
        """Clips start..stop-1 of the batch."""
        values = {}
        for name, value in vars(self).items():
            values[name] = value[start:stop] if isinstance(value, (np.ndarray, list)) else value
        return replace(self, **values)


def _slot_numbers(scene: Scene, rng: random.Random, width: float):
    """Draws size, centre, reach and mirroring for every sprite of the scene."""
    count = len(scene.sprites)
    rows = count == 2 and any(motion in SIDEWAYS for motion in scene.motions)
    for slot, (key, motion) in enumerate(zip(scene.sprites, scene.motions)):
        sprite = SPRITES[SPRITE_INDEX[key]]
        if count == 1:
            size, reach = rng.uniform(0.42, 0.58), 1.0
            x = width * (0.5 if motion in SIDEWAYS else rng.uniform(0.42, 0.58))
            low, high = (0.54, 0.66) if sprite.gait in ("walk", "drive") else (0.42, 0.6)
            y = FRAME_SIZE * (0.5 if motion in ("up", "down", "circle") else rng.uniform(low, high))
        else:
            size, reach = rng.uniform(0.34, 0.42), 0.75
            if rows:
                x = width * (0.5 if motion in SIDEWAYS else rng.uniform(0.4, 0.6))
                y = FRAME_SIZE * (rng.uniform(0.26, 0.32) if slot == 0 else rng.uniform(0.7, 0.76))
            else:
                x = width * (rng.uniform(0.24, 0.3) if slot == 0 else rng.uniform(0.7, 0.76))
                y = FRAME_SIZE * rng.uniform(0.45, 0.6)
        wanted = {"left": "left", "right": "right", "zigzag": "right"}.get(motion, "")
        mirrored = bool(wanted and sprite.faces and sprite.faces != wanted)
        yield SPRITE_INDEX[key], MOTION_INDEX[motion], size, x, y, rng.uniform(0.88, 1.12), rng.uniform(0, 2 * np.pi), reach, mirrored


def make_batch(scenes: Sequence[Scene], view: View, rng: random.Random) -> SceneBatch:
    """Draws every number of the clips that show these scenes in this view."""
    count, width = len(scenes), view.world_width
    slots = np.zeros((9, count, SLOTS))
    slots[2] = 1.0  # the size of an absent sprite only has to be positive
    present = np.zeros((count, SLOTS), bool)
    per_clip = np.zeros((9, count))
    span = (view.frames - 1) * view.stride
    for index, scene in enumerate(scenes):
        for slot, numbers in enumerate(_slot_numbers(scene, rng, width)):
            slots[:, index, slot] = numbers
            present[index, slot] = True
        distance = rng.uniform(70, 130)
        per_clip[:, index] = (
            SCENERY_INDEX[scene.place, scene.time],
            rng.random(),
            CAMERA_INDEX[scene.camera],
            rng.uniform(0, WIDTH - width - distance),
            distance,
            WEATHERS.index(scene.weather),
            rng.randrange(256),
            rng.randint(0, max(0, CLIP_FRAMES - 1 - span)) if view.random_start else 0,
            NIGHT_TINT if scene.time == "night" else 1.0,
        )
    scenery, variant, camera, pan_start, pan_distance, weather, shift, first, tint = per_clip
    sprite, motion, size, centre_x, centre_y, speed, phase, reach, mirrored = slots
    u = (first[:, None] + np.arange(view.frames)[None] * view.stride) / (CLIP_FRAMES - 1)
    x, y, scale, rotation = sprite_paths(motion, size, centre_x, centre_y, speed, phase, u, width, reach)
    zoom, pan = camera_path(camera, pan_start, pan_distance, u)
    sprite_zoom = zoom[:, None] ** SPRITE_ZOOM_EXPONENT
    x = (x - width / 2) * sprite_zoom + width / 2
    y = (y - 150) * sprite_zoom + 150
    origin = np.zeros((count, 2))
    if view.crop:
        origin = _windows(view, x[:, 0], y[:, 0], rng)
    return SceneBatch(
        view, scenery.astype(int), variant, origin, zoom, pan, sprite.astype(int), present, x, y, scale * sprite_zoom, rotation,
        mirrored.astype(bool), tint, weather.astype(int), shift.astype(int), first.astype(int), list(scenes),
    )  # fmt: skip


def _windows(view: View, x: np.ndarray, y: np.ndarray, rng: random.Random) -> np.ndarray:
    """Window corners, [B, 2]: three in four near the path of the first sprite, the rest anywhere in the frame."""
    size = np.array([view.width, view.height]) / view.scale
    corners = []
    for path_x, path_y in zip(x, y):
        if rng.random() < 0.75:
            moment = rng.randrange(len(path_x))
            corner = np.array([path_x[moment], path_y[moment]]) - size / 2 + np.array([rng.uniform(-40, 40), rng.uniform(-40, 40)])
        else:
            corner = np.array([rng.uniform(0, 1), rng.uniform(0, 1)]) * (FRAME_SIZE - size)
        corners.append(np.floor(np.clip(corner, 0, FRAME_SIZE - size)))
    return np.array(corners)


class SceneStream:
    """Endless batches of training scenes with captions and tokens. One per worker process."""

    def __init__(
        self,
        seed: int,
        views: Sequence[tuple[View, int]],
        tokenize: Callable[[list[str]], np.ndarray] | None,
        bare_share: float = 0.12,
        held_out: bool | None = False,
    ):
        """views: (view, batch size), taken in turn.  bare_share: captions that only name the sprites.  held_out: see `draw_scene`."""
        self.rng = random.Random(seed)
        self.views = list(views)
        self.tokenize = tokenize
        self.bare_share = bare_share
        self.held_out = held_out
        self.turn = 0

    def __iter__(self):
        return self

    def __next__(self) -> SceneBatch:
        view, count = self.views[self.turn % len(self.views)]
        self.turn += 1
        scenes = [draw_scene(self.rng, self.held_out) for _ in range(count)]
        batch = make_batch(scenes, view, self.rng)
        if self.tokenize is not None:
            batch.captions = [caption(scene, self.rng, self.bare_share) for scene in scenes]
            batch.tokens = self.tokenize(batch.captions)
        return batch


