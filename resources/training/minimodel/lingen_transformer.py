"""LinGen's transformer: Wan's with MATE in the place of self-attention. docs/lingen.md defines its configuration, tensors and arithmetic.

A block runs in five steps. Those that compute (`mate_operands`, `scan_both_ways`, `finish_mate`) know neither grid nor layer, so that
`torch.compile` compiles each once per shape and not once per scan order; those between them (`Windows`, `ScanOrder`) only move rows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

from .configs import TransformerConfig
from .ssd import scan_chunks
from .wan_transformer import WanBlock, WanTransformer, _modulated, attention_operands, finish_block, linear, modulation_table

RASTER_AXES = {"s_row": (0, 1, 2), "s_col": (0, 2, 1), "t_row": (1, 2, 0), "t_col": (2, 1, 0)}  # slow, middle, fast
NORM_EPS = 1e-5
SLOWEST_STEP, FASTEST_STEP = 1e-3, 1e-1  # step sizes of the heads at the start, spread evenly in their logarithm


@dataclass(frozen=True)
class LinGenConfig(TransformerConfig):
    """LinGenTransformer3DModel; the defaults are those of the embedded model's attention-shaped mixer."""

    scan_orders: tuple[str, ...] = ("s_row", "s_col", "t_row", "t_col")
    tesa_window: tuple[int, int, int] = (9, 4, 4)
    tesa_shift: tuple[int, int, int] = (4, 2, 2)
    ssm_expand: int = 1
    ssm_head_dim: int = 64
    ssm_state_dim: int = 64
    ssm_num_groups: int = 4
    ssm_conv_kernel: int = 4
    ssm_chunk_size: int = 64
    ssm_directions: str = "separate"
    review_pooling: tuple[int, int, int] | None = (3, 2, 2)
    review_directions: str = "forward"
    position_embedding: str = "shared"
    position_embedding_size: tuple[int, int, int] = (33, 20, 20)

    def __post_init__(self) -> None:
        """Raises ValueError for what this code does not train."""
        if self.inner % self.ssm_head_dim or self.ssm_heads % self.ssm_num_groups:
            raise ValueError(f"{self.inner} channels in heads of {self.ssm_head_dim} and {self.ssm_num_groups} groups do not come out even")
        if self.ssm_directions not in ("separate", "tied") or self.review_directions not in ("forward", "both"):
            raise ValueError(f"unknown directions: {self.ssm_directions}, {self.review_directions}")
        if self.position_embedding not in ("shared", "none"):
            raise ValueError(f"position embedding {self.position_embedding} is not trained here")
        for name in self.scan_orders:
            if name.removeprefix("zigzag_") not in RASTER_AXES:
                raise ValueError(f"unknown scan order {name}")

    @property
    def inner(self) -> int:
        return self.ssm_expand * self.width

    @property
    def ssm_heads(self) -> int:
        return self.inner // self.ssm_head_dim

    @property
    def scanned(self) -> int:
        """Channels that are convolved and scanned: x, B and C."""
        return self.inner + 2 * self.ssm_num_groups * self.ssm_state_dim

    @property
    def directions(self) -> int:
        return 2 if self.ssm_directions == "separate" else 1


# -- parameters ---------------------------------------------------------------------------------------------------------------------


class Scan(nn.Module):
    """The dynamics of one direction."""

    def __init__(self, config: LinGenConfig):
        super().__init__()
        self.conv1d = nn.Conv1d(config.scanned, config.scanned, config.ssm_conv_kernel, groups=config.scanned)
        self.dt_bias, self.A_log, self.D = (nn.Parameter(torch.zeros(config.ssm_heads)) for _ in range(3))

    @torch.no_grad()
    def initialise(self) -> None:
        """Heads that forget after 10, 46, 215 and 1000 tokens (of four), and a convolution that begins as the identity."""
        self.conv1d.weight.uniform_(-0.1, 0.1)
        self.conv1d.weight[..., -1] += 1
        self.conv1d.bias.zero_()
        step = torch.logspace(math.log10(FASTEST_STEP), math.log10(SLOWEST_STEP), len(self.dt_bias))
        self.dt_bias.copy_(step + torch.log(-torch.expm1(-step)))
        self.A_log.zero_()
        self.D.fill_(1)


