"""SALAD for the embedded model: sparse attention, a gated linear branch beside it, and low-rank changes of the projections.

Our implementation of the published description (arXiv:2601.16515); the engine computes the same (core/method/salad.cpp).
Masks are dense here: [N, N] booleans are cheap at the embedded model's 2,304 tokens.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from minimodel.wan_transformer import WanTransformer, _attend, _modulated, _rms, _rotate, linear, wan_block, wide
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

LORA_TARGETS = ("to_q", "to_k", "to_v", "to_out.0")
FINGERPRINT = "blocks.0.attn1.to_q.weight"


@dataclass(frozen=True)
class SaladPlan:
    """What is trained. sparse: window or top_k.  order: frame, token, alternate or table (calibrated).  gate: token or sample."""

    sparse: str = "window"
    sparsity: float = 0.9
    order: str = "table"
    block: int = 64
    rank: int = 32
    gate: str = "token"
    rope_form: str = "a"
    eps: float = 1e-6
    branch: bool = True  # False: LoRA only, the ablation without a linear branch


def window_for(tokens: int, sparsity: float) -> int:
    """The widest window that leaves out at least this share of the pairs, as the engine chooses it."""
    if sparsity <= 0 or tokens <= 2:
        return tokens

    def leaves_out(w: int) -> float:
        return 1 - (tokens * (2 * w + 1) - w * (w + 1)) / tokens**2

    if leaves_out(1) < sparsity:
        raise ValueError(f"sparsity {sparsity} leaves no window in {tokens} tokens; at most {leaves_out(1):.3f} fits")
    fits, too_wide = 1, tokens
    while too_wide - fits > 1:
        middle = (fits + too_wide) // 2
        fits, too_wide = (middle, too_wide) if leaves_out(middle) >= sparsity else (fits, middle)
    return fits


def window_masks(frames: int, plane: int, sparsity: float, device) -> torch.Tensor:
    """[2, N, N]: who sees whom in frame-major and in token-major order."""
    tokens = frames * plane
    window = window_for(tokens, sparsity)
    index = torch.arange(tokens, device=device)
    positions = (index, index % plane * frames + index // plane)
    return torch.stack([(p[:, None] - p[None]).abs() <= window for p in positions])


def top_k_mask(query: torch.Tensor, key: torch.Tensor, sparsity: float, block: int) -> torch.Tensor:
    """Rotated query, key [B, N, heads, D] -> [B, heads, N, N]: each block of queries sees the blocks its mean matches best."""
    tokens = query.shape[1]
    blocks = -(-tokens // block)
    kept = round((1 - sparsity) * blocks)
    if kept < 1:
        raise ValueError(f"sparsity {sparsity} keeps none of {blocks} blocks")
    owner = torch.arange(tokens, device=query.device) // block
    share = F.one_hot(owner, blocks).float()
    share = share / share.sum(0)
    pooled = [torch.einsum("bnhd,nk->bhkd", x.detach().float(), share) for x in (query, key)]
    best = (pooled[0] @ pooled[1].transpose(-1, -2)).topk(kept, -1).indices
    chosen = torch.zeros(*best.shape[:-1], blocks, dtype=torch.bool, device=query.device).scatter_(-1, best, True)
    return chosen[:, :, owner][:, :, :, owner]


def linear_attention(query, key, value, cosine, sine, eps: float, form: str) -> torch.Tensor:
    """Normalised, not rotated query and key, value: [B, N, heads, D] -> [B, N, heads, D], sums in float32."""
    query, key, value = wide(query), wide(key), wide(value)
    if form == "a":
        plain = F.relu(query), F.relu(key)
        turned = tuple(_rotate(x, cosine, sine) for x in plain)
    else:
        plain = turned = tuple(F.relu(_rotate(x, cosine, sine)) for x in (query, key))
    state = torch.einsum("bnhd,bnhe->bhde", turned[1], value)
    divisor = torch.einsum("bnhd,bhd->bnh", plain[0], plain[1].sum(1)) + eps
    return torch.einsum("bnhd,bhde->bnhe", turned[0], state) / divisor[..., None]


class LowRank(nn.Module):
    """W + B A; B starts at zero. alpha equals the rank."""

    def __init__(self, in_width: int, out_width: int, rank: int):
        super().__init__()
        self.lora_A = nn.Parameter(torch.empty(rank, in_width))
        self.lora_B = nn.Parameter(torch.zeros(out_width, rank))
        nn.init.kaiming_uniform_(self.lora_A, a=5**0.5)

    def forward(self, x: torch.Tensor, base: nn.Linear) -> torch.Tensor:
        weight = base.weight + self.lora_B @ self.lora_A
        return F.linear(x, weight.to(x.dtype), base.bias.to(x.dtype))


class SaladLayer(nn.Module):
    """What one block gets besides its own weights. The projection starts at zero: at first the layer is the sparse branch alone."""

    def __init__(self, width: int, heads: int, plan: SaladPlan):
        super().__init__()
        self.plan = plan
        self.lora = nn.ModuleList([LowRank(width, width, plan.rank) for _ in LORA_TARGETS]) if plan.rank else None
        self.salad_proj = nn.Linear(width, width)
        self.salad_gate = nn.Linear(width, 1)
        for layer in (self.salad_proj, self.salad_gate):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        order = {"frame": [0], "token": [1]}.get(plan.order, [0, 1])
        self.register_buffer("head_order", torch.tensor((order * heads)[:heads], dtype=torch.uint8))
        self.last_share = 0.0  # size of the branch beside the sparse one, of the last call in evaluation

    def project(self, index: int, x: torch.Tensor, base: nn.Linear) -> torch.Tensor:
        return self.lora[index](x, base) if self.lora is not None else linear(x, base)

    def attend(self, hidden, query, key, value, cosine, sine, masks) -> torch.Tensor:
        """hidden [B, N, C]; normalised query, key and value [B, N, heads, D] -> [B, N, C] before the output projection."""
        plan = self.plan
        turned_query, turned_key = _rotate(query, cosine, sine), _rotate(key, cosine, sine)
        if plan.sparse == "window":
            mask = masks[self.head_order.long()][None]
        else:
            mask = top_k_mask(turned_query, turned_key, plan.sparsity, plan.block)
        mixed = F.scaled_dot_product_attention(turned_query.transpose(1, 2), turned_key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask)
        mixed = mixed.transpose(1, 2).flatten(2)
        if not plan.branch:
            return mixed
        branch = linear_attention(query, key, value, cosine, sine, plan.eps, plan.rope_form).flatten(2).to(hidden.dtype)
        logit = wide(linear(hidden, self.salad_gate))
        if plan.gate == "sample":
            logit = logit.mean(1, keepdim=True)
        added = torch.sigmoid(logit) * wide(linear(branch, self.salad_proj))
        if not self.training:
            self.last_share = float(added.norm() / mixed.norm())
        return (wide(mixed) + added).to(hidden.dtype)


def salad_block(block, x, text, time_modulation, cosine, sine, heads: int, layer: SaladLayer, masks) -> torch.Tensor:
    """`wan_block` with the layer's self-attention in place of the dense one."""
    table = (block.scale_shift_table + time_modulation).chunk(6, 1)
    hidden = _modulated(x, table[1], table[0])
    attention = block.attn1
    query = _rms(layer.project(0, hidden, attention.to_q), attention.norm_q).unflatten(-1, (heads, -1))
    key = _rms(layer.project(1, hidden, attention.to_k), attention.norm_k).unflatten(-1, (heads, -1))
    value = layer.project(2, hidden, attention.to_v).unflatten(-1, (heads, -1))
    mixed = layer.attend(hidden, query, key, value, cosine, sine, masks)
    x = (wide(x) + layer.project(3, mixed, attention.to_out[0]) * table[2]).to(x.dtype)

    hidden = F.layer_norm(wide(x), (x.shape[-1],), block.norm2.weight, block.norm2.bias, 1e-6).to(x.dtype)
    attention = block.attn2
    query = _rms(linear(hidden, attention.to_q), attention.norm_q).unflatten(-1, (heads, -1))
    key = _rms(linear(text, attention.to_k), attention.norm_k).unflatten(-1, (heads, -1))
    value = linear(text, attention.to_v).unflatten(-1, (heads, -1))
    x = x + linear(_attend(query, key, value), attention.to_out[0])

    hidden = _modulated(x, table[4], table[3])
    hidden = linear(F.gelu(linear(hidden, block.ffn.net[0].proj), approximate="tanh"), block.ffn.net[2])
    return (wide(x) + wide(hidden) * table[5]).to(x.dtype)


