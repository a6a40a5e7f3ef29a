"""Training of the video VAE: windows of 17 frames first, whole clips in the last part."""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
from miniworld.batches import View, make_batch
from miniworld.renderer import Renderer
from miniworld.scenes import draw_scene

from .feeding import scene_batches
from .optimisers import CapturedGradients, OptimiserPair
from .parallel import Budget, Team, ramp
from .video_vae import VideoVae

SPRITE_WEIGHT = 4.0  # how much more an error inside a sprite counts
EDGE_WEIGHT = 0.5
SQUARE_WEIGHT = 1.0
KL_WEIGHT = 1e-4
CHARBONNIER = 1e-3
RATE = 2e-3
EVALUATION_SEED = 99


@dataclass(frozen=True)
class VaePlan:
    """seconds: budget.  whole_share: last part of it spent on whole clips.  size, frames: of whole clips (smaller in dry runs)."""

    seconds: float
    whole_share: float = 0.34
    windows: int = 16
    window: int = 128
    window_frames: int = 17
    whole_clips: int = 2
    size: int = 256
    frames: int = 33
    steps: int | None = None
    capture: bool = False  # run the step as CUDA graphs
    workers: int = 4
    seed: int = 1


def matrices_of(vae: VideoVae) -> tuple[list, list]:
    """Splits the parameters: inner convolution kernels for Muon, the rest (ends of the networks, norms, biases) for AdamW."""
    matrices, others = [], []
    for name, parameter in vae.named_parameters():
        is_kernel = parameter.ndim >= 4 and "gamma" not in name and min(parameter.shape[0], parameter[0].numel()) >= 16
        at_an_end = "conv_in" in name or "conv_out" in name or "quant_conv" in name
        (matrices if is_kernel and not at_an_end else others).append(parameter)
    return matrices, others


def weighted_l1(difference: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Mean of a smooth absolute value."""
    return ((difference.square() + CHARBONNIER**2).sqrt() * weight).mean()


def vae_loss(vae: VideoVae, clip: torch.Tensor, cover: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Returns the loss, the squared error and the KL divergence. clip: [B, 3, T, H, W].  cover: [B, 1, T, H, W]."""
    mean, log_variance = vae.encode(clip)
    sample = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean)
    difference = vae.decode(sample.to(clip.dtype)).float() - clip.float()
    weight = 1 + SPRITE_WEIGHT * cover.float()
    across = weighted_l1(difference[..., 1:] - difference[..., :-1], weight[..., 1:])
    down = weighted_l1(difference[..., 1:, :] - difference[..., :-1, :], weight[..., 1:, :])
    kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    square = difference.square()
    loss = weighted_l1(difference, weight) + EDGE_WEIGHT * (across + down) + SQUARE_WEIGHT * (square * weight).mean() + KL_WEIGHT * kl
    return loss, square.mean().detach(), kl.detach()


