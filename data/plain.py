"""Plain values, those of JSON, read as the type that declares them: each field's kind, range and default stand there, once.

A frozen dataclass is the declaration; what its annotations cannot say stands beside them in `Annotated`, as `With`, `Before`,
`After`, `As` or `Whole`. pydantic does the reading and is imported by it alone: a declaration costs nothing until it is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import numpy as np

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

# What pydantic calls by names of Python, in those of JSON.
_WORDS = {
    "missing": "is missing",
    "dict_type": "should be an object",
    "dataclass_type": "should be an object",
    "list_type": "should be a list",
    "tuple_type": "should be a list",
    "string_type": "should be text",
    "int_type": "should be a whole number",
    "float_type": "should be a number",
}
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class PlainError(ValueError):
    """What is wrong with plain values, as a clause: where, what was expected and what came."""


class With:
    """Narrows what pydantic reads of a field, in the words of its schemas: strict, gt, ge, le, max_length, fail_fast, ..."""

    def __init__(self, **narrower: Any) -> None:
        self.narrower = narrower

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {**handler(source), **self.narrower}


class Before:
    """Changes a value before it is read, or refuses it with a ValueError; one of a kind that the change cannot take is refused, too."""

    reader = "no_info_before_validator_function"

    def __init__(self, change: Callable[[Any], Any]) -> None:
        self.change = change

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import core_schema

        return getattr(core_schema, self.reader)(self._changed, handler(source))

    def _changed(self, x: Any) -> Any:
        try:
            return self.change(x)
        except (TypeError, OverflowError):
            raise ValueError("should be of another kind or size") from None


class After(Before):
    """Changes a value after it was read, or refuses it with a ValueError."""

    reader = "no_info_after_validator_function"


class As(After):
    """Reads plain values of another kind, and makes the field's own value of them."""

    def __init__(self, kind: Any, make: Callable[[Any], Any]) -> None:
        super().__init__(make)
        self.kind = kind

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        return super().__get_pydantic_core_schema__(self.kind, handler.generate_schema)


class Whole:
    """Has a dataclass read from exactly its own keys: one that is missing would be a number made up.

    `older` gives, for the keys that came, those that files of older versions lack.
    """

    def __init__(self, older: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda _: {}) -> None:
        self.older = older

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        def check(x: Any) -> Any:
            x = {**self.older(x), **x} if isinstance(x, dict) else x
            if isinstance(x, dict) and (odd := {f.name for f in fields(source)} ^ set(x)):
                raise ValueError(f"{'has' if odd <= set(x) else 'lacks'} {', '.join(sorted(odd))}")
            return x

        return Before(check).__get_pydantic_core_schema__(source, handler)


def _number(x: Any) -> Any:
    """A number, from what stands for one that JSON has no word for."""
    return math.nan if x is None else float(x) if x in ("inf", "-inf") else x


def between(low: float, high: float) -> With:
    """A number from `low` to `high`."""
    return With(strict=True, ge=low, le=high)


def whole(x: float) -> int:
    """A number without a fraction, which JSON may have kept with a point."""
    if not x.is_integer():
        raise ValueError("should be a whole number")
    return int(x)


def spelled(x: Any) -> Any:
    """A number out of text that writes one as JSON does; anything else as it is."""
    return float(x) if isinstance(x, str) and _NUMBER.fullmatch(x) else x


def one_of(allowed: Collection[Any] | Callable[[], Collection[Any]]) -> After:
    """One of these values, or of those that a function names once there is something to read."""

    def check(x: Any) -> Any:
        if x not in (known := allowed() if callable(allowed) else allowed):
            raise ValueError(f"should be one of {', '.join(repr(one) for one in known)}")
        return x

    return After(check)


def text(least: int, most: int) -> After:
    """Text of so many signs."""

    def check(x: str) -> str:
        if not least <= len(x) <= most:
            raise ValueError(f"should be text of {least} to {most} signs")
        return x

    return After(check)


