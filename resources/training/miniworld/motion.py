"""Trajectories of sprites and of the camera, for whole batches at once (numpy)."""

from __future__ import annotations

import numpy as np

from . import FRAME_SIZE
from .scenes import CAMERAS, MOTIONS

MOTION_INDEX = {name: index for index, name in enumerate(MOTIONS)}
CAMERA_INDEX = {name: index for index, name in enumerate(CAMERAS)}

TRAVEL = 0.54  # share of the frame crossed sideways
CLIMB = 0.46  # share of the frame crossed upwards or downwards
HOP_HEIGHT = 0.19  # share of the frame; two hops in a full clip
CIRCLE_RADIUS = 0.15
ZIGZAG_HEIGHT = 0.10
SWING_ANGLE = 0.42  # radians
ZOOM = 1.3
SPRITE_ZOOM_EXPONENT = 0.6  # sprites follow a zoom less than the background, so that a zoom is not mistaken for growing


def sprite_paths(motion, size, centre_x, centre_y, speed, phase, u, width, reach):
    """Positions of sprites over time.

    motion: int [B, S], index into MOTIONS.  size: [B, S], share of FRAME_SIZE.  centre_x, centre_y: [B, S], world units.
    speed, phase: [B, S], factor and radians.  u: [B, T], clip time.  width: world width in units.  reach: [B, S], factor on all distances.
    Returns x, y (world units), size (share of FRAME_SIZE) and rotation (radians, clockwise), each [B, S, T].
    """
    clock = u[:, None, :]
    motion, size, centre_x, centre_y, speed, phase, reach = (
        value[..., None] for value in (motion, size, centre_x, centre_y, speed, phase, reach)
    )
    is_ = {name: motion == index for name, index in MOTION_INDEX.items()}
    shape = np.broadcast_shapes(clock.shape, motion.shape)
    swing_wave = np.sin(3 * np.pi * clock + phase)
    crossing = TRAVEL * width * (clock - 0.5) * speed * reach
    climbing = CLIMB * FRAME_SIZE * (clock - 0.5) * speed * reach
    turn = 2 * np.pi * clock * speed + phase
    triangle = np.abs((clock * 3 + phase / np.pi) % 2 - 1) * 2 - 1

    x = np.broadcast_to(centre_x, shape).copy()
    x = np.where(is_["left"], centre_x - crossing, x)
    x = np.where(is_["right"] | is_["zigzag"], centre_x + crossing, x)
    x = np.where(is_["circle"], centre_x + CIRCLE_RADIUS * width * reach * np.cos(turn), x)
    x = np.where(is_["swing"], centre_x + 0.04 * FRAME_SIZE * swing_wave, x)

    y = np.broadcast_to(centre_y, shape).copy()
    y = np.where(is_["up"], centre_y - climbing, y)
    y = np.where(is_["down"], centre_y + climbing, y)
    hop = HOP_HEIGHT * FRAME_SIZE * speed * reach * np.abs(np.sin(2 * np.pi * clock + phase))
    y = np.where(is_["bounce"], centre_y + 0.07 * FRAME_SIZE - hop, y)
    y = np.where(is_["circle"], centre_y + CIRCLE_RADIUS * FRAME_SIZE * reach * np.sin(turn), y)
    y = np.where(is_["zigzag"], centre_y + ZIGZAG_HEIGHT * FRAME_SIZE * reach * triangle, y)

    scale = np.broadcast_to(size, shape).copy()
    scale = np.where(is_["grow"], size * (0.48 + 0.74 * clock), scale)
    scale = np.where(is_["shrink"], size * (1.22 - 0.78 * clock), scale)

    rotation = np.zeros(shape)
    rotation = np.where(is_["spin"], 2 * np.pi * speed * clock, rotation)
    rotation = np.where(is_["swing"], SWING_ANGLE * speed * swing_wave, rotation)
    return x, y, scale, rotation


def camera_path(camera, pan_start, pan_distance, u):
    """Zoom factor and pan offset (world units) over time, each [B, T]. camera: int [B]; pan_start, pan_distance: [B]; u: [B, T]."""
    camera, pan_start, pan_distance = camera[:, None], pan_start[:, None], pan_distance[:, None]
    zoom = np.ones_like(u)
    zoom = np.where(camera == CAMERA_INDEX["zoom in"], 1 + (ZOOM - 1) * u, zoom)
    zoom = np.where(camera == CAMERA_INDEX["zoom out"], ZOOM - (ZOOM - 1) * u, zoom)
    pan = np.broadcast_to(pan_start, u.shape).copy()
    pan = np.where(camera == CAMERA_INDEX["pan right"], pan_start + pan_distance * u, pan)
    pan = np.where(camera == CAMERA_INDEX["pan left"], pan_start + pan_distance * (1 - u), pan)
    return zoom, pan
