"""Do these runs agree with a paper's constants? The tests that Besiroglu et al. 2024 put Hoffmann et al. 2022 to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from data.alike import Alike
from fitting.arguments import takes
from fitting.diagnostics.refit_problem import refit_problem
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, whole_table
from fitting.shown import shown
from fitting.solver.huber_likelihood import chance, log_likelihood_in_scales
from fitting.solver.solver import minimise, residuals
from fitting.solver.threads import one_thread

if TYPE_CHECKING:
    pass

Array = np.ndarray

# Delta, over the residuals' spread, of the fit that the likelihood of these tests prefers: absolute values in effect.
ABSOLUTE = 1e-4
ENOUGH_DRAWS = 200
UNLIKELY = 0.01


@shown()
@dataclass(frozen=True, eq=False)
class PaperTest(Alike):
    """One paper's constants against these runs, with chances that constants true for them would look this far off.

    `ratio` is the likelihood-ratio statistic, twice the log likelihood these runs lose under the paper's constants; `wald`
    the squared distance in the bootstrap's own units, None without enough draws; `shapes_chance` is that of the exponents
    alone, which another corpus or tokeniser should not change.
    """

    paper: str
    freedom: int
    ratio: float
    ratio_chance: float
    wald: float | None
    wald_chance: float | None
    shapes_chance: float | None
    sentence: str


@takes(fit=Fit)
def against_papers(fit: Fit, runs: RunsLike, *, columns: Columns = None, units: Units = None) -> tuple[PaperTest, ...]:
    """Every paper's constants for the fitted law, tested on the fitted runs (`runs` is the table they came from).

    Likelihood ratio: the density of `fitting.solver.huber_likelihood` with delta a thousandth of its scale, at its best constants and
    at the paper's. Wald: weights and floor in logs, exponents as they are, in the covariance of the bootstrap draws.
    None for a weighted fit: these densities take runs to be alike. Raises FitError for other runs than were fitted.
    Both chi-squared with as many degrees of freedom as the law has parameters (Besiroglu et al. 2024, arXiv 2404.10102,
    section 3).
    """
    if not fit.law.published or fit.settings.weights != "none":
        return ()
    again = refit_problem(fit, whole_table(runs, fit.law, columns, units), "ask what papers say")
    table, start = again.table, again.theta
    spread = max(float(np.median(np.abs(fit.residuals))), 1e-9)
    prob = replace(again.runs_alone, delta=ABSOLUTE * spread)
    with one_thread():
        # Towards absolute values in steps: each optimum is the next one's start.
        for delta in (spread, 0.1 * spread, 0.01 * spread, ABSOLUTE * spread):
            start = minimise(replace(prob, delta=delta), start[None, :]).theta[0]
    best = max(log_likelihood_in_scales(r) for r in (residuals(prob, start[None, :])[0], fit.residuals))
    found = []
    for pub in fit.law.published:
        values = np.array([pub.values[k] for k in fit.law.names])
        theirs = fit.law({k: x[None, :] for k, x in table.inputs.items()}, pub.values)[0]
        with np.errstate(all="ignore"):
            left = np.log(theirs) - np.log(table.loss)
        if not np.all(np.isfinite(left)):
            continue
        ratio = max(0.0, 2 * (best - log_likelihood_in_scales(left)))
        wald, shapes = _wald(fit, values, list(range(fit.law.p))), _wald(fit, values, list(fit.law.shapes))
        p = fit.law.p
        found.append(
            PaperTest(
                pub.paper, p, ratio, chance(ratio, p), wald, None if wald is None else chance(wald, p),
                None if shapes is None else chance(shapes, len(fit.law.shapes)),
                _sentence(pub.paper, chance(ratio, p), None if wald is None else chance(wald, p),
                          None if shapes is None else chance(shapes, len(fit.law.shapes))),
            )
        )  # fmt: skip
    return tuple(found)


def _wald(fit: Fit, values: Array, of: list[int]) -> float | None:
    """Squared distance of the paper's parameters `of` from the fit's, in units of the draws' covariance."""
    if len(fit.draws) < ENOUGH_DRAWS or not of:
        return None
    logs = np.array([p.anchor is not None or p.is_floor for p in fit.law.params])

    def moved(x: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.where(logs, np.log(x), x)[..., of]

    draws = moved(fit.draws)
    draws = draws[np.all(np.isfinite(draws), axis=1)]
    off = moved(values) - moved(fit.values)
    if len(draws) < ENOUGH_DRAWS or not np.all(np.isfinite(off)):
        return None
    spread = np.std(draws, axis=0)
    if np.any(spread <= 0):
        return None
    correlation = np.atleast_2d(np.corrcoef(draws.T))
    z = off / spread
    return float(z @ np.linalg.pinv(correlation, rcond=1e-12, hermitian=True) @ z)


def _sentence(paper: str, ratio: float, wald: float | None, shapes: float | None) -> str:
    if wald is not None and (wald < UNLIKELY) != (ratio < UNLIKELY):
        return f"{paper}: the two tests disagree ({_said(ratio)} by likelihood, {_said(wald)} by resampling), so the question is open."
    p = ratio if wald is None else wald
    if p >= UNLIKELY:
        return f"These runs agree with the constants of {paper} ({_said(p)})."
    head = f"These runs do not follow the constants of {paper} ({_said(p)})"
    if shapes is None:
        return f"{head}."
    if shapes < UNLIKELY:
        return f"{head}, nor their exponents."
    return f"{head}, but their exponents agree ({_said(shapes)}), as expected with another corpus or tokeniser."


def _said(p: float) -> str:
    return "p below 1e-99" if p < 1e-99 else f"p = {p:.2g}" if p >= 0.01 else f"p = {p:.0e}"
