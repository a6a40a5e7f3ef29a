"""Training of LinGen's mixer in the place of a trained model's self-attention, helped by that model where it has learnt to see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from miniworld import CLIP_FRAMES
from miniworld.batches import View, whole_course

from .checkpoint import load_checkpoint, save_checkpoint
from .feeding import LatentPool
from .lingen_transformer import LinGenConfig, LinGenTransformer, Steps
from .train_dit import DitPlan, DitTrainer, PoolPlan, dry_plan, noisy, pool_plan, weighted_mean
from .wan_transformer import WanTransformer, wan_block

MUON_RATE, ADAM_RATE = 1.5e-3, 1e-3
MIXER_PARTS = (".ssm.", ".attn1.", "position_embedding.")  # and the blocks' modulation
STOCK = dict(ssm_expand=2, ssm_num_groups=1)
ZIGZAG_ORDERS = ("zigzag_s_row", "zigzag_s_col", "zigzag_t_row", "zigzag_t_col")
SCANS = {"rotary": LinGenConfig.scan_orders, "raster": ("s_row",), "zigzag": ZIGZAG_ORDERS}
QUIET = 0.1  # factor on the scans' output at the start: the model begins nearly as its window attention, which has learnt already
CHECK_CLIPS, CHECK_SEED = 16, 99


def lingen_plan(seconds: float, batch: int, formats: Sequence[str] | None = None, **options) -> DitPlan:
    """A first part on clips of 33 frames, then lengths and formats in turn, each with about as many tokens a step.

    formats: the pools to take, all unless given.
    """
    pools = {
        "clip": pool_plan(batch, View(), 24576, 2048, 16),
        "middle": pool_plan(batch, whole_course(65), 4096, 256, 8),
        "long": pool_plan(batch, whole_course(129), 2048, 96, 4),
        "wide": pool_plan(batch, View.of_size(192, 320), 3072, 256, 16),
        "tall": pool_plan(batch, View.of_size(320, 192), 3072, 256, 16),
    }
    rotation = ("clip", "long", "clip", "middle", "clip", "long", "clip", "wide", "clip", "long", "clip", "middle", "clip", "long", "clip", "tall")
    if formats:
        pools = {name: pool for name, pool in pools.items() if name in formats}
        rotation = tuple(name for name in rotation if name in pools)
    return DitPlan(seconds, pools, rotation, still_share=0.35, opening="clip", **options)


def dry_lingen_plan() -> DitPlan:
    """A few steps of everything at toy size."""
    plan = dry_plan(32, steps=6)
    pools = plan.pools | {"long": PoolPlan(whole_course(41, 32, 32), 1, 2, 1, 1)}
    return replace(plan, pools=pools, rotation=("clip", "long", "wide"), opening="clip")


def choose_trained(transformer: LinGenTransformer, everything: bool, windows: bool) -> None:
    """Lets gradients reach what is trained. windows False: the ablation whose window attention is silent from the start."""
    for name, parameter in transformer.named_parameters():
        in_mixer = any(part in name for part in MIXER_PARTS) or (name.startswith("blocks") and "scale_shift_table" in name)
        parameter.requires_grad_((everything or in_mixer) and (windows or ".attn1." not in name))
    if not windows:
        with torch.no_grad():
            for block in transformer.blocks:
                block.attn1.to_out[0].weight.zero_()
                block.attn1.to_out[0].bias.zero_()


@torch.no_grad()
def start_from(transformer: LinGenTransformer, dense: WanTransformer, attention_shaped: bool) -> None:
    """Takes over every tensor the dense model has; the scans begin quietly, from its self-attention or from random values."""
    missing, unknown = transformer.load_state_dict(dense.state_dict(), strict=False)
    if unknown or any(".ssm." not in name and "position_embedding" not in name for name in missing):
        raise ValueError("the two transformers differ in more than their mixers")
    for block, source in zip(transformer.blocks, dense.blocks):
        if attention_shaped:
            block.ssm.start_from_attention(transformer.config, source.attn1)
        block.ssm.out_proj.weight *= QUIET


class LinGenTrainer(DitTrainer):
    """teacher: the dense transformer. teacher_share: part of the loss that compares with its velocity, on clips as long as it knows."""

    def __init__(self, team, transformer, text_encoder, teacher: WanTransformer, teacher_share: float, rate: float = MUON_RATE, capture=False):
        super().__init__(team, transformer, text_encoder, capture=capture)
        self.teacher, self.teacher_share = teacher, teacher_share
        self.teacher_block = torch.compile(wan_block, dynamic=False) if self.on_gpu else wan_block
        self.muon_rate, self.adam_rate = rate, rate * ADAM_RATE / MUON_RATE
        names = {id(parameter): name for name, parameter in transformer.named_parameters()}
        self.trained = {names[id(parameter)]: parameter for parameter in self.optimiser.parameters}

    def make_block(self) -> Steps:
        return Steps.compiled() if self.on_gpu else Steps()

    def losses(self, pool: LatentPool, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
        latents, cover, tokens = pool.draw(batch)
        samples, timestep, tokens, target = noisy(latents, tokens)
        with torch.no_grad():
            text = self._encode_text(tokens)
        velocity = self.transformer(samples, timestep, text, self.dtype, self.block).float()
        square = (velocity - target).square()
        loss = weighted_mean(square, cover)
        known_frames = (CLIP_FRAMES - 1) // 4 + 1
        if self.teacher_share > 0 and latents.shape[2] <= known_frames:
            with torch.no_grad():
                wanted = self.teacher(samples, timestep, text, self.dtype, self.teacher_block).float()
            taught = weighted_mean((velocity - wanted).square(), cover)
            loss = (1 - self.teacher_share) * loss + self.teacher_share * taught
        return loss, square.mean().detach()

    def save(self, folder: Path, progress: float, about: dict) -> None:
        """Writes a checkpoint; `about` is kept with it."""
        save_checkpoint(folder, self.trained, self.state_dict(progress), {**about, "config": self.transformer.config.to_dict()})

    def load(self, folder: Path) -> dict | None:
        """Goes on from a checkpoint; returns its `about`, None where there is none. Raises ValueError when it is of another model.

        A checkpoint of weights alone is enough: the optimiser then starts afresh, with its warm-up, and so does the average.
        """
        saved = load_checkpoint(folder, self.optimiser.adam.state_dict()["param_groups"], self.team.device)
        if saved is None:
            return None
        weights, training, about = saved
        if set(weights) != set(self.trained) or about["config"] != self.transformer.config.to_dict():
            raise ValueError(f"{folder} is of another model: use the options of that run, or another folder")
        self.transformer.load_state_dict(weights, strict=False)
        if not training["average"]:
            training |= {"average": weights, "optimiser": self.optimiser.state_dict(), "step": 0}
        self.restore(training | {"average": [training["average"][name] for name in self.trained]})
        return about

    @torch.no_grad()
    def check(self) -> dict:
        """Mean squared errors by pool, with the same noise every time: of the averaged weights, of the dense model, between the two."""
        generators = torch.get_rng_state(), torch.cuda.get_rng_state() if self.on_gpu else None
        found = {}
        self.average.swap()
        for name, pool in self.pools.items():
            torch.manual_seed(CHECK_SEED)
            latents, _, tokens = pool.draw(max(1, min(CHECK_CLIPS * 9 // pool.latents.shape[2], pool.filled)))
            samples, timestep, tokens, target = noisy(latents, tokens)
            text = self._encode_text(tokens)
            ours = self.transformer(samples, timestep, text, self.dtype).float()
            dense = self.teacher(samples, timestep, text, self.dtype).float()
            errors = {"lingen": ours - target, "dense": dense - target, "apart": ours - dense}
            found[name] = {key: round(float(value.square().mean()), 5) for key, value in errors.items()}
        self.average.swap()
        torch.set_rng_state(generators[0])
        if self.on_gpu:
            torch.cuda.set_rng_state(generators[1])
        return found
