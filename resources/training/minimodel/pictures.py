"""Contact sheets: one row a clip, its prompt on the left, a few of its frames beside it."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont


def to_bytes(clip: torch.Tensor) -> np.ndarray:
    """[3, T, H, W] in [-1, 1] -> uint8 [T, H, W, 3]."""
    return ((clip.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 3, 0).cpu().numpy()


def contact_sheet(clips: Sequence[np.ndarray], prompts: Sequence[str], frames: int = 8, height: int = 144, text_width: int = 190) -> Image.Image:
    """clips: uint8 [T, H, W, 3] each. Frames are spread evenly from the first to the last."""
    font = ImageFont.load_default(14)
    rows = []
    for clip, prompt in zip(clips, prompts):
        chosen = np.unique(np.linspace(0, len(clip) - 1, frames).round().astype(int))
        width = round(clip.shape[2] * height / clip.shape[1])
        row = Image.new("RGB", (text_width + len(chosen) * width, height), "white")
        pen = ImageDraw.Draw(row)
        for line, text in enumerate(textwrap.wrap(prompt, 25)):
            pen.text((6, 4 + 17 * line), text, fill="black", font=font)
        for column, index in enumerate(chosen):
            picture = Image.fromarray(clip[index]).resize((width, height), Image.Resampling.LANCZOS)
            row.paste(picture, (text_width + column * width, 0))
        rows.append(row)
    sheet = Image.new("RGB", (max(row.width for row in rows), sum(row.height for row in rows)), "white")
    top = 0
    for row in rows:
        sheet.paste(row, (0, top))
        top += row.height
    return sheet


def save_sheet(path: str | Path, clips: torch.Tensor, prompts: Sequence[str], **options) -> None:
    """clips: [B, 3, T, H, W] in [-1, 1]."""
    contact_sheet([to_bytes(clip) for clip in clips], prompts, **options).save(path, quality=88)
