"""Trains the embedded model: first the VAE, then the transformer with the text encoder. See README.md for the commands.

One GPU:    python train.py --vae-seconds 820 --dit-seconds 1600
Two GPUs:   torchrun --nproc-per-node 2 train.py --vae-seconds 410 --dit-seconds 800
Dry run:    python train.py --dry
Going on:   add --resume, which continues from the state files in --out: a stage whose budget is spent is skipped, a longer budget
            continues it. Without state files, --start-from MODEL begins with the weights of a model folder (--vae-seconds 0 keeps its VAE).
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from minimodel.configs import TextEncoderConfig, TransformerConfig, VaeConfig
from minimodel.export import read_model, write_model
from minimodel.feeding import make_renderer
from minimodel.parallel import Team
from minimodel.pictures import save_sheet
from minimodel.sampling import Sampler
from minimodel.text_encoder import TextEncoder
from minimodel.tokenizer import CaptionTokenizer
from minimodel.train_dit import DitTrainer, dry_plan, standard_plan
from minimodel.train_vae import VaePlan, evaluate_vae, train_vae
from minimodel.video_vae import VideoVae
from minimodel.wan_transformer import WanTransformer
from miniworld.batches import View
from miniworld.captions import plain_caption
from miniworld.scenes import draw_scene
from safetensors.torch import save_file

SHEET_SEED = 4242


def held_out_prompts(count: int) -> list[str]:
    rng = random.Random(SHEET_SEED)
    return [plain_caption(draw_scene(rng, held_out=True, sprite_count=1), rng) for _ in range(count)]


def set_up_gpu(attention: str) -> None:
    """Fast float32 products, cuDNN's own choice of convolutions, and the attention kernel to use (cuDNN's is the faster one on an H100)."""
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    if attention == "cudnn":
        torch.backends.cuda.enable_flash_sdp(False)
        torch.backends.cuda.enable_mem_efficient_sdp(True)
        torch.backends.cuda.enable_cudnn_sdp(True)
    elif attention == "flash":
        torch.backends.cuda.enable_cudnn_sdp(False)


class Run:
    """One training run: its folder, its networks, and the files that let it go on later."""

    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.team = Team()
        self.folder = Path(arguments.out)
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(arguments.seed)
        self.tokenizer = CaptionTokenizer(Path(arguments.tokenizer) / "spiece.model")
        device = self.team.device
        self.vae = VideoVae(VaeConfig()).to(device)
        self.transformer = WanTransformer(TransformerConfig()).to(device)
        self.transformer.initialise()
        self.text_encoder = TextEncoder(TextEncoderConfig(vocab_size=self.tokenizer.size)).to(device)
        self.text_encoder.initialise()
        if arguments.start_from:
            start = read_model(Path(arguments.start_from), device)
            for name in ("vae", "transformer", "text_encoder"):
                getattr(self, name).load_state_dict(getattr(start, name).state_dict())
        self.renderer = make_renderer(self.team, arguments.atlas, 1 if arguments.dry else arguments.variants)
        self.team.say(f"{self.team.size} processes on {device.type}, {arguments.variants} variants of every scenery")

    def _save(self, name: str, values: dict) -> None:
        if self.team.leads:
            part = self.folder / (name + ".part")
            torch.save(values, part)
            part.replace(self.folder / name)

    def _load(self, name: str) -> dict | None:
        path = self.folder / name
        if not self.arguments.resume or not path.exists():
            return None
        return torch.load(path, map_location=self.team.device, weights_only=True)

    def run_vae(self) -> dict:
        """Returns PSNR and latent statistics."""
        saved = self._load("vae_state.pt")
        if saved:
            self.vae.load_state_dict(saved["vae"])
        dry = self.arguments.dry
        plan = VaePlan(self.arguments.vae_seconds, windows=self.arguments.vae_windows, whole_clips=self.arguments.vae_clips, capture=self.arguments.capture)
        if dry:
            plan = VaePlan(0, steps=4, windows=2, window=32, window_frames=5, whole_clips=1, size=32, frames=9, workers=0)
        if dry or (plan.seconds > 0 and (not saved or saved["seconds"] < plan.seconds)):
            resume = saved and {**saved["training"], "progress": min(1.0, saved["seconds"] / max(plan.seconds, 1e-9))}
            training = train_vae(self.team, self.vae, self.renderer, plan, resume)
            self._save("vae_state.pt", {"vae": self.vae.state_dict(), "training": training, "seconds": plan.seconds})
        self.vae.requires_grad_(False)
        if self.team.leads:
            save_file(self.vae.state_dict(), self.folder / "vae.safetensors")
        scores = evaluate_vae(self.team, self.vae, self.renderer, 2 if dry else 24, View.of_size(32, 32, 9) if dry else None)
        self.team.say("vae PSNR", {name: value for name, value in scores.items() if not name.startswith("latents")})
        if self.team.leads:
            (self.folder / "vae_scores.json").write_text(json.dumps(scores, indent=1))
        return scores

    def run_dit(self, scores: dict) -> None:
        arguments, team = self.arguments, self.team
        saved = self._load("dit_state.pt")
        if saved:
            self.transformer.load_state_dict(saved["transformer"])
            self.text_encoder.load_state_dict(saved["text_encoder"])
        seconds = arguments.dit_seconds
        resume = saved and {**saved["training"], "progress": min(1.0, saved["seconds"] / max(seconds, 1e-9))}
        trainer = DitTrainer(team, self.transformer, self.text_encoder, resume, arguments.capture)
        mean, std = (torch.tensor(scores[key], device=team.device).view(1, -1, 1, 1, 1) for key in ("latents_mean", "latents_std"))

        def encode(clip: torch.Tensor) -> torch.Tensor:
            return (self.vae.encode(clip)[0] - mean) / std

        def snapshot(progress: float) -> None:
            networks = {"transformer": self.transformer.state_dict(), "text_encoder": self.text_encoder.state_dict()}
            self._save("dit_state.pt", {**networks, "training": trainer.state_dict(progress), "seconds": progress * seconds})
            trainer.average.swap()
            if team.leads:
                self._export(scores)
                self._draw_sheet(scores, f"sheet_{round(100 * progress)}.jpg")
            trainer.average.swap()

        plan = dry_plan() if arguments.dry else standard_plan(seconds, arguments.dit_batch, still_share=arguments.still_share)
        progress = trainer.train(plan, encode, self.renderer, self.tokenizer, snapshot)
        snapshot(progress)
        if team.leads:
            (self.folder / "dit_history.json").write_text(json.dumps(trainer.history))

    def _export(self, scores: dict) -> None:
        write_model(
            self.folder / "model", self.transformer, self.text_encoder, self.vae, scores["latents_mean"], scores["latents_std"],
            Path(self.arguments.tokenizer),
        )  # fmt: skip

    def _draw_sheet(self, scores: dict, name: str) -> None:
        dtype = torch.bfloat16 if self.team.device.type == "cuda" else torch.float32
        sampler = Sampler(self.transformer, self.text_encoder, self.vae, scores["latents_mean"], scores["latents_std"], self.tokenizer, dtype)
        prompts = held_out_prompts(2 if self.arguments.dry else 12)
        options = dict(height=32, width=32, frames=5, steps=2) if self.arguments.dry else {}
        save_sheet(self.folder / name, sampler.clips(prompts, **options), prompts)
        self.team.say(f"sheet {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default="work/run")
    parser.add_argument("--atlas", default="work/atlas.npz")
    parser.add_argument("--tokenizer", default="work/tokenizer")
    parser.add_argument("--vae-seconds", type=float, default=410)
    parser.add_argument("--dit-seconds", type=float, default=800)
    parser.add_argument("--vae-windows", type=int, default=16, help="windows of 17 x 128 x 128 a step and process")
    parser.add_argument("--vae-clips", type=int, default=2, help="whole clips a step and process, in the last part")
    parser.add_argument("--dit-batch", type=int, default=64, help="clips a step and process")
    parser.add_argument("--still-share", type=float, default=0.2, help="share of the transformer's time spent on stills")
    parser.add_argument("--variants", type=int, default=24, help="panoramas painted of every scenery")
    parser.add_argument("--attention", choices=("auto", "cudnn", "flash"), default="auto")
    parser.add_argument("--capture", action="store_true", help="replay the VAE's step and the optimisers' as CUDA graphs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start-from", help="model folder whose weights to begin with, for example ../models/mini")
    parser.add_argument("--resume", action="store_true", help="go on from the state files in --out")
    parser.add_argument("--dry", action="store_true", help="a few steps of everything at toy size")
    arguments = parser.parse_args()
    set_up_gpu(arguments.attention)
    run = Run(arguments)
    run.run_dit(run.run_vae())
    run.team.wait()
    run.team.say("done")
    run.team.close()


if __name__ == "__main__":
    main()
