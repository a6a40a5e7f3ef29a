"""The scan of Mamba2 ("SSD", Dao and Gu, 2024, arXiv:2405.21060): plain recurrence, and in chunks of matrix products for training.

Per head, with the group's rows B_t and C_t of N numbers, input rows x_t of P numbers, step sizes Delta_t and a decay A < 0:

    S_t = exp(Delta_t A) S_{t-1} + Delta_t x_t B_t^T        y_t = S_t C_t + D x_t

Shapes: x [B, L, S, P] for S heads, delta [B, L, S], b and c [B, L, G, N] for G groups, decay and skip [S]. Heads of group g are
g S/G ... (g+1) S/G - 1.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F


def scan_steps(x, delta, decay, b, c, skip, state=None) -> tuple[torch.Tensor, torch.Tensor]:
    """The recurrence as written, step by step. Returns y and the last state [B, S, P, N]; `state` is the one to begin with."""
    heads, groups = x.shape[2], b.shape[2]
    b, c = (rows.repeat_interleave(heads // groups, 2) for rows in (b, c))
    if state is None:
        state = x.new_zeros(len(x), heads, x.shape[3], b.shape[3])
    results = []
    for t in range(x.shape[1]):
        state = torch.exp(delta[:, t] * decay)[..., None, None] * state
        state = state + (delta[:, t, :, None] * x[:, t])[..., None] * b[:, t, :, None, :]
        results.append((state * c[:, t, :, None, :]).sum(-1) + skip[:, None] * x[:, t])
    return torch.stack(results, 1), state


def _decays_between(steps: torch.Tensor) -> torch.Tensor:
    """[..., n] -> exp of the sum of steps j+1 ... i, [..., i, j]; zero above the diagonal. Sums, not differences of sums: exact."""
    count = steps.shape[-1]
    below = torch.ones(count, count, dtype=torch.bool, device=steps.device).tril(-1)
    sums = steps[..., None].expand(*steps.shape, count).masked_fill(~below, 0).cumsum(-2)
    return sums.masked_fill(below.T, -torch.inf).exp()


def scan_chunks(x, delta, decay, b, c, skip, chunk: int) -> torch.Tensor:
    """The same scan from a zero state, in chunks. Returns y like x.

    Decays are float32; matrix products run in the dtype of x (bfloat16 when training) and the states between chunks in float32.
    """
    batch, length, heads, width = x.shape
    groups, dtype = b.shape[2], x.dtype
    exact = torch.promote_types(dtype, torch.float32)
    padding = -length % chunk
    if padding:  # a step of size zero changes nothing
        x_padded, delta, b, c = (F.pad(v, (0, 0) * (v.ndim - 2) + (0, padding)) for v in (x, delta, b, c))
    else:
        x_padded = x
    count = (length + padding) // chunk
    delta = delta.to(exact).view(batch, count, chunk, heads).permute(0, 3, 1, 2)  # [B, S, K, Q]
    steps = (delta * decay.to(exact).view(-1, 1, 1)).view(batch, groups, -1, count, chunk)  # [B, G, h, K, Q]
    inputs = x_padded.view(batch, count, chunk, heads, width).permute(0, 3, 1, 2, 4)
    inputs = (inputs.to(exact) * delta[..., None]).to(dtype).view(batch, groups, -1, count, chunk, width)  # [B, G, h, K, Q, P]
    b, c = (rows.view(batch, count, chunk, groups, -1).permute(0, 3, 1, 2, 4).to(dtype) for rows in (b, c))  # [B, G, K, Q, N]

    reach = steps.cumsum(-1)  # sum from the start of the chunk
    products = (c @ b.mT)[:, :, None]  # [B, G, 1, K, Q, Q]
    ahead = torch.ones(chunk, chunk, dtype=torch.bool, device=x.device).triu(1)
    inside = (reach[..., :, None] - reach[..., None, :]).masked_fill(ahead, -torch.inf).exp()
    inside = (products.to(exact) * inside).to(dtype) @ inputs

    remaining = torch.exp(reach[..., -1:] - reach)[..., None]
    gathered = torch.einsum("bgkqn,bghkqp->bghknp", b, (inputs.to(exact) * remaining).to(dtype)).to(exact)
    # The state that enters chunk k: what every earlier chunk gathered, decayed by the chunks between.
    between = _decays_between(F.pad(reach[..., -1], (1, 0)))[..., :-1, 1:]  # [B, G, h, K, K], row k: sums over chunks after j up to k - 1
    entering = (between @ gathered.flatten(-2)).view(gathered.shape).to(dtype)
    carried = torch.einsum("bgkqn,bghknp->bghkqp", c, entering).to(exact) * torch.exp(reach)[..., None]

    y = (inside.to(exact) + carried).view(batch, heads, count * chunk, width).transpose(1, 2)[:, :length]
    return (y + skip.to(exact)[:, None] * x.to(exact)).to(dtype)
