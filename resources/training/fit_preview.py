"""Fits the linear map from latents to colours that previews use, and writes it into a model's framewright.json.

python fit_preview.py --model ../models/mini                                   # CPU, a few minutes

Ridge regression over real clips of the world: the transformer's normalised latents against the mean colour of the 8 x 8 pixels and
four frames (one for the first) that each latent covers. The other keys of framewright.json are kept.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
import torch.nn.functional as F
from minimodel.export import read_model
from miniworld import backgrounds, sprites
from miniworld.batches import View, make_batch
from miniworld.renderer import Renderer
from miniworld.scenes import draw_scene

# Whole pictures and mostly latents of four frames, as generated clips have them. Fitted to small crops of five frames, the
# map explained 77 % of the variance of such clips, and little of a generated one.
VIEW = View(frames=17, random_start=True)
# Per sample, as a share of the latents' unit variance: keeps nearly collinear latents from being played off against one
# another, which would amplify what is still wrong with an unfinished estimate.
RIDGE = 0.01


def pooled_colours(clip: torch.Tensor, temporal: int, spatial: int) -> torch.Tensor:
    """[3, F, H, W] -> mean colours [3, 1 + (F - 1) / temporal, H / spatial, W / spatial]."""
    first = F.avg_pool3d(clip[None, :, :1], (1, spatial, spatial))
    rest = F.avg_pool3d(clip[None, :, 1:], (temporal, spatial, spatial))
    return torch.cat([first, rest], 2)[0]


@torch.no_grad()
def collect(model: Path, clips: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents [n, C] and colours [n, 3] of `clips` real clips."""
    sampler = read_model(model, "cpu")
    statistics = json.loads((model / "vae" / "config.json").read_text())
    mean, std = (torch.tensor(statistics[key]).view(-1, 1, 1, 1) for key in ("latents_mean", "latents_std"))
    renderer = Renderer(backgrounds.paint_bank(1), sprites.rasterise_atlas(), "cpu")
    rng = random.Random(seed)
    latents, colours = [], []
    for _ in range(clips):
        clip = renderer.render(make_batch([draw_scene(rng)], VIEW, rng))[0]
        latent = (sampler.vae.encode(clip)[0][0] - mean) / std
        colour = pooled_colours(clip[0], statistics["scale_factor_temporal"], statistics["scale_factor_spatial"])
        latents.append(latent.flatten(1).T)
        colours.append(colour.flatten(1).T)
    return torch.cat(latents).double(), torch.cat(colours).double()


def explained(prediction: torch.Tensor, colours: torch.Tensor) -> float:
    return float(1 - (prediction - colours).square().sum() / (colours - colours.mean(0)).square().sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("../models/mini"))
    parser.add_argument("--clips", type=int, default=14)
    parser.add_argument("--check-clips", type=int, default=4)
    parser.add_argument("--seed", type=int, default=5)
    arguments = parser.parse_args()
    latents, colours = collect(arguments.model, arguments.clips, arguments.seed)
    inputs = torch.cat([latents, torch.ones(len(latents), 1, dtype=torch.float64)], 1)
    penalty = torch.full((inputs.shape[1],), RIDGE * len(inputs), dtype=torch.float64)
    penalty[-1] = 0  # the bias is free
    solution = torch.linalg.solve(inputs.T @ inputs + torch.diag(penalty), inputs.T @ colours)
    fresh_latents, fresh_colours = collect(arguments.model, arguments.check_clips, arguments.seed + 1)
    prediction = fresh_latents @ solution[:-1] + solution[-1]
    print(f"fitted on {len(latents)} latents; explains {explained(prediction, fresh_colours):.4f} of the variance of fresh clips")
    path = arguments.model / "framewright.json"
    preferences = json.loads(path.read_text()) if path.exists() else {}
    rows = [[round(float(v), 5) for v in row] for row in solution[:-1].T]
    preferences["preview"] = {"matrix": rows, "bias": [round(float(v), 5) for v in solution[-1]]}
    path.write_text(json.dumps(preferences, indent=1) + "\n")


if __name__ == "__main__":
    main()
