"""Which group of training curves the Batch page reads, where one file holds several."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard.batch.frames import curves_in
from data.schema import Runs
from fitting import FitError
from fitting.batch import Groups, curve_groups
from fitting.batch.groups import chosen
from fitting.batch.targets import one_ladder


@dataclass(frozen=True)
class Which:
    """The group of curves that is read, the one with most batches where `name` is None, and the column that groups go `by` too."""

    name: str | None = None
    by: str | None = None


@st.cache_resource(max_entries=8, show_spinner=False)
def groups_of(digest: str, unit: str, by: str | None, _runs: Runs) -> Groups | None:
    frame = curves_in(_runs, unit)
    if frame is None:
        return None
    found = curve_groups(frame)
    return curve_groups(frame, (*found.by, by)) if by in found.mixed else found


def chosen_of(runs: Runs, unit: str, group: Which) -> tuple[str, pd.DataFrame]:
    """The name and the curves of the group chosen, of all sizes."""
    found = groups_of(runs.curves_digest, unit, group.by, runs)
    if found is None:
        raise FitError("There are no training curves at three batch sizes or more.")
    return chosen(found, group.name)


def ladder_of(runs: Runs, unit: str, group: Which) -> pd.DataFrame:
    """The curves of the group chosen, of one size."""
    return one_ladder(chosen_of(runs, unit, group)[1])[0]