class Gain(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))


class Ssm(nn.Module):
    """The bidirectional Mamba2 of a block."""

    def __init__(self, config: LinGenConfig):
        super().__init__()
        rows = config.inner + config.scanned + config.directions * config.ssm_heads
        self.in_proj = nn.Linear(config.width, rows, bias=False)
        self.forward_scan = Scan(config)
        if config.directions == 2:
            self.backward_scan = Scan(config)
        self.norm = Gain(config.inner)
        self.out_proj = nn.Linear(config.inner, config.width, bias=False)

    def scans(self) -> tuple[Scan, Scan]:
        return self.forward_scan, getattr(self, "backward_scan", self.forward_scan)

    @torch.no_grad()
    def initialise(self, config: LinGenConfig) -> None:
        nn.init.xavier_uniform_(self.in_proj.weight)
        self.in_proj.weight[config.inner + config.scanned :] *= 0.1  # step sizes begin near their biases
        nn.init.xavier_uniform_(self.out_proj.weight, gain=1 / math.sqrt(config.num_layers))
        for scan in dict.fromkeys(self.scans()):
            scan.initialise()

    @torch.no_grad()
    def start_from_attention(self, config: LinGenConfig, attention) -> None:
        """C, B, x and the output projection from a trained attention's q, k, v and output. Needs as many numbers as that has."""
        groups = config.ssm_num_groups * config.ssm_state_dim
        if config.inner != config.width or groups != config.width:
            raise ValueError("only the attention-shaped mixer can be started from an attention")
        x, b, c = self.in_proj.weight[config.inner : config.inner + config.scanned].split((config.inner, groups, groups))
        for rows, source in ((x, attention.to_v), (b, attention.to_k), (c, attention.to_q)):
            rows.copy_(source.weight / source.weight.square().mean().sqrt() * rows.square().mean().sqrt())
        self.out_proj.weight.copy_(attention.to_out[0].weight / math.sqrt(config.num_layers))


class MateBlock(WanBlock):
    """A block of Wan whose `attn1` is the window attention, with a Mamba2 beside it."""

    def __init__(self, config: LinGenConfig):
        super().__init__(config)
        self.ssm = Ssm(config)


class PositionTables(nn.Module):
    def __init__(self, size: tuple[int, int, int], width: int):
        super().__init__()
        self.frames, self.rows, self.columns = (nn.Parameter(torch.zeros(count, width)) for count in size)

    def forward(self, grid: tuple[int, int, int]) -> torch.Tensor:
        """[1, N, D]; positions beyond a table use its last entry."""
        frames, rows, columns = (
            table[torch.arange(count, device=table.device).clamp(max=len(table) - 1)]
            for table, count in zip((self.frames, self.rows, self.columns), grid)
        )
        return (frames[:, None, None] + rows[None, :, None] + columns[None, None]).flatten(0, 2)[None]


# -- moving rows --------------------------------------------------------------------------------------------------------------------


class ScanOrder:
    """Rows of a grid in the order in which a layer reads them, and back. Rows are [B, N, C]."""

    def __init__(self, name: str, grid: tuple[int, int, int]):
        self.grid = grid
        self.axes = RASTER_AXES.get(name)
        self.index = None if self.axes else zigzag_index(name, grid)

    def take(self, rows: torch.Tensor) -> torch.Tensor:
        if self.axes is None:
            return rows[:, self.index.to(rows.device)]
        if self.axes == (0, 1, 2):
            return rows.contiguous()  # as every other order's, or the next step is compiled twice
        return rows.view(len(rows), *self.grid, -1).permute(0, *(axis + 1 for axis in self.axes), 4).flatten(1, 3)

    def put_back(self, rows: torch.Tensor) -> torch.Tensor:
        if self.axes is None:
            return rows[:, self.index.argsort().to(rows.device)]
        if self.axes == (0, 1, 2):
            return rows
        places = [self.axes.index(axis) + 1 for axis in range(3)]
        return rows.view(len(rows), *(self.grid[axis] for axis in self.axes), -1).permute(0, *places, 4).flatten(1, 3)


