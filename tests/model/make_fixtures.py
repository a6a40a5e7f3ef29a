#!/usr/bin/env python3
"""Makes tests/model/fixtures: what the reference makes of prompts.

    python3 tests/model/make_fixtures.py          # in an environment with the packages below

Made with diffusers 0.42.1 (prompt_clean of the Wan pipeline), ftfy 6.3.1, transformers 5.23.0 (T5Tokenizer),
sentencepiece 0.2.3; Python 3.11. Everything is deterministic.

    cleaning.json            [[text, cleaned], ...]
    wordy/ and bytes/        tokenizer folders with a small unigram spiece.model (nmt_nfkc; bytes/ falls back to bytes)
    tokens.json              {"wordy": [[text, ids], ...], "bytes": ..., "mini": ...}, ids as the text encoder receives
                             them; "mini" by the tokenizer of resources/models/mini
    tables.json              {"transformer" | "vae" | "text_encoder": [[config, {name: shape}], ...]}
"""

import html
import io
import json
import pathlib
import random

import ftfy
import sentencepiece
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.pipelines.wan.pipeline_wan import prompt_clean
from transformers import T5Tokenizer, UMT5Config, UMT5EncoderModel

FOLDER = pathlib.Path(__file__).parent / "fixtures"
MAX_LENGTH = 24

PROMPTS = [
    "", " ", "a", "A red fox runs through the snow.", "  two   spaces\tand a tab \n and a line  ",
    "“curly” ‘quotes’ „low“ ‚low‘ ʼn ŉ «guillemets»", "ﬁne ﬂow oﬃce ﬄ ﬅ ﬆ ĳsvogel Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ",
    "ＦＵＬＬ　ＷＩＤＴＨ １２３！＂＇", "ﾊﾝｶｸ ｶﾞｷﾞｸﾞ ﾊﾟ ｱﾞ ﾡﾢ ￠￡￢￣￤￥￦ ￨￩￪￫￬￭￮",
    "caf\u0065\u0301 Å A\u030a \u1100\u1161\u11a8 \u0041\u030a\u0301 q\u0323\u0307 q\u0307\u0323",
    "line\r\nbreak\rmore\u2028and\u2029so\x85on\x0bvertical\x0cform", "\x1b[31mred\x1b[0m \x1b[1;32mgreen\x1b[m \x1b[ not",
    "\x1b[31\x1b[0mm nested", "con\x00trol\x01 \x7f\x1f\x1c\x1d\ufeffbom\ufffc\ufff9x\u206a\u206f", "zero\u200bwidth\u200djoin\u00adsoft",
    "em\u2003en\u2002thin\u2009nb\u00a0nnb\u202fmath\u205fideo\u3000ogham\u1680end\u180e", "c1 \x80\x91\x92\x93\x94\x96\x97\x99 \x81\x8d\x8f\x90\x9d",
    "a &amp; b &lt;tag&gt; &quot;q&quot; &apos; &nbsp;x&nbsp;", "&amp;amp;amp; &amp;lt; &amp;#233; &amp;amp;eacute;", "<b>&amp;</b> &eacute;",
    "first &eacute; line\n<b> second &eacute;\nthird &eacute; &amp;eacute;", "&eacute &eacutex &notit; &notin; &not &copy2024 &amp",
    "&NTILDE; &nTILDE; &SZLIG; &EACUTE;RIC &CHECKMARK; &checkmark; &AMP; &COPY;", "&#65; &#x42; &#X43 &#68 &#0; &#x0; &#128; &#x80; &#129; &#150;",
    "&#55296; &#xDFFF; &#1114112; &#99999999999999999999; &#x110000;", "&#13; &#10; &#9; &#12; &#11; &#1; &#127; &#xFFFE; &#xFDD0; &#x1FFFF;",
    "&#59; &#38;amp; &#x26;lt; &#65a; &#; &#x; &#xg; &; & &&amp;&", "&fjlig; &NotEqualTilde; &bne; &HilbertSpace; &Jscr;",
    "&CounterClockwiseContourIntegral; &CounterClockwiseContourIntegralx; &averyveryverylongnamethatdoesnotexistatall;",
    "&thisnameislongerthantwentyfour; &lt", "日本語の文章、猫が走る。", "Кот бежит по снегу", "एक बिल्ली", "العربية قطة", "แมววิ่ง",
    "😀👩‍👩‍👧‍👦🏳️‍🌈🇩🇪 🏴󠁧󠁢󠁷󠁬󠁳󠁿", "x² ½ ™ © ® ℃ Ⅷ ① ㎏ ｱ", "naïve façade Zoë São Paulo ångström", "tab\tin\tbetween", "… – — ‐ ‑ ‒ ― ′ ″ ‹ ›",
    "<extra_id_0> </s> <pad> <unk> <s>", "a</s>b <pad>  c", "The quick brown fox jumps over the lazy dog. " * 12,
    "\u0344 \u0958 \u2126 \u212b \ufb1d \U0001d15e \u0f73", "\uff9e\uff9f ｶ\uff9e か\u3099 ハ\u309a", "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u02bc",
    "\ufffd \ue000 \U0010fffd \U000e0001", "&lbrace;&rbrace;&lsqb;&Tab;&NewLine;x&ZeroWidthSpace;y", "&ldquo;hi&rdquo; &hellip; it&#x2019;s ﬂubberiﬁc!",
    "\x1b\x1b[0m\x1b", "\r\r\n\n\r", "\u2029\u2028", "\u00a0", "&nbsp;", "&#160;&#x3000;", "\u1e9b\u0323 \u017f", "Ω Ω K K",
]

