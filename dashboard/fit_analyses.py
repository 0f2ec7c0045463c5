"""What is worked out beside the current fit, kept like `state`'s results: plain values and digests in, results out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard import state
from data.schema import Runs

if TYPE_CHECKING:
    from fitting import Fit
    from fitting.isoflop import Comparison


def current_approaches(fit: Fit, at: float, method: str) -> Comparison:
    """Approaches 1, 2 and 3 at a budget of 10^`at` FLOP; `method` is the profiles' curve, quadratic or akima."""
    runs = state.current_runs()
    checkpoints = 0 if runs.history is None else len(runs.history)
    return _approaches(runs.digest, runs.name, checkpoints, fit.law_key, repr(fit.settings), at, method, runs, fit)


@st.cache_resource(max_entries=16, show_spinner="Comparing three approaches, each with its resamples")
def _approaches(
    digest: str, name: str, checkpoints: int, law: str, settings: str, at: float, method: str, _runs: Runs, _fit: Fit
) -> Comparison:
    from fitting.isoflop import compare

    return compare(_runs, _fit, 10.0**at, method=method)
