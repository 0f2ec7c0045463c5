"""`fit`: a runs table in, a fitted law with its bootstrap draws and verdicts out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.schema import Runs
from fitting.bootstrap import drawn
from fitting.coordinates import coordinates
from fitting.intervals import choose_intervals
from fitting.law import Law, all_laws
from fitting.result import Fit, FitError, Settings
from fitting.scale import scaled_delta
from fitting.solve import minimise, problem, slopes
from fitting.starts import starts
from fitting.table import arrays
from fitting.threads import one_thread
from fitting.verdicts import Evidence, on_a_line, refusal, verdicts

if TYPE_CHECKING:
    import pandas as pd

# Starts beside the best one, displaced by this much in every coordinate: they must come back to it.
RIVALS, DISPLACED = 4, 0.3


def fit(
    runs: Runs | pd.DataFrame,
    law: str = "auto",
    *,
    exclude: Iterable[str] = (),
    group: str | None = None,
    delta: float | str = "auto",
    intervals: str = "auto",
    resamples: int = 4000,
    seed: int = 0,
) -> Fit:
    """The law fitted to the runs: best values, bootstrap draws, and what the checks found.

    `law` is a key of `all_laws()`, or "auto" for the one these columns allow best. `exclude` names runs to leave out.
    `delta` is Huber's, in log loss: "auto" scales it to the noise, the field's own is 1e-3, `float("inf")` is least squares.
    `intervals` says what is drawn anew for them: "runs", "groups" whole, "residuals" at the same inputs, "components"
    (what groups share and the rest apart), or "auto" for what these residuals call for. `group` is the column whose runs
    may share their luck (default: the model size, group or budget that shows it). `resamples` refits give the intervals;
    the same `seed` gives the same ones.

    Raises FitError, in one sentence with what to do, when the runs cannot give a number.
    """
    table_of_runs = as_runs(runs)
    excluded = tuple(sorted({exclude} if isinstance(exclude, str) else set(exclude)))
    if excluded:
        table_of_runs = table_of_runs.exclude(excluded)
    if delta != "auto" and (isinstance(delta, str) or not delta > 0):
        raise FitError(f'delta is "auto" or a positive number of log-loss units such as 0.001; it was {delta!r}.')
    if not (0 <= resamples <= 100_000):
        raise FitError(f"resamples is a whole number from 0 to 100,000; it was {resamples!r}.")
    chosen, reason = choose(table_of_runs, law)
    table = arrays(table_of_runs, chosen, group)
    why = refusal(chosen, table, table_of_runs.name)
    if why:
        resamples = 0  # intervals of such a fit would say nothing, and each refit is slow
    with one_thread():
        where = coordinates(chosen, table.inputs, table.loss)
        prob = problem(where, table.inputs, table.loss, np.inf if isinstance(delta, str) else delta)
        if isinstance(delta, str):
            prob = replace(prob, delta=scaled_delta(prob))
        first = minimise(prob, starts(prob))
        rng = np.random.default_rng(seed)
        centre = first.theta[first.best()]
        tried = minimise(prob, np.vstack([first.theta, centre + DISPLACED * rng.standard_normal((RIVALS, chosen.p))]))
        best = tried.best()
        r, jac = slopes(prob, tried.theta[best][None, :])
        left = r[0]
        if not np.isfinite(tried.objective[best]):
            raise FitError(
                f"{chosen.title} gives no finite loss anywhere for {table_of_runs.name}. Choose another law."
            )
        how = choose_intervals(intervals, group, table.groupings, left, jac[0].T, prob.delta)
        if group or how.method == "groups":
            table = replace(table, groups=how.labels)
        draws, new_noise = drawn(prob, tried.theta[best], how, resamples, seed)
    values = where.natural(tried.theta[best])
    if not np.all(np.isfinite(values)):
        gone = " and ".join(k for k, v in zip(chosen.names, values, strict=True) if not np.isfinite(v))
        raise FitError(
            f"{chosen.title} fits {table_of_runs.name} best with {gone} beyond any number: the loss hardly depends on "
            f"{' and '.join(chosen.inputs)}. Choose another law, or check the columns."
        )
    evidence = Evidence(table, prob, tried, draws, left, refused=bool(why))
    with one_thread():
        checked = verdicts(evidence)
    found = Fit(
        law_key=chosen.key,
        values=values,
        draws=where.natural(draws.theta),
        objective=float(tried.objective[best]),
        residuals=left,
        runs=table.runs,
        settings=Settings(
            delta=prob.delta,
            delta_rule="auto" if isinstance(delta, str) else "given",
            resamples=int(resamples),
            grouping=how.column,
            intervals=how.method,
            intervals_reason=how.reason,
            seed=int(seed),
            starts=len(tried.objective),
            count=_count(table_of_runs),
            flops_convention=table.flops_convention,
            law_reason=reason,
            excluded=excluded,
        ),
        verdicts=checked,
        digest=table_of_runs.digest,
        ranges=table.ranges,
        accounting=table.accounting,
        table=table_of_runs.name,
        new_noise=new_noise,
    )
    if why:
        raise FitError(why, found)
    return found


def choose(runs: Runs, key: str) -> tuple[Law, str]:
    """The law called `key`, or for "auto" the one the table allows best, and the reason in a sentence.

    Raises FitError when there is no such law, or "auto" finds none that the table can carry.
    """
    laws = all_laws()
    if key != "auto":
        if key not in laws:
            raise FitError(f"There is no law called {key!r}; choose one of {', '.join(laws)}.")
        return laws[key], "chosen by you"
    frame = runs.kept
    varied = {
        c for c in ("params", "tokens", "flops")
        if c in frame.columns and frame[c].nunique(dropna=True) >= 3 and frame["loss"].notna().any()
    }  # fmt: skip
    if {"params", "tokens"} <= varied:
        both = frame[["params", "tokens", "flops"] if "flops" in varied else ["params", "tokens"]].dropna()
        if len(both) > 2 and on_a_line(both["params"].to_numpy(float), both["tokens"].to_numpy(float)):
            key = "compute-floor" if "flops" in varied else "kaplan-params"
            return laws[key], "model size and tokens rise in step, so only what they do together can be read"
        return laws["chinchilla"], "both parameters and tokens vary, so the law that trades one for the other is fitted"
    if "params" in varied:
        return laws["kaplan-params"], "only the number of parameters varies"
    if "tokens" in varied:
        return laws["kaplan-tokens"], "only the number of tokens varies"
    if "flops" in varied:
        return laws["compute-floor"], "only training compute is known to vary"
    raise FitError(
        f"A law needs at least three different values of parameters, tokens or FLOPs beside a loss; {runs.name} has "
        f"{len(frame)} usable runs that do not vary any of them. Map the columns, or add runs."
    )


def load_fit(source: str | Path) -> Fit:
    """The fit saved by `Fit.to_json`, from a path or from the JSON text itself. Raises FitError if it is not one."""
    from fitting.export import read_fit

    return read_fit(source)


def as_runs(runs: Any) -> Runs:
    """The runs table, read from a frame, path or list where it is not one yet."""
    if isinstance(runs, Runs):
        return runs
    from data import read_runs

    return read_runs(runs)


def _count(runs: Runs) -> str:
    for source in runs.sources:
        if source.column == "params":
            return source.header
    return "params"
