"""Trains the LinGen variant of the embedded model: MATE in the place of its self-attention. See README.md and ../../docs/lingen.md.

One GPU:           python lingen.py --seconds 1200
Several GPUs:      torchrun --nproc-per-node 2 lingen.py --seconds 600
Dry run on a CPU:  python lingen.py --dry
Going on:          add --resume, which continues from OUT/checkpoint; a longer budget continues a finished run
Ablations:         --no-tesa, --no-review, --scan raster, --teacher 0

Writes OUT/model (a folder of links to --model and one file of own tensors), OUT/checkpoint (safetensors of at most 15 MiB, the optimiser's
apart), OUT/history.json and contact sheets. By default the mixers are trained, starting from the dense attention, and everything else is
the dense model's; --from-scratch trains every tensor from random values.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import fields
from pathlib import Path

import torch
from minimodel.export import read_model, write_lingen
from minimodel.feeding import make_renderer
from minimodel.lingen_transformer import LinGenConfig, LinGenTransformer
from minimodel.parallel import Team
from minimodel.pictures import save_sheet
from minimodel.sampling import Sampler
from minimodel.train_lingen import MUON_RATE, SCANS, STOCK, LinGenTrainer, choose_trained, dry_lingen_plan, lingen_plan, start_from
from train import held_out_prompts, set_up_gpu

OWN_BYTES = 10 * 1024**2  # what the embedded model may add to the repository


def config_of(arguments: argparse.Namespace, dense) -> LinGenConfig:
    """The dense model's sizes with the mixer that was asked for."""
    values = {entry.name: getattr(dense, entry.name) for entry in fields(dense)}
    mixer = {"scan_orders": SCANS[arguments.scan], "review_directions": "both" if arguments.review_both else "forward"}
    if arguments.no_review:
        mixer["review_pooling"] = None
    if arguments.shape == "stock":
        mixer |= STOCK
    return LinGenConfig(**values, **mixer)


class Run:
    """One training run: its folder, its networks, and the files that let it go on later."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments, self.team = arguments, Team()
        self.folder, self.base = Path(arguments.out), Path(arguments.model)
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(arguments.seed)
        self.dense = read_model(self.base, self.team.device)
        config = config_of(arguments, self.dense.transformer.config)
        self.transformer = LinGenTransformer(config).to(self.team.device)
        self.transformer.initialise()
        if not arguments.from_scratch:
            start_from(self.transformer, self.dense.transformer, arguments.shape == "attention" and not arguments.fresh_scans)
        choose_trained(self.transformer, arguments.from_scratch, not arguments.no_tesa)
        teacher_share = 0.0 if arguments.from_scratch else arguments.teacher
        self.trainer = LinGenTrainer(
            self.team, self.transformer, self.dense.text_encoder, self.dense.transformer, teacher_share, arguments.rate, arguments.capture
        )
        trained = sum(parameter.numel() for parameter in self.trainer.trained.values())
        self.team.say(f"{trained:,} of {sum(p.numel() for p in self.transformer.parameters()):,} numbers are trained")
        if arguments.resume:
            try:
                about = self.trainer.load(self.folder / "checkpoint")
            except ValueError as error:
                raise SystemExit(str(error)) from error
            if about:
                self.trainer.spent = min(1.0, about["seconds"] / max(arguments.seconds, 1e-9))
            self.team.say(f"going on from step {self.trainer.step_count}, {100 * self.trainer.spent:.0f} % of the budget")

    def snapshot(self, progress: float) -> None:
        """Everything that is kept of a run so far."""
        found = self.trainer.check()
        self.trainer.history.append({"step": self.trainer.step_count, "progress": round(progress, 4), "check": found})
        self.team.say("check", json.dumps(found))
        if not self.team.leads:
            return
        about = {"seconds": progress * self.arguments.seconds, "options": vars(self.arguments)}
        self.trainer.save(self.folder / "checkpoint", progress, about)
        (self.folder / "history.json").write_text(json.dumps(self.trainer.history))
        self.trainer.average.swap()
        size = write_lingen(self.folder / "model", self.transformer, self.base)
        self.draw_sheet(f"sheet_{round(100 * progress)}.jpg")
        self.trainer.average.swap()
        self.team.say(f"model: {size / 2**20:.2f} MiB of own tensors")
        if size > OWN_BYTES:
            self.team.say(f"more than the {OWN_BYTES / 2**20:.0f} MiB that the repository has room for: not to be shipped")

    def draw_sheet(self, name: str) -> None:
        dense = self.dense
        sampler = Sampler(self.transformer, dense.text_encoder, dense.vae, dense.mean.flatten(), dense.std.flatten(), dense.tokenizer, dense.dtype)
        prompts = held_out_prompts(2 if self.arguments.dry else 8)
        options = dict(height=32, width=32, frames=5, steps=2) if self.arguments.dry else {}
        save_sheet(self.folder / name, sampler.clips(prompts, **options), prompts)

    def train(self) -> None:
        arguments, dense = self.arguments, self.dense
        renderer = make_renderer(self.team, arguments.atlas, 1 if arguments.dry else arguments.variants)

        def encode(clip: torch.Tensor) -> torch.Tensor:
            return (dense.vae.encode(clip)[0] - dense.mean) / dense.std

        options = dict(seed=arguments.seed, snapshots=(0.35, 0.7))
        plan = dry_lingen_plan() if arguments.dry else lingen_plan(arguments.seconds, arguments.batch, arguments.formats, **options)
        progress = self.trainer.train(plan, encode, renderer, dense.tokenizer, self.snapshot)
        self.snapshot(progress)
        self.team.wait()
        self.team.say("done")
        self.team.close()


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="../models/mini", help="the dense model to start from")
    parser.add_argument("--out", default="work/lingen")
    parser.add_argument("--atlas", default="work/atlas.npz")
    parser.add_argument("--seconds", type=float, default=1200)
    parser.add_argument("--batch", type=int, default=48, help="clips of 33 frames a step and process, or as many tokens of others")
    parser.add_argument("--formats", nargs="+", choices=("clip", "middle", "long", "wide", "tall"), help="train on these only; clip must be among them")
    parser.add_argument("--rate", type=float, default=MUON_RATE, help="learning rate of Muon; AdamW's is two thirds of it")
    parser.add_argument("--teacher", type=float, default=0.5, help="share of the loss that compares with the dense model's velocity")
    parser.add_argument("--from-scratch", action="store_true", help="train every tensor from random values, without the teacher")
    parser.add_argument("--shape", choices=("attention", "stock"), default="attention", help="of the scan: like the attention's, or Mamba2's own")
    parser.add_argument("--fresh-scans", action="store_true", help="start the scans from random values, not from the attention")
    parser.add_argument("--scan", choices=tuple(SCANS), default="rotary")
    parser.add_argument("--no-tesa", action="store_true", help="ablation: without the window attention")
    parser.add_argument("--no-review", action="store_true", help="ablation: without review tokens")
    parser.add_argument("--review-both", action="store_true", help="review tokens in front of the reverse scan as well")
    parser.add_argument("--variants", type=int, default=24)
    parser.add_argument("--capture", action="store_true", help="replay the optimisers' step as a CUDA graph")
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--dry", action="store_true", help="a few steps at toy size")
    arguments = parser.parse_args(words)
    if arguments.formats and "clip" not in arguments.formats:
        parser.error("--formats must name clip, which every run begins with")
    return arguments


def main() -> None:
    set_up_gpu("flash")  # cuDNN is not asked for masks of windows
    Run(parse()).train()


if __name__ == "__main__":
    main()