ALPHABET = list("ab Z9.,;&#x<>\t\n\r") + [
    "&amp;", "&lt;", "&gt;", "&eacute;", "&NTILDE;", "&#", "&#x", "65;", "e9;", "amp;", "é", "ß", "\u0301", "\u0308", "ﬁ", "ǆ", "Ａ", "！", "ﾊ", "ﾞ",
    "ﾟ", "“", "’", "ʼ", "\u2028", "\u00a0", "\u3000", "\u200b", "\x1b", "\x1b[", "[0m", "1;3", "m", "\x07", "\x7f", "\ufeff", "\u206a", "猫", "し",
    "\u1161", "\u1100", "😀", "&not", "it;", "&nbsp;", "к", "α", "…",
]


def is_mojibake(text: str) -> bool:
    """Whether ftfy's repair of mojibake has a part in cleaning this text: the one step left out of the engine."""
    return prompt_clean(text) != " ".join(
        html.unescape(html.unescape(ftfy.fix_text(text, fix_encoding=False))).split()
    )


def cleaning_cases() -> list[list[str]]:
    generator = random.Random(2)
    texts = list(PROMPTS)
    while len(texts) < len(PROMPTS) + 600:
        texts.append("".join(generator.choice(ALPHABET) for _ in range(generator.randint(1, 14))))
    return [[text, prompt_clean(text)] for text in texts if not is_mojibake(text)]


