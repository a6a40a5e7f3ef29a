"""The tokenizer: a SentencePiece unigram model with one piece per word of the captions and one per character for everything else.

`spiece.model` and `tokenizer.json` are written from the same list of pieces and hold the same case-folding normaliser, so that capitals
do not matter. Ids: 0 padding, 1 end of sentence, 2 unknown; there is no beginning-of-sentence piece.
"""

from __future__ import annotations

import json
import string
import tempfile
from pathlib import Path
from typing import Sequence

import numpy as np
import sentencepiece

from .configs import TEXT_LENGTH

PAD, END, UNKNOWN = 0, 1, 2
SPECIAL_PIECES = ("<pad>", "</s>", "<unk>")
SPACE = "▁"
WORD_SCORE, CHARACTER_SCORE = -4.0, -14.0
"""Log-probabilities: a whole word always beats its letters."""
PUNCTUATION = ".,!?;:'\"()-"
CASE_FOLDING = "nmt_nfkc_cf"


def pieces(words: Sequence[str], multiple: int = 8) -> list[tuple[str, float]]:
    """All pieces with their scores, in the order of their ids; padded with unused ones to a multiple of `multiple`."""
    result = [(piece, 0.0) for piece in SPECIAL_PIECES]
    result += [(SPACE + word, WORD_SCORE) for word in words if word not in PUNCTUATION]
    result += [(SPACE, CHARACTER_SCORE)]
    result += [(character, CHARACTER_SCORE) for character in string.ascii_lowercase + string.digits + PUNCTUATION]
    known = {piece for piece, _ in result}
    if len(known) != len(result):
        raise ValueError("a piece occurs twice")
    while len(result) % multiple:
        result.append((f"<unused{len(result)}>", CHARACTER_SCORE * 4))
    return result


def _trained_normaliser():
    """The normaliser specification that SentencePiece itself writes for case folding."""
    from sentencepiece import sentencepiece_model_pb2 as schema

    with tempfile.TemporaryDirectory() as folder:
        prefix = str(Path(folder) / "throwaway")
        sentences = ["a small text that only exists to obtain a normaliser"] * 10
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences), model_prefix=prefix, vocab_size=40, hard_vocab_limit=False, model_type="unigram",
            normalization_rule_name=CASE_FOLDING, pad_id=PAD, eos_id=END, unk_id=UNKNOWN, bos_id=-1, minloglevel=2,
        )  # fmt: skip
        model = schema.ModelProto()
        model.ParseFromString(Path(prefix + ".model").read_bytes())
    return model


def write_sentencepiece(path: Path, vocabulary: list[tuple[str, float]]) -> bytes:
    """Writes spiece.model; returns the compiled normaliser for `write_fast_tokenizer`."""
    model = _trained_normaliser()
    kinds = type(model).SentencePiece
    del model.pieces[:]
    for index, (text, score) in enumerate(vocabulary):
        kind = kinds.NORMAL
        if index in (PAD, END):
            kind = kinds.CONTROL
        elif index == UNKNOWN:
            kind = kinds.UNKNOWN
        elif text.startswith("<unused"):
            kind = kinds.UNUSED
        model.pieces.add(piece=text, score=score, type=kind)
    model.trainer_spec.vocab_size = len(vocabulary)
    model.trainer_spec.ClearField("input")
    model.trainer_spec.model_prefix = "spiece"
    path.write_bytes(model.SerializeToString(deterministic=True))
    return model.normalizer_spec.precompiled_charsmap


def write_fast_tokenizer(path: Path, vocabulary: list[tuple[str, float]], charsmap: bytes) -> None:
    """Writes tokenizer.json, the same tokenizer for the `tokenizers` library."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(charsmap), normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[(SPECIAL_PIECES[END], END)]
    )
    tokenizer.add_special_tokens([AddedToken(piece, special=True, normalized=False) for piece in SPECIAL_PIECES])
    tokenizer.save(str(path))


def write_folder(folder: Path, words: Sequence[str]) -> int:
    """Writes the tokenizer folder of a pipeline; returns the number of pieces."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = pieces(words)
    charsmap = write_sentencepiece(folder / "spiece.model", vocabulary)
    write_fast_tokenizer(folder / "tokenizer.json", vocabulary, charsmap)
    names = dict(zip(("pad_token", "eos_token", "unk_token"), SPECIAL_PIECES))
    settings = {"tokenizer_class": "T5Tokenizer", "model_max_length": TEXT_LENGTH, "extra_ids": 0, "additional_special_tokens": [], **names}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "special_tokens_map.json").write_text(json.dumps(names, indent=2) + "\n")
    return len(vocabulary)


class CaptionTokenizer:
    """Sentences -> int64 ids [B, TEXT_LENGTH], ended by END and padded with PAD."""

    def __init__(self, model_file: str | Path):
        self.model_file = str(model_file)
        self.processor = sentencepiece.SentencePieceProcessor(model_file=self.model_file)

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        ids = np.full((len(sentences), TEXT_LENGTH), PAD, np.int64)
        for row, encoded in enumerate(self.processor.encode(list(sentences))):
            encoded = encoded[: TEXT_LENGTH - 1] + [END]
            ids[row, : len(encoded)] = encoded
        return ids

    @property
    def size(self) -> int:
        return self.processor.get_piece_size()

    def __reduce__(self):
        return CaptionTokenizer, (self.model_file,)
