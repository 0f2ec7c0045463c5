"""Arguments that a person gives, read as meant or answered in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Container, Hashable, Iterable, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from data import given
from data.errors import DataError
from data.given import in_short as in_short
from fitting.errors import FitError

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray
P = ParamSpec("P")
R = TypeVar("R")

MOST_RESAMPLES, MOST_SEED = 100_000, 2**63 - 1
MOST_SAID = 3  # members of a list named in a sentence
SURE = 0.8  # how sure a header must mean model sizes, where nobody is asked
SMALLEST, LARGEST = 1e-100, 1e100  # positive numbers beyond these have squares and products that no float holds


def a_level(x: Any) -> float:
    """The share that an interval holds; FitError unless it lies between 0 and 1."""
    number = _number(x)
    if not 0.0 < number < 1.0:
        meant = f"; for {number:g} % give {number / 100:g}" if 1.0 < number < 100.0 else ""
        raise FitError(f"level is a share between 0 and 1, such as 0.95; it was {in_short(x)}{meant}.")
    return number


def as_numbers(x: Any) -> Array | None:
    """A number or several as an array of the same shape; None for what is none: text, truth values, dates, rows of unequal length."""
    try:
        raw = np.asarray(x)
        if raw.dtype.kind in "bcmMSUT":
            return None
        values = np.asarray(x, float)
        mixed = raw.dtype.kind == "O" or isinstance(x, list | tuple)  # np.asarray makes 1.0 of True beside numbers
        if mixed and any(isinstance(one, bool | np.bool_ | str | complex) for one in np.asarray(x, object).flat):
            return None
    except (TypeError, ValueError, OverflowError):
        return None
    return np.where(np.ma.getmaskarray(x), np.nan, values) if isinstance(x, np.ma.MaskedArray) else values


def an_input(name: str, x: Any) -> Array:
    """Places on an input's axis as an array; FitError unless all are positive numbers."""
    values = as_numbers(x)
    if values is None or not np.all(right := in_range(values)):
        said = in_short(x) if values is None else at_fault(x, ~right)
        raise FitError(f"{name} is a positive number{_range_of(values)}, or an array of them; it was {said}.")
    return values


def in_range(values: Array) -> Array:
    """Which numbers are positive, and none beyond what squares and products of floats hold."""
    return np.asarray((values >= SMALLEST) & (values <= LARGEST))


def _range_of(values: Any) -> str:
    """The range that positive numbers have, where one of these is finite and beyond it; '' elsewhere."""
    beyond = values is not None and np.any((values > 0) & np.isfinite(values) & ~in_range(values))
    return f" from {SMALLEST:g} to {LARGEST:g}" if beyond else ""


def one_number(name: str, x: Any, what: str = "a positive number", least: float | None = None) -> float:
    """One finite number above 0, or from `least` on, which is `what` it is; FitError for anything else, a list too."""
    number = _number(x)
    if not (number >= SMALLEST if least is None else number >= least) or number > LARGEST:
        many = "; ask for each alone" if hasattr(x, "__len__") and not isinstance(x, str) else ""
        raise FitError(f"{name} is {what}{_range_of(np.float64(number))}; it was {in_short(x)}{many}.")
    return number


def any_number(name: str, x: Any, what: str) -> float:
    """One number of any size, nan too, for whoever knows which are possible; FitError for what is none, or several."""
    found = as_numbers(x)
    if found is None or found.ndim:
        raise FitError(f"{name} is {what}; it was {in_short(x)}.")
    return float(found)


def positive_numbers(name: str, x: Any) -> Array:
    """A number or several, as an array (K,); FitError unless there is one at least and all are positive."""
    found = as_numbers(x)
    values = np.empty(0) if found is None else np.atleast_1d(found).ravel()
    if len(values) == 0 or not np.all(in_range(values)):
        raise FitError(f"{name} are positive numbers{_range_of(values)}, one or a list of them; it was {in_short(x)}.")
    return values


