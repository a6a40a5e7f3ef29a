"""Tunes SALAD for the embedded model: LoRA on the attention projections, the linear branch's projection and its gate. The base stays as it is.

One GPU, ten minutes:   python salad.py --seconds 480
Several GPUs:           torchrun --nproc-per-node 2 salad.py --seconds 240
Dry run on a CPU:       python salad.py --dry
Going on:               add --resume, which continues from state.pt in --out, or --start FILE, which starts from an adapter of the same plan
Ablations:              --no-branch (LoRA only), --rank 0 (branch only), --sparse top_k, --gate sample, --rope-form b

Writes OUT/salad.safetensors, which the engine loads (fw generate --method salad --adapter FILE --set order=table), and OUT/history.json with
the loss on the same held-out noise of: dense attention, the sparse branch without tuning, and the tuned model.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
import torch._dynamo
from minimodel.export import WEIGHTS, read_model
from minimodel.feeding import LatentPool, make_renderer, scene_batches
from minimodel.parallel import Budget, Team, ramp
from minimodel.train_dit import EMPTY_CAPTION_SHARE, END_TOKEN, SHIFT, dry_plan, standard_plan
from minimodel.wan_transformer import wan_block
from salad_network import SaladAdapter, SaladPlan, calibrate, salad_block

SNAPSHOT_SECONDS = 60
CHECK_CLIPS = 16
CALIBRATION_LEVELS = (0.95, 0.85, 0.7, 0.5, 0.25)  # noise levels, about those of five sampling steps


class Tuning:
    """The frozen model, the adapter, its optimiser and the clips it learns from."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments, self.team = arguments, Team()
        self.folder = Path(arguments.out)
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(arguments.seed)
        device = self.team.device
        self.on_gpu = device.type == "cuda"
        self.dtype = torch.bfloat16 if self.on_gpu else torch.float32
        base = read_model(Path(arguments.model), device)
        self.base, self.transformer, self.text_encoder, self.tokenizer = base, base.transformer, base.text_encoder, base.tokenizer
        self.plan = SaladPlan(
            sparse=arguments.sparse, sparsity=0.5 if arguments.dry else arguments.sparsity, order=arguments.order, rank=arguments.rank, gate=arguments.gate,
            rope_form=arguments.rope_form, branch=not arguments.no_branch,
        )  # fmt: skip
        self.adapter = SaladAdapter(self.transformer, self.plan).to(device)
        torch._dynamo.config.recompile_limit = 64
        self.dense_block = torch.compile(wan_block, dynamic=False) if self.on_gpu else wan_block
        if self.on_gpu:
            self.adapter.step = torch.compile(salad_block, dynamic=False)
        trained = [p for name, p in self.adapter.named_parameters() if self.plan.branch or ".salad_" not in name]
        self.trained = trained
        self.optimiser = torch.optim.AdamW(trained, lr=arguments.rate, betas=(0.9, 0.99), weight_decay=0.01, fused=self.on_gpu)
        self.steps, self.spent, self.history = 0, 0.0, []
        if arguments.start:
            try:
                self.adapter.load(Path(arguments.start), Path(arguments.model) / "transformer" / WEIGHTS["transformer"])
            except ValueError as error:
                raise SystemExit(str(error)) from error
        self._resume()
        self.team.share_parameters(self.adapter)
        statistics = json.loads((Path(arguments.model) / "vae" / "config.json").read_text())
        mean, std = (torch.tensor(statistics[key], device=device).view(1, -1, 1, 1, 1) for key in ("latents_mean", "latents_std"))
        self.encode = lambda clip: (base.vae.encode(clip)[0] - mean) / std
        renderer = make_renderer(self.team, arguments.atlas, 1 if arguments.dry else arguments.variants)
        plan = dry_plan(64) if arguments.dry else standard_plan(arguments.seconds, arguments.batch)
        self.batch = plan.pools["clip"].batch
        seed = 7_000_003 + self.team.rank * 50_021
        batches = scene_batches(seed, [(plan.pools["clip"].view, plan.pools["clip"].encode_batch)], self.tokenizer, plan.workers)
        self.pool = LatentPool(self.team, plan.pools["clip"].view, plan.pools["clip"].capacity, self.encode, batches, renderer)
        self.pool.fill(plan.pools["clip"].initial)
        self.team.say(f"{self.pool.filled} clips, {sum(p.numel() for p in trained):,} trained numbers")

    def _resume(self) -> None:
        path = self.folder / "state.pt"
        if self.arguments.resume and path.exists():
            saved = torch.load(path, map_location=self.team.device, weights_only=True)
            self.adapter.load_state_dict(saved["adapter"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.steps, self.history = saved["steps"], saved["history"]
            self.spent = min(1.0, saved["seconds"] / max(self.arguments.seconds, 1e-9))

    def _noisy(self, count: int, level: torch.Tensor | None = None, pairs: bool = False):
        """A batch with noise: latents, timestep, text and the velocity that leads back. Clips of `pool`.

        pairs: every sample twice, the second half of the batch with the empty caption.
        """
        latents, _, tokens = self.pool.draw(count)
        empty = torch.zeros_like(tokens)
        empty[:, 0] = END_TOKEN
        if not pairs:
            tokens = torch.where(torch.rand(count, 1, device=tokens.device) < EMPTY_CAPTION_SHARE, empty, tokens)
        if level is None:
            uniform = torch.sigmoid(torch.randn(count, device=latents.device))
            level = SHIFT * uniform / (1 + (SHIFT - 1) * uniform)
        noise = torch.randn_like(latents)
        share = level.view(-1, 1, 1, 1, 1)
        if pairs:
            latents, noise, share, level = (torch.cat((value, value)) for value in (latents, noise, share, level))
            tokens = torch.cat((tokens, empty))
        with torch.no_grad(), torch.autocast("cuda", torch.bfloat16, enabled=self.on_gpu):
            text = self.text_encoder(tokens)
        return (1 - share) * latents + share * noise, 1000 * level, text, noise - latents

    def _tuned(self, latents, timestep, text) -> torch.Tensor:
        return self.transformer(latents, timestep, text, self.dtype, self.adapter.block_of(latents)).float()

    def _dense(self, latents, timestep, text) -> torch.Tensor:
        return self.transformer(latents, timestep, text, self.dtype, self.dense_block).float()

    def calibrate(self) -> None:
        """Fixes the order of every head before training; the same table is used in training and in the engine."""
        if self.plan.sparse != "window" or self.plan.order != "table" or self.steps > 0 or self.arguments.start:
            return
        count = min(8, self.pool.filled)
        batches = [self._noisy(count, torch.full((count,), level, device=self.team.device))[:3] for level in CALIBRATION_LEVELS]
        ratios = calibrate(self.transformer, self.adapter, batches, self.dtype)
        self.team.share_parameters(self.adapter)
        if self.team.leads:
            (self.folder / "calibration.json").write_text(json.dumps(ratios))
        self.team.say("heads in token-major order:", [int(layer.head_order.sum()) for layer in self.adapter.layers])

    def step(self, factor: float) -> torch.Tensor:
        """One update; returns the mean squared error of the velocity."""
        share, guidance = self.arguments.teacher, self.arguments.guidance
        guided = share > 0 and guidance != 1
        latents, timestep, text, target = self._noisy(self.batch // 2 if guided else self.batch, pairs=guided)
        velocity = self._tuned(latents, timestep, text)
        loss = error = (velocity - target).square().mean()
        if share > 0:
            with torch.no_grad():
                teacher = self._dense(latents, timestep, text)
            apart = velocity - teacher
            if guided:  # what a sampling step sees: errors of the two halves weigh as guidance weighs them
                conditional, free = apart.chunk(2)
                apart = free + guidance * (conditional - free)
            loss = (1 - share) * error + share * apart.square().mean()
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        for parameter in self.trained:
            if parameter.grad is None:  # the gate, while the projection is zero everywhere
                parameter.grad = torch.zeros_like(parameter)
            self.team.average(parameter.grad)
        torch.nn.utils.clip_grad_norm_(self.trained, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = self.arguments.rate * factor
        self.optimiser.step()
        self.steps += 1
        return error.detach()

    @torch.no_grad()
    def check(self) -> dict:
        """Errors against the data and against dense attention, on the same noise every time; sizes of the branches."""
        state = torch.get_rng_state(), torch.cuda.get_rng_state() if self.on_gpu else None
        torch.manual_seed(99)
        batch = self._noisy(min(CHECK_CLIPS, self.pool.filled))
        torch.set_rng_state(state[0])
        if self.on_gpu:
            torch.cuda.set_rng_state(state[1])
        self.adapter.eval()
        dense = self._dense(*batch[:3])
        untuned = SaladAdapter(self.transformer, self.plan).to(self.team.device)  # zero projection and LoRA: sparse alone
        for layer, fresh in zip(self.adapter.layers, untuned.layers):
            fresh.head_order.copy_(layer.head_order)
        sparse = self.transformer(*batch[:3], self.dtype, untuned.block_of(batch[0], eager=True)).float()
        tuned = self.transformer(*batch[:3], self.dtype, self.adapter.block_of(batch[0], eager=True)).float()
        self.adapter.train()
        error = {name: float((value - batch[3]).square().mean()) for name, value in (("dense", dense), ("sparse", sparse), ("tuned", tuned))}
        error |= {f"{name}_to_dense": float((value - dense).square().mean()) for name, value in (("sparse", sparse), ("tuned", tuned))}
        return error | {"branch_norms": [layer.last_share for layer in self.adapter.layers]}

    def save(self, progress: float) -> None:
        if not self.team.leads:
            return
        found = self.check()
        self.history.append({"step": self.steps, "progress": round(progress, 4), **found})
        self.team.say(f"step {self.steps}", {name: round(value, 5) for name, value in found.items() if name != "branch_norms"})
        saved = {"adapter": self.adapter.state_dict(), "optimiser": self.optimiser.state_dict(), "steps": self.steps, "history": self.history}
        torch.save({**saved, "seconds": progress * self.arguments.seconds}, self.folder / "state.pt.part")
        (self.folder / "state.pt.part").replace(self.folder / "state.pt")
        base = Path(self.arguments.model) / "transformer" / WEIGHTS["transformer"]
        trained = {"steps": self.steps, "batch": self.batch * self.team.size, "rate": self.arguments.rate, "teacher": self.arguments.teacher, "guidance": self.arguments.guidance}
        self.adapter.save(self.folder / "salad.safetensors", base, found["branch_norms"], trained)
        (self.folder / "history.json").write_text(json.dumps(self.history, indent=1))

    def run(self) -> None:
        arguments = self.arguments
        self.calibrate()
        self.save(self.spent)
        budget = Budget(self.team, arguments.seconds, 6 if arguments.dry else None, self.spent)
        due = self.spent + SNAPSHOT_SECONDS / max(arguments.seconds, 1e-9)
        losses: list[torch.Tensor] = []
        while (progress := budget.advance()) < 1:
            losses.append(self.step(ramp(progress, self.steps, warm_up=100, hold=0.5, final=0.05)))
            if self.steps % 6 == 0:
                self.pool.add_batch()
            if self.steps % 50 == 0:
                self.team.say(f"step {self.steps} {100 * progress:.0f} % loss {self.team.mean(torch.stack(losses).mean())[0]:.4f}")
                if not bool(torch.isfinite(losses[-1])):
                    raise RuntimeError("the loss is not a number")
                losses = []
            if progress >= due:
                due += SNAPSHOT_SECONDS / max(arguments.seconds, 1e-9)
                self.save(progress)
        self.save(1.0)
        self.team.wait()
        self.team.say("done")
        self.team.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="../models/mini", help="model folder that is tuned")
    parser.add_argument("--out", default="work/salad")
    parser.add_argument("--atlas", default="work/atlas.npz")
    parser.add_argument("--seconds", type=float, default=480)
    parser.add_argument("--batch", type=int, default=32, help="clips a step and process")
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate of AdamW; 1e-4 suits large models")
    parser.add_argument("--rank", type=int, default=32, help="of the LoRA part; 0: none")
    parser.add_argument("--sparse", choices=("window", "top_k"), default="window")
    parser.add_argument("--sparsity", type=float, default=0.9)
    parser.add_argument("--order", choices=("table", "alternate", "frame", "token"), default="table")
    parser.add_argument("--gate", choices=("token", "sample"), default="token")
    parser.add_argument("--rope-form", choices=("a", "b"), default="a")
    parser.add_argument("--no-branch", action="store_true", help="LoRA only")
    parser.add_argument("--teacher", type=float, default=0.0, help="share of the loss that compares with the dense model instead of the data")
    parser.add_argument("--guidance", type=float, default=1.0, help="compare with the dense model under guidance of this scale, as sampling does; 1: without")
    parser.add_argument("--start", help="an adapter to start from, with its table of heads")
    parser.add_argument("--variants", type=int, default=24)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--dry", action="store_true", help="a few steps at toy size")
    arguments = parser.parse_args()
    if arguments.guidance != 1 and (arguments.teacher <= 0 or arguments.batch % 2):
        parser.error("--guidance compares with the dense model in pairs: it needs --teacher above 0 and an even --batch")
    torch.backends.cuda.matmul.allow_tf32 = True
    Tuning(arguments).run()


if __name__ == "__main__":
    main()
