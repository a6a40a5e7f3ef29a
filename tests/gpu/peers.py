"""The CUDA engine beside PyTorch on the same GPU, in turns: speed, and how far the results are from each other.

    python3 tests/gpu/peers.py --bench build/gpu/bin/gpu_bench [--quick] [--json out.json]

The engine runs in a process of its own (gpu_bench) that computes on request, PyTorch in this one; every comparison is
measured in turns, after a rest ("cool") and after a second of work ("sustained"), because an H100 at its power limit is
15 % slower than a rested one. Models have the published configurations and random weights. Needs torch, safetensors and
diffusers (versions are printed). Prints one table last.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file


class Engine:
    """gpu_bench, one command at a time."""

    def __init__(self, program: str):
        self.program = program
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.about = self.read()

    def read(self) -> dict:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"gpu_bench ended with code {self.process.wait()}")
        reply = json.loads(line)
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply

    def ask(self, command: str) -> dict:
        self.process.stdin.write(command + "\n")
        return self.read()

    def end(self) -> None:
        self.process.stdin.write("quit\n")
        self.process.wait()


def torch_ms(function, repeats: int) -> float:
    """Milliseconds of one call: the mean of `repeats` queued together, after one to warm up."""
    function()
    torch.cuda.synchronize()
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    for _ in range(repeats):
        function()
    end.record()
    end.synchronize()
    return begin.elapsed_time(end) / repeats


def milliseconds(work, repeats: int) -> float:
    """Of one run of what an engine holds, or of one call of a function on PyTorch's side."""
    return work.ask(f"time {repeats}")["ms"] if isinstance(work, Engine) else torch_ms(work, repeats)


def compare(engine: Engine, peer, repeats: int) -> dict:
    """Three turns each, cool; then a turn each after a second of the same work. `peer`: see milliseconds()."""
    ours, theirs = [], []
    for _ in range(3):
        time.sleep(0.5)
        ours.append(engine.ask(f"time {repeats}")["ms"])
        time.sleep(0.5)
        theirs.append(milliseconds(peer, repeats))
    cool = statistics.median(ours), statistics.median(theirs)
    many = max(repeats, int(1000 / max(cool)))
    engine.ask(f"time {many}")
    ours_hot = engine.ask(f"time {many}")["ms"]
    milliseconds(peer, many)
    theirs_hot = milliseconds(peer, many)
    return {"ours": cool[0], "peer": cool[1], "ours_sustained": ours_hot, "peer_sustained": theirs_hot}


def relative_error(ours: torch.Tensor, reference: torch.Tensor) -> float:
    difference = (ours.double() - reference.double()).norm() / reference.double().norm()
    return float("inf") if torch.isnan(difference) else float(difference)


class Table:
    """Rows of results; a section that fails is a row as well, and the others go on."""

    def __init__(self, wanted: str):
        self.rows, self.wanted = [], re.compile(wanted)

    def section(self, name: str, body):
        if not self.wanted.search(name):
            return
        try:
            result = body()
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs into the table
            result = {"error": f"{type(error).__name__}: {error}"[:160]}
        result["name"] = name
        self.rows.append(result)
        print(json.dumps(result), flush=True)

    def print(self):
        print(f"\n{'':44}{'ours ms':>10}{'peer ms':>10}{'ratio':>7}{'sust.':>9}{'peer':>9}{'ratio':>7}{'error':>10}{'TF/s':>7}")
        for row in self.rows:
            if "error" in row:
                print(f"{row['name']:44} {row['error']}")
                continue
            line = f"{row['name']:44}"
            if "ours" in row and "peer" not in row:
                line += f"{row['ours']:10.3f}{'':17}{row['ours_sustained']:9.3f}{'':16}"
            elif "ours" in row:
                line += f"{row['ours']:10.3f}{row['peer']:10.3f}{row['peer'] / row['ours']:7.2f}"
                line += f"{row['ours_sustained']:9.3f}{row['peer_sustained']:9.3f}"
                line += f"{row['peer_sustained'] / row['ours_sustained']:7.2f}"
            else:
                line += " " * 52
            line += f"{row['relative']:10.1e}" if "relative" in row else " " * 10
            if "flops" in row:
                line += f"{row['flops'] / row['ours'] * 1e-9:7.0f}"
            print(line)