def train_vae(team: Team, vae: VideoVae, renderer: Renderer, plan: VaePlan, resume: dict | None = None) -> dict:
    """Trains in place; returns the state from which a later call can go on (`resume`)."""
    dtype = torch.bfloat16 if team.device.type == "cuda" else torch.float32
    matrices, others = matrices_of(vae)
    optimiser = OptimiserPair(matrices, others, betas=(0.9, 0.99), capture=plan.capture)
    if resume:
        optimiser.load_state_dict(resume["optimiser"])
    team.share_parameters(vae)
    captured: dict[bool, CapturedGradients] = {}

    def compute(clip: torch.Tensor, cover: torch.Tensor) -> tuple[torch.Tensor, ...]:
        loss, square, kl = vae_loss(vae, clip, cover)
        optimiser.gradients.compute(loss)
        return loss.detach(), square, kl

    seed = plan.seed * 1_000_003 + team.rank * 50_021
    window = dict(height=plan.window, width=plan.window, frames=plan.window_frames, crop=True, random_start=True)
    sharp, wide = View(**window), View(**window, scale=0.75)
    windows = scene_batches(seed, [(sharp, plan.windows)] * 3 + [(wide, plan.windows)], workers=plan.workers)
    whole = scene_batches(seed + 7, [(View.of_size(plan.size, plan.size, plan.frames), plan.whole_clips)], workers=plan.workers)
    torch.manual_seed(seed)
    history, step = [], 0
    budget = Budget(team, plan.seconds, plan.steps, resume["progress"] if resume else 0.0)
    while (progress := budget.advance()) < 1:
        on_windows = progress < 1 - plan.whole_share
        clip, cover = renderer.render(next(windows if on_windows else whole), dtype)
        if plan.capture and on_windows not in captured:
            captured.clear()  # the other shape does not come back
            captured[on_windows] = CapturedGradients(compute, (clip, cover))
        loss, square, kl = (captured[on_windows] if plan.capture else compute)(clip, cover)
        team.average(optimiser.gradients.buffer)
        rate = RATE * ramp(progress, step, warm_up=50, hold=0.25, final=0.01)
        optimiser.step(rate, rate)
        step += 1
        if step in (1, 2, 5, 20) or step % 100 == 0:
            loss_mean, square_mean, kl_mean = team.mean(loss, square, kl)
            decibel = 10 * torch.log10(torch.tensor(4 / square_mean)).item()
            history.append({"step": step, "progress": round(progress, 4), "loss": loss_mean, "psnr": decibel, "kl": kl_mean})
            team.say(f"vae step {step} {100 * progress:.0f} % loss {loss_mean:.4f} batch {decibel:.2f} dB kl {kl_mean:.2f} rate {rate:.1e}")
    team.say(f"vae: {step} steps")
    return {"optimiser": optimiser.state_dict(), "progress": min(1.0, budget.progress), "history": history, "steps": step}


def decibels(square: torch.Tensor) -> torch.Tensor:
    """PSNR of mean squared errors of values in [-1, 1]."""
    return 10 * torch.log10(4 / square)


@torch.no_grad()
def evaluate_vae(team: Team, vae: VideoVae, renderer: Renderer, clips: int = 24, view: View | None = None) -> dict:
    """PSNR on fresh clips (mean over clips of each clip's PSNR): all pixels, sprite pixels, background, and per stretch of 8 frames.

    Also measures mean and standard deviation of every latent channel. Sprite pixels are those that are at least half sprite.
    """
    dtype = torch.bfloat16 if team.device.type == "cuda" else torch.float32
    view = view or View()
    rng = random.Random(EVALUATION_SEED)
    rows: dict[str, list] = {"all": [], "sprite": [], "background": []}
    stretches, moments = [], []
    for _ in range(clips):
        batch = make_batch([draw_scene(rng)], view, rng)
        clip, cover = renderer.render(batch, torch.float32)
        mean, _ = vae.encode(clip.to(dtype))
        square = (vae.decode(mean.to(dtype)).float().clamp(-1, 1) - clip).square().mean(1, keepdim=True)
        inside = cover >= 0.5
        rows["all"].append(decibels(square.mean()))
        if inside.any():
            rows["sprite"].append(decibels(square[inside].mean()))
        rows["background"].append(decibels(square[~inside].mean()))
        stretches.append(torch.stack([decibels(part.mean()) for part in square.split(8, 2)]))
        moments.append(torch.stack([mean.mean((0, 2, 3, 4)), mean.square().mean((0, 2, 3, 4))]))
    first, second = torch.stack(moments).mean(0)
    result = {name: round(float(torch.stack(values).mean()), 2) for name, values in rows.items()}
    result["worst clip"] = round(float(torch.stack(rows["all"]).min()), 2)
    result["per 8 frames"] = [round(float(v), 2) for v in torch.stack(stretches).mean(0)]
    result["latents_mean"] = first.tolist()
    result["latents_std"] = (second - first.square()).clamp(min=1e-6).sqrt().tolist()
    return result
