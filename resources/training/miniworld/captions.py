"""Sentences that describe a scene, in a small grammar, and the list of words the grammar can produce."""

from __future__ import annotations

import random
import string

from .scenes import Scene
from .sprites import HUES, SHAPES, SPRITE_INDEX, SPRITES

PLACE_PHRASES = {
    "meadow": ("in a meadow", "on a green meadow", "in a field of flowers", "in a grassy field", "on the grass"),
    "mountains": ("in the mountains", "in front of snowy mountains", "near the mountains"),
    "beach": ("on a beach", "on the beach", "at the beach", "on the sand by the sea"),
    "ocean": ("on the ocean", "at sea", "over the waves", "over the ocean"),
    "desert": ("in the desert", "in a sandy desert", "in a desert"),
    "snow": ("in the snow", "in a snowy landscape", "on a snow field"),
    "forest": ("in a forest", "in the forest", "in the woods", "among the trees"),
    "city": ("in the city", "in a city street", "in front of city buildings", "in a city"),
    "road": ("on a road", "on the road", "on a country road", "on the highway"),
    "room": ("in a room", "in a living room", "indoors", "in the living room"),
    "space": ("in space", "in outer space", "among the stars"),
    "underwater": ("underwater", "under the sea", "at the bottom of the sea", "under water"),
}
TIME_PHRASES = {
    "day": ("", "", "", "by day", "in daylight", "on a sunny day", "during the day"),
    "sunset": ("at sunset", "at dusk", "in the evening light", "in the evening"),
    "night": ("at night", "on a dark night", "by moonlight", "during the night"),
    "none": ("",),
}
WEATHER_PHRASES = {
    "none": ("",),
    "rain": ("in the rain", "while it rains", "on a rainy day"),
    "snowfall": ("while snow falls", "in falling snow", "while it snows"),
}
CAMERA_PHRASES = {
    "static": ("",),
    "pan left": ("the camera pans left", "camera moving left"),
    "pan right": ("the camera pans right", "camera moving right"),
    "zoom in": ("the camera zooms in", "slow zoom in"),
    "zoom out": ("the camera zooms out", "slow zoom out"),
}
GAIT_VERBS = {
    "walk": (("runs", "running"), ("walks", "walking"), ("moves", "moving")),
    "drive": (("drives", "driving"), ("rolls", "rolling"), ("moves", "moving")),
    "fly": (("flies", "flying"), ("floats", "floating"), ("moves", "moving")),
    "swim": (("swims", "swimming"), ("glides", "gliding"), ("moves", "moving")),
    "slide": (("moves", "moving"), ("slides", "sliding"), ("travels", "traveling")),
}
"""(finite, gerund) forms of the verb for a sideways motion."""
DIRECTION_PHRASES = {
    "left": ("left", "to the left", "to the left", "from right to left"),
    "right": ("right", "to the right", "to the right", "from left to right"),
}
DIRECTION_DROPPED_SHARE = 0.06
MOTION_PHRASES = {
    "up": (("rises", "rising"), ("goes up", "going up"), ("moves up", "moving up"), ("floats up", "floating up")),
    "down": (("falls", "falling"), ("goes down", "going down"), ("moves down", "moving down"), ("sinks down", "sinking down")),
    "bounce": (("bounces", "bouncing"), ("jumps up and down", "jumping up and down"), ("hops", "hopping"), ("jumps", "jumping")),
    "spin": (("spins", "spinning"), ("rotates", "rotating"), ("spins around", "spinning around")),
    "grow": (("grows", "growing"), ("gets bigger", "getting bigger"), ("becomes larger", "becoming larger")),
    "shrink": (("shrinks", "shrinking"), ("gets smaller", "getting smaller"), ("becomes tiny", "becoming tiny")),
    "circle": (("moves in a circle", "moving in a circle"), ("goes around in circles", "going around in circles"), ("circles", "circling")),
    "zigzag": (("zigzags to the right", "zigzagging to the right"), ("moves in a zigzag", "moving in a zigzag"), ("zigzags", "zigzagging")),
    "still": (("stands still", "standing still"), ("stays in place", "staying in place"), ("does not move", "not moving")),
    "swing": (
        ("swings from side to side", "swinging from side to side"),
        ("sways left and right", "swaying left and right"),
        ("rocks back and forth", "rocking back and forth"),
    ),
}
OPENINGS = ("a video of", "a clip of", "video of")
STYLE_WORDS = ("cute", "cartoon", "colorful", "cinematic", "beautiful", "high quality", "4k", "animation")
PLACEBO_ADJECTIVES = ("cute", "little", "small", "big", "happy", "funny", "beautiful")
"""Adjectives that change nothing in the picture: learnt so that they do no harm."""
EXTRA_WORDS = ("black", "orange", "white", "brown", "gray", "grey", "golden", "the", "one", "two", "with", "some", "and", "while", ",", ".")


