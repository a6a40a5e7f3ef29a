"""Checks of LinGen's network and its training on the CPU, well under a minute: python lingen_check.py

The scan in chunks against the recurrence, numeric gradients and the published Mamba2 (by the committed fixture); scan orders, review
tokens and windows against docs/lingen.md written out; then training: a step lowers the loss, a model folder and a checkpoint come back.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch
import torch.nn.functional as F
from minimodel.configs import TextEncoderConfig, TransformerConfig
from minimodel.export import read_model, read_own, write_lingen
from minimodel.lingen_transformer import (
    RASTER_AXES,
    LinGenConfig,
    LinGenTransformer,
    ScanOrder,
    Steps,
    Windows,
    finish_mate,
    gated_norm,
    mate_operands,
    pool_rows,
    scan_one_way,
)
from minimodel.parallel import Team
from minimodel.ssd import scan_chunks, scan_steps
from minimodel.text_encoder import TextEncoder
from minimodel.train_lingen import LinGenTrainer, choose_trained, start_from
from minimodel.wan_transformer import WanTransformer
from safetensors import safe_open
from safetensors.torch import load_file

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "golden"
GRID = (5, 6, 7)
SMALL = dict(num_attention_heads=2, attention_head_dim=16, ffn_dim=32, in_channels=4, out_channels=4, text_dim=12, freq_dim=16)
CONFIG = LinGenConfig(
    **SMALL, num_layers=4, tesa_window=(3, 4, 2), tesa_shift=(1, 2, 1), ssm_head_dim=16, ssm_state_dim=16, ssm_num_groups=2,
    ssm_chunk_size=16, position_embedding_size=(4, 6, 7),
)  # fmt: skip


def scan_operands(length: int, groups: int, step: float = 1.0, seed: int = 0) -> list[torch.Tensor]:
    """x, delta, decay, b, c, skip in float64."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    return [draw(2, length, 4, 3), step * draw(2, length, 4).exp(), -draw(4).exp(), draw(2, length, groups, 5), draw(2, length, groups, 5), draw(4)]


def check_scan() -> None:
    for length in (1, 7, 16, 45):
        for groups in (1, 2, 4):
            for step in (1e-6, 1e-2, 1.0, 50.0):
                operands = scan_operands(length, groups, step)
                expected = scan_steps(*operands)[0]
                for chunk in (1, 16, 64):
                    assert torch.allclose(scan_chunks(*operands, chunk), expected, rtol=1e-9, atol=1e-9), (length, groups, step, chunk)


def check_gradients() -> None:
    """Against finite differences, and those of the recurrence."""
    operands = [value.requires_grad_() for value in scan_operands(11, 2, 0.3)]
    assert torch.autograd.gradcheck(lambda *values: scan_chunks(*values, 4), operands, fast_mode=True)
    weight = torch.randn(2, 11, 4, 3, dtype=torch.float64)
    found = torch.autograd.grad((scan_chunks(*operands, 4) * weight).sum(), operands)
    expected = torch.autograd.grad((scan_steps(*operands)[0] * weight).sum(), operands)
    assert all(torch.allclose(a, b, rtol=1e-8, atol=1e-10) for a, b in zip(found, expected))


@torch.no_grad()
def check_published() -> None:
    """Convolution, scan and gated norm against the published Mamba2 module."""
    sys.path.insert(0, str(GOLDEN))
    import recipe

    with safe_open(GOLDEN / "fixtures" / "mamba2.safetensors", "pt") as fixture:
        about = {key: json.loads(value) for key, value in fixture.metadata().items()}
        for case, options in about["cases"].items():
            small = {name: value for name, value in SMALL.items() if "head" not in name}
            config = LinGenConfig(
                **small, num_attention_heads=1, attention_head_dim=options["hidden_size"], ssm_expand=options["expand"],
                ssm_head_dim=options["head_dim"], ssm_state_dim=options["state_size"], ssm_num_groups=options["n_groups"],
                ssm_conv_kernel=options["conv_kernel"], ssm_chunk_size=options["chunk_size"], num_layers=1,
            )  # fmt: skip
            ssm = LinGenTransformer(config).blocks[0].ssm
            scan, heads = ssm.forward_scan, config.ssm_heads

            def weight(name, like):
                stored = "ssm.norm.weight" if name == "norm.weight" else name
                return torch.from_numpy(recipe.weight(f"{case}/{stored}", about["seed"], tuple(like.shape)))

            for name in ("conv1d.weight", "conv1d.bias", "dt_bias", "A_log", "D"):
                scan.get_parameter(name).copy_(weight(name, scan.get_parameter(name)))
            if case == "forgetting":
                scan.dt_bias.copy_(torch.tensor([-9.0, -2.0, 1.0, 25.0]))
            in_proj = weight("in_proj.weight", torch.empty(config.inner + config.scanned + heads, config.width))
            gain, out_proj = weight("norm.weight", ssm.norm.weight), weight("out_proj.weight", ssm.out_proj.weight)
            for length in about["lengths"]:
                hidden = torch.from_numpy(recipe.values(f"{case}.{length}.hidden", 1, (1, length, config.width)))
                z, rows, raw = F.linear(hidden, in_proj).split((config.inner, config.scanned, heads), -1)
                y = scan_one_way(scan, rows, raw, config)
                normed = gated_norm(y, z, gain, config.ssm_num_groups)
                for name, value in (("scan", y), ("norm", normed), ("mixer", F.linear(normed, out_proj))):
                    expected = fixture.get_tensor(f"{case}.{length}.{name}")
                    error = float((value[0] - expected).norm() / expected.norm())
                    assert error < 1e-5, (case, length, name, error)


