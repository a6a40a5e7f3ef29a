"""Muon for matrices and convolution kernels; AdamW for everything else."""

from __future__ import annotations

from typing import Iterable

import torch

# Coefficients of a quintic iteration that drives singular values towards one (K. Jordan, "Muon", 2024).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5
RMS_MATCH = 0.2  # makes the size of an update comparable to AdamW's, so that one learning rate serves both


class Muon:
    """Momentum, then orthogonalised updates. Parameters of equal matrix shape are processed as one batch.

    A parameter [O, ...] counts as the matrix [O, product of the rest].
    """

    def __init__(self, parameters: Iterable[torch.nn.Parameter], momentum: float = 0.95, weight_decay: float = 0.0):
        self.momentum, self.weight_decay = momentum, weight_decay
        self.groups: dict[tuple[int, int], list[torch.nn.Parameter]] = {}
        for parameter in parameters:
            self.groups.setdefault((parameter.shape[0], parameter[0].numel()), []).append(parameter)
        self.momenta = {shape: torch.zeros(len(group), *shape, device=group[0].device) for shape, group in self.groups.items()}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        a, b, c = NEWTON_SCHULZ
        for shape, group in self.groups.items():
            gradient = torch.stack([p.grad.reshape(shape) for p in group]).float()
            momentum = self.momenta[shape]
            momentum.lerp_(gradient, 1 - self.momentum)
            update = gradient.lerp(momentum, self.momentum).to(torch.bfloat16 if gradient.is_cuda else torch.float32)
            tall = shape[0] > shape[1]
            if tall:
                update = update.mT
            update = update / (update.norm(dim=(-2, -1), keepdim=True) + 1e-7)
            for _ in range(NEWTON_SCHULZ_STEPS):
                gram = update @ update.mT
                update = a * update + (b * gram + c * gram @ gram) @ update
            if tall:
                update = update.mT
            update = update.float() * (RMS_MATCH * max(shape) ** 0.5)
            torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, [u.reshape(p.shape) for u, p in zip(update, group)], alpha=-rate)

    def zero_grad(self) -> None:
        for group in self.groups.values():
            for parameter in group:
                parameter.grad = None

    def state_dict(self) -> dict:
        return {f"{rows}x{columns}": momentum for (rows, columns), momentum in self.momenta.items()}

    def load_state_dict(self, state: dict) -> None:
        for (rows, columns), momentum in self.momenta.items():
            momentum.copy_(state[f"{rows}x{columns}"])


class OptimiserPair:
    """Muon on `matrices`, AdamW on `others`; one call steps both, with the gradient of `others` clipped."""

    def __init__(self, matrices, others, betas: tuple[float, float], weight_decay: float = 0.0):
        self.others = list(others)
        self.muon = Muon(matrices, weight_decay=weight_decay)
        fused = self.others[0].is_cuda
        self.adam = torch.optim.AdamW(self.others, lr=1e-3, betas=betas, weight_decay=0.0, fused=fused)

    def zero_grad(self) -> None:
        self.adam.zero_grad(set_to_none=True)
        self.muon.zero_grad()

    def step(self, muon_rate: float, adam_rate: float, clip: float = 1.0) -> torch.Tensor:
        norm = torch.nn.utils.clip_grad_norm_(self.others, clip)
        for group in self.adam.param_groups:
            group["lr"] = adam_rate
        self.adam.step()
        self.muon.step(muon_rate)
        return norm

    def state_dict(self) -> dict:
        return {"adam": self.adam.state_dict(), "muon": self.muon.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.adam.load_state_dict(state["adam"])
        self.muon.load_state_dict(state["muon"])


class Average:
    """Exponential moving average of parameters, with a short memory at the start."""

    def __init__(self, parameters, decay: float):
        self.parameters = list(parameters)
        self.decay = decay
        self.values = [p.detach().clone() for p in self.parameters]

    @torch.no_grad()
    def update(self, step: int) -> None:
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self.values, [p.detach() for p in self.parameters], 1 - decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchanges averaged and current values; call it twice to undo."""
        for value, parameter in zip(self.values, self.parameters):
            kept = parameter.detach().clone()
            parameter.copy_(value)
            value.copy_(kept)
