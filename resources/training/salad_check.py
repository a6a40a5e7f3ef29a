"""Checks of the SALAD network on the CPU, seconds: python salad_check.py

Gradients against finite differences in float64, the linear branch against its quadratic form, a zero projection against the sparse branch
alone, masks against their definitions.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from minimodel.configs import TransformerConfig
from minimodel.wan_transformer import WanBlock, WanTransformer, rotary_tables
from salad_network import SaladAdapter, SaladLayer, SaladPlan, _rotate, linear_attention, salad_block, top_k_mask, window_for, window_masks

GRID = (3, 4, 6)
HEADS, HEAD_DIM = 2, 12
TOKENS = GRID[0] * GRID[1] * GRID[2]


def operands(seed: int = 0) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(1, TOKENS, HEADS, HEAD_DIM, generator=generator) for _ in range(3)]


def check_linear() -> None:
    query, key, value = operands()
    cosine, sine = rotary_tables(*GRID, HEAD_DIM, "cpu")
    for form in "ab":
        if form == "a":
            plain = F.relu(query), F.relu(key)
            turned = [_rotate(x, cosine, sine) for x in plain]
        else:
            plain = turned = [F.relu(_rotate(x, cosine, sine)) for x in (query, key)]
        weights = torch.einsum("bnhd,bmhd->bhnm", *turned)
        divisor = torch.einsum("bnhd,bmhd->bhn", *plain) + 1e-6
        expected = torch.einsum("bhnm,bmhd->bnhd", weights / divisor[..., None], value)
        assert torch.allclose(linear_attention(query, key, value, cosine, sine, 1e-6, form), expected, atol=2e-5), form


def check_masks() -> None:
    window = window_for(TOKENS, 0.8)
    frame, token = window_masks(GRID[0], GRID[1] * GRID[2], 0.8, "cpu")
    plane = GRID[1] * GRID[2]
    for i in range(0, TOKENS, 7):
        for j in range(TOKENS):
            assert bool(frame[i, j]) == (abs(i - j) <= window)
            place = [(n % plane) * GRID[0] + n // plane for n in (i, j)]
            assert bool(token[i, j]) == (abs(place[0] - place[1]) <= window)
    assert 1 - frame.float().mean() >= 0.8
    query, key, _ = operands()
    mask = top_k_mask(query, key, 0.6, 16)
    assert mask.shape == (1, HEADS, TOKENS, TOKENS)
    assert top_k_mask(query, key, 0.0, 16).all()
    assert ((mask.float().sum(-1) >= 8) & (mask.float().sum(-1) <= 32)).all()  # 2 of 5 blocks; the last has 8 tokens


def small_layer(plan: SaladPlan, dtype=torch.float32) -> tuple[SaladLayer, torch.Tensor]:
    torch.manual_seed(1)
    layer = SaladLayer(HEADS * HEAD_DIM, HEADS, plan).to(dtype)
    return layer, torch.randn(1, TOKENS, HEADS * HEAD_DIM, dtype=dtype)


def check_zero_projection() -> None:
    query, key, value = operands()
    cosine, sine = rotary_tables(*GRID, HEAD_DIM, "cpu")
    masks = window_masks(GRID[0], GRID[1] * GRID[2], 0.7, "cpu")
    layer, hidden = small_layer(SaladPlan(sparsity=0.7))
    alone, _ = small_layer(SaladPlan(sparsity=0.7, branch=False))
    arguments = (hidden, query, key, value, cosine, sine, masks)
    assert torch.equal(layer.attend(*arguments), alone.attend(*arguments))


def check_gradients() -> None:
    """Of the whole layer by its queries, keys, values, projection and gate. Rectifiers and choices have kinks: points far from them."""
    cosine, sine = (table.double() for table in rotary_tables(*GRID, HEAD_DIM, "cpu"))
    masks = window_masks(GRID[0], GRID[1] * GRID[2], 0.7, "cpu")
    for plan in (SaladPlan(sparsity=0.7), SaladPlan(sparsity=0.7, gate="sample", rope_form="a"), SaladPlan(sparse="top_k", sparsity=0.6, block=16)):
        layer, hidden = small_layer(plan, torch.float64)
        torch.nn.init.normal_(layer.salad_proj.weight, std=0.3)
        torch.nn.init.normal_(layer.salad_gate.weight, std=0.3)
        query, key, value = (x.double() for x in operands(4))
        query, key = (torch.where(x.abs() < 0.05, x.sign() * 0.05 + x, x) for x in (query, key))
        names = {"query": query, "key": key, "value": value, "proj": layer.salad_proj.weight, "gate": layer.salad_gate.weight}
        direction = {name: torch.randn_like(value) for name, value in names.items()}
        cotangent = torch.randn(1, TOKENS, HEADS * HEAD_DIM, dtype=torch.float64)

        def loss(shift: float, name: str) -> torch.Tensor:
            moved = {k: (v.detach() + shift * direction[k] if k == name else v.detach()) for k, v in names.items()}
            weights = {"salad_proj.weight": moved["proj"], "salad_gate.weight": moved["gate"]}
            return (_attend(layer, weights, hidden, moved, cosine, sine, masks) * cotangent).sum()

        for name in names:
            leaf = names[name].detach().clone().requires_grad_()
            moved = {k: (leaf if k == name else v.detach()) for k, v in names.items()}
            weights = {"salad_proj.weight": moved["proj"], "salad_gate.weight": moved["gate"]}
            (gradient,) = torch.autograd.grad((_attend(layer, weights, hidden, moved, cosine, sine, masks) * cotangent).sum(), leaf)
            step = 1e-6
            expected = (loss(step, name) - loss(-step, name)) / (2 * step)
            found = (gradient * direction[name]).sum()
            assert torch.allclose(found, expected, rtol=1e-5), (plan, name, found, expected)


def _attend(layer, weights, hidden, moved, cosine, sine, masks) -> torch.Tensor:
    class Call(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def forward(self):
            return self.layer.attend(hidden, moved["query"], moved["key"], moved["value"], cosine, sine, masks)

    return torch.func.functional_call(Call(), {f"layer.{name}": value for name, value in weights.items()}, ())


def check_block_gradients() -> None:
    """Of a whole block by everything that is trained: both factors of every low-rank change, projection and gate with their biases."""
    torch.manual_seed(5)
    width = HEADS * HEAD_DIM
    config = TransformerConfig(num_attention_heads=HEADS, attention_head_dim=HEAD_DIM, num_layers=1, ffn_dim=2 * width)
    block = WanBlock(config).double().requires_grad_(False)
    cosine, sine = (table.double() for table in rotary_tables(*GRID, HEAD_DIM, "cpu"))
    masks = window_masks(GRID[0], GRID[1] * GRID[2], 0.7, "cpu")
    x, text = torch.randn(1, TOKENS, width, dtype=torch.float64), torch.randn(1, 5, width, dtype=torch.float64)
    modulation, cotangent = torch.randn(1, 6, width, dtype=torch.float64), torch.randn(1, TOKENS, width, dtype=torch.float64)
    plans = (SaladPlan(sparsity=0.7, rank=3), SaladPlan(sparsity=0.7, rank=3, gate="sample", rope_form="b"), SaladPlan(sparsity=0.7, rank=3, branch=False))
    for plan in plans:
        layer = SaladLayer(width, HEADS, plan).double()
        trained = {name: value for name, value in layer.named_parameters() if plan.branch or "salad" not in name}
        assert len(trained) == (12 if plan.branch else 8)
        with torch.no_grad():
            for value in trained.values():  # from zero, half of them would have no gradient
                value.add_(torch.randn_like(value) * 0.2)

        def loss() -> torch.Tensor:
            return (salad_block(block, x, text, modulation, cosine, sine, HEADS, layer, masks) * cotangent).sum()

        gradients = torch.autograd.grad(loss(), list(trained.values()))
        step = 1e-6
        for (name, value), gradient in zip(trained.items(), gradients):
            direction = torch.randn_like(value)
            with torch.no_grad():
                sides = []
                for shift in (step, -2 * step):
                    value.add_(direction, alpha=shift)
                    sides.append(loss())
                value.add_(direction, alpha=step)
            expected, found = (sides[0] - sides[1]) / (2 * step), (gradient * direction).sum()
            assert found.abs() > 1e-3, (plan, name)
            assert torch.allclose(found, expected, rtol=1e-5, atol=1e-7), (plan, name, found, expected)


def check_start() -> None:
    """A fresh adapter changes nothing but the mask, and its numbers are those of the published count."""
    torch.manual_seed(0)
    config = TransformerConfig(num_layers=2)
    transformer = WanTransformer(config).requires_grad_(False)
    adapter = SaladAdapter(transformer, SaladPlan(sparsity=0.0, order="alternate"))
    latents, text = torch.randn(1, 16, 2, 8, 8), torch.randn(1, 3, config.text_dim)
    dense = transformer(latents, torch.tensor([500.0]), text, torch.float32)
    tuned = transformer(latents, torch.tensor([500.0]), text, torch.float32, adapter.block_of(latents))
    assert torch.allclose(dense, tuned, atol=1e-5)
    extra = sum(value.numel() for name, value in adapter.tensors().items() if "salad_proj" in name or "salad_gate" in name)
    assert extra == 2 * (256 * 256 + 256 + 256 + 1)
    assert 30 * (1536 * 1536 + 1536 + 1536 + 1) == 70_871_070


def main() -> None:
    for check in (check_linear, check_masks, check_zero_projection, check_gradients, check_block_gradients, check_start):
        check()
        print(check.__name__, "passed")


if __name__ == "__main__":
    main()
