"""Configurations of the three networks, with the keys of the published config files."""

from __future__ import annotations

from dataclasses import dataclass, fields

TEXT_LENGTH = 64


def _plain(config) -> dict:
    """The fields of a configuration with lists for tuples, as JSON holds them."""
    values = {entry.name: getattr(config, entry.name) for entry in fields(config)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


@dataclass(frozen=True)
class VaeConfig:
    """AutoencoderKLWan: 4x in time, 8x in space (2x of it by folding 2 x 2 pixels into channels)."""

    base_dim: int = 24
    decoder_base_dim: int = 32
    z_dim: int = 16
    dim_mult: tuple[int, ...] = (1, 2, 2)
    num_res_blocks: int = 2
    temperal_downsample: tuple[bool, ...] = (True, True)  # spelt as in the published configuration
    patch_size: int = 2

    def to_dict(self) -> dict:
        channels = 3 * self.patch_size**2
        return _plain(self) | {
            "attn_scales": [],
            "dropout": 0.0,
            "is_residual": False,
            "in_channels": channels,
            "out_channels": channels,
            "scale_factor_temporal": 2 ** sum(self.temperal_downsample),
            "scale_factor_spatial": self.patch_size * 2 ** len(self.temperal_downsample),
        }


@dataclass(frozen=True)
class TransformerConfig:
    """WanTransformer3DModel."""

    num_attention_heads: int = 4
    attention_head_dim: int = 64
    num_layers: int = 8
    ffn_dim: int = 1024
    in_channels: int = 16
    out_channels: int = 16
    text_dim: int = 256
    freq_dim: int = 256
    patch_size: tuple[int, int, int] = (1, 2, 2)
    eps: float = 1e-6
    rope_max_seq_len: int = 1024

    @property
    def width(self) -> int:
        return self.num_attention_heads * self.attention_head_dim

    def to_dict(self) -> dict:
        return _plain(self) | {"cross_attn_norm": True, "qk_norm": "rms_norm_across_heads"}


@dataclass(frozen=True)
class TextEncoderConfig:
    """UMT5EncoderModel."""

    vocab_size: int = 384
    d_model: int = 256
    d_kv: int = 32
    d_ff: int = 256
    num_layers: int = 3
    num_heads: int = 4
    relative_attention_num_buckets: int = 32
    relative_attention_max_distance: int = 64
    layer_norm_epsilon: float = 1e-6

    def to_dict(self) -> dict:
        return _plain(self) | {
            "dropout_rate": 0.0,
            "feed_forward_proj": "gated-gelu",
            "is_encoder_decoder": True,
            "use_cache": False,
            "pad_token_id": 0,
            "eos_token_id": 1,
            "decoder_start_token_id": 0,
        }
