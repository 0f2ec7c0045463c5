"""What is current on the Compare page: its settings for the data chosen, and the families under them, cached by value.

Beside `state.py`, whose rules it keeps: ids and plain values go in, results come out, settings are written at once.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.compare.settings import CompareSettings, read_settings
from data.schema import Runs
from fitting import Families, FitError
from fitting.families import Versus, family_columns

# Four thousand refits, as of a fit, would not move a comparison's digits and take four times as long.
RESAMPLES = 1000


def settings() -> CompareSettings:
    """How the families of the data chosen are compared."""
    return read_settings(state.setting(f"compare:{state.chosen().key}"))


def change(what: str, **changed: Any) -> None:
    """Change some of the comparison's settings for the data chosen, as one step that undo calls `what`."""
    wanted = replace(settings(), **changed)
    state.change(what, {f"compare:{state.chosen().key}": wanted.written() or None})


def columns(runs: Runs) -> dict[str, dict[str, int]]:
    """The columns that can name families, each with its families and their numbers of runs."""
    return _columns(runs.identity, runs)


def current(runs: Runs, column: str) -> Families | FitError:
    """The comparison of the families that `column` names, or why there is none, in a sentence for the page.

    Delta, grouping, seed and a law chosen by hand are those of the Fit page, "auto" is that of `compare_families`; the target is
    applied afterwards, as it changes no fit.
    """
    fit, wanted = state.fit_settings(), settings()
    named = columns(runs).get(column, {})
    reference = wanted.reference if wanted.reference in named else None
    together = fit.group in runs.kept and fit.group != column and fit.intervals not in ("runs", "residuals")
    group = fit.group if together else None
    gone = state.excluded_here(runs)
    given = (column, fit.law, wanted.share, reference, group, fit.delta, fit.seed, gone)
    return _families(runs.identity, given, runs)


@st.cache_resource(max_entries=16, show_spinner=False)
def _columns(identity: str, _runs: Runs) -> dict[str, dict[str, int]]:
    return family_columns(_runs)


@st.cache_resource(max_entries=16, show_spinner="Fitting each family and its bootstrap refits")
def _families(identity: str, given: tuple[Any, ...], _runs: Runs) -> Families | FitError:
    """The comparison, keyed by everything that enters it; a refusal is an answer too, so that it is found once."""
    from fitting import compare_families

    column, law, share, reference, group, delta, seed, gone = given
    try:
        found = compare_families(
            _runs, column, law, share=share, reference=reference, group=group, delta=delta, resamples=RESAMPLES, seed=seed,
        )  # fmt: skip
    except FitError as refusal:
        return refusal
    return replace(found, settings=replace(found.settings, excluded=gone))


def aimed(found: Families) -> Families:
    """The comparison with the budget asked about as its target, where one that it can speak of was asked."""
    target = settings().target
    low, high = found.reach
    return replace(found, target=target) if target is not None and low <= target <= high else found


def in_the_sentence(versus: list[Versus]) -> Versus:
    """The family that the page's sentence is about: the one chosen, else the best at the target."""
    asked = settings().family
    return next((v for v in versus if v.family == asked), max(versus, key=lambda v: v.multiplier.value))
