"""What is worked out beside the current fit, kept like `state`'s results: plain values and digests in, results out."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from dashboard.fit import own_laws
from data.schema import Runs
from fitting.laws import all_laws

if TYPE_CHECKING:
    from fitting import Fit, FitError
    from fitting.held_out import HeldOut
    from fitting.isoflop import Comparison
    from fitting.uncertainty.calibrated import Calibration


def lacking(runs: Runs) -> dict[str, str]:
    """For every law what these runs lack to carry it, '' for those that they can be fitted with."""
    return _lacking(runs.identity, runs)


def losses() -> Runs | None:
    """The runs with losses that the data chosen hold, whichever law is chosen; None where there are none."""
    runs = state.read_for().marked(state.roles(), state.excluded()).runs
    return runs if runs is not None and len(runs) else None


def offered() -> dict[str, str]:
    """For every law that the data chosen are offered what they lack to carry it, '' for nothing.

    Laws of losses are offered where there are any, laws with columns of their own where the file has them all.
    """
    runs, own = losses(), own_laws.keys(lambda: state.read_for().table)
    of_losses = {} if runs is None else lacking(runs)
    return {
        key: "" if law.own_columns else of_losses[key]
        for key, law in all_laws().items()
        if (key in own if law.own_columns else runs is not None)
    }


@st.cache_resource(max_entries=16, show_spinner=False)
def _lacking(identity: str, _runs: Runs) -> dict[str, str]:
    from fitting import lacking

    return lacking(_runs)


def held_out(fit: Fit, whole: Runs) -> HeldOut | None:
    """The runs held out, `whole` among the others, beside what the fit forecasts of them; None where there are none."""
    from fitting.held_out import HeldOut

    found = state.derived(_forecasts, fit, whole, whole.identity) if len(whole.held_out) else None
    return found if isinstance(found, HeldOut) else None


def _forecasts(fit: Fit, whole: Runs, identity: str) -> HeldOut | None:
    from fitting.held_out import forecasts

    return forecasts(fit, whole)


def current_approaches(fit: Fit, at: float, method: str) -> Comparison:
    """Approaches 1, 2 and 3 at a budget of 10^`at` FLOP; `method` is the profiles' curve, quadratic or akima."""
    runs = state.current_runs()
    return _approaches(runs.curves_digest, fit.identity, at, method, runs, fit)


@st.cache_resource(max_entries=16, show_spinner="Comparing three approaches, each with its resamples")
def _approaches(curves: str, identity: str, at: float, method: str, _runs: Runs, _fit: Fit) -> Comparison:
    from fitting.isoflop import compare

    return compare(_runs, _fit, 10.0**at, method=method)


# --- calibrated intervals: asked for, since they take thousands of refits ---------------------------------------------

TABLES, REFITS = 200, 200
MOST_KEPT = 32


def calibration(fit: Fit) -> Calibration | None:
    """The current fit's intervals calibrated, where somebody asked for it; None before."""
    return _calibrations().get(fit.identity)


def ask_to_calibrate(fit: Fit, at: float | None) -> None:
    """Have the current fit's intervals calibrated; a page that runs again before it is done goes on asking."""
    st.session_state["calibrate_asked"] = (fit.identity, at)


def asked_to_calibrate(fit: Fit, at: float | None) -> bool:
    """Whether that was asked and is not done."""
    return bool(st.session_state.get("calibrate_asked") == (fit.identity, at))


def calibrate(fit: Fit, at: float | None, progress: Callable[[float], None]) -> Calibration | FitError:
    """The current fit's intervals calibrated, with its decisions at a budget of `at` FLOP (None: a default); kept."""
    from fitting import FitError
    from fitting.diagnostics.calibration import calibrate

    try:
        found = calibrate(fit, state.current_runs(), outer=TABLES, inner=REFITS, flops=at, progress=progress)
    except FitError as refusal:
        return refusal
    st.session_state.pop("calibrate_asked", None)
    kept = _calibrations()
    kept[fit.identity] = found
    while len(kept) > MOST_KEPT:
        kept.pop(next(iter(kept)), None)
    return found


@st.cache_resource(show_spinner=False)
def _calibrations() -> dict[str, Calibration]:
    """What was calibrated, oldest first. A cached function could not move a bar that was drawn before it was called."""
    return {}
