"""What a notebook shows of a result: a few short lines that say the answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from textwrap import shorten
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

MOST_LINES, MOST, WIDTH = 5, 390, 120


def shown(lines: Callable[[Any], Iterable[str]] | None = None) -> Callable[[type[T]], type[T]]:
    """A result whose repr is `lines` of it, five short ones at most; by default its `sentence`, else its fields in short."""

    def told(self: Any) -> str:
        return in_lines(_of(self) if lines is None else lines(self))

    def decorated(cls: type[T]) -> type[T]:
        cls.__repr__ = told  # type: ignore[method-assign]
        return cls

    return decorated


def in_lines(lines: Iterable[str]) -> str:
    """So many lines and characters as a repr may have; what is cut ends in "..."."""
    out: list[str] = []
    room = MOST
    for line in lines:
        if room < 8 or len(out) == MOST_LINES:
            break
        indent = line[: len(line) - len(line.lstrip())]
        out.append(indent + shorten(line.strip(), max(room - len(indent), 5), placeholder=" ..."))
        room -= len(out[-1]) + 1
    return "\n".join(out)


def _of(result: Any) -> Iterator[str]:
    name = type(result).__name__
    if sentence := getattr(result, "sentence", ""):
        yield f"{name}: {sentence}"
        return
    told = {f.name.replace("_", " "): in_few_words(getattr(result, f.name)) for f in fields(result) if f.repr}
    said = [f"{field} {text}" for field, text in told.items() if text is not None]
    line = f"{name}:"
    for one in (shorten(s, 60, placeholder="...") for s in said):
        if len(line) + len(one) > WIDTH:
            yield line
            line = " "
        line += f" {one};"
    yield line.removesuffix(";")


def in_few_words(x: Any) -> str | None:
    """A field's value in a few words; None for what says nothing: nothing at all, and functions."""
    if x is None or callable(x) or (isinstance(x, str | tuple | list | Mapping) and not x):
        return None
    if isinstance(x, np.ndarray):
        return _of_array(x)
    if isinstance(x, float | np.floating):
        return f"{x:.4g}"
    if isinstance(x, str):
        return shorten(x, 40, placeholder=" ...")
    if isinstance(x, Mapping):
        return ", ".join(f"{k} {in_few_words(v)}" for k, v in x.items())
    if isinstance(x, tuple | list):
        if len(x) <= 3 and all(isinstance(one, str | int | float) for one in x):
            return ", ".join(str(in_few_words(one)) for one in x)
        return f"{len(x)} of {type(x[0]).__name__}"
    if hasattr(x, "level") and hasattr(x, "low") and hasattr(x, "value"):
        return banded(x)
    return type(x).__name__ if is_dataclass(x) or hasattr(x, "columns") else str(x)


def banded(band: Any) -> str:
    """A band in short: its value and ends, the first and last of several."""
    if np.size(band.value) == 1:
        return f"{band:.4g}"
    values = np.ravel(band.value)
    if not len(values):
        return "no values"
    return f"{values[0]:.4g} to {values[-1]:.4g} ({len(values)} values)"


def _of_array(x: np.ndarray) -> str:
    if x.size <= 3 and x.dtype.kind in "fiu":
        return ", ".join(f"{v:.4g}" for v in x.ravel())
    return f"{' x '.join(map(str, x.shape))} values"
