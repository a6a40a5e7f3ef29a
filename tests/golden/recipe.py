"""Pseudo-random weights and inputs that Python and C++ compute bit for bit alike (see recipe.h).

A tensor is named; its name and a seed start a splitmix64 stream (https://prng.di.unimi.it/splitmix64.c); each number
is uniform with the asked standard deviation. So fixtures hold results only, and the models they come from can be
rebuilt anywhere.
"""

import math

import numpy as np

_MASK = (1 << 64) - 1


def stream_start(name: str, seed: int) -> int:
    """FNV-1a of the name, mixed with the seed."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & _MASK
    return value ^ ((seed * 0x9E3779B97F4A7C15) & _MASK)


def uniform(name: str, seed: int, count: int) -> np.ndarray:
    """`count` float64 in [-1, 1), multiples of 2^-23."""
    with np.errstate(over="ignore"):
        state = np.uint64(stream_start(name, seed)) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(
            0x9E3779B97F4A7C15
        )
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return (state >> np.uint64(40)).astype(np.float64) * 2.0**-23 - 1.0


def values(name: str, seed: int, shape: tuple, deviation: float = 1.0, mean: float = 0.0) -> np.ndarray:
    """float32 of `shape`, uniform with this mean and standard deviation."""
    numbers = mean + uniform(name, seed, math.prod(shape)) * (deviation * math.sqrt(3.0))
    return numbers.astype(np.float32).reshape(shape)


def gaussian(name: str, seed: int, shape: tuple) -> np.ndarray:
    """float32 of `shape`, nearly N(0, 1): the sum of twelve uniform numbers."""
    count = math.prod(shape)
    sums = 0.5 * uniform(name, seed, count * 12).reshape(count, 12).sum(axis=1)
    return sums.astype(np.float32).reshape(shape)


def weight(name: str, seed: int, shape: tuple) -> np.ndarray:
    """float32 rounded to bfloat16: a weight of this name with a scale that keeps activations near one."""
    if name.endswith(("gamma", "norm_q.weight", "norm_k.weight", "layer_norm.weight", "norm2.weight", "ssm.norm.weight")):
        numbers = values(name, seed, shape, 0.2, 1.0)
    elif name.endswith("dt_bias"):  # step sizes of a hundredth to a third
        numbers = values(name, seed, shape, 1.0, -2.5)
    elif name.endswith("A_log"):
        numbers = values(name, seed, shape, 0.8)
    elif name.endswith("bias"):
        numbers = values(name, seed, shape, 0.1)
    elif name.endswith(("scale_shift_table", "relative_attention_bias.weight")):
        numbers = values(name, seed, shape, 0.5)
    elif name == "shared.weight":
        numbers = values(name, seed, shape)
    else:
        numbers = values(name, seed, shape, 1.0 / math.sqrt(math.prod(shape[1:])))
    bits = numbers.view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return rounded.view(np.float32)
