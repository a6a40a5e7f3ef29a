"""Writes the trained networks as a model folder in diffusers' layout, and reads such a folder back.

LinGen's folder (docs/lingen.md) holds what differs from the model it was started from: parts and tensors that are the same are links to it.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from .configs import TextEncoderConfig, TransformerConfig, VaeConfig
from .lingen_transformer import LinGenConfig, LinGenTransformer
from .sampling import Sampler
from .text_encoder import TextEncoder
from .tokenizer import CaptionTokenizer
from .video_vae import VideoVae
from .wan_transformer import WanTransformer

DIFFUSERS_VERSION = "0.36.0"  # the oldest version the configuration files are written for
FLOW_SHIFT = 3.0
WEIGHTS = {
    "transformer": "diffusion_pytorch_model.safetensors",
    "vae": "diffusion_pytorch_model.safetensors",
    "text_encoder": "model.safetensors",
}
OWN_WEIGHTS, SHARED_WEIGHTS = "mate.safetensors", "base.safetensors"  # of a LinGen folder
EIGHT_BITS = (".ssm.in_proj.weight", ".attn1.to_q.weight", ".attn1.to_k.weight", ".attn1.to_v.weight", ".attn1.to_out.0.weight")
MODEL_INDEX = {
    "_class_name": "WanPipeline",
    "_diffusers_version": DIFFUSERS_VERSION,
    "scheduler": ["diffusers", "UniPCMultistepScheduler"],
    "text_encoder": ["transformers", "UMT5EncoderModel"],
    "tokenizer": ["transformers", "T5TokenizerFast"],
    "transformer": ["diffusers", "WanTransformer3DModel"],
    "vae": ["diffusers", "AutoencoderKLWan"],
}
SCHEDULER = {
    "_class_name": "UniPCMultistepScheduler",
    "_diffusers_version": DIFFUSERS_VERSION,
    "flow_shift": FLOW_SHIFT,
    "num_train_timesteps": 1000,
    "prediction_type": "flow_prediction",
    "predict_x0": True,
    "solver_order": 2,
    "solver_type": "bh2",
    "lower_order_final": True,
    "use_flow_sigmas": True,
}


def _write_json(path: Path, values: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n")


def _write_weights(path: Path, module: torch.nn.Module) -> None:
    tensors = {name: value.detach().to(torch.bfloat16).cpu().contiguous() for name, value in module.state_dict().items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata={"format": "pt"})


def write_model(folder: Path, transformer: WanTransformer, text_encoder: TextEncoder, vae: VideoVae, latents_mean, latents_std, tokenizer: Path) -> None:
    """Writes the whole folder. tokenizer: a folder written by `tokenizer.write_folder`. Weights are stored as bfloat16."""
    stamp = {"_diffusers_version": DIFFUSERS_VERSION}
    _write_json(folder / "model_index.json", MODEL_INDEX)
    _write_json(folder / "scheduler" / "scheduler_config.json", SCHEDULER)
    _write_json(folder / "transformer" / "config.json", {"_class_name": "WanTransformer3DModel", **stamp, **transformer.config.to_dict()})
    latents = {"latents_mean": [round(float(v), 5) for v in latents_mean], "latents_std": [round(float(v), 5) for v in latents_std]}
    _write_json(folder / "vae" / "config.json", {"_class_name": "AutoencoderKLWan", **stamp, **vae.config.to_dict(), **latents})
    text = {"architectures": ["UMT5EncoderModel"], "model_type": "umt5", "torch_dtype": "bfloat16"}
    _write_json(folder / "text_encoder" / "config.json", {**text, **text_encoder.config.to_dict()})
    for name, module in (("transformer", transformer), ("vae", vae), ("text_encoder", text_encoder)):
        _write_weights(folder / name / WEIGHTS[name], module)
    if Path(tokenizer).resolve() != (folder / "tokenizer").resolve():
        shutil.copytree(tokenizer, folder / "tokenizer", dirs_exist_ok=True)


def _config_from(kind, values: dict):
    known = kind.__dataclass_fields__
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values.items() if name in known})


def _link(path: Path, target: Path) -> None:
    """A relative symbolic link at `path`, replacing an older one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_symlink():
        path.unlink()
    path.symlink_to(os.path.relpath(target.resolve(), path.parent.resolve()))


def scales_of(name: str) -> str:
    """Where the scales of a matrix of eight bits lie, as LLM.int8 of bitsandbytes names them."""
    return name.removesuffix("weight") + "SCB"


def to_eight_bits(name: str, matrix: torch.Tensor) -> dict[str, torch.Tensor]:
    """A matrix as int8 with a scale for every row: a value is int8 · scale / 127 (https://arxiv.org/abs/2208.07339)."""
    scales = matrix.float().abs().amax(1).clamp_min(1e-12)
    return {name: (matrix.float() / scales[:, None] * 127).round().to(torch.int8), scales_of(name): scales}


