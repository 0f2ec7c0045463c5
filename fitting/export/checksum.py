"""A checksum over all that a saved fit says, so that a slip of the hand in any number of it is seen.

It guards against slips, not forgers: whoever changes a fit on purpose can write the checksum anew. Numbers count by value
and keys in order, so that a file may be indented, sorted or written again by another program.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fitting.errors import FitError

KEY = "checksum"


def checksum(body: Mapping[str, Any]) -> str:
    """SHA-256, as hexadecimal digits, of the canonical JSON of a body of plain JSON values without its own checksum.

    Raises what `json.dumps` does for values that are none of JSON's.
    """
    rest = {k: _by_value(v) for k, v in body.items() if k != KEY}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def as_saved(body: Mapping[str, Any]) -> None:
    """Nothing where a body is as it was saved, or was saved by a version that wrote no checksum; else FitError."""
    if KEY not in body:
        return
    try:
        same = body[KEY] == checksum(body)
    except (TypeError, ValueError, RecursionError):
        same = False
    if not same:
        raise FitError(
            "This fit's JSON was changed after it was saved: its checksum is not that of what it says. Load the file as it was saved, "
            "or fit the runs again and save that."
        )


def _by_value(x: Any) -> Any:
    """The same value with every number that a float can hold as one: other programs write 1.0 as 1, and 1e20 in full."""
    if isinstance(x, dict):
        return {k: _by_value(v) for k, v in x.items()}
    if isinstance(x, list):
        return [_by_value(v) for v in x]
    if isinstance(x, bool) or not isinstance(x, int | float):
        return x
    try:
        return float(x) + 0.0  # zero has one sign
    except OverflowError:
        return str(x)
