"""Accelerator-hour classes: what a model can do in so many hours on one device, at the speed it really trains at.

FLOPs are not what a person has; hours are. A class gives every model the same hours, and with them the tokens that its own
measured speed allows: tokens = tokens a second * 3600 * hours, steps = tokens // batch (Stanic et al. 2023, The Languini
Kitchen, arXiv 2309.11197 [V]). A small model that waits for its memory then loses what FLOPs would have promised it, so
the best size in a class is larger than a plan by FLOPs says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.arguments import as_numbers, in_range, one_number, positive_numbers, takes
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.planning.notes import place_notes
from fitting.result import Fit
from fitting.shown import shown

Array = np.ndarray

#: The classes that the Languini Kitchen's code prints, in hours of one accelerator [V].
CLASSES = (3.0, 6.0, 12.0, 24.0, 48.0, 98.0, 192.0, 384.0)
SIZES = np.geomspace(1e5, 1e13, 321)  # forty sizes a decade; a parabola through the best three says what lies between
STRIDES = (
    16,
    4,
    1,
)  # of many draws each looks at every so many sizes, then around the best of those: a valley is wider than that


@shown()
@dataclass(frozen=True, eq=False)
class HourClass(Alike):
    """The best run in one class: `hours` of one device, its size, tokens, loss (each a band) and steps at the batch asked for.

    `loss` is the law's, `loss_run` that of one new run. `notes` are what a plan of the same run would say.
    """

    hours: float
    params: Band
    tokens: Band
    loss: Band
    loss_run: Band
    steps: float | None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class PeakSpeed:
    """Tokens a second for sizes (K,) where a device does `flops_per_second`, FLOPs counted as the fitted table counts them."""

    flops_per_second: float
    accounting: Accounting

    def __call__(self, sizes: Array) -> Array:
        return np.asarray(self.flops_per_second / self.accounting.flops(sizes, 1.0), float)

    def drawn(self, sizes: Array, count: int) -> Array:
        """The same for so many draws of a law (count or 1, K), as open as the count of FLOPs is."""
        forms = min(count, len(self.accounting.draws))  # more draws than these take them in turn
        rate = np.asarray(self.flops_per_second / self.accounting.drawn(forms).flops(sizes[None, :], 1.0), float)
        return rate[np.arange(count) % forms] if forms else rate


def tokens_in(hours: Any, tokens_per_second: Any, batch: float | None = None) -> tuple[Any, Any]:
    """Tokens that a speed allows in hours (numbers or arrays), and whole steps of `batch` tokens; None without a batch."""
    tokens = np.asarray(tokens_per_second, float) * 3600.0 * np.asarray(hours, float)
    return tokens, None if batch is None else tokens // batch


@takes(fit=Fit)
def hour_classes(
    fit: Fit,
    speed: Callable[[Array], Any],
    *,
    hours: float | Sequence[float] = CLASSES,
    batch: float | None = None,
    sizes: Any = None,
    level: float = LEVEL,
) -> tuple[HourClass, ...]:
    """The size with the lowest loss in each class of `hours`, by a fitted law of size and tokens.

    `speed` gives tokens a second on one device for sizes (K,), such as a `StepTime`'s; it is taken as certain, but for a
    `PeakSpeed`, which is as open as the table's count of FLOPs. `sizes` are those to choose among, such as shapes that can be
    built; by default any. Raises FitError for another law, or where the best size is the first or last of the default range.
    """
    if set(fit.law.inputs) != {"params", "tokens"}:
        raise FitError(f"{fit.law.title} is no law of size and tokens alone, so it chooses no size. Fit one that is.")
    free = sizes is None
    n = SIZES if sizes is None else np.sort(positive_numbers("sizes", sizes))
    classes = positive_numbers("hours", hours)
    batch = None if batch is None else one_number("batch, in tokens per step,", batch)
    said = as_numbers(speed(n)) if callable(speed) else None
    if said is None or said.shape not in ((), n.shape) or not np.all(in_range(said)):
        raise FitError("speed is a function that gives a positive number of tokens a second for every size.")
    rate = np.broadcast_to(said, n.shape)
    rates = speed.drawn(n, len(fit.draws)) if isinstance(speed, PeakSpeed) and len(fit.draws) else rate[None, :]
    out = []
    for each in map(float, classes):
        inputs = {"params": n[None, :], "tokens": tokens_in(each, rate)[0][None, :]}
        best = _lowest(fit, inputs, fit.values[None, :], free)
        spread = {**inputs, "tokens": tokens_in(each, rates)[0]}
        drawn = _lowest(fit, spread, fit.draws, free) if len(fit.draws) else np.empty((3, 0))
        if free and not SIZES[1] < best[0, 0] < SIZES[-2]:
            raise FitError(
                f"The best size in {each:g} hours lies outside {SIZES[0]:.0e} to {SIZES[-1]:.0e} parameters."
            )
        size, tokens = (fit.band_of(b[:, None], d[:, None], level) for b, d in zip(best[:2], drawn[:2], strict=True))
        at = {"params": best[0][None, :], "tokens": best[1][None, :]}
        loss, of_run = map(fit.possible, fit.new_run.mean_and_run(at, best[2][None, :], drawn[2][:, None], level))
        steps = None if batch is None else float(np.floor(tokens.value / batch))
        flops = float(fit.accounting.flops(size.value, tokens.value))
        notes = (*fit.warnings, *place_notes(fit, flops, size.value, tokens.value), *loss.notes, *of_run.notes)
        notes = tuple(dict.fromkeys(notes))
        out.append(HourClass(each, size, tokens, loss, of_run, steps, notes))
    return tuple(out)


def _lowest(fit: Fit, inputs: dict[str, Array], values: Array, between: bool) -> Array:
    """Size, tokens and loss (3, R) of the lowest loss over sizes (1, K) with tokens (1 or R, K), for sets of parameters (R, p)."""
    named = {k: values[:, i, None] for i, k in enumerate(fit.law.names)}
    n, rows = inputs["params"][0], np.arange(len(values))[:, None]
    d = np.broadcast_to(inputs["tokens"], (len(values), len(n)))

    def loss(at: Array) -> Array:
        tokens = inputs["tokens"][:, at[0]] if len(at) == 1 else d[rows, at]
        with np.errstate(all="ignore"):
            out = fit.law({"params": n[at], "tokens": tokens}, named)
        return np.broadcast_to(np.asarray(out, float), (len(values), at.shape[1]))

    def lowest(at: Array) -> Array:
        found = loss(at)
        best = np.argmin(np.where(np.isfinite(found), found, np.inf), axis=1)[:, None]
        return np.take_along_axis(np.broadcast_to(at, found.shape), best, 1)

    apart = STRIDES if between and len(values) > 1 and len(n) > STRIDES[0] else (1,)
    at = lowest(np.append(np.arange(0, len(n) - 1, apart[0]), len(n) - 1)[None, :])
    for before, step in pairwise(apart):
        at = lowest(np.clip(at + np.arange(-before, before + 1, step), 0, len(n) - 1))
    if not between or len(n) < 3:
        return np.stack([n[at], d[rows, at], loss(at)])[:, :, 0]
    middle = np.clip(at, 1, len(n) - 2)
    below, here, above = loss(middle + np.array([-1, 0, 1])).T[:, :, None]
    with np.errstate(all="ignore"):
        step = np.clip(np.nan_to_num(0.5 * (below - above) / (below - 2.0 * here + above)), -1.0, 1.0)
    place = np.where(at == middle, middle + step, at)
    before = np.minimum(place.astype(int), len(n) - 2)
    part = place - before
    size = np.exp((1.0 - part) * np.log(n[before]) + part * np.log(n[before + 1]))
    tokens = np.exp((1.0 - part) * np.log(d[rows, before]) + part * np.log(d[rows, before + 1]))
    ends = np.where(at < middle, below, above)
    return np.stack([size, tokens, np.where(at == middle, here - 0.25 * (below - above) * step, ends)])[:, :, 0]


def notes_of(found: Sequence[HourClass]) -> tuple[str, ...]:
    """The notes of all classes, each said once: with the hours it is of, unless it is of all."""
    said: dict[str, list[str]] = {}
    for one in found:
        for note in one.notes:
            said.setdefault(note, []).append(f"{one.hours:g}")
    return tuple(note if len(at) == len(found) else f"In {', '.join(at)} hours: {note}" for note, at in said.items())
