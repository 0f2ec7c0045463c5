"""Which columns of a sweep of batches are tuned: of runs at one batch that differ in these the best counts; repeats are averaged."""

from __future__ import annotations

import re

from data.headers.names import named
from data.headers.parts import header

#: Words of a header that is a learning rate's, whoever multiplies it and for whichever part of the model.
RATE = (
    r"(?:[a-z]+_?)?lrs?(?:_?(?:mult(?:iplier)?|scale|factor|max|min|peak|base|init|[0-9]))?|lrate|learning ?rates?"
    r"|eta(?: ?(?:[0-9]|max|peak))?|step ?sizes?|peak rate|max rate|base rate"
)
_TUNED = re.compile(rf"\b(?:{RATE})\b|^rate$|\bdropout rate\b")
_NO_RATE = re.compile(r"\b(?:lrs?|lrate|learning ?rates?) (?:warm ?up|cool ?down)\b|\bseeds?\b")
_WRITTEN = re.compile(
    r"(?:(?<![a-z])|(?<=_))(?:[a-z]+[_-])?(?:lr|lrate|learning[ _-]?rate|eta|step[ _-]?size)"
    r"(?:[ _-]?(?:mult(?:iplier)?|scale|factor|max|peak|base))?"
    r"\s*[ =:_-]?\s*([0-9]+p[0-9]+|[0-9]*\.?[0-9]+(?:e[-+]?[0-9]+)?)(?![0-9]|[ep][0-9_])",
    re.IGNORECASE,
)  # fmt: skip


def is_tuned(column: str) -> bool:
    """Whether a column of that name is a learning rate, or what one is multiplied by. `ETA` is a time, `eta` a rate."""
    text = str(column).strip()
    if text == "ETA":
        return False
    if "η" in text:
        return True
    words = header(text).words
    known = next((name for name, sure in named(text) if sure >= 0.6), "lr")
    return known == "lr" and bool(_TUNED.search(words)) and not _NO_RATE.search(words)


def rate_written(text: str) -> tuple[float, tuple[int, int]] | None:
    """The learning rate that a name or a header states, as in `bs64-lr3e-4` or `lr0p001`, and the ends of where it does."""
    found = _WRITTEN.search(text)
    return (float(found[1].lower().replace("p", ".")), found.span()) if found else None