def positions(name: str, grid: tuple[int, int, int]) -> torch.Tensor:
    """[T, H, W]: where each token stands, by the table of docs/lingen.md."""
    (frames, rows, columns), t, h, w = grid, *torch.meshgrid(*(torch.arange(n) for n in grid), indexing="ij")
    return {
        "s_row": (t * rows + h) * columns + w,
        "s_col": (t * columns + w) * rows + h,
        "t_row": (h * columns + w) * frames + t,
        "t_col": (w * rows + h) * frames + t,
    }[name]


def check_orders() -> None:
    rows = torch.randn(2, 5 * 6 * 7, 3)
    for name in RASTER_AXES:
        place = positions(name, GRID).flatten()
        order = ScanOrder(name, GRID)
        expected = torch.empty_like(rows)
        expected[:, place] = rows
        assert torch.equal(order.take(rows), expected), name
        zigzag = ScanOrder(f"zigzag_{name}", GRID)
        assert all(torch.equal(way.put_back(way.take(rows)), rows) for way in (order, zigzag)), name
        cells = torch.stack([zigzag.index // 42, zigzag.index // 7 % 6, zigzag.index % 7], 1)
        assert int(cells.diff(dim=0).abs().sum(1).max()) == 1, f"zigzag_{name} jumps"
    for axis in range(3):  # every neighbour is adjacent in at least one order
        gaps = torch.stack([positions(name, GRID).diff(dim=axis).abs() for name in RASTER_AXES])
        assert int(gaps.amin(0).max()) == 1


def check_pooling() -> None:
    rows = torch.randn(1, 5 * 6 * 7, 2)
    pooled = pool_rows(rows, GRID, (3, 2, 4)).view(2, 3, 2, 2)
    cells = rows.view(5, 6, 7, 2)
    for t, h, w in ((0, 0, 0), (1, 2, 1), (1, 0, 0), (0, 1, 1)):
        expected = cells[3 * t : 3 * t + 3, 2 * h : 2 * h + 2, 4 * w : 4 * w + 4].mean((0, 1, 2))
        assert torch.allclose(pooled[t, h, w], expected, atol=1e-6)


def window_ids(count: int, size: int, shift: int, shifted: bool) -> torch.Tensor:
    """Which window each place of an axis is in, by the words of docs/lingen.md."""
    if size >= count:
        return torch.zeros(count, dtype=torch.long)
    starts = [0, *range(shift, count, size)] if shifted and shift else [*range(0, count, size)]
    return torch.tensor([sum(place >= start for start in starts) for place in range(count)])


def same_window(grid, window, shift, shifted: bool) -> torch.Tensor:
    ids = torch.stack(torch.meshgrid(*(window_ids(*sizes, shifted) for sizes in zip(grid, window, shift)), indexing="ij"), -1)
    ids = ids.reshape(-1, 3)
    return (ids[:, None] == ids[None]).all(-1)


def check_windows() -> None:
    for grid, window, shift in ((GRID, (3, 4, 2), (1, 2, 1)), ((4, 4, 6), (2, 2, 3), (1, 1, 1)), ((2, 6, 5), (9, 4, 5), (4, 2, 2)), ((1, 1, 1), (2, 2, 2), (1, 1, 1))):
        count = grid[0] * grid[1] * grid[2]
        query, key, value = (torch.randn(2, count, 3, 8) for _ in range(3))
        for shifted in (False, True):
            found = Windows(grid, window, shift, shifted, "cpu").attend(query, key, value)
            mask = same_window(grid, window, shift, shifted)
            expected = F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask)
            assert torch.allclose(found, expected.transpose(1, 2).flatten(2), atol=1e-5), (grid, window, shifted)


def randomised(config: LinGenConfig, seed: int = 3) -> LinGenTransformer:
    torch.manual_seed(seed)
    transformer = LinGenTransformer(config)
    transformer.initialise()
    with torch.no_grad():
        for parameter in transformer.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return transformer


@torch.no_grad()
def mate_written_out(transformer: LinGenTransformer, x, text, modulation) -> torch.Tensor:
    """All blocks on GRID, one token after another as docs/lingen.md says: recurrences, review tokens in front, masks."""
    config = transformer.config
    coarse = tuple(-(-n // size) for n, size in zip(GRID, config.review_pooling))
    inner, states, heads = config.inner, config.ssm_num_groups * config.ssm_state_dim, config.ssm_heads
    for index, block in enumerate(transformer.blocks):
        name = config.scan_orders[index % 4]
        tables = transformer.rotary(GRID, x.device)
        query, key, value, z, rows, raw = mate_operands(
            block, x, modulation, transformer.position_embedding(GRID), *tables, config.num_attention_heads, inner, config.scanned
        )
        mask = same_window(GRID, config.tesa_window, config.tesa_shift, index % 2 == 1)
        attended = F.scaled_dot_product_attention(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), attn_mask=mask)
        place, coarse_place = positions(name, GRID).flatten().argsort(), positions(name, coarse).flatten().argsort()
        total = torch.zeros(len(x), rows.shape[1], inner)
        for backward, scan in enumerate(block.ssm.scans()):
            steps = raw[..., heads * backward : heads * (backward + 1)]
            order = place.flip(0) if backward else place
            sequence, sizes = rows[:, order], steps[:, order]
            front = 0
            if not backward or config.review_directions == "both":
                chosen = coarse_place.flip(0) if backward else coarse_place
                front = len(chosen)
                sequence = torch.cat([pool_rows(rows, GRID, config.review_pooling)[:, chosen], sequence], 1)
                sizes = torch.cat([pool_rows(steps, GRID, config.review_pooling)[:, chosen], sizes], 1)
            convolved = F.silu(scan.conv1d(F.pad(sequence.mT, (config.ssm_conv_kernel - 1, 0)))).mT
            u, b, c = convolved.split((inner, states, states), -1)
            shape = (config.ssm_num_groups, config.ssm_state_dim)
            y, _ = scan_steps(
                u.unflatten(-1, (heads, -1)), F.softplus(sizes + scan.dt_bias), -scan.A_log.exp(), b.unflatten(-1, shape),
                c.unflatten(-1, shape), scan.D,
            )  # fmt: skip
            total[:, order] += y[:, front:].flatten(2)
        x = finish_mate(
            block, x, attended.transpose(1, 2).flatten(2), total, z, text, modulation, config.num_attention_heads, config.ssm_num_groups
        )
    return x


@torch.no_grad()
def check_blocks() -> None:
    for reviewed in ("forward", "both"):
        config = LinGenConfig(**{**CONFIG.__dict__, "review_directions": reviewed})
        transformer = randomised(config)
        x, text = torch.randn(2, 5 * 6 * 7, config.width), torch.randn(2, 4, config.width)
        modulation = 0.3 * torch.randn(2, 6, config.width)
        found = transformer.run_blocks(x, text, modulation, GRID, Steps())
        expected = mate_written_out(transformer, x, text, modulation)
        error = float((found - expected).norm() / expected.norm())
        assert error < 1e-5, (reviewed, error)


# -- training -----------------------------------------------------------------------------------------------------------------------


class FixedPool:
    """One batch, always the same."""

    def __init__(self) -> None:
        generator = torch.Generator().manual_seed(5)
        self.latents = torch.randn(2, 4, 3, 8, 8, generator=generator)
        self.cover = torch.rand(2, 1, 3, 8, 8, generator=generator)
        self.tokens = torch.randint(2, 30, (2, 6), generator=generator)

    def draw(self, count: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        return self.latents, self.cover, self.tokens


def small_trainer() -> LinGenTrainer:
    torch.manual_seed(1)
    dense = WanTransformer(TransformerConfig(**SMALL, num_layers=4))
    dense.initialise()
    with torch.no_grad():
        dense.proj_out.weight.normal_(std=0.1)
    dense.requires_grad_(False)
    transformer = LinGenTransformer(CONFIG)
    transformer.initialise()
    start_from(transformer, dense, attention_shaped=True)
    choose_trained(transformer, everything=False, windows=True)
    encoder = TextEncoder(TextEncoderConfig(vocab_size=32, d_model=12, d_kv=4, d_ff=8, num_layers=1, num_heads=2)).requires_grad_(False)
    return LinGenTrainer(Team(), transformer, encoder, dense, teacher_share=0.5)


def seeded(seed: int, action):
    torch.manual_seed(seed)
    return action()


def check_training() -> None:
    """Steps on one batch lower its loss, and only what is trained changes."""
    trainer, pool = small_trainer(), FixedPool()
    before = {name: value.clone() for name, value in trainer.transformer.state_dict().items()}
    losses = []
    for _ in range(8):
        losses.append(seeded(2, lambda: trainer.losses(pool, 2))[0].item())
        seeded(2, lambda: trainer.step(pool, 2, 1.0))
    assert losses[1] < losses[0] and losses[-1] < 0.98 * losses[0], losses
    changed = {name for name, value in trainer.transformer.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and changed <= set(trainer.trained), changed - set(trainer.trained)


def check_resume() -> None:
    """A run that was cut has the same next losses as one that was not."""
    pool = FixedPool()
    with tempfile.TemporaryDirectory() as name:
        whole = small_trainer()
        for step in range(3):
            seeded(step, lambda: whole.step(pool, 2, 0.5))
        whole.save(Path(name) / "checkpoint", 0.5, {"seconds": 30.0})
        resumed = small_trainer()
        assert resumed.load(Path(name) / "nothing") is None
        assert resumed.load(Path(name) / "checkpoint")["seconds"] == 30.0
        assert (resumed.step_count, resumed.spent) == (3, 0.5)
        for step in range(3, 6):
            losses = [float(seeded(step, lambda: trainer.step(pool, 2, 0.5))) for trainer in (whole, resumed)]
            assert losses[0] == losses[1], (step, losses)
        assert all(torch.equal(a, b) for a, b in zip(whole.average.values, resumed.average.values))


@torch.no_grad()
def check_export() -> None:
    """A folder that was written and read back draws the same velocities; what is the dense model's is not stored twice."""
    base = Path(__file__).resolve().parents[1] / "models" / "mini"
    dense = read_model(base)
    transformer = LinGenTransformer(LinGenConfig())
    transformer.initialise()
    start_from(transformer, dense.transformer, attention_shaped=True)
    choose_trained(transformer, everything=False, windows=True)
    for name, parameter in transformer.named_parameters():
        if parameter.requires_grad:
            parameter.add_(0.01 * torch.randn_like(parameter))
        exact = name.endswith((".dt_bias", ".A_log", ".D"))
        parameter.copy_(parameter if exact else parameter.to(torch.bfloat16))
    latents, text = torch.randn(1, 16, 2, 8, 8), torch.randn(1, 4, 256)
    with tempfile.TemporaryDirectory() as name:
        size = write_lingen(Path(name) / "mini-lingen", transformer, base)
        assert size < 10 * 1024**2, size
        again = read_model(Path(name) / "mini-lingen").transformer
        assert again.config == transformer.config
        arguments = (latents, torch.tensor([300.0]), text, torch.float32)
        stored = transformer(*arguments)  # the largest matrices take eight bits in the file
        assert 0 < (again(*arguments) - stored).norm() < 0.03 * stored.norm()
        own = Path(name) / "mini-lingen" / "transformer" / "mate.safetensors"
        write_lingen(Path(name) / "installed", read_own(own, base), base)
        installed = read_model(Path(name) / "installed").transformer
        assert (installed(*arguments) - again(*arguments)).norm() < 1e-5 * stored.norm()
        trained = {name for name, parameter in transformer.named_parameters() if parameter.requires_grad}
        assert {name for name in load_file(own) if not name.endswith(".SCB")} == trained


CHECKS = (
    check_scan, check_gradients, check_published, check_orders, check_pooling, check_windows, check_blocks, check_training, check_resume,
    check_export,
)  # fmt: skip


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for check in CHECKS:
        check()
        print(check.__name__, "passed", flush=True)


if __name__ == "__main__":
    main()
