"""Draws clips from scene batches, on the GPU (or CPU): two background layers, sprites, weather."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from . import FRAME_SIZE
from .backgrounds import HEIGHT, MARGIN, SCENERIES, WIDTH
from .batches import SceneBatch
from .scenes import WEATHERS

ZOOM_CENTRE_Y = 150.0  # world row that a zoom keeps in place
WEATHER_TILE = 256
PIXELS_PER_PASS = 18_000_000  # bounds the memory of one drawing pass


class Renderer:
    """Holds the painted backgrounds and the sprites on a device and draws batches of clips."""

    def __init__(self, bank, atlas: np.ndarray, device: str | torch.device):
        """bank: result of `backgrounds.paint_bank`.  atlas: uint8 [n, size, size, 4], premultiplied."""
        keys, far, near = bank
        self.device = torch.device(device)
        self.variants = sum(key[:2] == keys[0][:2] for key in keys)
        if [key[:2] for key in keys[:: self.variants]] != list(SCENERIES):
            raise ValueError("the bank's panoramas are not in the order of SCENERIES")
        self.layers = [self._planes(far), self._planes(near)]
        self.half_layers = [F.avg_pool2d(layer.float(), 2).round().to(torch.uint8) for layer in self.layers]
        level = self._planes(atlas).float() / 255
        self.atlas_levels = [level]
        for _ in range(2):
            self.atlas_levels.append(F.avg_pool2d(self.atlas_levels[-1], 2))
        self.rain, self.snow = (torch.from_numpy(tile).to(self.device) for tile in (rain_tile(), snow_tile()))
        self.rain_colour = torch.tensor([0.80, 0.86, 0.95], device=self.device).view(3, 1, 1, 1)

    def _planes(self, pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).contiguous()

    @torch.no_grad()
    def render(self, batch: SceneBatch, dtype: torch.dtype = torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the clips, [B, 3, T, H, W] in [-1, 1], and how much of every pixel is sprite, [B, 1, T, H, W] in [0, 1]."""
        view = batch.view
        step = max(1, PIXELS_PER_PASS // (view.frames * view.height * view.width))
        parts = [self._render(batch.part(start, start + step)) for start in range(0, len(batch), step)]
        return torch.cat([p[0] for p in parts]).to(dtype), torch.cat([p[1] for p in parts]).to(dtype)

    def _upload(self, *arrays: np.ndarray) -> list[torch.Tensor]:
        """Moves float arrays to the device in one transfer."""
        flat = torch.from_numpy(np.concatenate([np.asarray(a, np.float32).ravel() for a in arrays])).to(self.device, non_blocking=True)
        return [part.view(a.shape) for part, a in zip(flat.split([a.size for a in arrays]), arrays)]

    def _render(self, batch: SceneBatch) -> tuple[torch.Tensor, torch.Tensor]:
        view, count = batch.view, len(batch)
        inverse_size = 2 / (batch.size * FRAME_SIZE)
        turned = (np.cos(batch.rotation), np.sin(batch.rotation), np.where(batch.mirrored, -1.0, 1.0)[..., None] + 0 * batch.rotation)
        detail = np.log2(self.atlas_levels[0].shape[-1] / (batch.size * FRAME_SIZE * view.scale))
        panorama = batch.scenery * self.variants + (batch.variant * self.variants).astype(int)
        fields = self._upload(
            batch.origin, batch.zoom, batch.pan, batch.x, batch.y, inverse_size, *turned, detail, batch.tint, batch.weather_shift,
            batch.first_frame, panorama, batch.sprite,
        )  # fmt: skip
        origin, zoom, pan, x, y, inverse_size, cosine, sine, mirror, detail, tint, shift, first_frame, panorama, sprite = fields

        columns = (torch.arange(view.width, device=self.device) + 0.5) / view.scale
        rows = (torch.arange(view.height, device=self.device) + 0.5) / view.scale
        shape = (count, view.frames, view.height, view.width)
        world_x = (columns + origin[:, 0].view(-1, 1, 1, 1)).expand(shape)
        world_y = (rows.view(1, 1, -1, 1) + origin[:, 1].view(-1, 1, 1, 1)).expand(shape)
        image = self._background(panorama.long(), world_x, world_y, zoom, pan, view)
        cover = torch.zeros(count, 1, *shape[1:], device=self.device)
        for slot in range(batch.present.shape[1]):
            chosen = np.flatnonzero(batch.present[:, slot])
            if not len(chosen):
                continue
            pick = torch.from_numpy(chosen).to(self.device)
            place = [field[pick, slot][..., None, None] for field in (x, y, inverse_size, cosine, sine, mirror, detail)]
            colour, alpha = self._sprite(sprite[pick, slot].long(), world_x[pick], world_y[pick], place)
            image[pick] = image[pick] * (1 - alpha) + colour * tint[pick].view(-1, 1, 1, 1, 1)
            cover[pick] = torch.maximum(cover[pick], alpha)
        frame = first_frame.view(-1, 1, 1, 1) + torch.arange(view.frames, device=self.device).view(1, -1, 1, 1) * view.stride
        for name, draw in (("rain", self._draw_rain), ("snowfall", self._draw_snow)):
            chosen = np.flatnonzero(batch.weather == WEATHERS.index(name))
            if len(chosen):
                pick = torch.from_numpy(chosen).to(self.device)
                image[pick] = draw(image[pick], world_x[pick], world_y[pick], frame[pick], shift[pick].view(-1, 1, 1, 1))
        return (image * 2 - 1).clamp(-1, 1), cover

    def _sample(self, pictures: torch.Tensor, x: torch.Tensor, y: torch.Tensor, padding: str) -> torch.Tensor:
        """Bilinear samples. pictures: [B, C, h, w].  x, y: [B, T, H, W] in [-1, 1].  Returns [B, C, T, H, W]."""
        count, frames, height, width = x.shape
        grid = torch.stack([x, y], -1).view(count, frames * height, width, 2)
        return F.grid_sample(pictures, grid, mode="bilinear", padding_mode=padding, align_corners=False).view(count, -1, frames, height, width)

    def _background(self, panorama, world_x, world_y, zoom, pan, view) -> torch.Tensor:
        zoom, pan = zoom[..., None, None], pan[..., None, None]
        centre = view.world_width / 2
        x = (world_x - centre) / zoom + centre
        y = ((world_y - ZOOM_CENTRE_Y) / zoom + ZOOM_CENTRE_Y + MARGIN) * (2 / HEIGHT) - 1
        far, near = self.half_layers if view.scale <= 0.6 else self.layers
        image = self._sample(far[panorama].float() / 255, (x + 0.5 * pan) * (2 / WIDTH) - 1, y, "border")
        over = self._sample(near[panorama].float() / 255, (x + pan) * (2 / WIDTH) - 1, y, "border")
        return image * (1 - over[:, 3:]) + over[:, :3]

    def _sprite(self, sprite, world_x, world_y, place) -> tuple[torch.Tensor, torch.Tensor]:
        x, y, inverse_size, cosine, sine, mirror, detail = place
        dx, dy = world_x - x, world_y - y
        across = (dx * cosine + dy * sine) * inverse_size * mirror
        down = (dy * cosine - dx * sine) * inverse_size
        finest = 0 if float(detail.mean()) < 0.8 else 1
        blend = (detail - finest).clamp(0, 1)[:, None]
        fine, coarse = (self._sample(self.atlas_levels[level][sprite], across, down, "zeros") for level in (finest, finest + 1))
        pixels = fine + (coarse - fine) * blend
        return pixels[:, :3], pixels[:, 3:]

    def _draw_rain(self, image, x, y, frame, shift):
        row, column = (y.long() - frame * 12 + shift).long() % WEATHER_TILE, (x.long() + frame * 3 + shift).long() % WEATHER_TILE
        mask = self.rain[row, column][:, None]
        return image * 0.9 * (1 - 0.6 * mask) + 0.6 * mask * self.rain_colour

    def _draw_snow(self, image, x, y, frame, shift):
        mask = torch.zeros_like(image[:, :1])
        for speed, drift, offset in ((4, 2.0, 0), (2, -2.0, 91)):
            sway = drift * torch.sin(frame / 32 * 6 + 1)
            row = (y - frame * speed + shift + offset).long() % WEATHER_TILE
            column = (x + sway + shift + offset).long() % WEATHER_TILE
            mask = torch.maximum(mask, self.snow[row, column][:, None])
        return image * (1 - mask) + mask


def rain_tile() -> np.ndarray:
    """Opacity of slanted streaks, periodic, [WEATHER_TILE, WEATHER_TILE]."""
    rng, tile = np.random.default_rng(7), np.zeros((WEATHER_TILE, WEATHER_TILE), np.float32)
    profile = ((-1, 0.45), (0, 1.0), (1, 1.0), (2, 0.45))
    for _ in range(48):
        x, y, length = rng.integers(WEATHER_TILE), rng.integers(WEATHER_TILE), rng.integers(18, 28)
        for step in range(length):
            for offset, opacity in profile:
                row, column = (y + step) % WEATHER_TILE, (x - step // 4 + offset) % WEATHER_TILE
                tile[row, column] = max(tile[row, column], opacity)
    return tile


def snow_tile() -> np.ndarray:
    """Opacity of round flakes, periodic, [WEATHER_TILE, WEATHER_TILE]."""
    rng, tile = np.random.default_rng(8), np.zeros((WEATHER_TILE, WEATHER_TILE), np.float32)
    rows, columns = np.mgrid[-6:7, -6:7]
    for _ in range(30):
        x, y, radius = rng.integers(WEATHER_TILE), rng.integers(WEATHER_TILE), rng.uniform(2.4, 4.2)
        disc = np.clip(radius + 0.5 - np.hypot(rows, columns), 0, 1).astype(np.float32)
        where = ((y + rows) % WEATHER_TILE, (x + columns) % WEATHER_TILE)
        tile[where] = np.maximum(tile[where], disc)
    return tile
