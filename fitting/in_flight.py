"""Runs in flight: the loss they are heading for, and whether that is what a law says they should come to.

A law of final losses says nothing of the loss at 40 % of a run whose learning rate still has to fall. What the rest of a run brings is
read off finished runs of the same design at the same share of the run: the log of the loss there over the final one, along size,
data, rate and batch where these runs tell. That gives a projection of the final loss; and with the law's forecast in place of the
final loss, a band in which the curve should lie. Only runs at a constant rate may be compared with the law at the tokens so far,
where the law is of such runs.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from data.alike import Alike
from fitting.arguments import a_level
from fitting.band import Band
from fitting.errors import FitError
from fitting.plural import plural
from fitting.result import Fit
from fitting.shown import shown

Array = np.ndarray

LEVEL = 0.9
LEAST = 4  # finished runs of the same design from which the rest of a run can be told
ALONG = ("tokens", "params", "lr", "batch")  # what the rest of a run may hang on, the first first
SPARE = 3  # runs beyond the coefficients, so that something is left to judge the scatter by
LEAST_GAIN = 0.9  # the share of the scatter that must be left at most for another coefficient to be taken
EARLIEST = 0.02  # the share of a run before which nothing is said
LEAST_BEYOND = 0.01  # in log loss: what a run may be off at the least without being called so


@shown()
@dataclass(frozen=True, eq=False)
class Curve(Alike):
    """A run's curve: `shares` (n,) of the planned tokens that were seen, rising, and the `loss` (n,) there.

    `inputs` are what the run is as columns of the runs table have it, `tokens` those planned; `design` is alike in runs whose curves
    have the same form, as far as anybody says; `constant` says that the rate does not fall.
    """

    name: str
    inputs: Mapping[str, float]
    shares: Array
    loss: Array
    design: Hashable = None
    constant: bool = False

    def at(self, share: float) -> float:
        """Log loss at a share of the run, on a line in log share between evaluations; NaN outside them."""
        x = np.log(self.shares)
        return float(np.interp(np.log(share), x, np.log(self.loss), left=np.nan, right=np.nan))


@shown()
@dataclass(frozen=True, eq=False)
class InFlight(Alike):
    """What can be said of a run in flight at `shares` (n,) of it, where its losses are `loss` (n,).

    `projected` is the final loss that it is heading for, `final` the law's prediction for it, and `path` (n,) the band in which its
    losses should lie by the law; each None where it cannot be said, and `why` then says why. `status` is in words, "" without a path.
    `runs` is how many finished runs it was told from.
    """

    name: str
    shares: Array
    loss: Array
    projected: Band | None
    final: Band | None
    path: Band | None
    status: str
    runs: int
    why: str = ""

    @property
    def off(self) -> float:
        """How far the last loss lies above the middle of its band, as a share; NaN without a band."""
        return float("nan") if self.path is None else float(self.loss[-1] / np.atleast_1d(self.path.value)[-1] - 1.0)

    @property
    def sentence(self) -> str:
        """The status, where the run is heading, and what the law says of it."""
        said = []
        if self.status:
            said.append(f"{self.status[0].upper()}{self.status[1:]}.")
        if self.projected is not None:
            by = f"by {plural(self.runs, 'finished run')} of its design"
            said.append(f"It is heading for {_ends(self.projected)}, {by}.")
        if self.final is not None:
            said.append(f"The law says {_ends(self.final)}.")
        return " ".join([*said, self.why]).strip()


def in_flight(run: Curve, finished: Sequence[Curve], fit: Fit | None = None, *, level: float = LEVEL) -> InFlight:
    """What can be said of a run in flight from finished runs' curves, and from a fit of final losses where there is one.

    Never raises for want of runs or of a law: `why` says in a sentence what is missing. FitError for a curve without a loss.
    """
    level = a_level(level)
    shares, loss = _usable(run)
    if not len(shares):
        raise FitError(f"{run.name} has logged no loss yet; its first evaluation comes soon after its start.")
    run = Curve(run.name, run.inputs, shares, loss, run.design, run.constant)
    final = _final(run, fit, level)
    alike = [one for one in finished if one.design == run.design and one.name != run.name and len(one.shares) > 1]
    rest = {share: found for share in shares if share >= EARLIEST and (found := _rest(run, alike, share)) is not None}
    last = rest.get(float(shares[-1]))
    projected = None if last is None else last.projected(float(loss[-1]), level)
    if final is None:
        why = (
            "There is no fit to hold it against."
            if fit is None
            else "The fit's law takes what is not known of this run."
        )
        why = why if projected is not None else f"{why} {_missing(alike, float(shares[-1]))}"
        return InFlight(run.name, shares, loss, projected, None, None, "", len(alike), why)
    if rest:
        told = np.array([share in rest for share in shares])
        path = _path(final, [rest[float(share)] for share in shares[told]], level)
    elif run.constant and fit is not None and all(one.constant for one in finished):
        low = fit.ranges.get("tokens", (0.0, np.inf))[0]
        told = shares * run.inputs["tokens"] >= low
        if not told.any():
            why = "It has seen fewer tokens than any run that the law was fitted to."
            return InFlight(run.name, shares, loss, None, final, None, "", 0, why)
        path = _so_far(run, fit, shares[told], level)
    else:
        return InFlight(
            run.name, shares, loss, projected, final, None, "", len(alike), _missing(alike, float(shares[-1]))
        )
    status = _status(shares[told], loss[told], path)
    return InFlight(run.name, shares[told], loss[told], projected, final, path, status, len(alike) if rest else 0)


@dataclass(frozen=True)
class _Rest:
    """The log of the loss at a share over the final one: its mean, the standard deviation of one more run's, and its freedom."""

    mean: float
    spread: float
    freedom: int

    def projected(self, loss: float, level: float) -> Band:
        """The final loss that a run at this loss is heading for."""
        reach = self.spread * float(special.stdtrit(self.freedom, 0.5 * (1.0 + level)))
        value = loss * np.exp(-self.mean)
        return Band(value, float(value * np.exp(-reach)), float(value * np.exp(reach)), level)


