"""Channel RMS norm + SiLU + causal padding in time, the operation in front of every 3-D convolution of the VAE.

On a GPU it is one Triton kernel forward and one backward over channels-last memory; elsewhere plain PyTorch does the same.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

try:
    import triton
    import triton.language as tl
except ImportError:  # pragma: no cover - machines without Triton use the plain version
    triton = None

CAUSAL_FRAMES = 2  # frames of zeros in front, for a kernel of three frames
BACKWARD_PROGRAMS = 1056  # each sums its share of the gradient of gamma


def plain_norm_silu_pad(x: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """x: [B, C, T, H, W].  gamma: [C, 1, 1, 1].  Returns silu(x / |x|_C * sqrt(C) * gamma), [B, C, 2 + T, H, W], frames 0 and 1 zero."""
    normed = F.normalize(x.float(), dim=1) * x.shape[1] ** 0.5 * gamma
    return F.pad(F.silu(normed).to(x.dtype), (0, 0, 0, 0, CAUSAL_FRAMES, 0))


if triton is not None:

    @triton.jit
    def _forward_kernel(x, gamma, out, rows, rows_per_clip, pad_rows, C: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_M: tl.constexpr):
        row = tl.program_id(0).to(tl.int64) * BLOCK_M + tl.arange(0, BLOCK_M)
        channel = tl.arange(0, BLOCK_C)
        mask = (row < rows)[:, None] & (channel < C)[None, :]
        value = tl.load(x + row[:, None] * C + channel[None, :], mask, 0.0).to(tl.float32)
        weight = tl.load(gamma + channel, channel < C, 0.0)
        norm = tl.maximum(tl.sqrt(tl.sum(value * value, 1)), 1e-12)
        pre = value * (tl.sqrt(C * 1.0) / norm)[:, None] * weight[None, :]
        result = pre * tl.sigmoid(pre)
        out_row = row + (row // rows_per_clip + 1) * pad_rows
        tl.store(out + out_row[:, None] * C + channel[None, :], result.to(out.dtype.element_ty), mask)

    @triton.jit
    def _backward_kernel(
        x, gamma, grad_out, grad_x, grad_gamma, rows, rows_per_clip, pad_rows, turns, programs,
        C: tl.constexpr, BLOCK_C: tl.constexpr, BLOCK_M: tl.constexpr,
    ):  # fmt: skip
        channel = tl.arange(0, BLOCK_C)
        weight = tl.load(gamma + channel, channel < C, 0.0)
        total = tl.zeros([BLOCK_C], tl.float32)
        first = tl.program_id(0).to(tl.int64)
        for turn in range(turns):
            row = (first + turn * programs) * BLOCK_M + tl.arange(0, BLOCK_M)
            mask = (row < rows)[:, None] & (channel < C)[None, :]
            value = tl.load(x + row[:, None] * C + channel[None, :], mask, 0.0).to(tl.float32)
            out_row = row + (row // rows_per_clip + 1) * pad_rows
            upstream = tl.load(grad_out + out_row[:, None] * C + channel[None, :], mask, 0.0).to(tl.float32)
            norm = tl.maximum(tl.sqrt(tl.sum(value * value, 1)), 1e-12)
            scale = tl.sqrt(C * 1.0) / norm
            unit = value * scale[:, None]
            pre = unit * weight[None, :]
            gate = tl.sigmoid(pre)
            grad_pre = upstream * gate * (1 + pre * (1 - gate))
            total += tl.sum(grad_pre * unit, 0)
            weighted = grad_pre * weight[None, :]
            along = tl.sum(weighted * value, 1) / (norm * norm)
            result = scale[:, None] * (weighted - value * along[:, None])
            tl.store(grad_x + row[:, None] * C + channel[None, :], result.to(grad_x.dtype.element_ty), mask)
        tl.store(grad_gamma + tl.program_id(0) * BLOCK_C + channel, total)

    class _FusedNormSiluPad(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
            x = x.contiguous(memory_format=torch.channels_last_3d)
            batch, channels, frames, height, width = x.shape
            out = torch.empty(
                (batch, channels, frames + CAUSAL_FRAMES, height, width), dtype=x.dtype, device=x.device, memory_format=torch.channels_last_3d
            )
            out[:, :, :CAUSAL_FRAMES].zero_()
            rows, block_c = batch * frames * height * width, triton.next_power_of_2(channels)
            block_m = max(16, 4096 // block_c)
            grid = (triton.cdiv(rows, block_m),)
            _forward_kernel[grid](x, gamma, out, rows, frames * height * width, CAUSAL_FRAMES * height * width, channels, block_c, block_m)
            ctx.save_for_backward(x, gamma)
            return out

        @staticmethod
        def backward(ctx, grad_out: torch.Tensor):
            x, gamma = ctx.saved_tensors
            grad_out = grad_out.contiguous(memory_format=torch.channels_last_3d)
            batch, channels, frames, height, width = x.shape
            grad_x = torch.empty_like(x)
            rows, block_c = batch * frames * height * width, triton.next_power_of_2(channels)
            block_m = max(16, 2048 // block_c)
            blocks = triton.cdiv(rows, block_m)
            programs = min(blocks, BACKWARD_PROGRAMS)
            partial = torch.empty(programs, block_c, device=x.device)
            _backward_kernel[(programs,)](
                x, gamma, grad_out, grad_x, partial, rows, frames * height * width, CAUSAL_FRAMES * height * width,
                triton.cdiv(blocks, programs), programs,
                channels, block_c, block_m,
            )  # fmt: skip
            return grad_x, partial.sum(0)[:channels].view_as(gamma)


def norm_silu_pad(x: torch.Tensor, gamma: torch.Tensor) -> torch.Tensor:
    """See `plain_norm_silu_pad`; fused on a GPU."""
    if x.is_cuda and triton is not None:
        return _FusedNormSiluPad.apply(x, gamma)
    return plain_norm_silu_pad(x, gamma)
