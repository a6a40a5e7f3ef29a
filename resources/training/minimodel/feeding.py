"""Feeding the GPU: worker processes that make scene batches, and pools of encoded clips for the transformer."""

from __future__ import annotations

import os
from typing import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F
from miniworld import backgrounds, sprites
from miniworld.batches import SceneBatch, SceneStream, View
from miniworld.renderer import Renderer
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from .parallel import Team

WORKER_SEED_STRIDE = 1009


class _StreamDataset(IterableDataset):
    def __init__(self, seed: int, views, tokenizer, options: dict):
        self.seed, self.views, self.tokenizer, self.options = seed, views, tokenizer, options

    def __iter__(self):
        worker = get_worker_info()
        torch.set_num_threads(1)
        seed = self.seed + WORKER_SEED_STRIDE * (worker.id + 1 if worker else 0)
        return SceneStream(seed, self.views, self.tokenizer, **self.options)


def scene_batches(seed: int, views: Sequence[tuple[View, int]], tokenizer=None, workers: int = 4, **options) -> Iterator[SceneBatch]:
    """Endless scene batches for the given (view, batch size) pairs, made by `workers` processes (0: in this one).

    options: `bare_share` and `held_out` of SceneStream.
    """
    dataset = _StreamDataset(seed, views, tokenizer, options)
    return iter(DataLoader(dataset, batch_size=None, num_workers=workers, prefetch_factor=8 if workers else None))


def make_renderer(team: Team, atlas_path: str, variants: int) -> Renderer:
    """Paints the backgrounds with the cores of this host shared among the processes, and uploads them."""
    processes = max(1, (os.cpu_count() or 1) // team.size - 1) if team.device.type == "cuda" else 1
    bank = backgrounds.paint_bank(variants, processes)
    return Renderer(bank, sprites.load_atlas(atlas_path), team.device)


def latent_cover(cover: torch.Tensor) -> torch.Tensor:
    """Sprite cover of pixels [B, 1, F, H, W] -> of latent cells [B, 1, T, H/8, W/8]: mean over space, maximum over the frames of a cell."""
    small = F.avg_pool3d(cover.float(), (1, 8, 8))
    if small.shape[2] == 1:
        return small
    return torch.cat([small[:, :, :1], F.max_pool3d(small[:, :, 1:], (4, 1, 1))], 2)


class LatentPool:
    """Encoded clips of one view with their captions, on the device; the oldest are overwritten by fresh ones."""

    def __init__(self, team: Team, view: View, capacity: int, encode, batches: Iterator[SceneBatch], renderer: Renderer):
        """encode: clips [B, 3, F, H, W] -> normalised latents.  batches: scene batches of this view, with tokens."""
        self.device, self.encode, self.batches, self.renderer = team.device, encode, batches, renderer
        frames, rows, columns = (view.frames - 1) // 4 + 1, view.height // 8, view.width // 8
        self.latents = torch.empty(capacity, 16, frames, rows, columns, dtype=torch.bfloat16, device=self.device)
        self.cover = torch.empty(capacity, 1, frames, rows, columns, dtype=torch.bfloat16, device=self.device)
        self.tokens: torch.Tensor | None = None
        self.capacity, self.filled, self.cursor = capacity, 0, 0

    @torch.no_grad()
    def add_batch(self) -> int:
        """Renders and encodes one batch into the pool; returns its size."""
        batch = next(self.batches)
        clip, cover = self.renderer.render(batch, torch.bfloat16 if self.device.type == "cuda" else torch.float32)
        tokens = torch.from_numpy(np.ascontiguousarray(batch.tokens)).to(self.device)
        if self.tokens is None:
            self.tokens = torch.zeros(self.capacity, tokens.shape[1], dtype=torch.long, device=self.device)
        count = min(len(batch), self.capacity)
        start = min(self.cursor, self.capacity - count)
        self.latents[start : start + count] = self.encode(clip)[:count].to(torch.bfloat16)
        self.cover[start : start + count] = latent_cover(cover)[:count].to(torch.bfloat16)
        self.tokens[start : start + count] = tokens[:count]
        self.filled = max(self.filled, start + count)
        self.cursor = 0 if start + count >= self.capacity else start + count
        return count

    def fill(self, count: int) -> None:
        while self.filled < min(count, self.capacity):
            self.add_batch()

    def draw(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Returns latents, cover (both float32) and tokens of `count` random members."""
        index = torch.randint(0, self.filled, (count,), device=self.device)
        return self.latents[index].float(), self.cover[index].float(), self.tokens[index]
