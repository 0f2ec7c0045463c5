"""Which corpora a sweep may name: a path among them lies in the workspace or in a folder that was allowed on the page.

Looked at in the JSON as it was written, before anything makes a corpus of it: that reads files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_NUMBER = re.compile(r"[0-9.]+([eE][-+]?[0-9]+)?")  # an exponent of the synthetic language
NO_CORPUS = ("name",)  # fields whose text names no corpus


def outside(sweep: Mapping[str, Any], allowed: Sequence[Path]) -> str:
    """The folder of the first corpus that lies outside the `allowed` ones and is there, to be allowed; '' where there is none."""
    inside = [_real(folder) for folder in allowed]
    for path in map(Path, paths(sweep)):
        found = _real(path)
        if str(path).startswith(("/", "~")) and found.exists() and not any(found.is_relative_to(one) for one in inside):
            return str(found if found.is_dir() else found.parent)
    return ""


def missing(sweep: Mapping[str, Any]) -> str:
    """The first corpus that is a path and not there; '' where there is none."""
    return next((path for path in paths(sweep) if not _real(Path(path)).exists()), "")


def refused(sweep: Mapping[str, Any], allowed: Sequence[Path]) -> str:
    """Why a sweep may not be laid out, as a sentence; '' where every path in it lies in one of the `allowed` folders."""
    inside = [_real(folder) for folder in allowed]
    for path in paths(sweep):
        if not path.startswith(("/", "~")) and not Path(path).is_absolute():
            return f"A corpus is named by its whole path, from / or ~ on; {path} came."
        if not any(_real(Path(path)).is_relative_to(folder) for folder in inside):
            return f"The corpus {path} lies outside this workspace, and its folder is not allowed yet."
    return ""


def paths(sweep: Mapping[str, Any]) -> tuple[str, ...]:
    """What in a sweep's JSON may be a path, each once."""
    texts = (text for name, value in sweep.items() if name not in NO_CORPUS for text in _texts(value))
    return tuple(dict.fromkeys(path for text in texts if (path := _path(text))))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _path(text: str) -> str:
    """What of a text may be a path: all after its kind that is no number, or all of it where it has a separator; '' for nothing."""
    kind, _, rest = text.partition(":")
    if "/" in kind or "\\" in kind or kind.startswith("~"):
        return text
    return "" if not rest or _NUMBER.fullmatch(rest) else rest


def _real(path: Path) -> Path:
    """Where a path leads, links followed."""
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError, ValueError):
        return Path("/nowhere")