def zigzag_index(name: str, grid: tuple[int, int, int]) -> torch.Tensor:
    """[N]: the token at each position of a zigzag order. The middle axis turns at every odd slow position, the fast one at every odd line."""
    slow, middle, fast = axes = RASTER_AXES[name.removeprefix("zigzag_")]
    strides = (grid[1] * grid[2], grid[2], 1)
    s, m, f = torch.meshgrid(*(torch.arange(grid[axis]) for axis in axes), indexing="ij")
    lines = s * grid[middle] + m
    m = torch.where(s % 2 == 1, grid[middle] - 1 - m, m)
    f = torch.where(lines % 2 == 1, grid[fast] - 1 - f, f)
    return (s * strides[slow] + m * strides[middle] + f * strides[fast]).flatten()


def pooled_grid(grid: tuple[int, int, int], pooling: tuple[int, int, int]) -> tuple[int, int, int]:
    return tuple(-(-count // size) for count, size in zip(grid, pooling))


def pool_rows(rows: torch.Tensor, grid: tuple[int, int, int], pooling: tuple[int, int, int]) -> torch.Tensor:
    """Means over boxes of tokens, [B, N, C] -> [B, N', C]; at the far ends over the tokens there are."""
    padding = [(-count) % size for count, size in zip(grid, pooling)]
    coarse = pooled_grid(grid, pooling)

    def sums(x: torch.Tensor) -> torch.Tensor:
        x = F.pad(x, (0, 0, 0, padding[2], 0, padding[1], 0, padding[0]))
        shape = [part for pair in zip(coarse, pooling) for part in pair]
        return x.view(len(x), *shape, -1).sum((2, 4, 6), dtype=torch.float32 if x.dtype == torch.bfloat16 else x.dtype)

    total = sums(rows.view(len(rows), *grid, -1))
    if not any(padding):
        return (total / math.prod(pooling)).to(rows.dtype).flatten(1, 3)
    return (total / sums(rows.new_ones(1, *grid, 1))).to(rows.dtype).flatten(1, 3)


class Windows:
    """The windows of one layer on one grid: attention inside them, with rows moved so that every window is one stretch."""

    def __init__(self, grid: tuple[int, int, int], window, shift, shifted: bool, device):
        self.grid = grid
        self.window = [min(size, count) for size, count in zip(window, grid)]
        self.shift = [step if shifted and size < count else 0 for step, size, count in zip(shift, window, grid)]
        self.padded = [-(-count // size) * size for count, size in zip(grid, self.window)]
        self.counts = [full // size for full, size in zip(self.padded, self.window)]
        axes = []
        for count, full, size, step in zip(grid, self.padded, self.window, self.shift):
            place = (torch.arange(full) + step) % full  # what stands at each place after padding and turning
            axes.append(torch.where(place < count, torch.div(place - step, size, rounding_mode="floor"), -9))
        t, h, w = torch.meshgrid(*axes, indexing="ij")
        outside = (t == -9) | (h == -9) | (w == -9)
        part = torch.where(outside, -1, ((t + 1) * 4096 + h + 1) * 4096 + w + 1)  # equal: same window; the padding sees itself
        part = self._split(part.view(1, -1, 1, 1)).squeeze(-1)  # [1, windows, L]
        same = part[..., :, None] == part[..., None, :]
        self.mask = None if bool(same.all()) else same.to(device)

    def _split(self, x: torch.Tensor) -> torch.Tensor:
        """[B, padded N, heads, D] -> [B, windows * heads, L, D]."""
        batch, _, heads, width = x.shape
        pairs = [part for pair in zip(self.counts, self.window) for part in pair]
        x = x.reshape(batch, *pairs, heads, width).permute(0, 1, 3, 5, 7, 2, 4, 6, 8)
        return x.reshape(batch, math.prod(self.counts) * heads, math.prod(self.window), width)

    def _arrange(self, x: torch.Tensor) -> torch.Tensor:
        batch, _, heads, width = x.shape
        x = x.reshape(batch, *self.grid, heads * width)
        if self.padded != list(self.grid):
            x = F.pad(x, (0, 0, *(v for count, full in reversed([*zip(self.grid, self.padded)]) for v in (0, full - count))))
        if any(self.shift):
            x = x.roll([-step for step in self.shift], (1, 2, 3))
        return self._split(x.reshape(batch, -1, heads, width))

    def _restore(self, x: torch.Tensor, heads: int) -> torch.Tensor:
        """[B, windows * heads, L, D] -> [B, N, heads * D]."""
        x = x.view(len(x), *self.counts, heads, *self.window, -1).permute(0, 1, 5, 2, 6, 3, 7, 4, 8)
        x = x.reshape(len(x), *self.padded, -1)
        if any(self.shift):
            x = x.roll(self.shift, (1, 2, 3))
        return x[:, : self.grid[0], : self.grid[1], : self.grid[2]].flatten(1, 3)

    def attend(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """[B, N, heads, D] each -> [B, N, heads * D]."""
        heads = query.shape[2]
        mask = None if self.mask is None else self.mask.repeat_interleave(heads, 1)
        mixed = F.scaled_dot_product_attention(self._arrange(query), self._arrange(key), self._arrange(value), attn_mask=mask)
        return self._restore(mixed, heads)


# -- the steps of a block that compute ----------------------------------------------------------------------------------------------


def mate_operands(block: MateBlock, x, time_modulation, positions, cosine, sine, heads: int, inner: int, scanned: int):
    """Queries, keys, values of the window attention; gate z, rows (x, B, C) and raw step sizes of the scan. All in the clip's order."""
    table = modulation_table(block, time_modulation)
    hidden = _modulated(x, table[1], table[0])
    if positions is not None:
        hidden = hidden + positions.to(hidden.dtype)
    operands = attention_operands(block.attn1, hidden, cosine, sine, heads)
    z, rows, raw = F.linear(hidden, block.ssm.in_proj.weight.to(x.dtype)).tensor_split((inner, inner + scanned), -1)
    return *operands, z, rows, raw


def scan_one_way(scan: Scan, rows: torch.Tensor, raw: torch.Tensor, config: LinGenConfig) -> torch.Tensor:
    """Causal convolution, SiLU and scan of one row of tokens. rows: [B, L, x B C].  raw: [B, L, S].  Returns [B, L, S * P]."""
    length, kernel = rows.shape[1], config.ssm_conv_kernel
    exact = torch.promote_types(rows.dtype, torch.float32)
    history = F.pad(rows, (0, 0, kernel - 1, 0)).to(exact)
    taps = scan.conv1d.weight[:, 0].to(exact)
    mixed = scan.conv1d.bias.to(exact) + sum(history[:, k : k + length] * taps[:, k] for k in range(kernel))
    mixed = F.silu(mixed).to(rows.dtype)
    states = config.ssm_num_groups * config.ssm_state_dim
    x, b, c = mixed.split((config.inner, states, states), -1)
    delta = F.softplus(raw.to(exact) + scan.dt_bias)
    x = x.unflatten(-1, (config.ssm_heads, config.ssm_head_dim))
    b, c = (part.unflatten(-1, (config.ssm_num_groups, config.ssm_state_dim)) for part in (b, c))
    return scan_chunks(x, delta, -torch.exp(scan.A_log.to(exact)), b, c, scan.D, config.ssm_chunk_size).flatten(2)


def scan_both_ways(ssm: Ssm, rows, raw, review_rows, review_raw, config: LinGenConfig) -> torch.Tensor:
    """Rows in scan order, [B, N, x B C], and raw step sizes [B, N, directions * S], with those of the review tokens or None.

    Returns the sum of both directions, [B, N, S * P], in scan order.
    """
    total = None
    for backward, scan in enumerate(ssm.scans()):
        first = config.ssm_heads * backward if config.directions == 2 else 0
        chosen = slice(first, first + config.ssm_heads)
        parts = [(rows, raw[..., chosen])]
        if review_rows is not None and (not backward or config.review_directions == "both"):
            parts.insert(0, (review_rows, review_raw[..., chosen]))
        if backward:
            parts = [(x.flip(1), steps.flip(1)) for x, steps in parts]
        y = scan_one_way(scan, *(torch.cat(pieces, 1) for pieces in zip(*parts)), config)[:, -rows.shape[1] :]
        total = y.flip(1) + total if backward else y
    return total


def gated_norm(y: torch.Tensor, z: torch.Tensor, weight: torch.Tensor, groups: int) -> torch.Tensor:
    exact = torch.promote_types(y.dtype, torch.float32)
    v = (y.to(exact) * F.silu(z.to(exact))).unflatten(-1, (groups, -1))
    v = v * torch.rsqrt(v.square().mean(-1, keepdim=True) + NORM_EPS)
    return (v.flatten(-2) * weight).to(y.dtype)


def finish_mate(block: MateBlock, x, attended, y, z, text, time_modulation, heads: int, groups: int) -> torch.Tensor:
    """The two branches' outputs and everything after them. attended: the window attention before `to_out`, None without it."""
    ssm = block.ssm
    mixed = F.linear(gated_norm(y, z, ssm.norm.weight, groups), ssm.out_proj.weight.to(x.dtype))
    if attended is not None:
        mixed = mixed + linear(attended, block.attn1.to_out[0])
    return finish_block(block, x, mixed, text, modulation_table(block, time_modulation), heads)


@dataclass(frozen=True)
class Steps:
    """The three computing steps, plain or compiled."""

    operands: object = mate_operands
    scan: object = scan_both_ways
    finish: object = finish_mate

    @staticmethod
    def compiled() -> "Steps":
        return Steps(*(torch.compile(step, dynamic=False) for step in (mate_operands, scan_both_ways, finish_mate)))


@lru_cache(maxsize=256)
def _windows(grid, window, shift, shifted, device) -> Windows:
    return Windows(grid, window, shift, shifted, device)


class LinGenTransformer(WanTransformer):
    """Noisy latents, time and text features -> velocity, as WanTransformer; `block` of `forward` is a `Steps`."""

    def __init__(self, config: LinGenConfig):
        super().__init__(config)
        if config.position_embedding == "shared":
            self.position_embedding = PositionTables(config.position_embedding_size, config.width)
        self.use_windows = True  # False: the ablation without the window attention

    def make_block(self) -> MateBlock:
        return MateBlock(self.config)

    def initialise(self) -> None:
        super().initialise()
        for block in self.blocks:
            block.ssm.initialise(self.config)
        if self.config.position_embedding == "shared":
            for table in self.position_embedding.parameters():
                nn.init.zeros_(table)

    def run_blocks(self, x, text, modulation, grid, block: Steps | None) -> torch.Tensor:
        steps, config = block or Steps(), self.config
        tables = self.rotary(grid, x.device)
        positions = self.position_embedding(grid) if config.position_embedding == "shared" else None
        if torch.is_grad_enabled() and not x.requires_grad:
            x = x.detach().requires_grad_()  # frozen embeddings: the first block like the others, or it is compiled apart
        for index, layer in enumerate(self.blocks):
            name = config.scan_orders[index % len(config.scan_orders)]
            query, key, value, z, rows, raw = steps.operands(
                layer, x, modulation, positions, *tables, config.num_attention_heads, config.inner, config.scanned
            )
            attended = None
            if self.use_windows:
                attended = _windows(grid, config.tesa_window, config.tesa_shift, index % 2 == 1, x.device).attend(query, key, value)
            order, review = ScanOrder(name, grid), (None, None)
            if config.review_pooling is not None:
                coarse = ScanOrder(name, pooled_grid(grid, config.review_pooling))
                review = [coarse.take(pool_rows(part, grid, config.review_pooling)) for part in (rows, raw)]
            y = steps.scan(layer.ssm, order.take(rows), order.take(raw), *review, config)
            x = steps.finish(layer, x, attended, order.put_back(y), z, text, modulation, config.num_attention_heads, config.ssm_num_groups)
        return x