def each_usable(kind: Any) -> Before:
    """A list, or an object by its names, without those members that make no sense as this `kind`."""

    def usable_of(xs: Any) -> Any:
        if isinstance(xs, dict):
            return {k: x for k, x in xs.items() if isinstance(k, str) and not attempt(kind, x)[1]}
        return [x for x in xs if not attempt(kind, x)[1]] if isinstance(xs, list | tuple) else xs

    return Before(usable_of)


def at_most(most: int) -> With:
    """A list of so many at most, which is read no further than its first fault."""
    return With(max_length=most, fail_fast=True)


def array_of(kind: Any, most: int) -> As:
    """An array of floats out of a list of so many at most, of numbers or of rows of them."""

    def make(x: list[Any]) -> np.ndarray:
        if len({len(row) for row in x if isinstance(row, list)}) > 1:
            raise ValueError("should have rows of one length")
        return np.array(x, float)

    return As(Annotated[list[kind], at_most(most)], make)


Number = Annotated[float, With(strict=True), Before(_number)]
Positive = Annotated[float, With(strict=True, gt=0), Before(_number)]
Finite = Annotated[float, With(strict=True, allow_inf_nan=False)]
# An end of an interval: it may be open, and is not missing.
End = Annotated[float, With(strict=True, ge=-math.inf), Before(_number)]
Above = Annotated[float, With(strict=True, gt=0, allow_inf_nan=False)]
Share = Annotated[float, With(strict=True, ge=0, le=1)]
Count = Annotated[int, With(strict=True, ge=0)]


class Kept:
    """Settings that are kept where they differ from their defaults."""

    def written(self) -> dict[str, Any]:
        """Plain values of what differs from the defaults, as `usable` reads them again; infinity is the text "inf"."""
        held = {f.name: v for f in fields(self) if (v := getattr(self, f.name)) != f.default}  # type: ignore[arg-type]
        return {name: str(value) if value == math.inf else value for name, value in held.items()}


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def read(kind: type[T], values: Any) -> T:
    """The `kind` that plain values say. Raises PlainError with the first thing that is wrong with them."""
    made: tuple[T, Any] = attempt(kind, values)
    for place, said in made[1][:1]:
        raise PlainError(f"{'.'.join(map(str, place))} {said}".strip())
    return made[0]


def read_or(otherwise: Any, kind: Any, values: Any) -> Any:
    """The `kind` that plain values say, else `otherwise`."""
    found, faults = attempt(kind, values)
    return otherwise if faults else found


def usable(kind: type[T], values: Any) -> T:
    """The settings of this `kind` that plain values say; each one that makes no sense is left at its default."""
    given = {k: v for k, v in values.items() if isinstance(k, str)} if isinstance(values, Mapping) else {}
    wrong = {place[0] for place, _ in attempt(kind, given)[1]}
    return read(kind, {k: v for k, v in given.items() if k not in wrong})


def limits(kind: Any, name: str) -> tuple[float, float]:
    """The lowest and the highest value that the declaration of a number `between` two lets through."""
    narrower = next(
        m.narrower for m in get_type_hints(kind, include_extras=True)[name].__metadata__ if isinstance(m, With)
    )
    return narrower["ge"], narrower["le"]


def attempt(kind: Any, values: Any) -> tuple[Any, list[tuple[tuple[int | str, ...], str]]]:
    """The `kind` that plain values say, or each fault: its place in the values, and what was expected and came."""
    from pydantic import ValidationError

    try:
        return _adapter(kind).validate_python(values), []
    except ValidationError as error:
        return None, [(one["loc"], _said(one)) for one in error.errors(include_url=False)]


def plain(made: Any) -> Any:
    """The plain values of what was read."""
    kind: Any = made.__class__
    return _adapter(kind).dump_python(made, mode="json", by_alias=True)


def _said(error: Mapping[str, Any]) -> str:
    shorter = re.sub(r"^(Value error, |[A-Z]\w+ (?=should))| after validation.*", "", error["msg"])
    said = _WORDS.get(error["type"], shorter)
    return said if error["type"] == "missing" or said.endswith(" came") else f"{said}; {error['input']!r:.40} came"