class SaladAdapter(nn.Module):
    """The trained part for all blocks of a transformer, and the function that makes the transformer use it."""

    def __init__(self, transformer: WanTransformer, plan: SaladPlan):
        super().__init__()
        config = transformer.config
        self.plan = plan
        self.layers = nn.ModuleList([SaladLayer(config.width, config.num_attention_heads, plan) for _ in transformer.blocks])
        self._index = {id(block): i for i, block in enumerate(transformer.blocks)}
        self._masks: dict = {}
        self.step = salad_block  # may be compiled

    def masks(self, frames: int, plane: int, device) -> torch.Tensor | None:
        if self.plan.sparse != "window":
            return None
        if (frames, plane) not in self._masks:
            self._masks[frames, plane] = window_masks(frames, plane, self.plan.sparsity, device)
        return self._masks[frames, plane]

    def block_of(self, latents: torch.Tensor, eager: bool = False):
        """The `block` argument of the transformer's forward for latents of this size. eager: never the compiled one."""
        step = salad_block if eager else self.step
        masks = self.masks(latents.shape[2], latents.shape[3] * latents.shape[4] // 4, latents.device)

        def block(module, x, text, modulation, cosine, sine, heads):
            return step(module, x, text, modulation, cosine, sine, heads, self.layers[self._index[id(module)]], masks)

        return block

    def tensors(self) -> dict[str, torch.Tensor]:
        """With the names of the adapter file; the engine reads the same."""
        result = {}
        for i, layer in enumerate(self.layers):
            prefix = f"blocks.{i}.attn1."
            if layer.lora is not None:
                for name, lora in zip(LORA_TARGETS, layer.lora):
                    result[f"{prefix}{name}.lora_A.weight"] = lora.lora_A
                    result[f"{prefix}{name}.lora_B.weight"] = lora.lora_B
            if self.plan.branch:
                for name in ("salad_proj", "salad_gate"):
                    module = getattr(layer, name)
                    result[f"{prefix}{name}.weight"], result[f"{prefix}{name}.bias"] = module.weight, module.bias
            result[f"{prefix}salad_head_order"] = layer.head_order
        return result

    def identity(self, transformer_file: Path) -> dict[str, str]:
        """What an adapter's metadata say of the model and plan it belongs to."""
        plan = self.plan
        return {
            "method": "salad", "base": fingerprint(transformer_file), "sparse": plan.sparse, "sparsity": str(plan.sparsity), "order": plan.order,
            "block": str(plan.block), "gate": plan.gate, "rope_form": plan.rope_form, "eps": str(plan.eps),
        }  # fmt: skip

    def save(self, path: Path, transformer_file: Path, branch_norms: list[float], trained: dict) -> None:
        """Writes the adapter; matrices as bfloat16. branch_norms: mean size of each layer's branch beside the sparse one."""
        metadata = self.identity(transformer_file) | {
            "format": "framewright-adapter", "dropped_layers": "[]", "branch_norms": json.dumps(branch_norms), "trained": json.dumps(trained),
        }  # fmt: skip
        tensors = {
            name: (value if value.dtype == torch.uint8 else value.detach().to(torch.bfloat16)).cpu().contiguous() for name, value in self.tensors().items()
        }
        save_file(tensors, path, metadata=metadata)

    def load(self, path: Path, transformer_file: Path) -> None:
        """Takes a saved adapter's tensors. ValueError when it belongs to another model or plan."""
        with safe_open(path, "pt") as file:
            metadata = file.metadata()
        for name, wanted in self.identity(transformer_file).items():
            if metadata.get(name) != wanted:
                raise ValueError(f"{path}: {name} is {metadata.get(name)}, but {wanted} is tuned here")
        saved = load_file(path)
        with torch.no_grad():
            for name, value in self.tensors().items():
                value.copy_(saved[name])


def fingerprint(transformer_file: Path) -> str:
    """Tells base models apart: SHA-256 of the first block's query matrix rounded to bfloat16."""
    with safe_open(transformer_file, "pt") as file:
        matrix = file.get_tensor(FINGERPRINT).to(torch.bfloat16).contiguous()
    return hashlib.sha256(matrix.view(torch.int16).numpy().tobytes()).hexdigest()


@torch.no_grad()
def calibrate(transformer: WanTransformer, adapter: SaladAdapter, batches, dtype) -> list[list[float]]:
    """Chooses each head's order: the one whose window loses less of dense attention, summed over `batches` of (noisy latents, timestep, text).

    Sets head_order; returns the ratio of the errors (token-major over frame-major) of every layer and head.
    """
    heads = transformer.config.num_attention_heads
    errors = torch.zeros(len(transformer.blocks), 2, heads, device=next(transformer.parameters()).device)

    for latents, timestep, text in batches:
        masks = adapter.masks(latents.shape[2], latents.shape[3] * latents.shape[4] // 4, latents.device)

        def watch(module, x, context, modulation, cosine, sine, count):
            table = (module.scale_shift_table + modulation).chunk(6, 1)
            hidden = _modulated(x, table[1], table[0])
            attention = module.attn1
            query = _rotate(_rms(linear(hidden, attention.to_q), attention.norm_q).unflatten(-1, (count, -1)), cosine, sine).transpose(1, 2)
            key = _rotate(_rms(linear(hidden, attention.to_k), attention.norm_k).unflatten(-1, (count, -1)), cosine, sine).transpose(1, 2)
            value = linear(hidden, attention.to_v).unflatten(-1, (count, -1)).transpose(1, 2)
            dense = F.scaled_dot_product_attention(query, key, value).float()
            spread = dense.var((0, 2, 3))
            for order in range(2):
                sparse = F.scaled_dot_product_attention(query, key, value, attn_mask=masks[order]).float()
                errors[adapter._index[id(module)], order] += (sparse - dense).square().mean((0, 2, 3)) / spread
            return wan_block(module, x, context, modulation, cosine, sine, count)

        transformer(latents, timestep, text, dtype, watch)
    for layer, error in zip(adapter.layers, errors):
        layer.head_order.copy_((error[1] < error[0]).to(torch.uint8))
    return (errors[:, 1] / errors[:, 0]).tolist()
