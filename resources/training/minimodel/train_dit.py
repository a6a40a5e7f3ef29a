"""Training of the transformer and the text encoder together: stills first, for the looks of things, then whole clips.

`DitTrainer` has two methods that another kind of transformer overrides: `make_block` and `losses`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import torch
import torch._dynamo
from miniworld.batches import View

from .feeding import LatentPool, scene_batches
from .optimisers import Average, OptimiserPair
from .parallel import Budget, Team, ramp
from .text_encoder import TextEncoder
from .wan_transformer import WanTransformer, wan_block

MUON_RATE, ADAM_RATE = 2e-3, 1e-3
WEIGHT_DECAY = 0.01
SPRITE_WEIGHT = 3.0
EMPTY_CAPTION_SHARE = 0.1
SHIFT = 3.0
AVERAGE_DECAY = 0.999
END_TOKEN = 1


@dataclass(frozen=True)
class PoolPlan:
    """One kind of clip: how it is drawn, members drawn per step, members kept, members at the start, clips encoded at a time."""

    view: View
    batch: int
    capacity: int
    initial: int
    encode_batch: int


@dataclass(frozen=True)
class DitPlan:
    """seconds: budget for everything.  still_share: first part of it, on the pool `opening`.  rotation: the pool of each step of the second.

    refresh: clips are added to a pool every so many of its steps (stills, clips).
    """

    seconds: float
    pools: dict[str, PoolPlan]
    rotation: tuple[str, ...]
    still_share: float = 0.2
    opening: str = "still"
    still_refresh: int = 2
    clip_refresh: int = 6
    steps: int | None = None
    workers: int = 3
    seed: int = 2
    hold: float = 0.5
    final: float = 0.02
    snapshots: tuple[float, ...] = field(default=(0.5, 0.8))


CLIP_TOKENS = 9 * 16 * 16  # of 33 frames of 256 x 256


def _tokens(view: View) -> int:
    return ((view.frames - 1) // 4 + 1) * (view.height // 16) * (view.width // 16)


def pool_plan(batch: int, view: View, capacity: int, initial: int, encode_batch: int, share: float = 1.0) -> PoolPlan:
    """As many clips a step as `batch` clips of 256 x 256 x 33 have tokens, times `share`."""
    return PoolPlan(view, max(1, int(share * batch * CLIP_TOKENS / _tokens(view))), capacity, initial, encode_batch)


def standard_plan(seconds: float, batch: int = 64, **options) -> DitPlan:
    """The plan of the shipped weights: `batch` clips of 256 x 256 x 33 a step and process, now and then others of about as many tokens.

    Stills get 0.6 times as many tokens a step, because they are cheap to have in large numbers anyway.
    """
    pools = {
        "still": pool_plan(batch, View(frames=1, random_start=True), 65536, 8192, 64, share=0.6),
        "clip": pool_plan(batch, View(), 24576, 2048, 16),
        "short": pool_plan(batch, View(frames=17), 4096, 512, 16),
        "wide": pool_plan(batch, View.of_size(192, 320), 3072, 256, 16),
        "tall": pool_plan(batch, View.of_size(320, 192), 3072, 256, 16),
    }
    rotation = ("clip",) * 7 + ("short",) + ("clip",) * 6 + ("wide",) + ("clip",) * 6 + ("tall",) + ("clip",) * 5 + ("still",)
    return DitPlan(seconds, pools, rotation, **options)


def dry_plan(size: int = 32, steps: int = 8) -> DitPlan:
    """A few steps of everything at toy size."""
    pools = {
        "still": PoolPlan(View.of_size(size, size, 1, random_start=True), 4, 8, 4, 4),
        "clip": PoolPlan(View.of_size(size, size, 5), 2, 4, 2, 2),
        "wide": PoolPlan(View.of_size(size, size + 16, 5), 2, 4, 2, 2),
    }
    return DitPlan(0, pools, ("clip", "wide", "still"), still_share=0.4, steps=steps, workers=0, snapshots=(0.5,))


def noisy(latents: torch.Tensor, tokens: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training samples: (1 - t) data + t noise, timesteps 1000 t, tokens of which some are the empty caption, the target noise - data.

    latents: [B, 16, T, H, W], normalised.  tokens: [B, L].  t is logit-normal, shifted towards noise.
    """
    count = len(latents)
    empty = torch.zeros_like(tokens)
    empty[:, 0] = END_TOKEN
    dropped = torch.rand(count, 1, device=tokens.device) < EMPTY_CAPTION_SHARE
    uniform = torch.sigmoid(torch.randn(count, device=latents.device))
    t = SHIFT * uniform / (1 + (SHIFT - 1) * uniform)
    level = t.view(-1, 1, 1, 1, 1)
    noise = torch.randn_like(latents)
    return (1 - level) * latents + level * noise, 1000 * t, torch.where(dropped, empty, tokens), noise - latents


def weighted_mean(square: torch.Tensor, cover: torch.Tensor) -> torch.Tensor:
    """Mean of squared errors, weighted towards sprites. cover: [B, 1, T, H, W]."""
    weight = 1 + SPRITE_WEIGHT * cover
    return (square * weight).mean() / weight.mean()


