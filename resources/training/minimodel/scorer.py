"""A small classifier of clips, trained on the world: which sprite, motion, place, time of day, weather and camera does a clip show?

It judges generated clips, which are softer than real ones, so it is trained on real clips that were blurred, warped, recoloured and noised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import torch
import torch.nn.functional as F
from miniworld.backgrounds import NO_TIME, PLACES, TIMES
from miniworld.scenes import CAMERAS, MOTIONS, WEATHERS, Scene
from miniworld.sprites import SPRITE_INDEX, SPRITES
from torch import nn

SIZE = 128  # rows and columns it looks at
FRAMES = 9  # evenly spread over 33
HEADS = {
    "sprite": len(SPRITES),
    "motion": len(MOTIONS),
    "place": len(PLACES),
    "time": len(TIMES) + 1,
    "weather": len(WEATHERS),
    "camera": len(CAMERAS),
}
TIME_NAMES = (*TIMES, NO_TIME)


def _conv(in_channels: int, out_channels: int, stride: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2), nn.GroupNorm(8, out_channels), nn.SiLU())


class Scorer(nn.Module):
    """Clips [B, 3, FRAMES, SIZE, SIZE] in [-1, 1] -> logits of every head."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            _conv(3, 24, 2, 5), _conv(24, 48, 2), _conv(48, 48, 1), _conv(48, 96, 2), _conv(96, 96, 1), _conv(96, 160, 2), _conv(160, 160, 1)
        )  # fmt: skip
        self.looks = nn.Sequential(nn.Linear(320, 192), nn.SiLU())
        self.layout = nn.Conv2d(160, 24, 1)
        self.frame_code = nn.Linear(24 * 64, 96)
        self.course = nn.Sequential(nn.Linear(96 * FRAMES, 176), nn.SiLU())
        self.heads = nn.ModuleDict({name: nn.Linear(176 if name in ("motion", "camera") else 192, count) for name, count in HEADS.items()})

    def forward(self, clips: torch.Tensor) -> dict[str, torch.Tensor]:
        batch = len(clips)
        frames = clips.transpose(1, 2).flatten(0, 1).contiguous(memory_format=torch.channels_last)
        features = self.trunk(frames)
        pooled = torch.cat([features.amax((2, 3)), features.mean((2, 3))], 1).view(batch, FRAMES, -1).mean(1)
        looks = self.looks(pooled)
        codes = F.silu(self.frame_code(self.layout(features).flatten(1))).view(batch, -1)
        course = self.course(codes)
        return {name: head(course if name in ("motion", "camera") else looks).float() for name, head in self.heads.items()}


def shrink_for_scorer(clips: torch.Tensor) -> torch.Tensor:
    """[B, 3, 33, H, W] -> [B, 3, FRAMES, SIZE, SIZE]."""
    index = torch.linspace(0, clips.shape[2] - 1, FRAMES, device=clips.device).round().long()
    batch = len(clips)
    frames = clips[:, :, index].transpose(1, 2).flatten(0, 1).float()
    return F.interpolate(frames, (SIZE, SIZE), mode="area").view(batch, FRAMES, 3, SIZE, SIZE).transpose(1, 2)


def targets(scenes: Sequence[Scene], device) -> dict[str, torch.Tensor]:
    """Target distributions of every head; with two sprites, half the weight on each sprite and on each motion."""
    result = {name: torch.zeros(len(scenes), count) for name, count in HEADS.items()}
    for row, scene in enumerate(scenes):
        for key, motion in zip(scene.sprites, scene.motions):
            result["sprite"][row, SPRITE_INDEX[key]] += 1 / len(scene.sprites)
            result["motion"][row, MOTIONS.index(motion)] += 1 / len(scene.sprites)
        result["place"][row, PLACES.index(scene.place)] = 1
        result["time"][row, TIME_NAMES.index(scene.time)] = 1
        result["weather"][row, WEATHERS.index(scene.weather)] = 1
        result["camera"][row, CAMERAS.index(scene.camera)] = 1
    return {name: value.to(device) for name, value in result.items()}


# -- what real clips go through in training ----------------------------------------------------------------------------------------


def _blurred(frames: torch.Tensor, sigma: float) -> torch.Tensor:
    radius = max(1, int(2.5 * sigma))
    offsets = torch.arange(-radius, radius + 1, device=frames.device, dtype=frames.dtype)
    kernel = torch.exp(-offsets.square() / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    frames = F.conv2d(F.pad(frames, (radius, radius, 0, 0), mode="replicate"), kernel, groups=3)
    return F.conv2d(F.pad(frames, (0, 0, radius, radius), mode="replicate"), kernel.transpose(2, 3), groups=3)


def _warped(frames: torch.Tensor, pixels: float) -> torch.Tensor:
    """Pushes every frame about by a smooth random field of up to about `pixels`."""
    count = len(frames)
    flow = torch.randn(count, 2, 9, 9, device=frames.device) * (pixels * 2 / SIZE)
    flow = F.interpolate(flow, (SIZE, SIZE), mode="bicubic").permute(0, 2, 3, 1)
    axis = (torch.arange(SIZE, device=frames.device) + 0.5) * (2 / SIZE) - 1
    base = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), -1)
    return F.grid_sample(frames, base + flow, padding_mode="border", align_corners=False)


