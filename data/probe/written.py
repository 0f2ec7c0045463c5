"""A sweep as a file holds it: strict JSON of a stranger, and one sentence for what is wrong with it."""

from __future__ import annotations

import json
import math
from typing import Any

from data.errors import DataError
from data.probe.plain_file import as_unicode

MOST_BYTES = 10_000_000
MOST_DIGITS = 300  # of a whole number; the largest float has 309
SHOWN = 20  # signs of a fault


def parsed(content: bytes, name: str, what: str = "sweep") -> Any:
    """The values that JSON says, in any encoding that JSON may have. Raises DataError.

    `name` is what the file is called, `what` what it should be.
    """
    if len(content) > MOST_BYTES:
        raise DataError(f"{name} has over {MOST_BYTES:,} bytes; a {what} is a short list of fields.")
    try:
        text = content.decode(json.detect_encoding(content))
    except UnicodeDecodeError:
        raise DataError(f"{name} is no text in UTF-8 or UTF-16; save it as UTF-8.") from None
    try:
        return as_unicode(
            json.loads(
                text, parse_int=_whole, parse_float=_number, parse_constant=_no_number, object_pairs_hook=_once_each
            )
        )
    except json.JSONDecodeError as fault:
        rest = text[fault.pos :].strip()
        what = f"at {rest[:SHOWN]!r}" if rest else "where it ends too early"
        raise DataError(f"{name} is no JSON: line {fault.lineno}, column {fault.colno} is wrong, {what}.") from None
    except UnicodeEncodeError:
        raise DataError(f"{name} is no {what}: half a sign of UTF-16 stands in it.") from None
    except RecursionError:
        raise DataError(f"{name} is no {what}: its brackets are nested too deep.") from None
    except _OddError as fault:
        raise DataError(f"{name} is no {what}: {fault}.") from None


class _OddError(Exception):
    """What JSON may hold, or Python takes for JSON, and no sweep does."""


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise _OddError(f"a number of {len(digits):,} digits stands in it, and no field takes one")
    return int(digits)


def _number(said: str) -> float:
    if not math.isfinite(value := float(said)):
        raise _OddError(f"the number {said[:SHOWN]} in it is larger than any field takes")
    return value


def _no_number(word: str) -> Any:
    raise _OddError(f"{word} stands in it, which is no number of JSON")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise _OddError(f"the field {name[:SHOWN]!r} stands in it twice; leave one of them out")
        found[name] = value
    return found