def rows_of(x: Any, columns: Iterable[str], what: str) -> pd.DataFrame:
    """A frame without the rows held out and the column that says so (`role`); its `columns` are numbers, infinite ones blanks.

    A column of sizes under another usual name, such as model_size, is read as `params` where these are among the columns.
    FitError for no frame, or other cells, and where every row is held out.
    """
    import pandas as pd

    from data.states.roles import held_out_rows

    if not isinstance(x, pd.DataFrame):
        raise FitError(f"{what} are a frame, a row each; it was {in_short(x)}. Give a pandas.DataFrame.")
    columns = tuple(columns)
    out, spoken = held_out_rows(x, columns)
    if out.any():
        if out.all():
            raise FitError(
                f"{what} are all held out by the column role, which leaves none to fit. Give some of them another role."
            )
        x = x[~out]
    x = x.drop(columns=spoken)  # what was read of all rows is not read again of some of them
    own = any(c in x for c in columns if c.startswith("params_"))  # a count that the caller knows by its own name
    x, numbers = with_size(x) if "params" in columns and not own else x, {}
    for name in (c for c in columns if c in x):
        values = x[name]
        if isinstance(values, pd.DataFrame):
            raise FitError(f"{what} have one column {name}; there are {values.shape[1]} of that name.")
        if not (pd.api.types.is_integer_dtype(values) or pd.api.types.is_float_dtype(values)):
            none = [one for one in values[values.notna()] if as_numbers(one) is None or np.ndim(one)]
            if none:
                raise FitError(
                    f"The column {name} holds numbers; it has {in_short(none[0])}. Give numbers, or leave out its row."
                )
            values = numbers[name] = pd.to_numeric(values)
        if (endless := np.isinf(values.to_numpy(float, na_value=np.nan))).any():
            numbers[name] = values.mask(endless)
    return x.assign(**numbers) if numbers else x


