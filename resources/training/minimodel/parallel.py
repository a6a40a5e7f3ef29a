"""Data-parallel training on the GPUs of one host, or on one GPU, or on the CPU: started by torchrun or as a plain program."""

from __future__ import annotations

import os
import time

import torch
import torch.distributed as dist


class Team:
    """The processes that train together. Alone, every method is a cheap no-op."""

    def __init__(self) -> None:
        self.rank = int(os.environ.get("RANK", 0))
        self.size = int(os.environ.get("WORLD_SIZE", 1))
        self.started = time.time()
        if torch.cuda.is_available():
            local = int(os.environ.get("LOCAL_RANK", 0))
            torch.cuda.set_device(local)
            self.device = torch.device("cuda", local)
        else:
            self.device = torch.device("cpu")
        if self.size > 1:
            on_gpu = self.device.type == "cuda"
            dist.init_process_group("nccl" if on_gpu else "gloo", device_id=self.device if on_gpu else None)

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def say(self, *words) -> None:
        """Prints from the first process, with the seconds since the start."""
        if self.leads:
            print(f"[{time.time() - self.started:7.1f}]", *words, flush=True)

    def share_parameters(self, *modules: torch.nn.Module) -> None:
        """Gives every process the first one's weights."""
        if self.size > 1:
            for module in modules:
                for tensor in module.state_dict().values():
                    dist.broadcast(tensor, 0)

    def average(self, buffer: torch.Tensor) -> None:
        """Replaces the buffer by its mean over the processes."""
        if self.size > 1:
            dist.all_reduce(buffer)
            buffer /= self.size

    def mean(self, *values: torch.Tensor | float) -> list[float]:
        """Means of numbers over the processes."""
        numbers = torch.stack([torch.as_tensor(v, dtype=torch.float32, device=self.device).reshape(()) for v in values])
        if self.size > 1:
            dist.all_reduce(numbers)
            numbers /= self.size
        return numbers.tolist()

    def wait(self) -> None:
        if self.size > 1:
            dist.barrier()

    def close(self) -> None:
        if self.size > 1:
            dist.destroy_process_group()


class Budget:
    """A training budget in seconds or in steps. All processes see the same progress, because the learning rate follows it."""

    REFRESH = 10  # steps between two looks at the clock

    def __init__(self, team: Team, seconds: float, steps: int | None = None, spent: float = 0.0):
        """spent: share of the budget used before, when a run is resumed."""
        self.team, self.seconds, self.steps, self.spent = team, seconds, steps, spent
        self.started = time.time()
        self.count = 0
        self.progress = spent

    def advance(self) -> float:
        """Call once a step, before it; returns the share of the budget used so far, in [0, 1]."""
        if self.steps:
            self.progress = self.count / self.steps
        elif self.count % self.REFRESH == 0:
            now = torch.tensor([self.spent + (time.time() - self.started) / self.seconds], device=self.team.device)
            if self.team.size > 1:
                dist.broadcast(now, 0)
            self.progress = float(now)
        self.count += 1
        return self.progress


def ramp(progress: float, step: int, warm_up: int, hold: float, final: float) -> float:
    """Learning-rate factor: linear warm-up over steps, constant until `hold` of the budget, then linear down to `final`."""
    warm = min(1.0, (step + 1) / warm_up)
    if progress <= hold:
        return warm
    return warm * max(final, 1 - (1 - final) * (progress - hold) / (1 - hold))
