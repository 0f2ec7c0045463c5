"""`fit`: a runs table in, a fitted law with its bootstrap draws and verdicts out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from data.schema import Runs
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, a_name, huber_delta
from fitting.diagnostics.checks import Evidence, refusal, verdicts
from fitting.diagnostics.checks.aside import left_aside, unread_roles
from fitting.errors import FitError
from fitting.law import LOSS, Law
from fitting.laws import LawKey
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, whole_table, without
from fitting.selection.recommend import started
from fitting.settings import Settings
from fitting.solver.huber_scale import robust_spread, scaled_delta
from fitting.solver.initial_values import starts
from fitting.solver.parametrization import coordinates
from fitting.solver.prior import TOWARDS_LARGE
from fitting.solver.solver import Problem, Solution, minimise, problem, residuals, slopes
from fitting.solver.threads import one_thread
from fitting.solver.weighting import in_words, scales
from fitting.uncertainty.bootstrap import MOST_WEIGHTS, drawn
from fitting.uncertainty.interval_method import POSTERIOR, choose_intervals
from fitting.uncertainty.map_fit import MapFit, posterior
from fitting.uncertainty.mixture import mixture
from fitting.uncertainty.model_discrepancy import WITH_PRIOR, WITHOUT, Doubt, doubt

if TYPE_CHECKING:
    pass

Array = np.ndarray

# Starts beside the best one, displaced by this much in every coordinate: they must come back to it.
RIVALS, DISPLACED = 4, 0.3
WITH_BELIEFS = f", weighted by (N D)^{TOWARDS_LARGE} and fading far off the law, plus the prior's"


def fit(
    runs: RunsLike,
    law: Law | LawKey = "auto",
    *,
    exclude: Iterable[str] | Iterable[bool] = (),
    group: str | None = None,
    delta: float | str = "auto",
    intervals: str = "auto",
    prior: str = "auto",
    weights: str | None = None,
    resamples: int = 4000,
    seed: int = 0,
    columns: Columns = None,
    units: Units = None,
) -> Fit:
    """The law fitted to the runs: best values, draws for intervals, and what the checks found.

    `runs`: a path, a DataFrame or `Runs`. Runs held out (`role`) are not fitted; `fitting.held_out.forecasts` compares them with
        what the fit forecasts.
    `law`: a `Law`, the key of one in `all_laws()`, or "auto" for the one that these columns allow best.
    `exclude`: names of runs to leave out, or a mask of True and False over the rows of `runs.kept`; a Series is aligned by its
        index where that names the runs.
    `group`: the column, as the table or its file calls it, whose runs may have correlated residuals, such as a sweep (default: the
        model size, group or budget that shows it).
    `delta`: Huber's delta, in log loss: "auto" scales it to the noise, papers use 1e-3, `float("inf")` is least squares.
    `intervals`: what is resampled for them: "runs", "groups" (whole), "residuals" (at the same inputs), "components" (a share that
        groups have in common and the rest apart), or "auto" for what these residuals call for.
    `prior`: "published" for a prior from published sweeps on the law's parameters, "none" for none; "auto" is the first for laws
        that have one.
    `weights`: "loss_error" weights runs by one over the square of the error stated with the loss, relative to the loss, up to 25
        times the median run's weight, and scales the noise alike; such a fit has no prior. None weights all runs alike.
    `resamples`: how many refits give the intervals; 0 for none.
    `seed`: that of the refits; the same seed gives the same intervals.
    `columns`: for a path or a DataFrame, its column for one of the runs table: `{"loss": "C4 Eval Loss"}`.
    `units`: for a path or a DataFrame, the factor of a column's unit: `{"tokens": 1e9}`.

    Raises FitError, in one sentence with what to do, when the runs cannot give a number.
    """
    whole, excluded = without(whole_table(runs, law, columns, units), exclude, fresh=not isinstance(runs, Runs))
    table_of_runs, held_out = whole.fitted, tuple(whole.held_out["run"].astype(str))
    roles_unread = unread_roles(whole)
    given, group = huber_delta(delta), a_name("group", group)
    for name, word, such_as in (
        ("intervals", intervals, "auto"),
        ("prior", prior, "auto"),
        ("weights", weights, "loss_error"),
    ):
        a_name(name, word, f'a word such as "{such_as}"')
    resamples, seed = a_count("resamples", resamples, MOST_RESAMPLES), a_count("seed", seed, MOST_SEED)
    if weights is not None and prior == "published":
        raise FitError('prior="published" weights runs in its own way. Leave out weights, or ask for prior="none".')
    group = group and (table_of_runs.called(group) or group)
    begun = started(table_of_runs, law, prior if weights is None else "none", given, group)
    chosen, table, held = begun.law, begun.table, begun.held
    why = refusal(chosen, table)
    if why:
        resamples = 0  # intervals of such a fit would say nothing, and each refit is slow
    scale = None if weights is None else scales(table, weights, table_of_runs.name)
    with one_thread():
        where = coordinates(chosen, table.inputs, table.loss)
        if held:
            prob, begin = held.prob, held.starts
        else:
            prob = problem(where, table.inputs, table.loss, np.inf if given is None else given, scale)
            if given is None:
                prob = replace(prob, delta=scaled_delta(prob))
            begin = starts(prob)
        tried = _tried(prob, begin, seed)
        best = tried.best()
        r, jac = slopes(prob, tried.theta[best][None, :])
        left = r[0]
        if not np.isfinite(tried.objective[best]):
            raise FitError(
                f"{chosen.title} gives no finite loss anywhere for {table_of_runs.name}. Choose another law."
            )
        spread = held.noise if held else robust_spread(left)
        mixed = mixture(chosen, dict(zip(chosen.names, where.natural(tried.theta[best]), strict=True)), table.inputs)
        near = doubt(table.inputs, left, spread, WITH_PRIOR if held else WITHOUT, scale, mixed) if resamples else None
        if held and intervals == "auto" and group is None:
            how = POSTERIOR
            draws, new_noise = _posterior(held, tried.theta[best], near, resamples, seed)
        else:
            how = choose_intervals(intervals, group, table.groupings, left, jac[0].T, prob.delta, chosen.output.bounded)
            draws, new_noise = drawn(prob, tried.theta[best], how, resamples, seed)
        if how is not POSTERIOR and (group or how.method == "groups"):
            table = replace(table, groups=how.labels)
    values = where.natural(tried.theta[best])
    if not np.all(np.isfinite(values)):
        gone = " and ".join(k for k, v in zip(chosen.names, values, strict=True) if not np.isfinite(v))
        raise FitError(
            f"{chosen.title} fits {table_of_runs.name} best with {gone} beyond any number: the loss hardly depends on "
            f"{' and '.join(chosen.inputs)}. Choose another law, or check the columns."
        )
    evidence = Evidence(table, prob, tried, draws, left, bool(why), how.labels)
    with one_thread():
        checked = (*verdicts(evidence), *left_aside(whole), *roles_unread)
    found = Fit(
        law=chosen,
        values=values,
        draws=where.natural(draws.theta),
        objective=float(tried.objective[best]),
        residuals=-left if scale is None else -left / scale,
        runs=table.runs,
        settings=Settings(
            delta=prob.delta,
            delta_rule="auto" if given is None else "given",
            resamples=int(resamples),
            grouping=how.column,
            intervals=how.method,
            intervals_reason=how.reason,
            seed=int(seed),
            starts=len(tried.objective),
            count=_count(table_of_runs),
            flops_convention=table.flops_convention,
            prior="published" if held else "none",
            objective=(Settings.objective if chosen.output == LOSS else Settings.objective.replace("log-loss", "log"))
            + (WITH_BELIEFS if held else "" if scale is None else in_words(table)),
            weights=weights or "none",
            law_reason=begun.reason,
            excluded=excluded,
            held_out=held_out,
        ),
        verdicts=checked,
        digest=table_of_runs.digest,
        ranges=table.ranges,
        accounting=table.accounting,
        table=table_of_runs.name,
        new_noise=-new_noise,
        doubt=near,
        unidentified=tuple(k for k in chosen.names if k in evidence.unidentified.names),
        closed_ends=evidence.unidentified.closed,
    )
    if why:
        raise FitError(why, found)
    return found


def _tried(prob: Problem, begin: Array, seed: int) -> Solution:
    """Where the starts (k, p) end, and some more displaced from the best of them, which must come back to it."""
    first = minimise(prob, begin)
    rng = np.random.default_rng(seed)
    around = first.theta[first.best()] + DISPLACED * rng.standard_normal((RIVALS, begin.shape[1]))
    return minimise(prob, np.vstack([first.theta, around]))


def _posterior(held: MapFit, best: Array, near: Doubt | None, resamples: int, seed: int) -> tuple[Solution, Array]:
    """Draws that hold what runs and prior leave open, and one new run's noise (R,) for each."""
    draws = posterior(held, best, resamples, seed, max(1, MOST_WEIGHTS // held.prob.n))
    if near is None:
        return draws, np.empty(0)
    left = residuals(held.prob, best[None, :])[0]
    left = left - np.median(left)
    rng = np.random.default_rng([seed, 1])
    noise = near.noise * rng.choice(left / max(float(np.sqrt(np.mean(left**2))), 1e-300), size=resamples)
    return draws, noise


def _count(runs: Runs) -> str:
    for source in runs.sources:
        if source.column == "params":
            return source.header
    return "params"