def with_size(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with the column of model sizes called `params`, in parameters, where it has another usual name, such as model_size."""
    import pandas as pd

    from data.headers.names import named
    from data.headers.parts import header
    from data.schema import COUNTS
    from data.units.factors import PLAUSIBLE

    sizes, least = {}, PLAUSIBLE["params"][0]
    for name in (c for c in frame.columns if isinstance(c, str)):
        cells = frame[name]
        if (
            isinstance(cells, pd.DataFrame)
            or not pd.api.types.is_numeric_dtype(cells)
            or pd.api.types.is_bool_dtype(cells)
        ):
            continue
        meant = [(COUNTS.index(c), -sure) for c, sure in named(name) if c in COUNTS and sure >= SURE]
        if meant and cells.notna().any() and (cells.dropna() * header(name).scale >= least).all():
            sizes[name] = min(meant)
    if "params" in frame or not sizes:
        return frame
    best = min(sizes, key=lambda name: sizes[name])
    return frame.assign(params=frame[best] * header(best).scale).drop(columns=best)


def is_one_of(x: Any, known: Container[str]) -> bool:
    """Whether a text is among those known; no array, and nothing else that compares with a text in a way of its own."""
    return isinstance(x, str) and x in known


def a_flag(name: str, x: Any) -> bool:
    """True or False; FitError for anything else, a number too."""
    if not isinstance(x, bool | np.bool_):
        raise FitError(f"{name} is True or False; it was {in_short(x)}.")
    return bool(x)


def of_kind(name: str, x: Any, kind: type | UnionType) -> None:
    """FitError for what is of another kind: `fit is a Fit; it was None.`"""
    given.of_kind(FitError, name, x, kind)


def takes(**kinds: type | UnionType) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Refuses an argument of another kind than is meant with a FitError, as `of_kind` does."""
    return given.takes(FitError, **kinds)


def a_share(name: str, x: Any, such_as: float) -> float:
    """A number above 0 and at most 1; FitError for anything else."""
    number = _number(x)
    if not SMALLEST <= number <= 1.0:
        raise FitError(f"{name} is a share between 0 and 1, such as {such_as:g}; it was {in_short(x)}.")
    return number


def huber_delta(x: Any) -> float | None:
    """Huber's delta: a positive number, infinite for least squares, or None for "auto"; FitError for anything else."""
    if isinstance(x, str) and x == "auto":
        return None
    number = float("nan") if isinstance(x, str) else _number(x)
    if not (SMALLEST <= number <= LARGEST or number == np.inf):
        raise FitError(f'delta is "auto" or a positive number of log-loss units such as 0.001; it was {in_short(x)}.')
    return number


def a_name(name: str, x: Any, what: str = "the name of a column") -> str | None:
    """A text that is `what` it is, or None for none; FitError for anything else."""
    if x is not None and not isinstance(x, str):
        raise FitError(f"{name} is {what}; it was {in_short(x)}.")
    return x


def column_names(name: str, x: Any) -> tuple[str, ...]:
    """The names of columns, of one or several, none for None; FitError for anything else."""
    if x is None or isinstance(x, str):
        return () if x is None else (x,)
    found = list(x) if isinstance(x, Iterable) and not isinstance(x, Mapping | bytes) else [None]
    if not all(isinstance(one, str) for one in found):
        raise FitError(f"{name} is the name of a column, or a list of them; it was {in_short(x)}.")
    return tuple(str(one) for one in found)


def at_fault(x: Any, wrong: Array) -> str:
    """What was given, where it is one, or those of a list that are `wrong`, as they were given and with their places."""
    if not wrong.ndim:
        return in_short(x)
    each = np.broadcast_to(np.asarray(x, object), wrong.shape)  # one may go with each of several others
    at = np.flatnonzero(wrong)
    said = [f"{in_short(each.ravel()[k])} (number {k + 1} of {wrong.size})" for k in at[:MOST_SAID]]
    more = f" and {len(at) - MOST_SAID} more" if len(at) > MOST_SAID else ""
    return f"{', '.join(said)}{more}"


def together(named: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays of one shape, that of all given; FitError, with how many each has, where they do not go together."""
    try:
        return dict(zip(named, np.broadcast_arrays(*named.values()), strict=True))
    except ValueError:
        many = " and ".join(f"{'x'.join(map(str, x.shape))} of {k}" for k, x in named.items() if x.ndim)
        raise FitError(f"Lists given together are of one length, or single numbers; there are {many}.") from None


def in_line(named: Mapping[str, Any], index: Any = None) -> dict[str, Any]:
    """Arguments that go together by place, those with a pandas index in the order of `index`, or of the first that has one.

    FitError where two have other labels, or repeated ones in another order: which belongs to which is then not known.
    """
    out, of = dict(named), "the frame"
    for name, x in named.items():
        if (own := _index(x)) is None:
            continue
        if index is None:
            index, of = own, name
        elif not own.equals(index):
            if not (own.is_unique and index.is_unique and len(own) == len(index) and own.isin(index).all()):
                raise FitError(
                    f"{name} and {of} go together by their index, and theirs have other labels. Give columns of one frame, or arrays: "
                    f"{name}.to_numpy()."
                )
            out[name] = x.reindex(index)
    return out


def shared_index(named: Mapping[str, Any]) -> Any:
    """The index of the first argument that has one, whose order `in_line` takes; None where none has."""
    return next((own for x in named.values() if (own := _index(x)) is not None), None)


def _index(x: Any) -> Any:
    """The index of a Series; None for whatever has none, lists with a method of that name too."""
    own = getattr(x, "index", None)
    return None if callable(own) or not hasattr(x, "reindex") else own


def a_count(name: str, x: Any, most: int) -> int:
    """A whole number from 0 to `most`; FitError for anything else, a float or a truth value too."""
    if isinstance(x, bool | np.bool_) or not isinstance(x, int | np.integer) or not 0 <= x <= most:
        number = _number(x)
        meant = f"; give {int(number)}" if number.is_integer() and 0 <= number <= most else ""
        raise FitError(f"{name} is a whole number from 0 to {most:,}; it was {in_short(x)}{meant}.")
    return int(x)


def run_names(
    x: Any, among: Iterable[Any] = (), labels: Mapping[Hashable, str] | None = None, fresh: bool = False
) -> tuple[str, ...]:
    """The names of runs as text, sorted and each once; a mask of True and False names those of `among` where it is True.

    A mask that is a Series is aligned by its index, as `data.masks.masked` tells (`labels`, `fresh`, the index of `among`), else it
    is taken by position. FitError for a mask of another length, one whose index is another, or for what is no list.
    """
    from data.cells.cleaned import clean
    from data.masks import given_names, is_mask, masked

    names = [str(name) for name in among]
    try:
        found = given_names(x, "exclude")
    except DataError as e:
        raise FitError(str(e)) from None
    if is_mask(found):
        if blank := [
            k for k, one in enumerate(found, 1) if one is None or repr(one) in ("nan", "<NA>", "np.float64(nan)")
        ]:
            raise FitError(
                f"exclude was a mask of True and False with {in_short(found[blank[0] - 1])} at number {blank[0]} of {len(found)}. "
                "Give True or False there."
            )
        try:
            found = list(
                masked(x if hasattr(x, "index") else found, names, labels, fresh, getattr(among, "index", None))
            )
        except DataError as e:
            said = str(e)
            if not said.startswith(("a mask", "the index")):
                said = (
                    f"a mask of {len(found)} values for {len(names)} runs kept. Give one True or False for each row of runs.kept, or "
                    "the names of runs"
                )
            raise FitError(f"exclude: {said}." if said.startswith("the index") else f"exclude was {said}.") from None
    return tuple(sorted({one if one in names else clean(one) for one in map(str, found)}))


def _number(x: Any) -> float:
    """One number, or nan for anything else, truth values too."""
    found = as_numbers(x)
    return float(found) if found is not None and found.ndim == 0 else float("nan")