def attention_section(engine: Engine, kernel: str, heads: int, queries: int, keys: int, width: int) -> dict:
    q = torch.randn(1, heads, queries, width, device="cuda", dtype=torch.bfloat16)
    k, v = (torch.randn(1, heads, keys, width, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    engine.ask(f"attention {kernel} {heads} {queries} {keys} {width}")
    flops = 4 * heads * queries * keys * width
    result = compare(engine, lambda: F.scaled_dot_product_attention(q, k, v), max(1, int(4e13 / flops)))
    return result | {"flops": flops}


def fp8_attention_section(engine: Engine, heads: int, tokens: int, width: int) -> dict:
    """Quantisation included, against PyTorch's in bf16."""
    flops = 4 * heads * tokens * tokens * width
    q, k, v = (torch.randn(1, heads, tokens, width, device="cuda", dtype=torch.bfloat16) for _ in range(3))
    engine.ask(f"attention fp8 {heads} {tokens} {tokens} {width}")
    return compare(engine, lambda: F.scaled_dot_product_attention(q, k, v), max(1, int(4e13 / flops))) | {"flops": flops}


def fp8_error_section(engine: Engine, folder: Path, kernel: str, heads: int, tokens: int, width: int) -> dict:
    """Of a kernel against the engine's own arithmetic in f32 over the same operands in bf16."""
    results = {}
    for name in (kernel, "simple"):
        engine.ask(f"attention {name} {heads} {tokens} {tokens} {width}")
        engine.ask("time 1")
        engine.ask(f"save {folder / name}.safetensors")
        results[name] = load_file(f"{folder / name}.safetensors")["result"]
    return {"relative": relative_error(results[kernel], results["simple"])}


def fp8_linear_section(engine: Engine, rows: int, inner: int, out: int, activation: str) -> dict:
    """With quantisation of the rows on either side: the peer's one compiled pass and torch._scaled_mm."""
    eight = torch.float8_e4m3fn
    x = torch.randn(rows, inner, device="cuda", dtype=torch.bfloat16)
    weight = torch.randn(out, inner, device="cuda") / inner**0.5
    bias = torch.randn(out, device="cuda", dtype=torch.bfloat16) * 0.1
    weight_scale = weight.abs().amax(1, keepdim=True) / 448
    weight8 = (weight / weight_scale).to(eight)

    @torch.compile
    def quantised(value):
        scale = value.abs().amax(1, keepdim=True).float() / 448
        return (value.float() / scale).to(eight), scale

    gelu = torch.compile(lambda value: F.gelu(value, approximate="tanh"))

    def function():
        rows8, scale = quantised(x)
        y = torch._scaled_mm(rows8, weight8.t(), scale, weight_scale.t(), bias, out_dtype=torch.bfloat16, use_fast_accum=True)
        return gelu(y) if activation == "gelu" else y

    engine.ask(f"linear {rows} {inner} {out} {activation} bf16 fp8")
    flops = 2 * rows * inner * out
    with torch.inference_mode():
        return compare(engine, function, max(3, int(4e13 / flops))) | {"flops": flops}


def linear_section(engine: Engine, rows: int, inner: int, out: int, activation: str) -> dict:
    layer = torch.nn.Linear(inner, out, device="cuda", dtype=torch.bfloat16)
    x = torch.randn(rows, inner, device="cuda", dtype=torch.bfloat16)
    plain = lambda value: F.gelu(layer(value), approximate="tanh") if activation == "gelu" else layer(value)
    function = torch.compile(plain, mode="max-autotune-no-cudagraphs") if activation == "gelu" else plain
    engine.ask(f"linear {rows} {inner} {out} {activation} bf16")
    flops = 2 * rows * inner * out
    with torch.inference_mode():
        return compare(engine, lambda: function(x), max(3, int(2e13 / flops))) | {"flops": flops}


def norm_section(engine: Engine, kind: str, rows: int, channels: int) -> dict:
    scale, shift = (torch.randn(channels, device="cuda") * 0.1 for _ in range(2))
    if kind == "layer":
        x = torch.randn(rows, channels, device="cuda")

        def plain():
            return (F.layer_norm(x, (channels,), eps=1e-6) * (1 + scale) + shift).bfloat16()
    else:
        x = torch.randn(rows, channels, device="cuda", dtype=torch.bfloat16)
        angle = torch.randn(rows, 1, 64, device="cuda")

        def plain():
            y = (F.rms_norm(x.float(), (channels,), eps=1e-6) * scale).unflatten(-1, (-1, 128)).unflatten(-1, (-1, 2))
            even, odd = y.unbind(-1)
            return torch.stack((even * angle - odd * angle, even * angle + odd * angle), -1).flatten(1).bfloat16()

    function = torch.compile(plain)
    engine.ask(f"norm {kind} {rows} {channels}")
    with torch.inference_mode():
        return compare(engine, function, 50)


def conv_section(engine: Engine, frames: int, height: int, width: int, channels: int) -> dict:
    torch.backends.cudnn.benchmark = True
    layer = torch.nn.Conv3d(channels, channels, 3, padding=(0, 1, 1), device="cuda", dtype=torch.bfloat16)
    layer = layer.to(memory_format=torch.channels_last_3d)
    x = torch.randn(1, channels, frames + 2, height, width, device="cuda", dtype=torch.bfloat16)
    x = x.to(memory_format=torch.channels_last_3d)
    engine.ask(f"conv {frames} {height} {width} {channels} {channels}")
    flops = 2 * frames * height * width * channels * channels * 27
    with torch.inference_mode():
        return compare(engine, lambda: layer(x), 10) | {"flops": flops}


def scan_rows(engine: Engine, table: Table, grid: tuple, heads: int = 48, state: int = 128) -> None:
    """The scan as the rows lie, against the time to copy what it reads and writes; then in a rotary order and both ways.

    Orders are measured in turns, so that a difference of a hundredth means something.
    """
    rows = grid[0] * grid[1] * grid[2]
    name = f"SSD {rows} x {heads} x 64 x {state}"
    variants = {"as they lie": "none one", "t_col": "t_col one", "both ways, t_col": "t_col both"}
    repeats = max(3, 2**21 // rows)
    moved = rows * (2 * heads * 64 * 2 + 2 * state * 2 + heads * 4)  # x and y, b and c, steps
    # Within chunks, read-out and state, as the engine charges them for chunks of 64.
    flops = 2 * rows * (64 * (state + heads * 64) + 2 * state * heads * 64)
    cool, sustained = {key: [] for key in variants}, {}

    def measure() -> dict:
        source = torch.empty(moved // 2, device="cuda", dtype=torch.uint8)
        target = torch.empty_like(source)
        copies = []
        for turn in range(3):
            for key, words in variants.items():
                engine.ask(f"scan {grid[0]} {grid[1]} {grid[2]} {heads} {state} {words}")
                time.sleep(0.3)
                cool[key].append(engine.ask(f"time {repeats}")["ms"])
                if turn == 2:
                    many = max(repeats, int(300 / cool[key][-1]))
                    engine.ask(f"time {many}")
                    sustained[key] = engine.ask(f"time {many}")["ms"]
            copies.append(torch_ms(lambda: target.copy_(source), repeats))
        copy = statistics.median(copies)
        return result("as they lie") | {"peer": copy, "peer_sustained": copy}

    def result(key: str) -> dict:
        both = 2 if key.startswith("both") else 1
        return {"ours": statistics.median(cool[key]), "ours_sustained": sustained[key], "flops": both * flops}

    table.section(f"{name} (peer: copy)", measure)
    for key in list(variants)[1:]:
        if sustained:
            table.section(f"{name}, {key}", lambda key=key: result(key))


TRANSFORMER = dict(
    patch_size=(1, 2, 2), num_attention_heads=12, attention_head_dim=128, in_channels=16, out_channels=16,
    text_dim=4096, freq_dim=256, ffn_dim=8960, cross_attn_norm=True, qk_norm="rms_norm_across_heads", eps=1e-6,
    rope_max_seq_len=1024,
)  # fmt: skip


def write_transformer(folder: Path, layers: int) -> None:
    from diffusers import WanTransformer3DModel

    torch.manual_seed(0)
    with torch.device("cuda"):
        model = WanTransformer3DModel(num_layers=layers, **TRANSFORMER)
    for name, parameter in model.named_parameters():
        # Modulation of published weights is small; of random ones it must not drown everything else.
        if name.endswith("scale_shift_table"):
            torch.nn.init.normal_(parameter, std=0.1)
    model.to(torch.bfloat16).save_pretrained(folder / "transformer", max_shard_size="20GB")


PROMPT_TOKENS, TEXT_ROWS = 120, 512  # a long prompt, filled up with zeros as WanPipeline does


def write_inputs(file: Path, height: int, width: int, frames: int = 21) -> dict:
    torch.manual_seed(1)
    text = torch.zeros(TEXT_ROWS, 4096)
    text[:PROMPT_TOKENS] = torch.randn(PROMPT_TOKENS, 4096)
    inputs = {
        "latents": torch.randn(16, frames, height // 8, width // 8),
        "text": text,
        "tokens": torch.tensor([PROMPT_TOKENS], dtype=torch.int32),
        "timestep": torch.tensor([500.0]),
    }
    save_file(inputs, file)
    return inputs


def transformer_section(
    engine: Engine, folder: Path, layers: int, size: tuple, dtype: str, timed: bool, fp8: dict | None = None
) -> dict:
    """`fp8`: filled with the same in fp8, beside the same peer, and with errors of both against float32."""
    from diffusers import WanTransformer3DModel

    if not (folder / "transformer").exists():
        write_transformer(folder, layers)
    inputs = write_inputs(folder / "inputs.safetensors", *size)
    engine.ask(f"transformer {folder} {folder / 'inputs.safetensors'} {dtype}")
    engine.ask("time 1")
    engine.ask(f"save {folder / 'ours.safetensors'}")
    # The reference in float32 where it is affordable, otherwise in the type under test.
    exact = torch.float32 if size[0] * size[1] <= 256 * 256 else getattr(torch, "bfloat16" if dtype == "bf16" else "float32")
    model = WanTransformer3DModel.from_pretrained(folder, subfolder="transformer", torch_dtype=exact).cuda().eval()

    def forward(network, kind):
        return network(
            inputs["latents"][None].cuda().to(kind), torch.tensor([500.0]).cuda(), inputs["text"][None].cuda().to(kind),
            return_dict=False,
        )[0]  # fmt: skip

    with torch.inference_mode():
        reference = forward(model, exact)[0].float().cpu()
    result = {"relative": relative_error(load_file(folder / "ours.safetensors")["result"], reference)}
    if timed:
        model = model.to(torch.bfloat16)
        for block in model.blocks:
            block.compile()
        fixed = [inputs["latents"][None].cuda().bfloat16(), torch.tensor([500.0]).cuda(), inputs["text"][None].cuda().bfloat16()]
        with torch.inference_mode():
            result |= compare(engine, lambda: model(*fixed, return_dict=False), 2)
            if fp8 is not None:
                fp8 |= fp8_forward(engine, folder, lambda: model(*fixed, return_dict=False))
    del model
    torch.cuda.empty_cache()
    if fp8 is not None:
        model = WanTransformer3DModel.from_pretrained(folder, subfolder="transformer", torch_dtype=torch.float32).cuda().eval()
        with torch.inference_mode():
            reference = forward(model, torch.float32)[0].float().cpu()
        for kind, name in (("bf16", "ours"), ("fp8", "fp8")):
            fp8[f"{kind} against f32"] = relative_error(load_file(folder / f"{name}.safetensors")["result"], reference)
        fp8["relative"] = fp8["fp8 against f32"]
        del model
        torch.cuda.empty_cache()
    return result


def salad_forward(engine: Engine, folder: Path, layers: int, size: tuple) -> dict:
    """SALAD at 90 % sparsity on random weights, beside this engine's own dense forward."""
    adapter = folder / "salad.safetensors"
    if not (folder / "transformer").exists():
        write_transformer(folder, layers)
    if not adapter.exists():
        width = TRANSFORMER["num_attention_heads"] * TRANSFORMER["attention_head_dim"]
        tensors = {}
        for layer in range(layers):
            prefix = f"blocks.{layer}.attn1.salad_"
            tensors[prefix + "proj.weight"] = (torch.randn(width, width) * 0.02).bfloat16()
            tensors[prefix + "proj.bias"] = (torch.randn(width) * 0.02).bfloat16()
            tensors[prefix + "gate.weight"] = (torch.randn(1, width) * 0.02).bfloat16()
            tensors[prefix + "gate.bias"] = torch.zeros(1).bfloat16()
        save_file(tensors, adapter)
    write_inputs(folder / "inputs.safetensors", *size)
    dense = Engine(engine.program)
    dense.ask(f"transformer {folder} {folder / 'inputs.safetensors'} bf16")
    engine.ask(f"transformer {folder} {folder / 'inputs.safetensors'} bf16 {adapter}")
    result = compare(engine, dense, 2)
    dense.end()
    return result


def fp8_forward(engine: Engine, folder: Path, peer) -> dict:
    engine.ask(f"transformer {folder} {folder / 'inputs.safetensors'} fp8")
    engine.ask("time 1")
    engine.ask(f"save {folder / 'fp8.safetensors'}")
    return compare(engine, peer, 2)


def stored_rows(rows: dict) -> dict:
    """What an earlier section found; its absence is an error of this one."""
    if not rows:
        raise RuntimeError("the forward in bf16 was not measured")
    return rows


def vae_section(engine: Engine, folder: Path, size: tuple, frames: int, dtype: str, timed: bool) -> dict:
    from diffusers import AutoencoderKLWan

    if not (folder / "vae").exists():
        torch.manual_seed(0)
        AutoencoderKLWan().save_pretrained(folder / "vae")
    inputs = write_inputs(folder / "vae_inputs.safetensors", *size, frames)
    engine.ask(f"vae {folder} {folder / 'vae_inputs.safetensors'} {dtype} whole")
    engine.ask("time 1")
    engine.ask(f"save {folder / 'vae_ours.safetensors'}")
    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    model = AutoencoderKLWan.from_pretrained(folder, subfolder="vae", torch_dtype=kind).cuda().eval()
    mean, deviation = (
        torch.tensor(values).view(1, -1, 1, 1, 1) for values in (model.config.latents_mean, model.config.latents_std)
    )
    latents = (inputs["latents"][None] * deviation + mean).cuda().to(kind)
    with torch.inference_mode():
        decoded = model.decode(latents, return_dict=False)[0].float().clamp(-1, 1)[0].permute(1, 2, 3, 0).cpu()
    result = {"relative": relative_error(load_file(folder / "vae_ours.safetensors")["result"], decoded)}
    if timed:
        with torch.inference_mode():
            result |= compare(engine, lambda: model.decode(latents, return_dict=False), 1)
    del model
    torch.cuda.empty_cache()
    return result


def encode_section(engine: Engine, folder: Path, size: tuple, frames: int, dtype: str, timed: bool) -> dict:
    """The auto-encoder's other half: the mean of the posterior, normalised."""
    from diffusers import AutoencoderKLWan

    if not (folder / "vae").exists():
        torch.manual_seed(0)
        AutoencoderKLWan().save_pretrained(folder / "vae")
    torch.manual_seed(2)
    clip = torch.rand(frames, *size, 3) * 2 - 1
    save_file({"frames": clip}, folder / "encode_inputs.safetensors")
    engine.ask(f"encode {folder} {folder / 'encode_inputs.safetensors'} {dtype}")
    engine.ask("time 1")
    engine.ask(f"save {folder / 'encode_ours.safetensors'}")
    kind = torch.bfloat16 if dtype == "bf16" else torch.float32
    model = AutoencoderKLWan.from_pretrained(folder, subfolder="vae", torch_dtype=kind).cuda().eval()
    mean, deviation = (torch.tensor(values).view(-1, 1, 1, 1) for values in (model.config.latents_mean, model.config.latents_std))
    pixels = clip.permute(3, 0, 1, 2)[None].cuda().to(kind)
    with torch.inference_mode():
        encoded = model.encode(pixels, return_dict=False)[0].mode()[0].float().cpu()
    result = {"relative": relative_error(load_file(folder / "encode_ours.safetensors")["result"], (encoded - mean) / deviation)}
    if timed:
        with torch.inference_mode():
            result |= compare(engine, lambda: model.encode(pixels, return_dict=False), 1)
    del model
    torch.cuda.empty_cache()
    return result


TEXT_ENCODER = dict(  # UMT5-XXL but for its vocabulary, of which only the rows of a prompt are ever read
    vocab_size=8192, d_model=4096, d_kv=64, d_ff=10240, num_heads=64, relative_attention_num_buckets=32,
    relative_attention_max_distance=128, feed_forward_proj="gated-gelu", layer_norm_epsilon=1e-6,
)  # fmt: skip


def text_section(engine: Engine, folder: Path, tokens: int, dtype: str) -> dict:
    """The text encoder of Wan2.1 with two layers, against itself in f32."""
    from transformers import UMT5Config, UMT5EncoderModel

    if not (folder / "text_encoder").exists():
        torch.manual_seed(0)
        with torch.device("cuda"):
            model = UMT5EncoderModel(UMT5Config(num_layers=2, **TEXT_ENCODER))
        model.to(torch.bfloat16).save_pretrained(folder / "text_encoder")
    torch.manual_seed(3)
    ids = torch.randint(2, TEXT_ENCODER["vocab_size"], (tokens,), dtype=torch.int32)
    save_file({"ids": ids}, folder / "text_inputs.safetensors")
    engine.ask(f"text {folder} {folder / 'text_inputs.safetensors'} {dtype}")
    engine.ask("time 1")
    engine.ask(f"save {folder / 'text_ours.safetensors'}")
    model = UMT5EncoderModel.from_pretrained(folder / "text_encoder", torch_dtype=torch.float32).cuda().eval()
    batch = ids[None].long().cuda()
    with torch.inference_mode():
        reference = model(batch, return_dict=False)[0][0].float().cpu()
        result = {"relative": relative_error(load_file(folder / "text_ours.safetensors")["result"], reference)}
        model = model.to(torch.bfloat16 if dtype == "bf16" else torch.float32)
        result |= compare(engine, lambda: model(batch, return_dict=False), 5)
    del model
    torch.cuda.empty_cache()
    return result


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", required=True, help="the program gpu_bench")
    parser.add_argument("--quick", action="store_true", help="correctness and the main figures only")
    parser.add_argument("--fp8", action="store_true", help="the rows in fp8 as well")
    parser.add_argument("--only", default="", help="regular expression: rows whose name holds it")
    parser.add_argument("--json", help="where to write every figure")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False  # f32 is the reference
    torch.backends.cudnn.allow_tf32 = False
    engine = Engine(options.bench)
    versions = {"torch": torch.__version__, "cudnn": torch.backends.cudnn.version()}
    print(json.dumps(engine.about | versions), flush=True)
    print(f"transformers, the peer's too: a prompt of {PROMPT_TOKENS} tokens, filled up with zeros to {TEXT_ROWS}", flush=True)
    table = Table(options.only)
    with tempfile.TemporaryDirectory() as scratch:
        one, all30 = Path(scratch) / "one", Path(scratch) / "all"
        one.mkdir(), all30.mkdir()
        small, full, large = (128, 192), (480, 832), (720, 1280)
        fp8 = {} if options.fp8 else None
        if options.fp8:
            table.section("transformer 1 layer, small, fp8", lambda: transformer_section(engine, one, 1, small, "fp8", False))
        for dtype in ("f32", "bf16"):
            table.section(f"transformer 1 layer, small, {dtype}", lambda: transformer_section(engine, one, 1, small, dtype, False))
            table.section(f"VAE decode 128x192x9, {dtype}", lambda: vae_section(engine, one, small, 3, dtype, False))
            table.section(f"VAE encode 128x192x9, {dtype}", lambda: encode_section(engine, one, small, 9, dtype, False))
            table.section(f"UMT5-XXL, 2 layers, 226 tokens, {dtype}", lambda: text_section(engine, one, 226, dtype))
        for kernel in ("wgmma", "cudnn", "mma"):
            table.section(f"attention {kernel} 32760 x 12 x 128", lambda: attention_section(engine, kernel, 12, 32760, 32760, 128))
        for kernel in ("wgmma", "onetile", "cudnn"):
            table.section(f"attention {kernel} cross 32760 x 121", lambda: attention_section(engine, kernel, 12, 32760, 121, 128))
        table.section("attention wgmma cross 32760 x 512", lambda: attention_section(engine, "wgmma", 12, 32760, 512, 128))
        table.section("transformer 30 layers 480p x 81, bf16", lambda: transformer_section(engine, all30, 30, full, "bf16", True, fp8))
        table.section("SALAD 30 layers 480p x 81, beside our dense", lambda: salad_forward(engine, all30, 30, full))
        if options.fp8:
            table.section("transformer 30 layers 480p x 81, fp8", lambda: stored_rows(fp8))
            table.section("transformer 30 layers 480p, bf16 against f32", lambda: {"relative": stored_rows(fp8)["bf16 against f32"]})
            table.section("attention fp8 32760 x 12 x 128", lambda: fp8_attention_section(engine, 12, 32760, 128))
            for kernel in ("fp8", "wgmma"):
                table.section(f"attention {kernel} against f32, 8192 x 4 x 128",
                              lambda: fp8_error_section(engine, one, kernel, 4, 8192, 128))  # fmt: skip
        table.section("VAE decode 480p x 81, bf16", lambda: vae_section(engine, one, full, 21, "bf16", True))
        table.section("VAE encode 480p x 81, bf16", lambda: encode_section(engine, one, full, 81, "bf16", True))
        for name, inner, out, activation in (("qkv", 1536, 4608, "none"), ("out", 1536, 1536, "none"),
                                             ("ffn1", 1536, 8960, "gelu"), ("ffn2", 8960, 1536, "none")):  # fmt: skip
            table.section(f"linear {name} 32760 x {inner} -> {out}", lambda: linear_section(engine, 32760, inner, out, activation))
            if options.fp8:
                table.section(f"linear {name} 32760 x {inner} -> {out}, fp8",
                              lambda: fp8_linear_section(engine, 32760, inner, out, activation))  # fmt: skip
        table.section("layer norm + modulation 32760 x 1536", lambda: norm_section(engine, "layer", 32760, 1536))
        table.section("QK norm + RoPE 32760 x 1536", lambda: norm_section(engine, "rms_rope", 32760, 1536))
        for grid in ((32, 32, 32), (64, 64, 64)):
            scan_rows(engine, table, grid)
        for frames, height, width, channels in ((4, 480, 832, 96), (4, 240, 416, 192), (2, 120, 208, 384)):
            table.section(f"conv {channels} ch, {frames} x {height} x {width}",
                          lambda: conv_section(engine, frames, height, width, channels))  # fmt: skip
        if not options.quick:
            for kernel in ("wgmma", "cudnn"):
                table.section(f"attention {kernel} 75600 x 12 x 128", lambda: attention_section(engine, kernel, 12, 75600, 75600, 128))
                table.section(f"attention {kernel} 32768 x 12 x 64", lambda: attention_section(engine, kernel, 12, 32768, 32768, 64))
            if options.fp8:
                table.section("attention fp8 75600 x 12 x 128", lambda: fp8_attention_section(engine, 12, 75600, 128))
            table.section("transformer 30 layers 720p x 81, bf16", lambda: transformer_section(engine, all30, 30, large, "bf16", True))
    if options.json:
        Path(options.json).write_text(json.dumps({"about": engine.about | versions, "rows": table.rows}, indent=1))
    table.print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
