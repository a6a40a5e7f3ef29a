"""Drawing clips: guided sampling with the UniPC solver (order 2) or Euler, on flow-matching sigmas."""

from __future__ import annotations

import math

import numpy as np
import torch

from .text_encoder import TextEncoder
from .video_vae import VideoVae
from .wan_transformer import WanTransformer


def flow_sigmas(steps: int, shift: float) -> np.ndarray:
    """Noise levels from 1 down to 0, [steps + 1], as diffusers' UniPC scheduler spaces them."""
    linear = np.linspace(1, 1 / 1000, steps + 1)[:-1]
    sigmas = shift * linear / (1 + (shift - 1) * linear)
    if abs(sigmas[0] - 1) < 1e-6:
        sigmas[0] -= 1e-6
    return np.append(sigmas, 0.0)


class UniPc:
    """The UniPC multistep solver, order 2, B(h) = expm1(-h), predicting clean data (Zhao et al., 2023, arXiv:2302.04867)."""

    def __init__(self, steps: int, shift: float):
        self.sigmas = flow_sigmas(steps, shift)
        self.timesteps = [math.trunc(1000 * s) for s in self.sigmas[:-1]]
        self.log_ratio = [math.log((1 - s) / s) if s > 0 else math.inf for s in self.sigmas]  # log(alpha / sigma)
        self.estimates: list[torch.Tensor] = []
        self.previous: torch.Tensor | None = None
        self.order = 0

    def step(self, index: int, x: torch.Tensor, velocity: torch.Tensor) -> torch.Tensor:
        """Takes x at sigma[index] to sigma[index + 1]."""
        estimate = x - self.sigmas[index] * velocity
        if index > 0:
            x = self._correct(index, estimate)
        self.estimates = (self.estimates + [estimate])[-2:]
        self.order = min(2, len(self.sigmas) - 1 - index, self.order + 1)
        self.previous = x
        return self._predict(index, x)

    def _correct(self, index: int, estimate: torch.Tensor) -> torch.Tensor:
        sigma, last_sigma, last = self.sigmas[index], self.sigmas[index - 1], self.estimates[-1]
        h = self.log_ratio[index] - self.log_ratio[index - 1]
        phi = math.expm1(-h)
        x = (sigma / last_sigma) * self.previous - (1 - sigma) * phi * last
        change = 0.5 * (estimate - last)
        if self.order == 2:
            ratio = (self.log_ratio[index - 2] - self.log_ratio[index - 1]) / h
            second = phi / -h - 1
            third = second / -h - 0.5
            weights = np.linalg.solve([[1.0, 1.0], [ratio, 1.0]], [second / phi, 2 * third / phi])
            change = weights[0] * (self.estimates[-2] - last) / ratio + weights[1] * (estimate - last)
        return x - (1 - sigma) * phi * change

    def _predict(self, index: int, x: torch.Tensor) -> torch.Tensor:
        sigma, next_sigma, estimate = self.sigmas[index], self.sigmas[index + 1], self.estimates[-1]
        if next_sigma == 0:
            return estimate
        h = self.log_ratio[index + 1] - self.log_ratio[index]
        phi = math.expm1(-h)
        result = (next_sigma / sigma) * x - (1 - next_sigma) * phi * estimate
        if self.order == 2:
            ratio = (self.log_ratio[index - 1] - self.log_ratio[index]) / h
            result = result - (1 - next_sigma) * phi * 0.5 * (self.estimates[-2] - estimate) / ratio
        return result


class Sampler:
    """The three networks together: sentences -> clips."""

    def __init__(self, transformer: WanTransformer, text_encoder: TextEncoder, vae: VideoVae, latent_mean, latent_std, tokenizer, dtype=torch.bfloat16):
        """latent_mean, latent_std: [16]. tokenizer: sentences -> int64 ids [B, L]."""
        self.transformer, self.text_encoder, self.vae, self.tokenizer, self.dtype = transformer, text_encoder, vae, tokenizer, dtype
        self.device = transformer.proj_out.weight.device
        self.mean, self.std = (
            torch.as_tensor(values, dtype=torch.float32, device=self.device).view(1, -1, 1, 1, 1) for values in (latent_mean, latent_std)
        )

    def _tokens(self, prompts) -> torch.Tensor:
        return torch.from_numpy(self.tokenizer(list(prompts))).to(self.device)

    @torch.no_grad()
    def clips(
        self, prompts, height=256, width=256, frames=33, steps=20, guidance=4.0, shift=3.0, seeds=None, decode_batch=4, block=None
    ) -> torch.Tensor:
        """Returns [B, 3, frames, height, width] in [-1, 1]. The noise of clip i comes from seeds[i] (default i) alone."""
        shape = (16, (frames - 1) // 4 + 1, height // 8, width // 8)
        seeds = range(len(prompts)) if seeds is None else seeds
        x = torch.stack([torch.randn(shape, generator=torch.Generator().manual_seed(int(seed))) for seed in seeds]).to(self.device)
        text = self.text_encoder(torch.cat([self._tokens(prompts), self._tokens([""] * len(prompts))]))
        solver = UniPc(steps, shift)
        for index, timestep in enumerate(solver.timesteps):
            time = torch.full((2 * len(prompts),), float(timestep), device=self.device)
            velocity = self.transformer(torch.cat([x, x]), time, text, self.dtype, block).float()
            wanted, free = velocity.chunk(2)
            x = solver.step(index, x, free + guidance * (wanted - free))
        latents = (x * self.std + self.mean).to(self.dtype)
        parts = [self.vae.decode(latents[start : start + decode_batch]).float() for start in range(0, len(latents), decode_batch)]
        return torch.cat(parts).clamp(-1, 1)
