"""What a caller gives to a reader, by its kind: taken as meant, or refused in a sentence that says what was expected and what came."""

from __future__ import annotations

import functools
import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from types import NoneType, UnionType
from typing import Any, ParamSpec, TypeVar, get_args

import pandas as pd

from data.errors import DataError, ReadError

P = ParamSpec("P")
R = TypeVar("R")
Path = str | os.PathLike[str]

TEXTS = (
    "loss_unit",
    "count",
    "rows",
    "orientation",
    "history",
    "batch",
    "split",
    "epochs",
    "unknown_states",
    "tokens_from",
    "name",
)
NUMBERS = ("bytes_per_token", "devices")
MAPPINGS = {
    "columns": '{"loss": "eval_loss"}',
    "units": '{"tokens": 1e9}',
    "by_file": '{"old*.csv": {"bytes_per_token": 4.2}}',
}
LONGEST = 60  # signs of what came that a message repeats


def in_short(x: Any) -> str:
    """What was given, on one line."""
    text = " ".join(repr(x).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def a_source(x: Any, what: str = "source") -> pd.DataFrame | list[Path]:
    """A frame, alone or in a list of one, or a list of paths. Raises ReadError for anything else, several frames too."""
    several = isinstance(x, Iterable) and not isinstance(
        x, str | os.PathLike | pd.DataFrame | pd.Series | Mapping | bytes
    )
    members = list(x) if several else [x]
    frames = [one for one in members if isinstance(one, pd.DataFrame)]
    if frames and len(members) == 1:
        return frames[0]
    if frames:
        raise ReadError(
            f"{what} holds a data frame beside others ({len(members)} in all), and one is read at a time. Join them with pandas.concat, "
            "or give the paths of files."
        )
    if wrong := [one for one in members if not isinstance(one, str | os.PathLike)]:
        raise ReadError(
            f"{what} is the path of a file or folder, a list of them, or a DataFrame; it was {in_short(x if not several else wrong[0])}."
        )
    return members


def a_path(x: Any) -> Path:
    """A path; ReadError for anything else."""
    if not isinstance(x, str | os.PathLike):
        raise ReadError(f"a path was expected; it was {in_short(x)}. Give the path of a table of runs.")
    return x


def a_mapping(name: str, x: Any, such_as: str) -> Mapping[str, Any]:
    """A mapping with texts for keys, empty for None; DataError for anything else."""
    if x is not None and not (isinstance(x, Mapping) and all(isinstance(key, str) for key in x)):
        raise DataError(f"{name} is a mapping such as {such_as}; it was {in_short(x)}.")
    return x or {}


def names_of(x: Any, name: str, such_as: str) -> tuple[str, ...]:
    """Texts, of one or several; DataError for anything else, and for none."""
    found = (
        [x] if isinstance(x, str) else list(x) if isinstance(x, Iterable) and not isinstance(x, Mapping | bytes) else []
    )
    if not found or not all(isinstance(one, str) for one in found):
        raise DataError(f"{name} is a list of names such as {such_as}; it was {in_short(x)}.")
    return tuple(found)


def are_answers(answers: Mapping[str, Any]) -> None:
    """Nothing, where all answers of `read_runs` are of their kinds; else DataError. What they say is looked at by who is asked."""
    for name in (k for k in TEXTS if k in answers):
        if not (answers[name] is None or isinstance(answers[name], str)):
            raise DataError(f"{name} is a text; it was {in_short(answers[name])}.")
    for name in (k for k in NUMBERS if k in answers):
        if not (answers[name] is None or _is_number(answers[name])):
            raise DataError(f"{name} is a number; got {in_short(answers[name])}.")
    for name, such_as in MAPPINGS.items():
        a_mapping(name, answers.get(name), such_as)
    for column, factor in a_mapping("units", answers.get("units"), MAPPINGS["units"]).items():
        if not (isinstance(factor, str) or _is_number(factor)):
            raise DataError(f'the unit of {column} is a factor such as 1e9, or "log10"; it was {in_short(factor)}.')
    if not isinstance(answers.get("keep_copies", False), bool):
        raise DataError(f"keep_copies is True or False; it was {in_short(answers['keep_copies'])}.")
    if answers.get("states") is not None:
        states = answers["states"]
        if (
            not isinstance(states, Iterable)
            or isinstance(states, bytes | Mapping | pd.DataFrame)
            or not all(isinstance(s, str) for s in states)
        ):
            raise DataError(f'states is a list of run states such as ["crashed"]; it was {in_short(states)}.')


def _is_number(x: Any) -> bool:
    try:
        return isinstance(x, Real) and not isinstance(x, bool) and not math.isnan(float(x))
    except OverflowError:
        return False


def of_kind(error: type[Exception], name: str, x: Any, kind: type | UnionType) -> None:
    """An `error` for what is of another kind than is meant: `table is a Table; it was 3.`"""
    if not isinstance(x, kind):
        kinds = [k.__name__ for k in get_args(kind) or (kind,) if k is not NoneType]
        meant = " or ".join(f"{'an' if k[0] in 'AEIOaeio' else 'a'} {k}" for k in kinds)
        raise error(f"{name} is {meant}{', or None' if isinstance(None, kind) else ''}; it was {in_short(x)}.")


def takes(
    error: type[Exception] = DataError, /, **kinds: type | UnionType
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuses an argument of another kind than is meant with an `error`, as `of_kind` does."""

    def checked(ask: Callable[P, R]) -> Callable[P, R]:
        declared = inspect.signature(ask)

        @functools.wraps(ask)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            given = declared.bind(*args, **kwargs).arguments
            for name, kind in kinds.items():
                if name in given:
                    of_kind(error, name, given[name], kind)
            return ask(*args, **kwargs)

        return call

    return checked
