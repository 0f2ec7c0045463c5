"""Which law suits a table when nobody named one, and why: the one recommended for forecasting from these runs."""

from __future__ import annotations

import numpy as np

from data.schema import Runs
from fitting.believing import believing
from fitting.coordinates import coordinates
from fitting.law import Law, all_laws
from fitting.result import FitError
from fitting.solve import problem
from fitting.table import Arrays
from fitting.threads import one_thread
from fitting.verdicts import on_a_line


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
        if len(frame.dropna(subset=["params", "tokens", "loss"])) < laws["general"].min_runs:
            return laws["chinchilla"], "both parameters and tokens vary, over too few runs for the general law"
        return laws["general"], (
            "both parameters and tokens vary, and started from what published sweeps say this law has forecast their largest "
            "runs best"
        )
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


def unless_contradicted(law: Law, reason: str, table: Arrays | None, delta: float | str) -> tuple[Law, str]:
    """The law and the reason, or Chinchilla where these runs contradict what published sweeps say of the law's parameters.

    Without a table nothing may be started from, and the law that needs that least is Chinchilla too.
    """
    simpler = all_laws()["chinchilla"]
    if table is None:
        return (
            simpler,
            "both parameters and tokens vary, and without published sweeps to start from five parameters are enough",
        )
    with one_thread():
        where = coordinates(law, table.inputs, table.loss)
        prob = problem(where, table.inputs, table.loss, np.inf)
        held = believing(prob, None if isinstance(delta, str) else delta)
    if not held.contradicted:
        return law, reason
    return simpler, (
        "both parameters and tokens vary, and these runs contradict what published sweeps of language models would say of "
        "the general law"
    )
