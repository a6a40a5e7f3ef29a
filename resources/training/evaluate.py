"""Scores a model on held-out prompts, with nothing picked, and draws contact sheets.

python evaluate.py --model ../models/mini --out work/evaluation
python evaluate.py --model work/lingen/model --frames 129 --batch 4 --prompts 32

Every prompt holds a pair (sprite, motion) or (sprite, place) that training never saw. Beside the model's score stand the scorer's own score
on real clips of the same scenes (ceiling) and on the generated clips shifted by one prompt (control). The noise seed of a clip is its index.
Clips longer than 33 frames show the same course of things more slowly, so that the same scorer judges them; of these it is also asked for
every quarter which sprite it shows (identity, kept from the first quarter to the last).
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import torch
from minimodel.export import read_model
from minimodel.feeding import make_renderer
from minimodel.parallel import Team
from minimodel.pictures import save_sheet
from minimodel.scorer import Scorer, identity, judge, read_clips
from miniworld import CLIP_FRAMES
from miniworld.batches import make_batch, whole_course
from miniworld.captions import plain_caption
from miniworld.scenes import Scene, draw_scene
from safetensors.torch import load_file


def draw_prompts(seed: int, count: int, sprite_count: int) -> tuple[list[Scene], list[str]]:
    """The evaluation's scenes and their captions."""
    rng = random.Random(seed)
    scenes = [draw_scene(rng, held_out=True, sprite_count=sprite_count) for _ in range(count)]
    return scenes, [plain_caption(scene, rng) for scene in scenes]


def share(table: dict) -> dict:
    return {name: f"{entry['right']}/{entry['of']} = {100 * entry['right'] / max(1, entry['of']):.1f} %" for name, entry in table.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("../models/mini"))
    parser.add_argument("--scorer", type=Path, default=Path("scorer.safetensors"))
    parser.add_argument("--atlas", default="work/atlas.npz")
    parser.add_argument("--out", type=Path, default=Path("work/evaluation"))
    parser.add_argument("--prompts", type=int, default=64)
    parser.add_argument("--sprites", type=int, default=1, help="sprites in every prompt")
    parser.add_argument("--seed", type=int, default=2024)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, nargs="+", default=[4.0])
    parser.add_argument("--variants", type=int, default=24)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--frames", type=int, default=CLIP_FRAMES, help="4k + 1")
    parser.add_argument("--batch", type=int, default=16, help="clips drawn at a time")
    parser.add_argument("--sheets", type=int, default=4, help="contact sheets of 16 clips to write")
    parser.add_argument("--clips", help="score the clips of this file instead of drawing any: a torch file, uint8 [B, T, H, W, 3]")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    torch.backends.cuda.enable_cudnn_sdp(False)  # it is not asked for masks of windows
    team = Team()
    scorer = Scorer()
    scorer.load_state_dict({name: value.float() for name, value in load_file(arguments.scorer).items()})
    scorer.to(team.device).eval()
    scenes, prompts = draw_prompts(arguments.seed, arguments.prompts, arguments.sprites)
    renderer = make_renderer(team, arguments.atlas, arguments.variants)
    rng = random.Random(arguments.seed + 1)
    view = whole_course(arguments.frames, arguments.size, arguments.size)
    real = torch.cat([renderer.render(make_batch([s], view, rng))[0].cpu() for s in scenes])
    ceiling, _ = judge(read_clips(scorer, real), scenes)
    report = {"prompts": len(prompts), "frames": arguments.frames, "seed": arguments.seed, "steps": arguments.steps, "ceiling": ceiling.as_table(), "model": {}}
    print("ceiling", share(ceiling.as_table()))
    long = arguments.frames > CLIP_FRAMES
    if long:
        report["identity of real clips"] = identity(scorer, real, scenes)
        print("identity of real clips", share(report["identity of real clips"]))
    del real
    sampler = None if arguments.clips else read_model(arguments.model, team.device)
    for guidance in arguments.guidance:
        begun = time.time()
        if arguments.clips:
            stored = torch.load(arguments.clips, weights_only=True)
            clips = stored.permute(0, 4, 1, 2, 3).float() / 127.5 - 1
        else:
            options = dict(height=arguments.size, width=arguments.size, frames=arguments.frames, steps=arguments.steps, guidance=guidance)
            clips = torch.cat([
                sampler.clips(prompts[start : start + arguments.batch], seeds=range(start, min(start + arguments.batch, len(prompts))), **options).cpu()
                for start in range(0, len(prompts), arguments.batch)
            ])  # fmt: skip
        logits = read_clips(scorer, clips)
        tally, rows = judge(logits, scenes)
        control, _ = judge(logits, scenes[1:] + scenes[:1])
        print(f"guidance {guidance}: {time.time() - begun:.1f} s", share(tally.as_table()))
        print("control", share(control.as_table()))
        for row, prompt in zip(rows, prompts):
            row["prompt"] = prompt
        report["model"][str(guidance)] = {"score": tally.as_table(), "control": control.as_table(), "clips": rows}
        if long:
            report["model"][str(guidance)]["identity"] = identity(scorer, clips, scenes)
            print("identity", share(report["model"][str(guidance)]["identity"]))
        for sheet in range(min(arguments.sheets, -(-len(prompts) // 16))):
            chosen = slice(16 * sheet, 16 * sheet + 16)
            save_sheet(arguments.out / f"sheet_g{guidance:g}_{sheet}.jpg", clips[chosen], prompts[chosen])
    (arguments.out / "scores.json").write_text(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
