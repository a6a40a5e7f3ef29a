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
    def step(self, rate: torch.Tensor) -> None:
        """rate: scalar tensor, so that a captured step follows the schedule."""
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
            update = update.float() * (rate * -(RMS_MATCH * max(shape) ** 0.5))
            if self.weight_decay:
                torch._foreach_mul_(group, 1 - rate * self.weight_decay)
            torch._foreach_add_(group, [u.reshape(p.shape) for u, p in zip(update, group)])

    def state_dict(self) -> dict:
        return {f"{rows}x{columns}": momentum for (rows, columns), momentum in self.momenta.items()}

    def load_state_dict(self, state: dict) -> None:
        for (rows, columns), momentum in self.momenta.items():
            momentum.copy_(state[f"{rows}x{columns}"])


class FlatGradients:
    """All gradients in one buffer: every parameter's `grad` is a view of it, for good."""

    def __init__(self, parameters: list[torch.nn.Parameter]):
        self.parameters = parameters
        self.buffer = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        for parameter, part in zip(parameters, self.buffer.split([p.numel() for p in parameters])):
            parameter.grad = part.view_as(parameter)

    def compute(self, loss: torch.Tensor) -> None:
        """Writes the gradients of `loss` into the buffer."""
        gradients = torch.autograd.grad(loss, self.parameters)
        torch.cat([gradient.reshape(-1) for gradient in gradients], out=self.buffer)


class OptimiserPair:
    """Muon on `matrices`, AdamW on `others`; one call steps both, with the gradient of `others` clipped.

    On a GPU the step, hundreds of small launches, is captured once as a CUDA graph and replayed; `capture` False keeps it eager.
    """

    CLIP = 1.0
    EAGER_STEPS = 5  # before the capture, so that every buffer exists

    def __init__(self, matrices, others, betas: tuple[float, float], weight_decay: float = 0.0, capture: bool = False):
        self.matrices, self.others = list(matrices), list(others)
        self.gradients = FlatGradients([*self.matrices, *self.others])
        device = self.others[0].device
        on_gpu = device.type == "cuda"
        self.muon_rate, self.adam_rate = (torch.zeros((), device=device) for _ in range(2))
        self.muon = Muon(self.matrices, weight_decay=weight_decay)
        self.adam = torch.optim.AdamW(
            self.others, lr=self.adam_rate if on_gpu else 1e-3, betas=betas, weight_decay=0.0, fused=on_gpu, capturable=on_gpu
        )
        self.capture = capture and on_gpu
        self.steps_taken, self.graph = 0, None

    @property
    def parameters(self) -> list[torch.nn.Parameter]:
        return self.gradients.parameters

    def _step(self) -> None:
        torch.nn.utils.clip_grad_norm_(self.others, self.CLIP)
        self.adam.step()
        self.muon.step(self.muon_rate)

    def step(self, muon_rate: float, adam_rate: float) -> None:
        """Updates the parameters from the gradient buffer."""
        self.muon_rate.fill_(muon_rate)
        self.adam_rate.fill_(adam_rate)
        if self.others[0].device.type != "cuda":
            for group in self.adam.param_groups:
                group["lr"] = adam_rate
        if self.graph is None and self.capture and self.steps_taken >= self.EAGER_STEPS:
            torch.cuda.synchronize()
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
                self._step()
        if self.graph is not None:
            self.graph.replay()
        else:
            self._step()
        self.steps_taken += 1

    def state_dict(self) -> dict:
        return {"adam": self.adam.state_dict(), "muon": self.muon.state_dict()}

    def load_state_dict(self, state: dict) -> None:
        self.adam.load_state_dict(state["adam"])
        if self.others[0].device.type == "cuda":
            for group in self.adam.param_groups:
                group["lr"] = self.adam_rate
        self.muon.load_state_dict(state["muon"])


class CapturedGradients:
    """Forward and backward pass of a loss with fixed input shapes, captured as one CUDA graph.

    compute(*inputs) must write gradients in place and return tensors; it is run a few times before the capture.
    """

    WARM_UP = 3

    def __init__(self, compute, inputs: tuple[torch.Tensor, ...]):
        self.inputs = [value.clone() for value in inputs]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(self.WARM_UP):
                compute(*self.inputs)
        torch.cuda.current_stream().wait_stream(stream)
        torch.cuda.synchronize()
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph, capture_error_mode="thread_local"):
            self.outputs = compute(*self.inputs)

    def __call__(self, *inputs: torch.Tensor):
        for held, value in zip(self.inputs, inputs):
            held.copy_(value)
        self.graph.replay()
        return self.outputs


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
