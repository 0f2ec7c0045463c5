"""What a saved fit says twice it must say alike: a number changed by hand in one place is no longer the fit's.

Held against each other: parameters, draws, intervals and calibration; residuals, objective and what neighbours leave over;
places, ranges, mixture and how FLOPs are counted; draws and resamples; verdicts and status; runs and those left out. What a
file says once only its checksum protects (`fitting.export.checksum`), which files of older versions lack: the verdicts
themselves, the digest, the draws of a new run's noise, Huber's delta beside a prior, FLOP counts within a factor of two and their
draws, and, of more runs than places are kept of, the ends that only the others reach.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from data.plain import PlainError
from fitting.band import quantiles
from fitting.export.saved import Saved
from fitting.law import Law
from fitting.result import Fit
from fitting.settings import Settings
from fitting.solver.weighting import WITH_ERRORS
from fitting.uncertainty.calibrated import DECISIONS, TAIL
from fitting.uncertainty.mixture import mixture
from fitting.uncertainty.model_discrepancy import Doubt

Array = np.ndarray

# Places are kept as logs over a reach: this is far above what their last digits lose.
SLACK = 1e-6
# FLOPs of a run may lie off the form that they are counted by: by this factor, or by its rows' scatter (sqrt(n) deviations at
# most, of which there are two as those are around their own mean).
FLOPS_OFF, DEVIATIONS = 2.0, 2.0


# The methods whose draws bring a new run's noise along.
DRAWING = ("residuals", "components", "posterior")


def agree(fit: Fit, saved: Saved) -> None:
    """Nothing where all that a fit's JSON says twice is alike; else PlainError with the first that is not."""
    if fit.n != len(fit.runs):
        raise PlainError(f"{len(fit.runs)} runs have {fit.n} residuals")
    if any(v < p.least or (p.log and not v) for v, p in zip(fit.values, fit.law.params, strict=True)):
        raise PlainError("a parameter is not positive")
    if len(fit.new_noise) != (len(fit.draws) if fit.settings.intervals in DRAWING else 0):
        raise PlainError(f"{len(fit.draws)} draws have {len(fit.new_noise)} of a new run's noise")
    if fit.accounting.sign < 0 and fit.accounting.lowest <= 0:
        raise PlainError("its FLOPs may fall to nothing")
    _calibration(fit)
    if fit.doubt is not None:
        _shapes(fit.law, fit.doubt)
    if len(fit.draws) != fit.settings.resamples:
        raise PlainError(f"its settings say {fit.settings.resamples} resamples and it has {len(fit.draws)} draws")
    if both := sorted(set(fit.runs) & {*fit.settings.excluded, *fit.settings.held_out}):
        raise PlainError(f"the run {both[0]!r:.40} is both fitted and left out")
    if strange := set(fit.unidentified) - set(fit.law.names):
        raise PlainError(f"{sorted(strange)[0]!r:.40} is no parameter of its law")
    for name, end in fit.closed_ends.items():
        if name not in fit.unidentified or end not in ("low", "high"):
            raise PlainError(f"{name!r:.40} ends at its {end!r:.40}")
    _intervals(fit, saved.intervals)
    if saved.status != fit.status.value:
        raise PlainError(f"its status is {saved.status!r} and its checks say {fit.status.value!r}")
    with np.errstate(all="ignore"):  # damage may lie beyond floats; it is like nothing then
        _objective(fit)
        if fit.doubt is not None and len(fit.doubt.left):
            _leftovers(fit, fit.doubt)
            _places(fit, fit.doubt)
        _flops(fit)


def _calibration(fit: Fit) -> None:
    """Calibrated are parameters of this fit, at its values, and decisions that there are."""
    for q in () if fit.calibration is None else fit.calibration.quantities:
        of = {"parameter": fit.params, "decision": DECISIONS}.get(q.kind, {})
        if q.name not in of or (q.kind == "parameter" and q.value != of[q.name]):
            raise PlainError(f"calibrated is {q.kind} {q.name} at {q.value:.6g}")


def _shapes(law: Law, doubt: Doubt) -> None:
    """What widens forecasts is of this law, with a place and a scale for each of the neighbours' residuals."""
    n, k, mixed = len(doubt.left), len(law.inputs), doubt.mixture
    if doubt.inputs != law.inputs or doubt.places.shape != (n, k):
        raise PlainError(f"{n} residuals of neighbours lie in places of shape {doubt.places.shape}")
    if doubt.scale is not None and len(doubt.scale) != n:
        raise PlainError(f"{n} residuals of neighbours have {len(doubt.scale)} scales")
    if mixed is not None and (law.exponents is None or mixed.low > mixed.high):
        raise PlainError("its runs mix size and data as none can")


def _intervals(fit: Fit, said: Mapping[str, Mapping[str, float]]) -> None:
    for i, name in enumerate(fit.law.names):
        band, of = fit.interval(name), said[name]
        if name in fit.unidentified:
            ends = [float(of.get(k, math.nan)) for k in ("low", "high")]
            _alike(f"the interval of {name}, which is not identified,", (ends[0], ends[1]), [band.low, band.high])
        drawn = [float(x) for x in quantiles(fit.draws[:, i], (0.5 * (1.0 - band.level), 0.5 * (1.0 + band.level)))]
        calibrated = fit.calibration.of(name) if fit.calibration else None
        if calibrated is not None:
            plain = [float(x) for x in quantiles(fit.draws[:, i], (TAIL, 1.0 - TAIL))]
            _alike(f"{name} before calibrating", calibrated.plain, plain)
            drawn = [calibrated.low, calibrated.high]
        drawn = [band.low, band.high] if name in fit.unidentified else drawn
        before = dict(zip(("low", "high"), drawn, strict=True))  # as saved before an interval held its own value
        for k in ("value", "low", "high", "level"):
            if k not in of:
                raise PlainError(f"{name} has no {k}")
            there, here = of[k], float(getattr(band, k))
            if not (_near(there, here) or (k in before and _near(there, before[k]))):
                raise PlainError(f"{name} has {k} {there:.6g} and, by its values and draws, {here:.6g}")