def with_article(noun_phrase: str) -> str:
    """Puts "a" or "an" in front."""
    vowel_sound = noun_phrase[0] in "aeiou" and not noun_phrase.startswith(("ufo", "unicorn"))
    return ("an " if vowel_sound else "a ") + noun_phrase


def _subject(sprite_key: str, rng: random.Random) -> str:
    sprite = SPRITES[SPRITE_INDEX[sprite_key]]
    words = [rng.choice(sprite.names)]
    if sprite.colour:
        words.insert(0, sprite.colour)
    elif sprite.hue_word and rng.random() < 0.12:
        words.insert(0, sprite.hue_word)
    chance = rng.random()
    if chance < 0.06:
        words.insert(0, rng.choice(PLACEBO_ADJECTIVES))
    elif chance < 0.09:  # an unknown word, spelt with the tokenizer's letters
        words.insert(0, "".join(rng.choices(string.ascii_lowercase, k=rng.randint(3, 8))))
    return with_article(" ".join(words))


def _verb_phrase(sprite_key: str, motion: str, gerund: bool, rng: random.Random) -> str:
    if motion in DIRECTION_PHRASES:
        verb = rng.choice(GAIT_VERBS[SPRITES[SPRITE_INDEX[sprite_key]].gait])[gerund]
        if rng.random() < DIRECTION_DROPPED_SHARE:
            return verb
        return f"{verb} {rng.choice(DIRECTION_PHRASES[motion])}"
    return rng.choice(MOTION_PHRASES[motion])[gerund]


def _join(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def caption(scene: Scene, rng: random.Random, bare_share: float = 0.0) -> str:
    """Describes the scene in one sentence; with probability `bare_share` it only names the sprites."""
    gerund = rng.random() < 0.4
    bare = rng.random() < bare_share
    clauses = []
    for key, motion in zip(scene.sprites, scene.motions):
        verb = "" if bare and rng.random() < 0.7 else _verb_phrase(key, motion, gerund, rng)
        clauses.append(_join(_subject(key, rng), verb))
    action = rng.choice((" and ", " while ") if not gerund and not bare else (" and ",)).join(clauses)
    if bare:
        sentence = _join(action, rng.choice(PLACE_PHRASES[scene.place])) if rng.random() < 0.4 else action
    else:
        circumstances = [rng.choice(WEATHER_PHRASES[scene.weather]), rng.choice(TIME_PHRASES[scene.time])]
        rng.shuffle(circumstances)
        where = _join(rng.choice(PLACE_PHRASES[scene.place]), *circumstances)
        sentence = f"{where}, {action}" if rng.random() < 0.25 else f"{action} {where}"
        camera = rng.choice(CAMERA_PHRASES[scene.camera])
        if camera:
            sentence += ", " + camera
    chance = rng.random()
    if chance < 0.04:
        sentence = f"{rng.choice(OPENINGS)} {sentence}"
    elif chance < 0.08:
        sentence = f"{sentence}, {rng.choice(STYLE_WORDS)}"
    return sentence + ("." if rng.random() < 0.12 else "")


def plain_caption(scene: Scene, rng: random.Random) -> str:
    """The caption without openings, style words, placebo adjectives or full stop: what the evaluation asks."""
    while True:
        sentence = caption(scene, rng)
        words = set(sentence.replace(",", " ").split())
        noise = set(PLACEBO_ADJECTIVES) | {word for phrase in STYLE_WORDS for word in phrase.split()} | {"video", "clip"}
        vague = any(m in DIRECTION_PHRASES for m in scene.motions) and not words & {"left", "right"}
        if not sentence.endswith(".") and not words & noise and words <= set(vocabulary()) and not vague:
            return sentence


def vocabulary() -> list[str]:
    """Every word and punctuation mark the grammar can produce, sorted."""
    phrases: list[str] = [name for shape in SHAPES for name in (*shape.names, shape.hue_word)]
    for table in (PLACE_PHRASES, TIME_PHRASES, WEATHER_PHRASES, CAMERA_PHRASES, DIRECTION_PHRASES):
        phrases += [phrase for options in table.values() for phrase in options]
    for table in (GAIT_VERBS, MOTION_PHRASES):
        phrases += [form for options in table.values() for pair in options for form in pair]
    phrases += [*OPENINGS, *STYLE_WORDS, *PLACEBO_ADJECTIVES, *EXTRA_WORDS, *HUES, "a", "an"]
    return sorted({word for phrase in phrases for word in phrase.split()})
