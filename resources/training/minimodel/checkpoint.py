"""Checkpoints of a training run as safetensors files of at most 15 MiB, so that they pass where large files do not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

PIECE_BYTES = 15 * 1024**2


def write_pieces(folder: Path, name: str, tensors: dict[str, torch.Tensor]) -> None:
    """Writes NAME-1.safetensors, NAME-2.safetensors, … A tensor larger than a piece is a piece of its own."""
    pieces: list[dict] = [{}]
    used = 0
    for key, value in tensors.items():
        value = value.detach().cpu().contiguous().clone()
        if pieces[-1] and used + value.nbytes > PIECE_BYTES:
            pieces.append({})
            used = 0
        pieces[-1][key] = value
        used += value.nbytes
    for number, piece in enumerate(pieces, 1):
        save_file(piece, folder / f"{name}-{number}.safetensors")


def read_pieces(folder: Path, name: str, device="cpu") -> dict[str, torch.Tensor]:
    tensors: dict[str, torch.Tensor] = {}
    for path in sorted(folder.glob(f"{name}-*.safetensors")):
        tensors |= load_file(path, device=str(device))
    return tensors


def save_checkpoint(folder: Path, weights: dict[str, torch.Tensor], training: dict, about: dict) -> None:
    """weights: the trained tensors.  training: `DitTrainer.state_dict`.  about: anything JSON holds. Replaces the folder as a whole."""
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    write_pieces(part, "weights", weights)
    write_pieces(part, "average", dict(zip(weights, training["average"], strict=True)))
    optimiser = {f"muon/{shape}": value for shape, value in training["optimiser"]["muon"].items()}
    for number, state in training["optimiser"]["adam"]["state"].items():
        optimiser |= {f"adam/{number}/{key}": torch.as_tensor(value) for key, value in state.items()}
    write_pieces(part, "optimiser", optimiser)
    numbers = {key: training[key] for key in ("step", "progress", "history")}
    (part / "state.json").write_text(json.dumps({**numbers, **about}, indent=1))
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)


def load_checkpoint(folder: Path, adam_groups: list[dict], device="cpu") -> tuple[dict[str, torch.Tensor], dict, dict] | None:
    """Weights, the trainer's state and `about` of `save_checkpoint`; None where there is none. The state's average is by name.

    adam_groups: the settings of the AdamW that will read its state back.
    """
    if not (folder / "state.json").exists():
        return None
    about = json.loads((folder / "state.json").read_text())
    muon, adam = {}, {}
    for key, value in read_pieces(folder, "optimiser", device).items():
        kind, name, *rest = key.split("/")
        if kind == "muon":
            muon[name] = value
        else:
            adam.setdefault(int(name), {})[rest[0]] = value
    optimiser = {"muon": muon, "adam": {"state": adam, "param_groups": adam_groups}}
    training = {"optimiser": optimiser, "average": read_pieces(folder, "average", device)}
    return read_pieces(folder, "weights", device), training | {key: about[key] for key in ("step", "progress", "history")}, about
