"""Documents of plain values in a workspace's folder: written whole, and one that cannot be read is put aside."""

from __future__ import annotations

import json
import logging
import math
import os
import time
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from dashboard.workspace import put_aside
from dashboard.workspace.files import one_writer
from data.plain import read

LOG = logging.getLogger("isoflop")
CLOCK_STEP = 50_000_000  # ns; two writes within a tick of the kernel's clock may leave a file of the same time
DEEPEST = 50  # lists and objects within each other; a page keeps four

T = TypeVar("T")


def text_of(document: Any) -> bytes:
    return json.dumps(document, allow_nan=False, sort_keys=True).encode("ascii")


def _plain(text: bytes) -> Any:
    """The document that a text holds. Raises ValueError for one that could not be written again: endless numbers, and too deep a one."""
    document = json.loads(text, parse_constant=_finite, parse_float=_finite)
    level: list[Any] = [[document]]
    for _ in range(DEEPEST):
        inner = (x for one in level for x in (one.values() if isinstance(one, dict) else one))
        level = [x for x in inner if isinstance(x, dict | list)]
        if not level:
            return document
    raise ValueError(f"a document has at most {DEEPEST} lists and objects within each other")


def _finite(number: str) -> float:
    if not math.isfinite(found := float(number)):
        raise ValueError(f"{number[:20]} is no finite number")
    return found


def seen(path: Path, kind: type[T], empty: Any) -> T:
    """`fresh` for those who only look, without the folder's lock: a page asks hundreds of times for what is written at a press."""
    try:
        said = path.stat()
        if time.time_ns() - max(said.st_mtime_ns, said.st_ctime_ns) > CLOCK_STEP:
            state = said.st_ino, said.st_mtime_ns, said.st_ctime_ns, said.st_size
            return cast(T, _as_of(path, cast(Any, kind), state))
        return read(kind, _plain(path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        return read(kind, empty)
    except (ValueError, RecursionError):
        with one_writer(path.parent):  # it is moved aside as it is, not what somebody writes meanwhile
            return fresh(path, kind, empty)


@lru_cache(maxsize=64)
def _as_of(path: Path, kind: Any, state: tuple[int, ...]) -> Any:
    """The document in a file of this inode, these times and size: whoever writes replaces the file."""
    return read(kind, _plain(path.read_bytes()))


def fresh(path: Path, kind: type[T], empty: Any) -> T:
    """The document at `path` for who has the folder's lock; one that cannot be read is put aside, so that the workspace still opens."""
    try:
        return read(kind, _plain(path.read_bytes()))
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (ValueError, RecursionError) as error:
        aside = path.with_name(f"{path.stem}.unreadable-{time.time_ns()}{path.suffix}")
        why = " ".join(str(error).split())[:120]
        traced = os.environ.get("ISOFLOP_TRACEBACK") == "1"
        LOG.error("%s could not be read (%s); it is kept as %s", path, why, aside.name, exc_info=traced)
        path.replace(aside)
        put_aside.note(path, aside)
    return read(kind, empty)
