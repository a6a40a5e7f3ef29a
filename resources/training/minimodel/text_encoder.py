"""A UMT5 encoder with the tensors of transformers' UMT5EncoderModel: pre-norm, relative position bias in every layer, gated GELU."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from .configs import TextEncoderConfig


class RmsNorm(nn.Module):
    def __init__(self, width: int, eps: float):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.rms_norm(x, (x.shape[-1],), self.weight, self.eps)


def position_buckets(length: int, config: TextEncoderConfig) -> torch.Tensor:
    """Bucket of every (query, key) distance, [L, L]: exact near by, logarithmic further away, separate for the two directions."""
    half = config.relative_attention_num_buckets // 2
    exact = half // 2
    distance = torch.arange(length)[None, :] - torch.arange(length)[:, None]
    size = distance.abs()
    share = torch.log(size.clamp(min=1).float() / exact) / math.log(config.relative_attention_max_distance / exact)
    far = (exact + (share * (half - exact)).long()).clamp(max=half - 1)
    return torch.where(size < exact, size, far) + half * (distance > 0)


class SelfAttention(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        inner = config.num_heads * config.d_kv
        self.config = config
        self.q, self.k, self.v = (nn.Linear(config.d_model, inner, bias=False) for _ in range(3))
        self.o = nn.Linear(inner, config.d_model, bias=False)
        self.relative_attention_bias = nn.Embedding(config.relative_attention_num_buckets, config.num_heads)

    def forward(self, x: torch.Tensor, buckets: torch.Tensor, key_mask: torch.Tensor) -> torch.Tensor:
        query, key, value = (proj(x).unflatten(-1, (self.config.num_heads, -1)).transpose(1, 2) for proj in (self.q, self.k, self.v))
        bias = self.relative_attention_bias(buckets).permute(2, 0, 1)[None]
        scores = query @ key.transpose(-1, -2) + bias
        scores = scores.masked_fill(~key_mask[:, None, None, :], torch.finfo(scores.dtype).min)
        return self.o((scores.softmax(-1) @ value).transpose(1, 2).flatten(2))


class AttentionLayer(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.SelfAttention = SelfAttention(config)
        self.layer_norm = RmsNorm(config.d_model, config.layer_norm_epsilon)

    def forward(self, x, buckets, key_mask):
        return x + self.SelfAttention(self.layer_norm(x), buckets, key_mask)


class GatedFeedForward(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.wi_0, self.wi_1 = (nn.Linear(config.d_model, config.d_ff, bias=False) for _ in range(2))
        self.wo = nn.Linear(config.d_ff, config.d_model, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.wo(F.gelu(self.wi_0(x), approximate="tanh") * self.wi_1(x))


class FeedForwardLayer(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.DenseReluDense = GatedFeedForward(config)
        self.layer_norm = RmsNorm(config.d_model, config.layer_norm_epsilon)

    def forward(self, x, buckets, key_mask):
        return x + self.DenseReluDense(self.layer_norm(x))


class Block(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.layer = nn.ModuleList([AttentionLayer(config), FeedForwardLayer(config)])


class Stack(nn.Module):
    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.block = nn.ModuleList([Block(config) for _ in range(config.num_layers)])
        self.final_layer_norm = RmsNorm(config.d_model, config.layer_norm_epsilon)


class TextEncoder(nn.Module):
    """Token ids [B, L] -> text features [B, L, d_model], zero at padded positions as the Wan pipeline hands them on."""

    def __init__(self, config: TextEncoderConfig):
        super().__init__()
        self.config = config
        self.shared = nn.Embedding(config.vocab_size, config.d_model)
        self.encoder = Stack(config)
        self._buckets: dict[tuple[int, torch.device], torch.Tensor] = {}

    def initialise(self) -> None:
        """Weights at the scale T5 starts from (attention has no 1/sqrt(d) factor, so the queries start small)."""
        d, kv = self.config.d_model, self.config.d_kv
        nn.init.normal_(self.shared.weight, std=1.0)
        for block in self.encoder.block:
            attention, feed_forward = block.layer[0].SelfAttention, block.layer[1].DenseReluDense
            nn.init.normal_(attention.q.weight, std=(d * kv) ** -0.5)
            for matrix in (attention.k, attention.v, feed_forward.wi_0, feed_forward.wi_1):
                nn.init.normal_(matrix.weight, std=d**-0.5)
            nn.init.normal_(attention.o.weight, std=(self.config.num_heads * kv) ** -0.5)
            nn.init.normal_(attention.relative_attention_bias.weight, std=d**-0.5)
            nn.init.normal_(feed_forward.wo.weight, std=self.config.d_ff**-0.5)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        key = (tokens.shape[1], tokens.device)
        if key not in self._buckets:
            self._buckets[key] = position_buckets(tokens.shape[1], self.config).to(tokens.device)
        mask = tokens != 0
        x = self.shared(tokens)
        for block in self.encoder.block:
            for layer in block.layer:
                x = layer(x, self._buckets[key], mask)
        return self.encoder.final_layer_norm(x) * mask[..., None]
