"""The 3-D diffusion transformer, with the tensors of diffusers' WanTransformer3DModel.

Parameters stay in float32; matrix products run in the dtype of the input (bfloat16 when training), norms and modulation in float32.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from .configs import TransformerConfig


class Affine(nn.Module):
    """Gain, and with `bias` an offset, of a norm."""

    def __init__(self, width: int, bias: bool = False):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        if bias:
            self.bias = nn.Parameter(torch.zeros(width))


class Attention(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width) for _ in range(3))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])
        self.norm_q, self.norm_k = Affine(width), Affine(width)


class GeluProjection(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.proj = nn.Linear(width, hidden)


class FeedForward(nn.Module):
    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.net = nn.ModuleList([GeluProjection(width, hidden), nn.Identity(), nn.Linear(hidden, width)])


class WanBlock(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.attn1 = Attention(config.width)
        self.attn2 = Attention(config.width)
        self.norm2 = Affine(config.width, bias=True)
        self.ffn = FeedForward(config.width, config.ffn_dim)
        self.scale_shift_table = nn.Parameter(torch.zeros(1, 6, config.width))


class TwoLayer(nn.Module):
    def __init__(self, in_width: int, width: int):
        super().__init__()
        self.linear_1 = nn.Linear(in_width, width)
        self.linear_2 = nn.Linear(width, width)


class ConditionEmbedder(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.time_embedder = TwoLayer(config.freq_dim, config.width)
        self.time_proj = nn.Linear(config.width, 6 * config.width)
        self.text_embedder = TwoLayer(config.text_dim, config.width)


def linear(x: torch.Tensor, layer: nn.Linear) -> torch.Tensor:
    return F.linear(x, layer.weight.to(x.dtype), layer.bias.to(x.dtype))


def wide(x: torch.Tensor) -> torch.Tensor:
    """float32, or float64 where gradients are checked."""
    return x if x.dtype == torch.float64 else x.float()


def _rms(x: torch.Tensor, norm: Affine) -> torch.Tensor:
    return (F.rms_norm(wide(x), (x.shape[-1],), None, 1e-6) * norm.weight).to(x.dtype)


def _rotate(x: torch.Tensor, cosine: torch.Tensor, sine: torch.Tensor) -> torch.Tensor:
    """x: [B, N, heads, D], rotated by pairs (2m, 2m+1). cosine, sine: [1, N, 1, D/2]."""
    even, odd = wide(x).unflatten(-1, (-1, 2)).unbind(-1)
    return torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), -1).flatten(-2).to(x.dtype)


def _attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """[B, N, heads, D] each -> [B, N, heads * D]."""
    mixed = F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2))
    return mixed.transpose(1, 2).flatten(2)


def _modulated(x: torch.Tensor, scale: torch.Tensor, shift: torch.Tensor) -> torch.Tensor:
    return (F.layer_norm(wide(x), (x.shape[-1],), None, None, 1e-6) * (1 + scale) + shift).to(x.dtype)


def modulation_table(block: WanBlock, time_modulation: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Shift, scale and gate of the mixer, then of the feed-forward part, [B, 1, D] each."""
    return (block.scale_shift_table + time_modulation).chunk(6, 1)


def attention_operands(attention: Attention, hidden: torch.Tensor, cosine, sine, heads: int) -> tuple[torch.Tensor, ...]:
    """Rotated queries and keys, and values, of a self-attention: [B, N, heads, D] each."""
    query = _rotate(_rms(linear(hidden, attention.to_q), attention.norm_q).unflatten(-1, (heads, -1)), cosine, sine)
    key = _rotate(_rms(linear(hidden, attention.to_k), attention.norm_k).unflatten(-1, (heads, -1)), cosine, sine)
    return query, key, linear(hidden, attention.to_v).unflatten(-1, (heads, -1))


def finish_block(block: WanBlock, x: torch.Tensor, mixed: torch.Tensor, text: torch.Tensor, table, heads: int) -> torch.Tensor:
    """What every kind of block does after its mixer: gate and residual, cross-attention, feed-forward. mixed: the mixer's output."""
    x = (wide(x) + mixed * table[2]).to(x.dtype)
    hidden = F.layer_norm(wide(x), (x.shape[-1],), block.norm2.weight, block.norm2.bias, 1e-6).to(x.dtype)
    attention = block.attn2
    query = _rms(linear(hidden, attention.to_q), attention.norm_q).unflatten(-1, (heads, -1))
    key = _rms(linear(text, attention.to_k), attention.norm_k).unflatten(-1, (heads, -1))
    value = linear(text, attention.to_v).unflatten(-1, (heads, -1))
    x = x + linear(_attend(query, key, value), attention.to_out[0])
    hidden = _modulated(x, table[4], table[3])
    hidden = linear(F.gelu(linear(hidden, block.ffn.net[0].proj), approximate="tanh"), block.ffn.net[2])
    return (wide(x) + wide(hidden) * table[5]).to(x.dtype)


def wan_block(block: WanBlock, x, text, time_modulation, cosine, sine, heads: int) -> torch.Tensor:
    """One transformer block. x: [B, N, D].  text: [B, L, D].  time_modulation: [B, 6, D], float32."""
    table = modulation_table(block, time_modulation)
    hidden = _modulated(x, table[1], table[0])
    mixed = linear(_attend(*attention_operands(block.attn1, hidden, cosine, sine, heads)), block.attn1.to_out[0])
    return finish_block(block, x, mixed, text, table, heads)