class DitTrainer:
    """Owns the two networks, their optimiser and their running average. Parameters without gradient stay as they are."""

    muon_rate, adam_rate = MUON_RATE, ADAM_RATE

    def __init__(self, team: Team, transformer: WanTransformer, text_encoder: TextEncoder, resume: dict | None = None, capture: bool = False):
        """capture: run the optimiser's step as a CUDA graph."""
        self.team, self.transformer, self.text_encoder = team, transformer, text_encoder
        self.on_gpu = team.device.type == "cuda"
        self.dtype = torch.bfloat16 if self.on_gpu else torch.float32
        torch._dynamo.config.recompile_limit = 64  # one compiled block per shape of the rotation, with and without gradients
        self.block = self.make_block()
        matrices = [p for name, p in transformer.named_parameters() if p.requires_grad and name.startswith("blocks") and p.ndim == 2]
        chosen = {id(p) for p in matrices}
        others = [p for p in (*transformer.parameters(), *text_encoder.parameters()) if p.requires_grad and id(p) not in chosen]
        self.optimiser = OptimiserPair(matrices, others, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, capture=capture)
        team.share_parameters(transformer, text_encoder)
        self.average = Average(self.optimiser.parameters, AVERAGE_DECAY)
        self.step_count, self.spent, self.history = 0, 0.0, []
        self.pools: dict[str, LatentPool] = {}
        if resume:
            self.restore(resume)

    def restore(self, saved: dict) -> None:
        """Goes on from what `state_dict` gave."""
        self.optimiser.load_state_dict(saved["optimiser"])
        for value, kept in zip(self.average.values, saved["average"], strict=True):
            value.copy_(kept)
        self.step_count, self.spent, self.history = saved["step"], saved["progress"], saved["history"]

    def make_block(self):
        """What computes a block, as `forward` of the transformer takes it."""
        return torch.compile(wan_block, dynamic=False) if self.on_gpu else wan_block

    def state_dict(self, progress: float) -> dict:
        """Everything needed to go on, apart from the networks' own weights."""
        return {
            "optimiser": self.optimiser.state_dict(), "average": self.average.values, "step": self.step_count,
            "progress": progress, "history": self.history,
        }  # fmt: skip

    def _encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cuda", torch.bfloat16, enabled=self.on_gpu):
            return self.text_encoder(tokens)

    def losses(self, pool: LatentPool, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The loss of one batch that is minimised, and the plain mean squared error of the velocity."""
        latents, cover, tokens = pool.draw(batch)
        samples, timestep, tokens, target = noisy(latents, tokens)
        velocity = self.transformer(samples, timestep, self._encode_text(tokens), self.dtype, self.block).float()
        square = (velocity - target).square()
        return weighted_mean(square, cover), square.mean().detach()

    def step(self, pool: LatentPool, batch: int, factor: float) -> torch.Tensor:
        """One update; returns the unweighted loss."""
        loss, plain = self.losses(pool, batch)
        self.optimiser.gradients.compute(loss)
        self.team.average(self.optimiser.gradients.buffer)
        self.optimiser.step(self.muon_rate * factor, self.adam_rate * factor)
        self.average.update(self.step_count)
        self.step_count += 1
        return plain

    def train(self, plan: DitPlan, encode, renderer, tokenizer, on_snapshot=None) -> float:
        """encode: clips -> normalised latents.  on_snapshot(progress) is called at the shares of the budget in plan.snapshots.

        Returns the progress reached.
        """
        team = self.team
        seed = plan.seed * 1_000_003 + team.rank * 50_021
        torch.manual_seed(seed)
        pools = self.pools

        def pool_of(name: str) -> LatentPool:
            if name not in pools:
                kind = plan.pools[name]
                batches = scene_batches(seed + 17 * len(pools), [(kind.view, kind.encode_batch)], tokenizer, plan.workers)
                pools[name] = LatentPool(team, kind.view, kind.capacity, encode, batches, renderer)
                pools[name].fill(kind.initial)
                team.say(f"pool {name}: {pools[name].filled} clips")
            return pools[name]

        snapshots = [share for share in plan.snapshots if share > self.spent]
        losses: dict[str, list] = {}
        used: dict[str, int] = {}
        budget = Budget(team, plan.seconds, plan.steps, self.spent)
        turn = 0
        while (progress := budget.advance()) < 1:
            if progress < plan.still_share:
                name, refresh = plan.opening, plan.still_refresh if plan.opening == "still" else plan.clip_refresh
            else:
                name, refresh = plan.rotation[turn % len(plan.rotation)], plan.clip_refresh
                turn += 1
            pool = pool_of(name)
            used[name] = used.get(name, 0) + 1
            if used[name] % refresh == 0:
                pool.add_batch()
            factor = ramp(progress, self.step_count, warm_up=200, hold=plan.hold, final=plan.final)
            losses.setdefault(name, []).append(self.step(pool, plan.pools[name].batch, factor))
            if self.step_count in (1, 2, 5, 20) or self.step_count % 100 == 0:
                self._report(progress, factor, losses, pools)
                losses = {}
            if snapshots and progress >= snapshots[0]:
                snapshots.pop(0)
                if on_snapshot:
                    on_snapshot(progress)
        self._report(progress, 0, losses, pools)
        return min(1.0, progress)

    def _report(self, progress: float, factor: float, losses: dict[str, list], pools: dict[str, LatentPool]) -> None:
        means = {name: self.team.mean(torch.stack(values).mean())[0] for name, values in losses.items()}
        seconds = round(time.time() - self.team.started, 1)
        self.history.append({"step": self.step_count, "seconds": seconds, "progress": round(progress, 4), "loss": means})
        shown = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        sizes = " ".join(f"{name} {pool.filled}" for name, pool in pools.items())
        self.team.say(f"dit step {self.step_count} {100 * progress:.0f} % factor {factor:.3f} loss {shown} | pools {sizes}")
        if not all(value == value for value in means.values()):
            raise RuntimeError("the loss is not a number")
