"""What the header of a column of steps says beside that: the target, a unit, and settings such as a learning rate, a seed or a size."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from data.headers.parts import scale_in
from data.steps.tuned import rate_written

LONGEST = 300  # characters of a header that are looked at
MOST_RATES = 4
HIGHEST_LOSS = 30.0  # a bare number above is no target: nobody stops at it

_SEED = re.compile(
    r"(?:(?<![a-z])(?:(?:rng|random|data)[_ -]?)?(?:seed|rep(?:licate|etition|eat)?|run|trial|try|fold)s?"
    r"[\s=:_#-]*([0-9]{1,9}|[a-z](?![a-z]))"
    r"|(?<![a-z0-9])[sr]([0-9]{1,4})\W*$)(?![0-9.])",
    re.IGNORECASE,
)
_NO_COUNT = r"(?![ _-]*(?:tok|seq|step|batch|ex|iter|update|sample))"
_SIZE = re.compile(
    rf"(?<![a-z0-9.])(?:(?:n|params?|size)\s*[=:_]\s*)?([0-9]{{1,6}}(?:[.p][0-9]{{1,4}})?)"
    rf"[ _]?(?:([mb])(?:illion|n|io)?|([kmb])[ _-]?(?=param))"
    rf"(?:[ _-]?(?:params?|parameters|model))?(?![a-z0-9]){_NO_COUNT}",
    re.IGNORECASE,
)
_POWER = r"(?:1e[0-9]{1,2}|10\^[0-9]{1,2}|1(?:[,_ ]?000){1,3}|100?)"
_UNIT = re.compile(
    rf"[(\[{{]\s*(?:in )?[x×*/÷]?\s*{_POWER}\s*[)\]}}]|(?<![a-z0-9])[x×*/÷]\s*{_POWER}(?![0-9.])", re.IGNORECASE
)
_SETTING = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9_ -]{0,30}?\s*=\s*-?[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?%?", re.IGNORECASE)
_AIM = re.compile(
    r"(?:to|till|until)[_\s-]+(?:reach[_\s-]+)?((?:[a-z][a-z0-9@]*[_\s-]+|(?:loss|ppl|perplexity|acc|accuracy|bpb|bpc|nll|ce|target)(?=[0-9])|[a-z][a-z0-9@]*\s*(?=[=:<>≤≥~]))*?)"
    r"[\s_=:<>≤≥~-]*([0-9]{1,4}(?:[.p][0-9]{1,6})?)(?![0-9.]|e[-+]?[0-9])(\s?%)?"
    r"(?:[_\s]*(ppl|perplexity|acc|accuracy|bpb|bpc)(?![a-z0-9]))?",
    re.IGNORECASE,
)
_LOSS = re.compile(r"(?:.* )?(?:loss|target|goal|threshold|nll|ce|xent|entropy|value|below|under|of|at)|")
_PERPLEXITY = re.compile(r"(?:.* )?(?:ppl|perplexity|pplx)")
_A_RATE = re.compile(r"\b(?:lr|eta|learning|rate)")
_THOUSAND = re.compile(r"^(?:k|thousand)[ _-]?(?=train|step|iter|update)", re.IGNORECASE)
_HUNDREDS = re.compile(r"(?<![a-z])hundreds?(?![a-z])", re.IGNORECASE)
_NUMBER = re.compile(r"(?<![a-z0-9.])[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?[a-z%]*", re.IGNORECASE)


@dataclass(frozen=True)
class Heading:
    """What a header says: steps are its numbers times `scale`; `aim` is the target as said of a group ('loss 3.2', 'perplexity 20').

    `rate` and `seed` are as written, `size` a model size as written and `params` its number; all '' (or nan) where not said. `rest` is
    what tells the column from others besides, in words, and `unclear` a number of which nothing says what it is, or ''.
    """

    scale: float
    aim: str
    rate: str
    seed: str
    size: str
    params: float
    rest: str
    unclear: str


@lru_cache(maxsize=2_000)
def heading(raw: str) -> Heading:
    """The header of a column of steps taken apart: settings first, so that none of their numbers is a unit or a target."""
    text = raw[:LONGEST]
    rates: list[str] = []
    while len(rates) < MOST_RATES and (found := rate_written(text)):
        rates.append(f"{found[0]:g}")
        text = f"{text[: found[1][0]]} {text[found[1][1] :]}"
    seed = _SEED.search(text)
    text = _without(text, seed)
    size = _SIZE.search(text)
    text = _without(text, size)
    aim, said = _AIM.search(text), ""
    if aim is not None and (said := _aim(aim)):
        text = f"{text[: aim.start(2)]} {text[aim.end() :]}"
    rest = " ".join(re.sub(r"[^a-z0-9.=%]+", " ", text.lower()).split())
    text = _SETTING.sub(" ", text)
    left = _NUMBER.search(_UNIT.sub(" ", text))
    scale = 1.0 if left or len(raw) > LONGEST else _scale(text)
    params = float("nan")
    if size is not None:
        prefix = (size[2] or size[3]).lower()
        params = float(size[1].lower().replace("p", ".")) * {"k": 1e3, "m": 1e6, "b": 1e9}[prefix]
    return Heading(
        scale,
        said,
        " ".join(rates),
        (seed[1] or seed[2]) if seed is not None else "",
        size[0].strip(" _") if size is not None else "",
        params,
        rest,
        left[0] if left else "",
    )


def _without(text: str, found: re.Match[str] | None) -> str:
    return text if found is None else f"{text[: found.start()]} {text[found.end() :]}"


def _aim(found: re.Match[str]) -> str:
    """The target that a header states as a group is called by it, '' where the number is none."""
    words = " ".join(re.sub(r"[^a-z0-9@]+", " ", f"{found[1]} {found[4] or ''}".lower()).split())
    number = found[2].lower().replace("p", ".")
    if _A_RATE.search(words):
        return ""
    if _PERPLEXITY.fullmatch(words):
        return f"perplexity {number}"
    if _LOSS.fullmatch(words):
        return f"loss {number}" if 0 < float(number) <= HIGHEST_LOSS and not found[3] else ""
    return f"{words} {number}{(found[3] or '').strip()}"


def _scale(text: str) -> float:
    """The factor that a header without settings states."""
    if _HUNDREDS.search(text):
        return 100.0
    if stated := _UNIT.search(text):
        digits = re.sub(r"[^0-9e^]", "", stated[0].lower())
        power = re.fullmatch(r"1e([0-9]+)|10\^([0-9]+)", digits)
        return 10.0 ** int(power[1] or power[2]) if power else float(digits)
    scale = scale_in(text, "steps")[0]
    return scale if scale != 1.0 else 1e3 if _THOUSAND.match(text.strip()) else 1.0