def rotary_tables(frames: int, rows: int, columns: int, head_dim: int, device) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosine and sine of the rotation of every token, [1, frames*rows*columns, 1, head_dim/2]: first the axis of time, then rows, columns."""
    spatial = 2 * (head_dim // 6)
    parts = []
    for axis, (count, width) in enumerate(((frames, head_dim - 2 * spatial), (rows, spatial), (columns, spatial))):
        frequency = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angle = torch.arange(count, dtype=torch.float64)[:, None] * frequency
        shape = [1, 1, 1, width // 2]
        shape[axis] = count
        parts.append(angle.view(shape).expand(frames, rows, columns, -1))
    angles = torch.cat(parts, -1).reshape(1, frames * rows * columns, 1, -1).to(device)
    return angles.cos().float(), angles.sin().float()


class WanTransformer(nn.Module):
    """Noisy latents, time and text features -> velocity (noise minus data)."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.patch_embedding = nn.Conv3d(config.in_channels, config.width, config.patch_size, config.patch_size)
        self.condition_embedder = ConditionEmbedder(config)
        self.blocks = nn.ModuleList([self.make_block() for _ in range(config.num_layers)])
        self.proj_out = nn.Linear(config.width, config.out_channels * math.prod(config.patch_size))
        self.scale_shift_table = nn.Parameter(torch.zeros(1, 2, config.width))
        self._rotary: dict = {}

    def make_block(self) -> WanBlock:
        return WanBlock(self.config)

    def initialise(self) -> None:
        """Xavier in the blocks, a zero output layer, and open gates so that every block learns from the first step."""
        for name, parameter in self.named_parameters():
            if name.endswith(".bias"):
                nn.init.zeros_(parameter)
            elif name.startswith("blocks") and parameter.ndim == 2:
                nn.init.xavier_uniform_(parameter)
        nn.init.zeros_(self.proj_out.weight)
        nn.init.normal_(self.condition_embedder.time_proj.weight, std=0.02)
        for embedder in (self.condition_embedder.time_embedder, self.condition_embedder.text_embedder):
            nn.init.normal_(embedder.linear_1.weight, std=0.04)
            nn.init.normal_(embedder.linear_2.weight, std=0.04)
        with torch.no_grad():
            for block in self.blocks:
                block.scale_shift_table[:, (2, 5)] = 0.3

    def _time(self, timestep: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """timestep: [B] in [0, 1000]. Returns the time embedding [B, D] and its six-fold projection [B, 6, D], float32."""
        half = self.config.freq_dim // 2
        frequency = torch.exp(-math.log(10000) * torch.arange(half, device=timestep.device, dtype=torch.float32) / half)
        angle = timestep.float()[:, None] * frequency
        embedder = self.condition_embedder.time_embedder
        embedding = embedder.linear_2(F.silu(embedder.linear_1(torch.cat([angle.cos(), angle.sin()], -1))))
        return embedding, self.condition_embedder.time_proj(F.silu(embedding)).unflatten(1, (6, -1))

    def rotary(self, grid: tuple[int, int, int], device) -> tuple[torch.Tensor, torch.Tensor]:
        """`rotary_tables` of a grid of tokens, computed once."""
        if (grid, device) not in self._rotary:
            self._rotary[grid, device] = rotary_tables(*grid, self.config.attention_head_dim, device)
        return self._rotary[grid, device]

    def run_blocks(self, x: torch.Tensor, text: torch.Tensor, modulation: torch.Tensor, grid: tuple[int, int, int], block) -> torch.Tensor:
        """x: [B, N, D], the tokens of a grid of frames, rows and columns."""
        tables = self.rotary(grid, x.device)
        for layer in self.blocks:
            x = (block or wan_block)(layer, x, text, modulation, *tables, self.config.num_attention_heads)
        return x

    def forward(self, latents: torch.Tensor, timestep: torch.Tensor, text: torch.Tensor, dtype=torch.bfloat16, block=None) -> torch.Tensor:
        """latents: [B, 16, T, H, W].  timestep: [B].  text: [B, L, text_dim].  Returns [B, 16, T, H, W] in `dtype`.

        `block` may be what computes a block instead of the plain code, for example a compiled version of `wan_block`.
        """
        batch, channels, frames, height, width = latents.shape
        rows, columns = height // 2, width // 2
        patches = latents.to(dtype).view(batch, channels, frames, rows, 2, columns, 2).permute(0, 2, 3, 5, 1, 4, 6)
        patches = patches.reshape(batch, frames * rows * columns, 4 * channels)
        x = F.linear(patches, self.patch_embedding.weight.flatten(1).to(dtype), self.patch_embedding.bias.to(dtype))
        embedding, modulation = self._time(timestep)
        embedder = self.condition_embedder.text_embedder
        context = linear(F.gelu(linear(text.to(dtype), embedder.linear_1), approximate="tanh"), embedder.linear_2)
        x = self.run_blocks(x, context, modulation, (frames, rows, columns), block)
        shift, scale = (self.scale_shift_table + embedding[:, None]).chunk(2, 1)
        x = linear(_modulated(x, scale, shift), self.proj_out)
        x = x.view(batch, frames, rows, columns, 2, 2, channels).permute(0, 6, 1, 2, 4, 3, 5)
        return x.reshape(batch, channels, frames, height, width)