def _rest(run: Curve, alike: Sequence[Curve], share: float) -> _Rest | None:
    """What the rest of a run brings, from runs of the same design; None where too few of them say.

    A line in the logs of what differs among them, of as many of `ALONG` as make the errors of runs left out in turn smaller.
    """
    known = [one for one in alike if np.isfinite(one.at(share)) and one.shares[-1] >= 1.0 - 1e-6]
    if len(known) < LEAST:
        return None
    y = np.array([one.at(share) - np.log(one.loss[-1]) for one in known])
    columns, here = np.ones((len(known), 1)), np.ones(1)
    best = _left_out(columns, y)
    for name in ALONG:
        asked = run.inputs.get(name, np.nan)
        values = np.array([one.inputs.get(name, np.nan) for one in known])
        if (
            not (np.all(values > 0) and asked > 0)
            or np.ptp(np.log(values)) < 0.05
            or len(known) < columns.shape[1] + 1 + SPARE
        ):
            continue
        centre = float(np.mean(np.log(values)))
        wider = np.column_stack([columns, np.log(values) - centre])
        tried = _left_out(wider, y)
        if tried is not None and best is not None and np.std(tried) <= LEAST_GAIN * np.std(best):
            columns, here, best = wider, np.append(here, np.log(asked) - centre), tried
    if best is None:
        return None
    coefficients, *_ = np.linalg.lstsq(columns, y, rcond=None)
    freedom = len(y) - columns.shape[1]
    # Errors of runs left out in turn hold the doubt of the line where those runs are; beyond them it is more.
    leverage = float(here @ np.linalg.pinv(columns.T @ columns) @ here)
    mean_leverage = columns.shape[1] / len(y)
    spread = float(np.sqrt(np.mean(best**2) * max(1.0, (1.0 + leverage) / (1.0 + mean_leverage))))
    return _Rest(float(here @ coefficients), spread, freedom)


def _left_out(columns: Array, y: Array) -> Array | None:
    """The error of each row (n,) forecast from the others; None where the others do not tell it."""
    hat = columns @ np.linalg.pinv(columns)
    left = 1.0 - np.diag(hat)
    if np.any(left < 1e-6):
        return None
    return np.asarray((y - hat @ y) / left)


def _final(run: Curve, fit: Fit | None, level: float) -> Band | None:
    if fit is None:
        return None
    try:
        return fit.predict(level=level, of="run", **dict(run.inputs))
    except (FitError, TypeError):
        return None


def _path(final: Band, rest: Sequence[_Rest], level: float) -> Band:
    """The band of the losses on the way, from the law's forecast of the last and what the rest of the run brings; both are in doubt."""
    mean = np.array([one.mean for one in rest])
    reach = np.array([one.spread * special.stdtrit(one.freedom, 0.5 * (1.0 + level)) for one in rest])
    value = float(final.value)
    low, high = (np.hypot(abs(np.log(float(end) / value)), reach) for end in (final.low, final.high))
    centre = np.log(value) + mean
    return Band(np.exp(centre), np.exp(centre - low), np.exp(centre + high), level)


def _so_far(run: Curve, fit: Fit, shares: Array, level: float) -> Band:
    """What the law says of runs of so many tokens as this one has seen."""
    tokens = shares * run.inputs["tokens"]
    other: dict[str, Any] = {k: np.full(len(shares), v) for k, v in run.inputs.items() if k not in ("tokens", "flops")}
    if "flops" in run.inputs:
        other["flops"] = shares * run.inputs["flops"]
    return fit.predict(level=level, of="run", tokens=tokens, **other)


def _status(shares: Array, loss: Array, path: Band) -> str:
    """On track, or on which side of its band the run is and since which share of it."""
    value, low, high = (np.atleast_1d(np.asarray(x, float)) for x in (path.value, path.low, path.high))
    off = np.log(loss / value)
    side = np.where((loss > high) & (off > LEAST_BEYOND), 1, np.where((loss < low) & (off < -LEAST_BEYOND), -1, 0))
    if side[-1] == 0:
        return "on track"
    same = np.flatnonzero(side != side[-1])
    first = int(same[-1]) + 1 if len(same) else 0
    return f"{'above' if side[-1] > 0 else 'below'} its band since {100 * shares[first]:.0f} %"


def _usable(run: Curve) -> tuple[Array, Array]:
    shares, loss = np.asarray(run.shares, float), np.asarray(run.loss, float)
    good = np.isfinite(shares) & np.isfinite(loss) & (shares > 0) & (loss > 0)
    return shares[good], loss[good]


def _missing(alike: Sequence[Curve], share: float) -> str:
    """Why a loss at this share cannot be held against the runs that are alike."""
    if len(alike) < LEAST:
        return (
            f"A loss on the way is held against {LEAST} finished runs of the same schedule, optimiser and text or more; there "
            f"{'is' if len(alike) == 1 else 'are'} {len(alike)}."
        )
    if share < EARLIEST:
        return f"Only {100 * share:.1f} % of it is done; from {100 * EARLIEST:g} % on a loss says something of its end."
    return "The finished runs of its design were not measured so early."


def _ends(band: Band) -> str:
    return f"{float(band.value):.4g} ({float(band.low):.4g} to {float(band.high):.4g})"
