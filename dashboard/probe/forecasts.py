"""Runs in flight beside what finished runs of their design and the current law say of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dashboard import state
from dashboard.probe.watching import Run, Sweep
from data.errors import DataError
from data.sources.probe import Sweep as SweepSource

if TYPE_CHECKING:
    from fitting import Fit
    from fitting.in_flight import InFlight


def forecasts(sweep: Sweep, every: Sequence[Sweep]) -> dict[str, InFlight]:
    """What can be said of each run of a sweep that is in flight and has logged a loss, by its key."""
    going = [run for run in sweep.runs if run.state == "running" and run.losses]
    if not going or sweep.mixed:  # losses over mixes that differ follow no one law of size and tokens
        return {}
    from fitting import FitError  # only now: a page on which nothing runs does without
    from fitting.in_flight import in_flight
    from fitting.probe_curves import curve

    done = [curve(run.probe) for one in every for run in one.runs if run.state == "done" and run.losses]
    fit = law(going[0])
    found = {}
    for run in going:
        try:
            found[run.key] = in_flight(curve(run.probe), done, fit)
        except FitError:
            continue
    return found


def law(run: Run) -> Fit | None:
    """The fit of the current data, where those are sweeps of this workspace or runs on the same text; None for others."""
    from data.probe.corpus import corpus
    from fitting import FitError

    source = state.chosen()
    try:
        same = source.true_floor is not None and source.true_floor == corpus(run.spec).entropy
        if not (isinstance(source, SweepSource) or same):
            return None
        found = state.current_fit()
    except DataError:
        return None
    return None if isinstance(found, FitError) else found
