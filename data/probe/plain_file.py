"""JSON that lies in a run's folder: whatever is wrong with a file is one sentence about it.

A folder is copied, cut short by a full disk, edited and shared: nothing that can stand in a file may end who reads it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from data.errors import DataError

MOST_BYTES = 10_000_000  # of a file of plain values
MOST_DIGITS = 300  # of a whole number; the largest float has 309
_LONG = re.compile(rb"[0-9]{%d}" % (MOST_DIGITS + 1))


class OddError(ValueError):
    """What stands in a file and is no JSON of ours, as a clause."""


def parsed(content: bytes) -> Any:
    """The values that JSON in UTF-8 says, NaN and infinity among them. Raises OddError."""
    if _LONG.search(content):
        raise OddError(f"a number of over {MOST_DIGITS} digits stands in it")
    try:
        return as_unicode(json.loads(content.decode()))
    except UnicodeDecodeError:
        raise OddError("it is no text in UTF-8") from None
    except json.JSONDecodeError as fault:
        raise OddError(f"it is no JSON: line {fault.lineno}, column {fault.colno} is wrong") from None
    except UnicodeEncodeError:
        raise OddError("half a sign of UTF-16 stands in it") from None
    except RecursionError:
        raise OddError("its brackets are nested too deep") from None


def as_unicode(document: Any) -> Any:
    r"""The same values. Raises UnicodeEncodeError where a text has half a sign (`"\ud800"`), which no file and no database takes."""
    json.dumps(document, ensure_ascii=False).encode()
    return document


def read_bytes(path: Path, most: int) -> bytes:
    """What a file of so many bytes at most holds. Raises FileNotFoundError where there is none, and OddError."""
    try:
        if not path.is_file() and path.exists():
            raise OddError("it is no file")
        if (size := path.stat().st_size) > most:
            raise OddError(f"it has {size:,} bytes, and at most {most:,} are read")
        return path.read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OddError((error.strerror or str(error)).lower()) from None


def loaded(path: Path) -> Any:
    """The plain values of a file. Raises DataError with one sentence, also where there is none."""
    try:
        return parsed(read_bytes(path, MOST_BYTES))
    except FileNotFoundError:
        raise DataError(f"{path} is missing.") from None
    except OddError as fault:
        raise DataError(f"{path} cannot be read: {fault}.") from None
