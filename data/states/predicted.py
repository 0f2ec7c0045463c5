"""Words by which a header, a name or a cell says that its loss was predicted and not measured, in several languages."""

from __future__ import annotations

import re
from functools import lru_cache

from data.states import words as state_words
from data.states.recognise import folded, of_words

PREDICTED = of_words(state_words.PREDICTED)
_IN_BRACKETS = PREDICTED | of_words(state_words.PREDICTED_IN_BRACKETS)
_BEHIND = of_words(state_words.BEHIND_PREDICTED)
_BRACKETS = re.compile(r"[(\[{<（【]\s*([^()\[\]{}<>（）【】]{2,60}?)\s*[)\]}>）】]")
_ONE = [w for w in PREDICTED if re.match(r"[\u1100-\u11ff\u3040-\u9fff\uac00-\ud7af]", w)]  # of writing without spaces
#: What is predicted of a run and no loss of it, such as the learning rate that a rule gives; and what a model predicts.
_SETTING = re.compile(
    r"(?:lr|learning|rate|batch|bs|hps?|hparams?|hyper\w*|optimal|opt|optimum|wd|width|depth|ctx|context|rope|pos|position\w*|length|seq"
    r"|emb\w*)\b"
)
_TASK = re.compile(r"\b(?:next|multi|token|tokens|word|masked|mask)\b|下一|次の|다음")
_NEXT = re.compile(r"(?:[0-9]{1,2} |the )?(?:next |future |extra )*(?:tokens?|words?)\b")
#: A part of a model that is called by what it does: pred-head, forecast-net, pred_head.
_PART = re.compile(
    r"[^\W\d_]+(?:[-‐‑–][^\W\d_]{2,}|_(?:heads?|net|network|layers?|blocks?|module|model|token|tokens|former|ffn|mlp|attn)(?![^\W\d_]))",
    re.IGNORECASE,
)
_BY_A_LAW = re.compile(
    r"\b(predicted|extrapolated|forecast(?:ed)?|projected) (?:by|from|with|via|using) (?:the |our |a |an )?(?:[a-z]+ ){0,2}"
    r"(?:law|fit|curve|model|regression|extrapolation|power law)s?\b"
)
_NOUNS = of_words(
    "prediction, predictions, projection, prognose, interpolated, hypothetical"
)  # a-projection says something else
_OF_A_HEADER = of_words(state_words.PREDICTED_HEADER)
#: Words of headers with any ending: expected and the like say so of a loss, where in a column of kinds they need another.
_STEMS = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(sorted(of_words(state_words.PREDICTED_STEMS)))})[^\W0-9_]{{0,4}}(?![^\W_])"
)
_INSIDE = [w for w in _OF_A_HEADER if re.match(r"[\u1100-\u11ff\u3040-\u9fff\uac00-\ud7af]", w)]


@lru_cache(maxsize=20_000)
def heads(header: str) -> bool:
    """Whether a header says that the numbers below it are predicted: `Dự đoán ppl`, `perte estimée`, `予測損失`, `proj. loss`."""
    words = folded(header)
    if _TASK.search(words):
        return False  # the loss of next-token prediction
    spaced = f" {words} "
    if any(f" {w} " in spaced for w in PREDICTED | _OF_A_HEADER) or any(w in words for w in (*_ONE, *_INSIDE)):
        return True
    return bool(_STEMS.search(words))


def in_a_name(name: str) -> str:
    """The words of a run's name that say so: `7B (extrapolated to 4.72B)`, `predicted 7B`, `7B_pred`, `7B (预测)`; '' for none."""
    for inside in _BRACKETS.findall(name):
        first, _, rest = folded(inside).partition(" ")
        if _NEXT.match(rest):
            continue  # predicted 4 tokens: what the model does
        if folded(inside) in _IN_BRACKETS or (
            first in _IN_BRACKETS and rest and (rest.split()[0] in _BEHIND or rest[:1].isdigit())
        ):
            return str(inside)
    parts = folded(name).split(" ")
    if parts[0] in PREDICTED - _NOUNS and not _SETTING.match(" ".join(parts[1:])) and not _PART.match(name.strip()):
        return parts[0]
    if by := _BY_A_LAW.search(" ".join(parts)):
        return by[1]
    last = len(parts) > 1 and parts[-1] in PREDICTED - _NOUNS and not _SETTING.match(parts[-2])
    return parts[-1] if last and not _TASK.search(parts[-2]) else ""
