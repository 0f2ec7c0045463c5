"""Which corpora a sweep may be launched on: a path among them lies in the workspace or in a folder that was allowed on the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data.plain import plain
from data.probe.spec import Spec

FIELDS = ("corpus", "pools")  # of a spec: what may name a corpus
_WORDS = re.compile(r"[A-Za-z0-9_.+-]*")  # a kind, an exponent, a name: nothing that leads anywhere


def paths(spec: Spec) -> tuple[str, ...]:
    """The paths that a spec's corpora name, as they are written."""
    held = plain(spec)
    return tuple(path for name in FIELDS for text in _texts(held.get(name)) for path in _paths(text))


def refused(specs: Iterable[Spec], allowed: Sequence[Path]) -> str:
    """Why these runs may not be launched, as a sentence; '' where every path lies in one of the `allowed` folders."""
    inside = [_real(folder) for folder in allowed]
    for path in dict.fromkeys(path for one in specs for path in paths(one)):
        real = _real(Path(path))
        if not any(real.is_relative_to(folder) for folder in inside):
            return (
                f"The corpus {path} lies outside this workspace. Allow its folder under Limits, if others on this machine may not write there."
            )
    return ""


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


def _paths(text: str) -> Iterator[str]:
    """The parts of a corpus's text that are paths: with a separator or a home's sign in them, or a name that leads to a file here."""
    kind, _, rest = text.partition(":")
    for part in (rest if re.fullmatch(r"[a-z_]*", kind) and rest else text,):
        odd = _WORDS.fullmatch(part) is None
        if odd or part in (".", "..") or Path(part).exists() or part.startswith("~"):
            yield part


def _real(path: Path) -> Path:
    """Where a path leads, links followed."""
    try:
        return path.expanduser().resolve()
    except (OSError, RuntimeError):
        return Path("/nowhere")
