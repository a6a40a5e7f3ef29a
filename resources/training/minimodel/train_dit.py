"""Training of the transformer and the text encoder together: stills first, for the looks of things, then whole clips."""

from __future__ import annotations

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
    """seconds: budget for everything.  still_share: first part of it, on stills.  rotation: which pool each step of the second part uses.

    refresh: clips are added to a pool every so many of its steps (stills, clips).
    """

    seconds: float
    pools: dict[str, PoolPlan]
    rotation: tuple[str, ...]
    still_share: float = 0.2
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


def standard_plan(seconds: float, batch: int = 64, **options) -> DitPlan:
    """The plan of the shipped weights: `batch` clips of 256 x 256 x 33 a step and process, now and then others of about as many tokens.

    Stills get 0.6 times as many tokens a step, because they are cheap to have in large numbers anyway.
    """

    def plan(view: View, capacity: int, initial: int, encode_batch: int, share: float = 1.0) -> PoolPlan:
        return PoolPlan(view, int(share * batch * CLIP_TOKENS / _tokens(view)), capacity, initial, encode_batch)

    pools = {
        "still": plan(View(frames=1, random_start=True), 65536, 8192, 64, share=0.6),
        "clip": plan(View(), 24576, 2048, 16),
        "short": plan(View(frames=17), 4096, 512, 16),
        "wide": plan(View.of_size(192, 320), 3072, 256, 16),
        "tall": plan(View.of_size(320, 192), 3072, 256, 16),
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


def velocity_loss(transformer, encode_text, latents, cover, tokens, dtype, block) -> tuple[torch.Tensor, torch.Tensor]:
    """Flow-matching loss, weighted towards sprites, and the plain mean squared error.

    latents: [B, 16, T, H, W], normalised.  cover: [B, 1, T, H, W].  tokens: [B, L].
    The sample is (1 - t) data + t noise, the target noise - data; t is logit-normal, shifted towards noise.
    """
    count = len(latents)
    empty = torch.zeros_like(tokens)
    empty[:, 0] = END_TOKEN
    dropped = torch.rand(count, 1, device=tokens.device) < EMPTY_CAPTION_SHARE
    text = encode_text(torch.where(dropped, empty, tokens))
    uniform = torch.sigmoid(torch.randn(count, device=latents.device))
    t = SHIFT * uniform / (1 + (SHIFT - 1) * uniform)
    level = t.view(-1, 1, 1, 1, 1)
    noise = torch.randn_like(latents)
    velocity = transformer((1 - level) * latents + level * noise, 1000 * t, text, dtype, block).float()
    square = (velocity - (noise - latents)).square()
    weight = 1 + SPRITE_WEIGHT * cover
    return (square * weight).mean() / weight.mean(), square.mean().detach()


class DitTrainer:
    """Owns the two networks, their optimiser and their running average."""

    def __init__(self, team: Team, transformer: WanTransformer, text_encoder: TextEncoder, resume: dict | None = None, capture: bool = False):
        """capture: run the optimiser's step as a CUDA graph."""
        self.team, self.transformer, self.text_encoder = team, transformer, text_encoder
        self.on_gpu = team.device.type == "cuda"
        self.dtype = torch.bfloat16 if self.on_gpu else torch.float32
        torch._dynamo.config.recompile_limit = 64  # one compiled block per shape of the rotation, with and without gradients
        self.block = torch.compile(wan_block, dynamic=False) if self.on_gpu else wan_block
        matrices = [p for name, p in transformer.named_parameters() if name.startswith("blocks") and p.ndim == 2]
        chosen = {id(p) for p in matrices}
        others = [p for p in (*transformer.parameters(), *text_encoder.parameters()) if id(p) not in chosen]
        self.optimiser = OptimiserPair(matrices, others, betas=(0.9, 0.98), weight_decay=WEIGHT_DECAY, capture=capture)
        team.share_parameters(transformer, text_encoder)
        self.average = Average(self.optimiser.parameters, AVERAGE_DECAY)
        self.step_count, self.spent, self.history = 0, 0.0, []
        if resume:
            self.optimiser.load_state_dict(resume["optimiser"])
            for value, saved in zip(self.average.values, resume["average"]):
                value.copy_(saved)
            self.step_count, self.spent, self.history = resume["step"], resume["progress"], resume["history"]

    def state_dict(self, progress: float) -> dict:
        """Everything needed to go on, apart from the networks' own weights."""
        return {
            "optimiser": self.optimiser.state_dict(), "average": self.average.values, "step": self.step_count,
            "progress": progress, "history": self.history,
        }  # fmt: skip

    def _encode_text(self, tokens: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cuda", torch.bfloat16, enabled=self.on_gpu):
            return self.text_encoder(tokens)

    def step(self, pool: LatentPool, batch: int, factor: float) -> torch.Tensor:
        """One update; returns the unweighted loss."""
        latents, cover, tokens = pool.draw(batch)
        loss, plain = velocity_loss(self.transformer, self._encode_text, latents, cover, tokens, self.dtype, self.block)
        self.optimiser.gradients.compute(loss)
        self.team.average(self.optimiser.gradients.buffer)
        self.optimiser.step(MUON_RATE * factor, ADAM_RATE * factor)
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
        pools: dict[str, LatentPool] = {}

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
                name, refresh = "still", plan.still_refresh
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
        self.history.append({"step": self.step_count, "progress": round(progress, 4), "loss": means})
        shown = " ".join(f"{name} {value:.4f}" for name, value in means.items())
        sizes = " ".join(f"{name} {pool.filled}" for name, pool in pools.items())
        self.team.say(f"dit step {self.step_count} {100 * progress:.0f} % factor {factor:.3f} loss {shown} | pools {sizes}")
        if not all(value == value for value in means.values()):
            raise RuntimeError("the loss is not a number")
