"""Text as it is carried along: without what no eye sees, and no longer than a name may be."""

from __future__ import annotations

import hashlib
import re

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_LONGEST = 300  # characters of a header or of a cell of text that are carried along
_DIGITS = 8


def clean(text: str) -> str:
    """The text without control signs, halves of characters or excess length, none of which names anything.

    In place of what is cut off stands a digest of the whole, so that long texts which begin alike stay apart.
    """
    if len(text) > _LONGEST:
        whole = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
        text = f"{text[: _LONGEST - 1 - _DIGITS]}…{whole}"
    return _UNPRINTABLE.sub(" ", text).strip() if _UNPRINTABLE.search(text) else text


def all_clean(texts: list[str]) -> list[str]:
    """Each of the texts without what `clean` takes away; together they are looked through once."""
    if max(map(len, texts), default=0) <= _LONGEST and not _UNPRINTABLE.search("".join(texts)):
        return texts
    return list(map(clean, texts))
