"""Rasterises the sprites from the Noto Color Emoji font: python build_atlas.py --out work/atlas.npz [--sheet atlas.png]"""

import argparse

import numpy as np
from PIL import Image
from miniworld import sprites


def contact_sheet(pixels: np.ndarray, columns: int = 16) -> Image.Image:
    """All sprites side by side on grey, at half size."""
    count, size = pixels.shape[:2]
    rows = -(-count // columns)
    sheet = np.full((rows * size, columns * size, 3), 205, np.float32)
    for index, cell in enumerate(pixels.astype(np.float32)):
        top, left = index // columns * size, index % columns * size
        patch = sheet[top : top + size, left : left + size]
        patch[:] = patch * (1 - cell[..., 3:] / 255) + cell[..., :3]
    return Image.fromarray(sheet.astype(np.uint8)).resize((columns * size // 2, rows * size // 2))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--font", default=sprites.FONT_PATH)
    parser.add_argument("--out", default="work/atlas.npz")
    parser.add_argument("--sheet", help="also write all sprites as one picture")
    arguments = parser.parse_args()
    pixels = sprites.rasterise_atlas(arguments.font)
    sprites.save_atlas(arguments.out, pixels)
    if arguments.sheet:
        contact_sheet(pixels).save(arguments.sheet)
    print(f"{len(pixels)} sprites of {len(sprites.SHAPES)} shapes -> {arguments.out}")


if __name__ == "__main__":
    main()
