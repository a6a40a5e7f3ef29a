"""The causal video VAE, with the tensors of diffusers' AutoencoderKLWan, run over whole clips.

The published class walks through a clip chunk by chunk with a cache. Over a whole clip that equals plain causal convolution with two
special rules, which this file applies:

* halving in time: the first frame passes through; the others come from a stride-2 convolution of three frames without padding;
* doubling in time: the first frame passes through; for the rest the convolution sees two frames of zeros in front of frame 1,
  so that frame 0 is not part of its history.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .configs import VaeConfig
from .fused_norm import CAUSAL_FRAMES, norm_silu_pad

CHANNELS_LAST_3D = torch.channels_last_3d


class ChannelNorm(nn.Module):
    """The gain of an RMS norm over channels. `spatial_axes` 3 for clips, 2 for single frames (the class stores them differently)."""

    def __init__(self, channels: int, spatial_axes: int = 3):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(channels, *[1] * spatial_axes))


class CausalConv(nn.Conv3d):
    """A 3-D convolution that never looks ahead. Computes in the dtype of its input."""

    def forward(self, x: torch.Tensor, padded: bool = False) -> torch.Tensor:
        """x: [B, C, T, H, W], or with two frames of zeros already in front when `padded`. Returns [B, C', T, H, W]."""
        kernel = self.kernel_size
        if kernel[0] == 3 and not padded:
            x = F.pad(x, (0, 0, 0, 0, CAUSAL_FRAMES, 0))
        weight = self.weight.to(x.dtype)
        if x.is_cuda:
            x, weight = x.contiguous(memory_format=CHANNELS_LAST_3D), weight.contiguous(memory_format=CHANNELS_LAST_3D)
        return F.conv3d(x, weight, self.bias.to(x.dtype), padding=(0, kernel[1] // 2, kernel[2] // 2))


def frames_to_batch(x: torch.Tensor) -> torch.Tensor:
    """[B, C, T, H, W] -> [B*T, C, H, W] without a copy when x is channels-last."""
    batch, channels, frames, height, width = x.shape
    return x.permute(0, 2, 1, 3, 4).reshape(batch * frames, channels, height, width)


def batch_to_frames(x: torch.Tensor, batch: int) -> torch.Tensor:
    """The inverse of `frames_to_batch`."""
    return x.view(batch, -1, *x.shape[1:]).permute(0, 2, 1, 3, 4)


class ResidualBlock(nn.Module):
    """norm, SiLU, convolution, twice, plus the input."""

    def __init__(self, in_channels: int, out_channels: int):
        super().__init__()
        self.norm1 = ChannelNorm(in_channels)
        self.conv1 = CausalConv(in_channels, out_channels, 3)
        self.norm2 = ChannelNorm(out_channels)
        self.conv2 = CausalConv(out_channels, out_channels, 3)
        self.conv_shortcut = CausalConv(in_channels, out_channels, 1) if in_channels != out_channels else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.conv1(norm_silu_pad(x, self.norm1.gamma), padded=True)
        hidden = self.conv2(norm_silu_pad(hidden, self.norm2.gamma), padded=True)
        return hidden + self.conv_shortcut(x)


class FrameAttention(nn.Module):
    """Single-head attention among the positions of one frame."""

    def __init__(self, channels: int):
        super().__init__()
        self.norm = ChannelNorm(channels, spatial_axes=2)
        self.to_qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, frames, height, width = x.shape
        tokens = x.permute(0, 2, 3, 4, 1).reshape(batch * frames, height * width, channels)
        normed = (F.normalize(tokens.float(), dim=-1) * channels**0.5 * self.norm.gamma.flatten()).to(x.dtype)
        qkv = F.linear(normed, self.to_qkv.weight.flatten(1).to(x.dtype), self.to_qkv.bias.to(x.dtype))
        query, key, value = (part[:, None] for part in qkv.chunk(3, -1))
        mixed = F.scaled_dot_product_attention(query, key, value)[:, 0]
        out = F.linear(mixed, self.proj.weight.flatten(1).to(x.dtype), self.proj.bias.to(x.dtype))
        return out.view(batch, frames, height, width, channels).permute(0, 4, 1, 2, 3) + x


class MiddleBlock(nn.Module):
    def __init__(self, channels: int):
        super().__init__()
        self.resnets = nn.ModuleList([ResidualBlock(channels, channels) for _ in range(2)])
        self.attentions = nn.ModuleList([FrameAttention(channels)])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.resnets[1](self.attentions[0](self.resnets[0](x)))


class FrameConv(nn.Conv2d):
    """A 2-D convolution of every frame, in the dtype of its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        weight = self.weight.to(x.dtype)
        if x.is_cuda:
            x, weight = x.contiguous(memory_format=torch.channels_last), weight.contiguous(memory_format=torch.channels_last)
        return F.conv2d(x, weight, self.bias.to(x.dtype), self.stride, self.padding)


def mix_three_frames(first: torch.Tensor, second: torch.Tensor, third: torch.Tensor, conv: nn.Conv3d) -> torch.Tensor:
    """A (3, 1, 1) convolution whose three taps are given as clips [B, C, T, H, W]: one matrix product over 3C channels."""
    stacked = torch.cat([first, second, third], 1)
    weight = conv.weight.permute(0, 2, 1, 3, 4).reshape(conv.out_channels, -1)
    mixed = F.linear(stacked.permute(0, 2, 3, 4, 1), weight.to(stacked.dtype), conv.bias.to(stacked.dtype))
    return mixed.permute(0, 4, 1, 2, 3)


class Downsample(nn.Module):
    """Halves rows and columns and, with `temporal`, the number of frames."""

    def __init__(self, channels: int, temporal: bool):
        super().__init__()
        self.resample = nn.Sequential(nn.ZeroPad2d((0, 1, 0, 1)), FrameConv(channels, channels, 3, stride=2))
        if temporal:
            self.time_conv = nn.Conv3d(channels, channels, (3, 1, 1), stride=(2, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = batch_to_frames(self.resample(frames_to_batch(x)), len(x))
        if not hasattr(self, "time_conv") or x.shape[2] == 1:
            return x
        rest = mix_three_frames(x[:, :, 0:-2:2], x[:, :, 1:-1:2], x[:, :, 2::2], self.time_conv)
        return torch.cat([x[:, :, :1], rest], 2)


class Upsample(nn.Module):
    """Doubles rows and columns, halves the channels and, with `temporal`, doubles all frames but the first."""

    def __init__(self, channels: int, temporal: bool):
        super().__init__()
        self.resample = nn.Sequential(nn.Identity(), FrameConv(channels, channels // 2, 3, padding=1))
        if temporal:
            self.time_conv = nn.Conv3d(channels, 2 * channels, (3, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if hasattr(self, "time_conv") and x.shape[2] > 1:
            rest = x[:, :, 1:]
            count = rest.shape[2]
            history = F.pad(rest, (0, 0, 0, 0, CAUSAL_FRAMES, 0))
            both = mix_three_frames(*(history[:, :, k : k + count] for k in range(3)), self.time_conv)
            channels = x.shape[1]
            doubled = torch.stack([both[:, :channels], both[:, channels:]], 3)
            x = torch.cat([x[:, :, :1], doubled.reshape(len(x), channels, 2 * count, *x.shape[3:])], 2)
        enlarged = F.interpolate(frames_to_batch(x), scale_factor=2.0, mode="nearest-exact")
        return batch_to_frames(self.resample(enlarged), len(x))


class Encoder(nn.Module):
    def __init__(self, config: VaeConfig):
        super().__init__()
        widths = [config.base_dim * factor for factor in (1, *config.dim_mult)]
        self.conv_in = CausalConv(3 * config.patch_size**2, widths[0], 3)
        self.down_blocks = nn.ModuleList()
        for level, (in_width, out_width) in enumerate(zip(widths[:-1], widths[1:])):
            for block in range(config.num_res_blocks):
                self.down_blocks.append(ResidualBlock(in_width if block == 0 else out_width, out_width))
            if level < len(config.dim_mult) - 1:
                self.down_blocks.append(Downsample(out_width, config.temperal_downsample[level]))
        self.mid_block = MiddleBlock(widths[-1])
        self.norm_out = ChannelNorm(widths[-1])
        self.conv_out = CausalConv(widths[-1], 2 * config.z_dim, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        return self.conv_out(norm_silu_pad(self.mid_block(x), self.norm_out.gamma), padded=True)


class UpBlock(nn.Module):
    def __init__(self, in_width: int, out_width: int, blocks: int, upsample: Upsample | None):
        super().__init__()
        self.resnets = nn.ModuleList([ResidualBlock(in_width if index == 0 else out_width, out_width) for index in range(blocks)])
        self.upsamplers = nn.ModuleList([upsample]) if upsample is not None else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.resnets:
            x = block(x)
        return x if self.upsamplers is None else self.upsamplers[0](x)


class Decoder(nn.Module):
    def __init__(self, config: VaeConfig):
        super().__init__()
        widths = [config.decoder_base_dim * factor for factor in (config.dim_mult[-1], *reversed(config.dim_mult))]
        doubling = tuple(reversed(config.temperal_downsample))
        self.conv_in = CausalConv(config.z_dim, widths[0], 3)
        self.mid_block = MiddleBlock(widths[0])
        self.up_blocks = nn.ModuleList()
        for level, (in_width, out_width) in enumerate(zip(widths[:-1], widths[1:])):
            upsample = Upsample(out_width, doubling[level]) if level < len(config.dim_mult) - 1 else None
            self.up_blocks.append(UpBlock(in_width if level == 0 else in_width // 2, out_width, config.num_res_blocks + 1, upsample))
        self.norm_out = ChannelNorm(widths[-1])
        self.conv_out = CausalConv(widths[-1], 3 * config.patch_size**2, 3)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        x = self.mid_block(self.conv_in(z))
        for block in self.up_blocks:
            x = block(x)
        return self.conv_out(norm_silu_pad(x, self.norm_out.gamma), padded=True)


class VideoVae(nn.Module):
    """Clips [B, 3, 4k+1, H, W] in [-1, 1] <-> latents [B, z_dim, k+1, H/8, W/8]."""

    def __init__(self, config: VaeConfig):
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.quant_conv = CausalConv(2 * config.z_dim, 2 * config.z_dim, 1)
        self.post_quant_conv = CausalConv(config.z_dim, config.z_dim, 1)
        self.decoder = Decoder(config)

    def encode(self, clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns mean and log-variance of the latent, float32."""
        p = self.config.patch_size
        batch, channels, frames, height, width = clip.shape
        folded = clip.view(batch, channels, frames, height // p, p, width // p, p).permute(0, 1, 6, 4, 2, 3, 5)
        folded = folded.reshape(batch, channels * p * p, frames, height // p, width // p)
        mean, log_variance = self.quant_conv(self.encoder(folded)).float().chunk(2, 1)
        return mean, log_variance.clamp(-30, 20)

    def decode(self, z: torch.Tensor) -> torch.Tensor:
        """Returns the clip in the dtype of z, not clamped."""
        p = self.config.patch_size
        x = self.decoder(self.post_quant_conv(z))
        batch, channels, frames, height, width = x.shape
        x = x.reshape(batch, channels // (p * p), p, p, frames, height, width).permute(0, 1, 4, 5, 3, 6, 2)
        return x.reshape(batch, channels // (p * p), frames, height * p, width * p)
