"""Which law suits a table when nobody named one, and why: the one recommended for forecasting from these runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.schema import Runs
from data.spelling import nearest
from fitting.arguments import is_one_of
from fitting.diagnostics.checks import on_a_line
from fitting.errors import FitError
from fitting.law import Law
from fitting.laws import LawKey, all_laws, asked_for_none
from fitting.plural import plural
from fitting.solver.fit_data import Arrays, arrays
from fitting.solver.parametrization import check_units, coordinates
from fitting.solver.solver import problem
from fitting.solver.threads import one_thread
from fitting.uncertainty.map_fit import MapFit, map_fit

PRIORS = ("auto", "published", "none")
WITHOUT_PRIOR = "both parameters and tokens vary, and without a prior five parameters are enough"


@dataclass(frozen=True)
class Start:
    """A law, why it, the table it is fitted to, and the problem with its prior where it starts from one."""

    law: Law
    reason: str
    table: Arrays
    held: MapFit | None


def choose(runs: Runs, key: Law | LawKey, prior: bool = True) -> tuple[Law, str]:
    """The law that is or is called `key`, or for "auto" the one the table allows best, and the reason in a sentence.

    Of size and tokens that is the general law with its `prior` from published sweeps, and Chinchilla without one: where nothing
    else holds them, two more parameters cost more than they give. Families, which have no prior, are compared by the latter.

    Raises FitError when there is no such law, or "auto" finds none that the table can carry.
    """
    if isinstance(key, Law):
        check_units(key)
        return key, "chosen by you"
    laws = all_laws()
    if not is_one_of(key, ("auto",)):
        if not is_one_of(key, laws):
            raise FitError(
                asked_for_none(f"There is no law called {key!r}{nearest(key, laws)}; choose one of {', '.join(laws)}.")
            )
        return laws[key], "chosen by you"
    frame = runs.kept
    values = {c: int(frame[c].nunique(dropna=True)) for c in ("params", "tokens", "flops") if c in frame.columns}
    losses = "loss" in frame.columns and frame["loss"].notna().any()  # read for a law of its own columns it has none
    varied = {c for c, n in values.items() if n >= 3 and losses}
    if {"params", "tokens"} <= varied:
        both = frame[["params", "tokens", "flops"] if "flops" in varied else ["params", "tokens"]].dropna()
        if len(both) > 2 and on_a_line(both["params"].to_numpy(float), both["tokens"].to_numpy(float)):
            key = "compute-floor" if "flops" in varied else "kaplan-params"
            return laws[key], "model size and tokens rise in step, so their effects are not separately identified"
        if len(frame.dropna(subset=["params", "tokens", "loss"])) < laws["general"].min_runs:
            return laws["chinchilla"], "both parameters and tokens vary, but the runs are too few for the general law"
        if not prior:
            return laws["chinchilla"], WITHOUT_PRIOR
        return laws["general"], (
            "both parameters and tokens vary, and with a prior from published sweeps this law has forecast the largest "
            "runs of those sweeps best"
        )
    if "params" in varied:
        return laws["kaplan-params"], f"only the number of parameters varies{_beside('tokens', values)}"
    if "tokens" in varied:
        return laws["kaplan-tokens"], f"only the number of tokens varies{_beside('params', values)}"
    if "flops" in varied:
        return laws["compute-floor"], "only training compute is known to vary"
    words = {"params": "parameters", "tokens": "tokens", "flops": "FLOPs"}
    has = ", ".join(f"{n} of {words[c]}" for c, n in values.items()) if values else "no column of any of them"
    raise FitError(
        f"A law needs at least three different values of parameters, tokens or FLOPs beside a loss; the "
        f"{plural(len(frame), 'usable run')} of {runs.name} {'has' if len(frame) == 1 else 'have'} {has}. Map the columns, or add runs."
        f"{runs.want}"
    )


def _beside(column: str, values: dict[str, int]) -> str:
    """How many values the other input takes, where two or more are still too few for a law of both."""
    n = values.get(column, 0)
    return (
        f" enough: there are {n} values of {'parameters' if column == 'params' else column}, and a law needs three"
        if n == 2
        else ""
    )


def started(runs: Runs, key: Law | LawKey, prior: str, delta: float | None, group: str | None) -> Start:
    """The law that is or is called `key` (or for "auto" the recommended one) with its table, and its prior where it starts from one.

    `delta` is None where it is scaled to the noise. Raises FitError for a law or prior there is none of, and for a table that
    cannot carry the law.
    """
    law, reason = choose(runs, key)
    if prior not in PRIORS or (prior == "published" and key != "auto" and not law.has_prior):
        raise FitError(
            f"prior is {', '.join(PRIORS[:-1])} or {PRIORS[-1]}, and {law.title} {'has' if law.has_prior else 'has no'} "
            f"published one; it was {prior!r}."
        )
    table = arrays(runs, law, group)
    if not law.has_prior:
        return Start(law, reason, table, None)
    simpler = all_laws()["chinchilla"] if key == "auto" else law
    if prior == "none":
        return Start(simpler, WITHOUT_PRIOR if key == "auto" else reason, table, None)
    with one_thread():
        prob = problem(coordinates(law, table.inputs, table.loss), table.inputs, table.loss, np.inf)
        held = map_fit(prob, delta)
    if prior == "published" or not held.contradicted:
        return Start(law, reason, table, held)
    why = (
        "both parameters and tokens vary, and these runs contradict the prior of the general law from published sweeps of "
        "language models"
    )
    return Start(simpler, why if key == "auto" else reason, table, None)