def soften(clips: torch.Tensor, groups: int = 8) -> torch.Tensor:
    """Random degradations, drawn anew for each of `groups` parts of the batch. clips: [B, 3, FRAMES, SIZE, SIZE]."""
    parts = []
    for part in clips.chunk(groups):
        count = len(part)
        frames = part.transpose(1, 2).flatten(0, 1).float()
        draw = torch.rand(6).tolist()
        if draw[0] < 0.5:
            frames = _warped(frames, 2.0 * draw[1])
        if draw[2] < 0.6:
            frames = _blurred(frames, 0.4 + 1.6 * draw[3])
        if draw[4] < 0.3:
            small = int(SIZE / (1.3 + 1.7 * draw[5]))
            frames = F.interpolate(F.interpolate(frames, (small, small), mode="area"), (SIZE, SIZE), mode="bilinear")
        part = frames.view(count, FRAMES, 3, SIZE, SIZE).transpose(1, 2)
        gain = 1 + 0.12 * torch.randn(count, 3, 1, 1, 1, device=clips.device)
        offset = 0.06 * torch.randn(count, 3, 1, 1, 1, device=clips.device)
        noise = 0.08 * torch.rand(count, 1, 1, 1, 1, device=clips.device) * torch.randn_like(part)
        parts.append((part * gain + offset + noise).clamp(-1, 1))
    return torch.cat(parts)


# -- scoring ------------------------------------------------------------------------------------------------------------------------


@dataclass
class Tally:
    """Right answers and questions asked, per head."""

    right: dict[str, int]
    asked: dict[str, int]

    def as_table(self) -> dict[str, dict]:
        return {name: {"right": self.right[name], "of": self.asked[name]} for name in self.right}


@torch.no_grad()
def read_clips(scorer: Scorer, clips: torch.Tensor, batch: int = 16) -> dict[str, torch.Tensor]:
    """Logits of every head for clips [B, 3, T, H, W], which may lie on another device."""
    device = next(scorer.parameters()).device
    parts = [scorer(shrink_for_scorer(clips[start : start + batch].to(device))) for start in range(0, len(clips), batch)]
    return {name: torch.cat([part[name] for part in parts]) for name in HEADS}


def judge(logits: dict[str, torch.Tensor], scenes: Sequence[Scene]) -> tuple[Tally, list[dict]]:
    """Compares answers with scenes. Sprites and motions count when the most likely ones are exactly the scene's.

    Time of day is asked only where there is one. Returns the tally and, per clip, what was wanted and what was seen.
    """
    tally = Tally(dict.fromkeys(HEADS, 0), dict.fromkeys(HEADS, 0))
    rows = []
    for row, scene in enumerate(scenes):
        kinds = {"sprite": {SPRITE_INDEX[key] for key in scene.sprites}, "motion": {MOTIONS.index(m) for m in scene.motions}}
        kinds |= {"place": {PLACES.index(scene.place)}, "weather": {WEATHERS.index(scene.weather)}, "camera": {CAMERAS.index(scene.camera)}}
        if scene.time != NO_TIME:
            kinds["time"] = {TIME_NAMES.index(scene.time)}
        seen = {}
        for name, wanted in kinds.items():
            answer = set(logits[name][row].topk(len(wanted)).indices.tolist())
            tally.right[name] += answer == wanted
            tally.asked[name] += 1
            seen[name] = sorted(answer)
        rows.append({
            "sprites": [[*scene.sprites], [SPRITES[i].key for i in seen["sprite"]]],
            "motions": [[*scene.motions], [MOTIONS[i] for i in seen["motion"]]],
            "place": [scene.place, PLACES[seen["place"][0]]],
        })  # fmt: skip
    return tally, rows


@torch.no_grad()
def identity(scorer: Scorer, clips: torch.Tensor, scenes: Sequence[Scene], stretches: int = 4, batch: int = 16) -> dict[str, dict]:
    """Whether the sprite stays what it is: the answer for every one of `stretches` equal parts of a clip, from the first to the last.

    "kept": all answers are the same.  "kept and right": they are also the scene's.
    """
    length = (clips.shape[2] - 1) // stretches + 1
    answers = []
    for part in range(stretches):
        start = part * (length - 1)
        logits = read_clips(scorer, clips[:, :, start : start + length], batch)["sprite"]
        answers.append([set(row.topk(len(scene.sprites)).indices.tolist()) for row, scene in zip(logits, scenes)])
    wanted = [{SPRITE_INDEX[key] for key in scene.sprites} for scene in scenes]
    kept = [all(answer == course[0] for answer in course) for course in zip(*answers)]
    right = [same and first == true for same, first, true in zip(kept, answers[0], wanted)]
    return {name: {"right": sum(values), "of": len(scenes)} for name, values in (("kept", kept), ("kept and right", right))}
