"""Checks the world and the tokenizer on the CPU in a few seconds: python check_world.py [--tokenizer work/tokenizer]

* no training scene holds a held-out pair, every held-out scene holds one;
* every word of every caption is one piece, SentencePiece and the fast tokenizer agree, and capitals make no difference;
* clips of all kinds render within range, and the same seed gives the same clip.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from minimodel.tokenizer import UNKNOWN, CaptionTokenizer
from miniworld import backgrounds, sprites
from miniworld.batches import View, make_batch
from miniworld.captions import caption, plain_caption, vocabulary
from miniworld.renderer import Renderer
from miniworld.scenes import draw_scene, is_held_out, pair_is_held_out

SCENES = 3000
ODD_TEXTS = ("", " ", "A RED Balloon  rises, at Sunset.", "full width ＡＢＣ — dash", "one,two", "two\nlines\tand a tab", "(best) quality!?")


def check_held_out_rule() -> None:
    rng = random.Random(1)
    for _ in range(SCENES):
        scene = draw_scene(rng)
        for sprite, motion in zip(scene.sprites, scene.motions):
            assert not pair_is_held_out(sprite, motion) and not pair_is_held_out(sprite, scene.place)
        assert is_held_out(draw_scene(rng, held_out=True))
    print(f"held-out rule: {SCENES} scenes of each kind")


def check_tokenizer(folder: Path) -> None:
    from transformers import T5TokenizerFast

    rng = random.Random(2)
    tokenizer, fast = CaptionTokenizer(folder / "spiece.model"), T5TokenizerFast.from_pretrained(folder)
    plain = [plain_caption(draw_scene(rng), rng) for _ in range(500)]
    for sentence, ids in zip(plain, tokenizer(plain)):
        words = sentence.replace(",", " ,").split()
        assert (ids > 0).sum() == len(words) + 1 and UNKNOWN not in ids, sentence
    texts = [caption(draw_scene(rng), rng, 0.12) for _ in range(SCENES)] + list(ODD_TEXTS)
    ours = tokenizer(texts)
    theirs = fast(texts, padding="max_length", max_length=ours.shape[1], truncation=True, return_tensors="np").input_ids
    assert (ours == theirs).all()
    assert (tokenizer([text.upper() for text in plain]) == tokenizer(plain)).all()
    print(f"tokenizer: {tokenizer.size} pieces, {len(vocabulary())} words, longest caption {int((ours > 0).sum(1).max())} tokens")


def check_renderer() -> None:
    renderer = Renderer(backgrounds.paint_bank(1), sprites.rasterise_atlas(), "cpu")
    views = (
        View(frames=1, random_start=True),
        View.of_size(192, 320, 5),
        View(128, 128, 5, crop=True, random_start=True),
        View(128, 128, 9, stride=4, scale=0.5),
    )
    for view in views:
        clips = []
        for _ in range(2):
            rng = random.Random(3)
            clip, cover = renderer.render(make_batch([draw_scene(rng) for _ in range(3)], view, rng))
            clips.append(clip.numpy())
        assert clips[0].shape == (3, 3, view.frames, view.height, view.width) and np.array_equal(*clips)
        assert np.isfinite(clips[0]).all() and abs(clips[0]).max() <= 1 and 0 <= float(cover.min()) and float(cover.max()) <= 1
    print(f"renderer: {len(views)} kinds of clips")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokenizer", type=Path, default=Path("../models/mini/tokenizer"))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    check_held_out_rule()
    check_tokenizer(arguments.tokenizer)
    check_renderer()


if __name__ == "__main__":
    main()