def _objective(fit: Fit) -> None:
    """Where it is one of residuals alone, and in units of each run's error where those are kept of all runs."""
    size = np.abs(fit.residuals)
    said, plain = (
        x.replace("log-loss", "log") for x in (fit.settings.objective, Settings.objective)
    )  # of whatever output
    if said.startswith(plain + WITH_ERRORS):
        if fit.doubt is None or fit.doubt.scale is None or len(fit.doubt.scale) != fit.n:
            return
        size = size * fit.doubt.scale
    elif said != plain:
        return
    inside = np.minimum(size, fit.settings.delta)
    total = float(np.sum(inside * (size - 0.5 * inside)))
    if not math.isclose(total, fit.objective, rel_tol=1e-6, abs_tol=1e-12):
        raise PlainError(f"its objective is {fit.objective:.6g} and its residuals add up to {total:.6g}")


def _leftovers(fit: Fit, doubt: Doubt) -> None:
    """What neighbours leave over is the residuals, cut where they are largest, and its noise follows from it and its ratio."""
    try:
        noise = doubt.noise_found
    except (np.linalg.LinAlgError, ValueError):
        noise = math.nan
    if not math.isclose(noise, doubt.noise, rel_tol=SLACK, abs_tol=1e-150):
        raise PlainError(f"the noise around its neighbours is {doubt.noise:.6g} and, by their residuals, {noise:.6g}")
    if len(doubt.left) == fit.n:
        whole = fit.residuals * (1.0 if doubt.scale is None else doubt.scale)
        most = float(np.max(np.abs(doubt.left))) * (1.0 + SLACK)
        if not np.allclose(doubt.left, np.clip(whole, -most, most), rtol=1e-5, atol=1e-12):
            raise PlainError("the residuals of its neighbours are not its residuals")


def _places(fit: Fit, doubt: Doubt) -> None:
    """The runs whose places are kept lie within the ranges; where all are, in order, they and their losses end where ranges do."""
    every = len(doubt.left) == fit.n
    places = {k: doubt.runs(k) for k in doubt.inputs}
    found = dict(places)
    if every:
        found[fit.law.output.column] = np.asarray(fit.law(places, fit.params)) * np.exp(fit.residuals)
    for k, x in found.items():
        ends, said = (float(np.min(x)), float(np.max(x))), fit.ranges[k]
        inside = said[0] <= ends[0] * (1 + SLACK) and ends[1] <= said[1] * (1 + SLACK)
        if not inside or (every and not np.allclose(ends, said, rtol=SLACK, atol=0)):
            raise PlainError(
                f"its runs have {k} {ends[0]:.4g} to {ends[1]:.4g} and its range is {said[0]:.4g} to {said[1]:.4g}"
            )
    if doubt.mixture is not None:
        mixed = mixture(fit.law, fit.params, places)
        for k in ("weight", "low", "high") if every else ("weight",):
            there, here = getattr(doubt.mixture, k), math.nan if mixed is None else getattr(mixed, k)
            if not math.isclose(there, here, rel_tol=SLACK, abs_tol=SLACK):
                raise PlainError(f"its runs' mixture has {k} {there:.6g} and, by their places, {here:.6g}")


def _flops(fit: Fit) -> None:
    """FLOPs of the runs as they are counted by size and tokens: of each run's place, else of the ends of their ranges."""
    if not {"params", "tokens", "flops"} <= set(fit.ranges):
        return
    size, tokens = (np.array(fit.ranges[k]) for k in ("params", "tokens"))
    doubt = fit.doubt
    if doubt is not None and len(doubt.left) == fit.n and {"params", "tokens"} <= set(doubt.inputs):
        size, tokens = doubt.runs("params"), doubt.runs("tokens")
    counted = np.asarray(fit.accounting.flops(size, tokens))
    off = max(FLOPS_OFF, float(np.exp(DEVIATIONS * np.sqrt(fit.n) * fit.accounting.spread)))
    low, high = float(np.min(counted)), float(np.max(counted))
    said = fit.ranges["flops"]
    # A run without FLOPs of its own is in no range of them, so the runs' own may end short of these.
    if not (low / off <= said[0] and said[1] <= high * off):
        raise PlainError(
            f"its runs have FLOPs of {low:.4g} to {high:.4g} as it counts them and its range is {said[0]:.4g} to {said[1]:.4g}"
        )


def _near(a: float, b: float) -> bool:
    return a == b or math.isclose(a, b, rel_tol=1e-9) or (math.isnan(a) and math.isnan(b))


def _alike(what: str, said: tuple[float, float], found: list[float]) -> None:
    if not all(_near(a, b) for a, b in zip(said, found, strict=True)):
        raise PlainError(
            f"{what} is {said[0]:.6g} to {said[1]:.6g} and, by its draws, {found[0]:.6g} to {found[1]:.6g}"
        )
