"""Trains the scorer on the world and states its accuracy on fresh real clips: python train_scorer.py --seconds 100"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

import torch
from minimodel.feeding import make_renderer, scene_batches
from minimodel.optimisers import FlatGradients
from minimodel.parallel import Budget, Team, ramp
from minimodel.scorer import FRAMES, HEADS, SIZE, Scorer, judge, read_clips, soften, targets
from miniworld.batches import View, make_batch
from miniworld.scenes import draw_scene
from safetensors.torch import save_file

RATE = 2e-3
CHECK_SEED = 555


def accuracy_on_real_clips(scorer: Scorer, renderer, count: int, sprite_count: int, size: int = 256) -> dict:
    """Share of right answers on fresh, undegraded clips that include held-out pairs."""
    rng = random.Random(CHECK_SEED)
    right, asked = dict.fromkeys(HEADS, 0), dict.fromkeys(HEADS, 0)
    for _ in range(0, count, 8):
        scenes = [draw_scene(rng, None, sprite_count) for _ in range(8)]
        clips, _ = renderer.render(make_batch(scenes, View.of_size(size, size), rng))
        tally, _ = judge(read_clips(scorer, clips), scenes)
        for name in HEADS:
            right[name] += tally.right[name]
            asked[name] += tally.asked[name]
    return {name: round(right[name] / asked[name], 4) for name in HEADS}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("work/scorer.safetensors"))
    parser.add_argument("--atlas", default="work/atlas.npz")
    parser.add_argument("--variants", type=int, default=24)
    parser.add_argument("--seconds", type=float, default=100)
    parser.add_argument("--steps", type=int, help="instead of seconds")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--check-clips", type=int, default=512)
    arguments = parser.parse_args()
    team = Team()
    torch.manual_seed(team.rank)
    torch.backends.cudnn.benchmark = True
    renderer = make_renderer(team, arguments.atlas, arguments.variants)
    scorer = Scorer().to(team.device)
    team.share_parameters(scorer)
    team.say(f"{sum(p.numel() for p in scorer.parameters())} parameters")
    optimiser = torch.optim.AdamW(scorer.parameters(), lr=RATE, weight_decay=0.01)
    view = View(SIZE, SIZE, FRAMES, stride=4, scale=SIZE / 256)
    batches = scene_batches(31 + team.rank, [(view, arguments.batch)], workers=arguments.workers, held_out=None)
    gradients = FlatGradients(list(scorer.parameters()))
    budget = Budget(team, arguments.seconds, arguments.steps)
    on_gpu = team.device.type == "cuda"
    step = 0
    while (progress := budget.advance()) < 1:
        batch = next(batches)
        clips, _ = renderer.render(batch)
        with torch.autocast("cuda", torch.bfloat16, enabled=on_gpu):
            logits = scorer(soften(clips))
        wanted = targets(batch.scenes, team.device)
        losses = {name: torch.nn.functional.cross_entropy(logits[name], wanted[name]) for name in HEADS}
        gradients.compute(sum(losses.values()))
        team.average(gradients.buffer)
        torch.nn.utils.clip_grad_norm_(gradients.parameters, 1.0)
        for group in optimiser.param_groups:
            group["lr"] = RATE * ramp(progress, step, warm_up=100, hold=0.4, final=0.01)
        optimiser.step()
        step += 1
        if step in (1, 5, 20) or step % 200 == 0:
            team.say(f"scorer step {step} {100 * progress:.0f} %", " ".join(f"{name} {loss.item():.3f}" for name, loss in losses.items()))
    if team.leads:
        scorer.eval()
        save_file({name: value.to(torch.bfloat16).contiguous() for name, value in scorer.state_dict().items()}, arguments.out)
        size = 256 if on_gpu else SIZE
        results = {f"{n} sprite": accuracy_on_real_clips(scorer, renderer, arguments.check_clips, n, size) for n in (1, 2)}
        results |= {"steps": step, "clips": step * arguments.batch * team.size, "clips checked": arguments.check_clips}
        arguments.out.with_suffix(".json").write_text(json.dumps(results, indent=1))
        team.say(json.dumps(results))
    team.wait()
    team.close()


if __name__ == "__main__":
    main()