def train_tokenizer(folder: pathlib.Path, byte_fallback: bool) -> None:
    animals = "fox cat dog horse owl bear duck penguin whale rabbit".split()
    places = "snow forest beach city desert river garden night moon street".split()
    motions = "runs jumps walks flies spins slides swims turns waits grows".split()
    generator = random.Random(1)
    corpus = [
        f"a {generator.choice(('red', 'small', 'quiet'))} {generator.choice(animals)} {generator.choice(motions)} "
        f"{generator.choice(('through', 'over', 'in'))} the {generator.choice(places)}, café, naïve."
        for _ in range(2000)
    ]
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=model, model_type="unigram",
        vocab_size=420 if byte_fallback else 160, byte_fallback=byte_fallback,
        normalization_rule_name="identity" if byte_fallback else "nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        hard_vocab_limit=False, minloglevel=2, num_threads=1,
    )
    (folder / "tokenizer").mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer/spiece.model").write_bytes(model.getvalue())
    decoder = {
        str(i): {"content": token, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
        for i, token in enumerate(("<pad>", "</s>", "<unk>"))
    }
    config = {
        "added_tokens_decoder": decoder, "eos_token": "</s>", "extra_ids": 0, "model_max_length": MAX_LENGTH,
        "pad_token": "<pad>", "tokenizer_class": "T5Tokenizer", "unk_token": "<unk>",
    }
    (folder / "tokenizer/tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def token_cases() -> dict[str, list]:
    texts = [text for text in PROMPTS if not is_mojibake(text)] + [
        "a red fox runs through the snow, café, naïve.", "fox " * 22, "fox " * 23, "fox " * 24, "fox", "foxfox Xylophon",
    ]
    train_tokenizer(FOLDER / "wordy", False)
    train_tokenizer(FOLDER / "bytes", True)
    reference = T5Tokenizer.from_pretrained(FOLDER / "wordy/tokenizer", extra_ids=0)
    result = {"wordy": [], "bytes": []}
    for text in texts:
        ids = reference(prompt_clean(text), max_length=MAX_LENGTH, truncation=True, add_special_tokens=True).input_ids
        result["wordy"].append([text, ids])
    # transformers 5 switches byte fallback off for T5; SentencePiece itself is the reference here.
    processor = sentencepiece.SentencePieceProcessor(model_file=str(FOLDER / "bytes/tokenizer/spiece.model"))
    for text in texts:
        if "<pad>" not in text:
            result["bytes"].append([text, processor.encode(prompt_clean(text))[: MAX_LENGTH - 1] + [1]])
    mini = T5Tokenizer.from_pretrained(FOLDER.parents[2] / "resources/models/mini/tokenizer")
    sentences = ["a fox bounces in the snow at night", "A RED Balloon  rises, at sunset.", "an elephant & a car", "a car " * 40, "Zebra"]
    result["mini"] = [[t, mini(prompt_clean(t), max_length=64, truncation=True).input_ids] for t in sentences + texts]
    return result


def table_cases() -> dict[str, list]:
    mean_std = {"latents_mean": [0.0] * 4, "latents_std": [1.0] * 4}
    transformers = [
        dict(patch_size=[1, 2, 2], num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=4, text_dim=10,
             freq_dim=8, ffn_dim=14, num_layers=2, cross_attn_norm=True, qk_norm="rms_norm_across_heads"),
        dict(patch_size=[2, 1, 3], num_attention_heads=1, attention_head_dim=6, in_channels=3, out_channels=3, text_dim=7,
             freq_dim=4, ffn_dim=5, num_layers=1, cross_attn_norm=False, qk_norm="rms_norm_across_heads"),
    ]
    vaes = [
        dict(base_dim=4, z_dim=4, dim_mult=[1, 2, 4, 4], num_res_blocks=2, temperal_downsample=[False, True, True], **mean_std),
        dict(base_dim=4, decoder_base_dim=6, z_dim=4, dim_mult=[1, 2, 2], num_res_blocks=1, patch_size=2, in_channels=12,
             out_channels=12, temperal_downsample=[True, True], **mean_std),
        dict(base_dim=3, decoder_base_dim=2, z_dim=4, dim_mult=[2, 1, 3], num_res_blocks=3, temperal_downsample=[True, False],
             scale_factor_temporal=2, scale_factor_spatial=4, **mean_std),
    ]
    encoders = [
        dict(vocab_size=9, d_model=4, d_kv=3, d_ff=6, num_layers=2, num_heads=2, relative_attention_num_buckets=8,
             relative_attention_max_distance=16, feed_forward_proj="gated-gelu"),
    ]

    def shapes(model: torch.nn.Module) -> dict:
        return {name: list(tensor.shape) for name, tensor in model.state_dict().items()}

    with torch.device("meta"):
        result = {
            "transformer": [[{"_class_name": "WanTransformer3DModel", **c}, shapes(WanTransformer3DModel(**c))] for c in transformers],
            "vae": [[{"_class_name": "AutoencoderKLWan", **c}, shapes(AutoencoderKLWan(**c))] for c in vaes],
            "text_encoder": [[{"model_type": "umt5", **c}, shapes(UMT5EncoderModel(UMT5Config(**c)))] for c in encoders],
        }
    for _, table in result["text_encoder"]:
        table.pop("encoder.embed_tokens.weight", None)  # tied to shared.weight, which is what files hold
    return result


def write(name: str, value: object) -> None:
    (FOLDER / name).write_text(json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n")


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write("cleaning.json", cleaning_cases())
    write("tokens.json", token_cases())
    write("tables.json", table_cases())


main()