def from_eight_bits(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors with matrices of eight bits written out as float32."""
    whole = {name: value for name, value in tensors.items() if not name.endswith(".SCB")}
    for name, value in whole.items():
        if value.dtype == torch.int8:
            whole[name] = value.float() * tensors[scales_of(name)][:, None] / 127
    return whole


def write_lingen(folder: Path, transformer: LinGenTransformer, base: Path, name: str = "mini-lingen") -> int:
    """Writes a LinGen model beside the model folder `base` it was started from; returns the bytes of its own tensors.

    Own are the tensors that base lacks or has other values of; everything else is linked. Step sizes, decays and skips stay float32, the
    largest matrices take eight bits a value (a change of 1.6 % of the predicted velocity, beside 1.2 % of bfloat16's own).
    The file of own tensors carries the configuration, so that `read_own` needs nothing but it and base.
    """
    known = read_weights(base / "transformer", WEIGHTS["transformer"])
    own, weight_map, total = {}, {}, 0
    for key, value in transformer.state_dict().items():
        exact = key.endswith((".dt_bias", ".A_log", ".D"))
        stored = value.detach().to(torch.float32 if exact else torch.bfloat16).cpu().contiguous()
        shared = key in known and known[key].shape == stored.shape and torch.equal(known[key], stored)
        weight_map[key] = SHARED_WEIGHTS if shared else OWN_WEIGHTS
        total += stored.nbytes
        if not shared and key.endswith(EIGHT_BITS):
            parts = to_eight_bits(key, value.detach().cpu())
            own |= parts
            weight_map |= {name: OWN_WEIGHTS for name in parts}
        elif not shared:
            own[key] = stored
    part = folder / "transformer"
    config = {"_class_name": "LinGenTransformer3DModel", "_diffusers_version": DIFFUSERS_VERSION, **transformer.config.to_dict()}
    _write_json(part / "config.json", config)
    _write_json(part / (WEIGHTS["transformer"] + ".index.json"), {"metadata": {"total_size": total}, "weight_map": weight_map})
    save_file(own, part / OWN_WEIGHTS, metadata={"config": json.dumps(config)})  # one entry: their order is not fixed
    if SHARED_WEIGHTS in weight_map.values():
        _link(part / SHARED_WEIGHTS, base / "transformer" / WEIGHTS["transformer"])
    for shared in ("vae", "text_encoder", "tokenizer", "scheduler"):
        _link(folder / shared, base / shared)
    classes = {"_class_name": "LinGenPipeline", "transformer": ["framewright", "LinGenTransformer3DModel"]}
    _write_json(folder / "model_index.json", MODEL_INDEX | classes)
    settings = base / "framewright.json"
    if settings.exists():
        about = {"name": name, "description": "mini with LinGen's blocks: cost linear in frames and pixels", "longer_frames": [65, 129]}
        _write_json(folder / "framewright.json", json.loads(settings.read_text()) | about)
    return (part / OWN_WEIGHTS).stat().st_size


def read_own(file: Path, base: Path) -> LinGenTransformer:
    """The transformer of a file of own tensors that `write_lingen` wrote, with everything else from `base`."""
    with safe_open(file, "pt") as stored:
        values = json.loads(stored.metadata()["config"])
    transformer = LinGenTransformer(_config_from(LinGenConfig, values))
    tensors = read_weights(base / "transformer", WEIGHTS["transformer"]) | from_eight_bits(load_file(file))
    transformer.load_state_dict({key: tensors[key].float() for key in transformer.state_dict()})
    return transformer


def read_weights(folder: Path, name: str) -> dict[str, torch.Tensor]:
    """The tensors of one part: of its file, or of the files its index names."""
    index = folder / (name + ".index.json")
    if not index.exists():
        return load_file(folder / name)
    places = json.loads(index.read_text())["weight_map"]
    files = {file: load_file(folder / file) for file in set(places.values())}
    return from_eight_bits({key: files[file][key] for key, file in places.items()})


def read_model(folder: Path, device: str | torch.device = "cpu") -> Sampler:
    """Loads a folder written by `write_model` or `write_lingen`, ready to draw clips; bfloat16 on a GPU, float32 elsewhere."""
    folder = Path(folder)
    kinds = {"transformer": (WanTransformer, TransformerConfig), "vae": (VideoVae, VaeConfig), "text_encoder": (TextEncoder, TextEncoderConfig)}
    modules = {}
    for name, (kind, config) in kinds.items():
        values = json.loads((folder / name / "config.json").read_text())
        if values.get("_class_name") == "LinGenTransformer3DModel":
            kind, config = LinGenTransformer, LinGenConfig
        module = kind(_config_from(config, values))
        module.load_state_dict({key: tensor.float() for key, tensor in read_weights(folder / name, WEIGHTS[name]).items()})
        modules[name] = module.to(device).eval().requires_grad_(False)
    statistics = json.loads((folder / "vae" / "config.json").read_text())
    dtype = torch.bfloat16 if torch.device(device).type == "cuda" else torch.float32
    tokenizer = CaptionTokenizer(folder / "tokenizer" / "spiece.model")
    mean, std = statistics["latents_mean"], statistics["latents_std"]
    return Sampler(modules["transformer"], modules["text_encoder"], modules["vae"], mean, std, tokenizer, dtype)
