#!/usr/bin/env python3
"""Writes tests/golden/fixtures/*.safetensors: what the published classes compute for small random models.

Needs exactly:  torch 2.11.0 · diffusers 0.42.1 · transformers 5.23.0 · safetensors 0.8.0 · numpy 2.4.6
Run:            python tests/golden/make_fixtures.py [all|samplers|text|transformer|vae|mini] [--model DIR]

Weights and inputs follow recipe.py and are not stored; configurations stand in each file's metadata. All reference
runs are float32 on the CPU with weights rounded to bfloat16. `mini` runs diffusers' WanPipeline on a model folder
(default resources/models/mini) and must be made anew when that model changes.
"""

import argparse
import hashlib
import importlib.metadata
import json
import pathlib
import sys

import numpy as np
import torch
from diffusers import (
    AutoencoderKLWan,
    FlowMatchEulerDiscreteScheduler,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from safetensors.numpy import save_file
from transformers import UMT5Config, UMT5EncoderModel

import recipe

VERSIONS = {"torch": "2.11.0", "diffusers": "0.42.1", "transformers": "5.23.0", "safetensors": "0.8.0", "numpy": "2.4.6"}
HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE / "fixtures"


def check_versions() -> None:
    for package, wanted in VERSIONS.items():
        found = importlib.metadata.version(package).split("+")[0]
        if found != wanted:
            sys.exit(f"{package} is {found}, the fixtures are made with {wanted}")


def save(name: str, tensors: dict, metadata: dict) -> None:
    arrays = {key: np.ascontiguousarray(value) for key, value in tensors.items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    save_file(arrays, OUT / f"{name}.safetensors", {**texts, "versions": json.dumps(VERSIONS)})
    print(f"{name}: {(OUT / f'{name}.safetensors').stat().st_size} bytes")


def fill(model: torch.nn.Module, seed: int) -> torch.nn.Module:
    """Every parameter by the recipe. Tied copies (UMT5's encoder.embed_tokens) follow their source."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.copy_(torch.from_numpy(recipe.weight(name, seed, tuple(parameter.shape))))
    return model.eval().float()


def tensor(name: str, seed: int, shape: tuple, deviation: float = 1.0) -> torch.Tensor:
    return torch.from_numpy(recipe.values(name, seed, shape, deviation))


# --- samplers -------------------------------------------------------------------------------------------------------

SAMPLERS = {
    "unipc_a": {"class": "UniPC", "shift": 3.0, "steps": 20},
    "unipc_b": {"class": "UniPC", "shift": 5.0, "steps": 3},
    "euler_a": {"class": "Euler", "shift": 3.0, "steps": 20},
    "euler_b": {"class": "Euler", "shift": 5.0, "steps": 3},
}


def made_up_velocity(x: torch.Tensor, target: torch.Tensor, timestep: float) -> torch.Tensor:
    """A smooth function of everything a model sees: v = 0.8 x - target + 0.05 (timestep / 1000) x²."""
    return 0.8 * x - target + (0.05 * timestep / 1000.0) * x * x


def make_scheduler(config: dict):
    if config["class"] == "UniPC":
        return UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=config["shift"], solver_order=2
        )
    return FlowMatchEulerDiscreteScheduler(shift=config["shift"])


def make_samplers() -> None:
    """<id>.timesteps [n] f64, <id>.sigmas [n + 1] f32, <id>.samples [n, 64] f32: the sample after each step.

    It starts from values("<id>.x", 1, [64]) with target = values("<id>.target", 1, [64]).
    """
    tensors = {}
    for key, config in SAMPLERS.items():
        scheduler = make_scheduler(config)
        scheduler.set_timesteps(config["steps"])
        x, target = tensor(f"{key}.x", 1, (1, 1, 64)), tensor(f"{key}.target", 1, (1, 1, 64))
        samples = []
        for timestep in scheduler.timesteps:
            velocity = made_up_velocity(x, target, float(timestep))
            x = scheduler.step(velocity, timestep, x, return_dict=False)[0]
            samples.append(x.numpy().reshape(64).copy())
        tensors[f"{key}.timesteps"] = scheduler.timesteps.numpy().astype(np.float64)
        tensors[f"{key}.sigmas"] = scheduler.sigmas.numpy().astype(np.float32)
        tensors[f"{key}.samples"] = np.stack(samples)
    save("samplers", tensors, {"samplers": SAMPLERS})


# --- text encoder ---------------------------------------------------------------------------------------------------

TEXT = {
    "a": {
        "vocab_size": 97, "d_model": 96, "d_kv": 16, "d_ff": 136, "num_layers": 3, "num_heads": 4,
        "relative_attention_num_buckets": 32, "relative_attention_max_distance": 128,
    },
    "b": {
        "vocab_size": 50, "d_model": 64, "d_kv": 32, "d_ff": 72, "num_layers": 2, "num_heads": 3,
        "relative_attention_num_buckets": 16, "relative_attention_max_distance": 20,
    },
}  # fmt: skip
TEXT_LENGTHS = [1, 7, 40, 150]
TEXT_MAX = 150


def make_text() -> None:
    """<id>.<length>.ids [length] i32, <id>.<length>.out [length, d_model] f32 of ids padded to 150 and masked."""
    tensors, configs = {}, {}
    for seed, (key, config) in enumerate(TEXT.items()):
        common = {"model_type": "umt5", "feed_forward_proj": "gated-gelu", "dropout_rate": 0.0, "pad_token_id": 0,
                  "eos_token_id": 1, "layer_norm_epsilon": 1e-6}  # fmt: skip
        configs[key] = {**common, **config}
        model = fill(UMT5EncoderModel(UMT5Config(**common, **config)), seed)
        for length in TEXT_LENGTHS:
            numbers = recipe.uniform(f"{key}.{length}.ids", 1, length)
            ids = (2 + np.floor((numbers + 1.0) / 2.0 * (config["vocab_size"] - 2))).astype(np.int32)
            ids[-1] = 1
            padded = torch.zeros(1, TEXT_MAX, dtype=torch.long)
            padded[0, :length] = torch.from_numpy(ids)
            mask = (torch.arange(TEXT_MAX) < length).long()[None]
            with torch.no_grad():
                out = model(padded, mask).last_hidden_state[0, :length]
            tensors[f"{key}.{length}.ids"] = ids
            tensors[f"{key}.{length}.out"] = out.numpy().astype(np.float32)
            if length == TEXT_LENGTHS[-1]:
                tensors[f"{key}.{length}.out"] = tensors[f"{key}.{length}.out"][::7]
    save("text", tensors, {"configs": configs, "lengths": TEXT_LENGTHS, "seeds": {"a": 0, "b": 1}})


# --- transformer ----------------------------------------------------------------------------------------------------

TRANSFORMERS = {
    "a": {
        "patch_size": [1, 2, 2], "num_attention_heads": 2, "attention_head_dim": 64, "in_channels": 16,
        "out_channels": 16, "text_dim": 48, "freq_dim": 256, "ffn_dim": 200, "num_layers": 3,
        "cross_attn_norm": True, "qk_norm": "rms_norm_across_heads", "eps": 1e-6, "rope_max_seq_len": 1024,
    },
    "b": {
        "patch_size": [2, 1, 2], "num_attention_heads": 3, "attention_head_dim": 32, "in_channels": 4,
        "out_channels": 4, "text_dim": 40, "freq_dim": 64, "ffn_dim": 72, "num_layers": 2,
        "cross_attn_norm": False, "qk_norm": "rms_norm_across_heads", "eps": 1e-5, "rope_max_seq_len": 64,
    },
}  # fmt: skip
LATENTS = {"a": [16, 5, 6, 10], "b": [4, 6, 7, 10]}
TIMESTEPS = [999.0, 437.25]
TEXT_ROWS = 12


def make_transformer() -> None:
    """<id>.<i>.velocity [C, T, H, W] f32 for timestep i, latents values("<id>.latents", 1, …), text
    values("<id>.text", 1, [12, text_dim]) whose last five rows are zero."""
    tensors = {}
    for seed, (key, config) in enumerate(TRANSFORMERS.items()):
        model = fill(WanTransformer3DModel(**config), seed)
        latents = tensor(f"{key}.latents", 1, tuple(LATENTS[key]))[None]
        text = tensor(f"{key}.text", 1, (TEXT_ROWS, config["text_dim"]))[None]
        text[:, -5:] = 0
        for index, timestep in enumerate(TIMESTEPS):
            with torch.no_grad():
                out = model(latents, torch.tensor([timestep]), text, return_dict=False)[0]
            tensors[f"{key}.{index}.velocity"] = out[0].numpy()
    configs = {key: {"_class_name": "WanTransformer3DModel", **config} for key, config in TRANSFORMERS.items()}
    save("transformer", tensors, {"configs": configs, "latents": LATENTS, "timesteps": TIMESTEPS,
                                  "seeds": {"a": 0, "b": 1}})  # fmt: skip


# --- video auto-encoder ---------------------------------------------------------------------------------------------

VAES = {
    "a": {
        "base_dim": 8, "z_dim": 16, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2, "attn_scales": [],
        "temperal_downsample": [False, True, True], "dropout": 0.0,
    },
    "b": {
        "base_dim": 24, "decoder_base_dim": 32, "z_dim": 6, "dim_mult": [1, 2, 2], "num_res_blocks": 1,
        "attn_scales": [], "temperal_downsample": [True, True], "dropout": 0.0, "is_residual": False,
        "in_channels": 12, "out_channels": 12, "patch_size": 2, "scale_factor_temporal": 4,
        "scale_factor_spatial": 8,
    },
}  # fmt: skip
VAE_LATENTS = {"a": [4, 3, 2], "b": [3, 2, 4]}  # T, H, W
TILED_LATENTS = {"a": [2, 5, 4], "b": [2, 6, 5]}
TILE, STRIDE = 3, 2  # latent pixels


def normalisation(key: str, channels: int) -> tuple:
    mean = recipe.values(f"{key}.mean", 1, (channels,), 0.3)
    deviation = recipe.values(f"{key}.std", 1, (channels,), 0.2, 1.0)
    return mean, deviation


def make_vae() -> None:
    """<id>.decoded [3, F, H, W] f32 of latents values("<id>.latents", 1, …, 0.7) in the transformer's space,
    <id>.encoded [z, T, h, w] f32 (posterior mean, normalised) of frames values("<id>.frames", 1, [3, F, H, W], 0.5),
    <id>.tiled [3, F, H, W] f32: tiles of 3 latents, stride 2, of latents values("<id>.tiled_latents", 1, …, 0.7)."""
    tensors, configs = {}, {}
    for seed, (key, config) in enumerate(VAES.items()):
        mean, deviation = normalisation(key, config["z_dim"])
        config = {**config, "latents_mean": mean.tolist(), "latents_std": deviation.tolist()}
        configs[key] = {"_class_name": "AutoencoderKLWan", **config}
        model = fill(AutoencoderKLWan(**config), seed)
        shape = lambda text: (1, config["z_dim"], 1, 1, 1) if text else None  # noqa: E731
        mean, deviation = (torch.from_numpy(v).view(shape(True)) for v in (mean, deviation))
        with torch.no_grad():
            t, h, w = VAE_LATENTS[key]
            latents = tensor(f"{key}.latents", 1, (config["z_dim"], t, h, w), 0.7)[None]
            tensors[f"{key}.decoded"] = model.decode(latents * deviation + mean).sample[0].numpy()
            frames = tensor(f"{key}.frames", 1, (3, 4 * t - 3, 8 * h, 8 * w), 0.5)[None]
            tensors[f"{key}.encoded"] = ((model.encode(frames).latent_dist.mode() - mean) / deviation)[0].numpy()
            latents = tensor(f"{key}.tiled_latents", 1, (config["z_dim"], *TILED_LATENTS[key]), 0.7)[None]
            model.enable_tiling(8 * TILE, 8 * TILE, 8 * STRIDE, 8 * STRIDE)
            tensors[f"{key}.tiled"] = model.decode(latents * deviation + mean).sample[0].numpy()
    save("vae", tensors, {"configs": configs, "latents": VAE_LATENTS, "tiled_latents": TILED_LATENTS, "tile": TILE,
                          "stride": STRIDE, "seeds": {"a": 0, "b": 1}})  # fmt: skip


# --- the whole pipeline of the embedded model -----------------------------------------------------------------------

MINI = {
    "prompt": "a green car drives to the right on the beach at sunset", "negative_prompt": "", "width": 128,
    "height": 128, "frames": 33, "steps": 20, "guidance": 4.0, "shift": 3.0, "seed": 7,
}  # fmt: skip
MINI_FRAMES = [0, 20]


def make_mini(folder: pathlib.Path) -> None:
    """latents [16, 9, 16, 16] f16 after 20 UniPC steps from gaussian("mini.noise", 7, …); frames u8 [2, 128, 128, 3]
    of the decoded clip (numbers 0 and 20); ids and negative_ids i32."""
    pipeline = WanPipeline.from_pretrained(folder, torch_dtype=torch.float32)
    pipeline.scheduler = make_scheduler({"class": "UniPC", "shift": MINI["shift"]})
    shape = (pipeline.transformer.config.in_channels, (MINI["frames"] + 3) // 4, MINI["height"] // 8, MINI["width"] // 8)
    noise = torch.from_numpy(recipe.gaussian("mini.noise", MINI["seed"], shape))[None]
    length = pipeline.tokenizer.model_max_length
    call = dict(prompt=MINI["prompt"], negative_prompt=MINI["negative_prompt"], height=MINI["height"],
                width=MINI["width"], num_frames=MINI["frames"], num_inference_steps=MINI["steps"],
                guidance_scale=MINI["guidance"], latents=noise, max_sequence_length=length)  # fmt: skip
    latents = pipeline(**call, output_type="latent").frames
    config = pipeline.vae.config
    mean, deviation = (torch.tensor(v).view(1, -1, 1, 1, 1) for v in (config.latents_mean, config.latents_std))
    with torch.no_grad():
        clip = pipeline.vae.decode(latents * deviation + mean).sample[0]
    frames = (clip.permute(1, 2, 3, 0) * 127.5 + 127.5).round().clamp(0, 255).byte().numpy()
    ids = [np.array(pipeline.tokenizer(text)["input_ids"], np.int32) for text in (MINI["prompt"], "")]
    weights = (folder / "transformer" / "diffusion_pytorch_model.safetensors").read_bytes()
    save("mini", {"latents": latents[0].numpy().astype(np.float16), "frames": frames[MINI_FRAMES], "ids": ids[0],
                  "negative_ids": ids[1]},
         {"request": MINI, "frame_numbers": MINI_FRAMES,
          "transformer_sha256": hashlib.sha256(weights).hexdigest()})  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the golden fixtures from the published classes.")
    parser.add_argument("what", nargs="?", default="all",
                        choices=["all", "samplers", "text", "transformer", "vae", "mini"])  # fmt: skip
    parser.add_argument("--model", type=pathlib.Path, default=HERE.parents[1] / "resources" / "models" / "mini")
    arguments = parser.parse_args()
    check_versions()
    torch.manual_seed(0)
    OUT.mkdir(exist_ok=True)
    makers = {"samplers": make_samplers, "text": make_text, "transformer": make_transformer, "vae": make_vae,
              "mini": lambda: make_mini(arguments.model)}  # fmt: skip
    for name, maker in makers.items():
        if arguments.what in ("all", name):
            maker()


if __name__ == "__main__":
    main()
