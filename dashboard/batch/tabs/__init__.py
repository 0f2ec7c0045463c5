"""What stands below the Batch page's picture, one tab at a time: only what the data chosen hold.

A panel is one file here with one function `panel(sweep)`, and one line in `TABS`; the page imports the file and calls the
function only while its tab is open. The open tab is in the address (`?batch_tab=`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any

import streamlit as st

from dashboard import downloads, widgets
from dashboard.batch import about as batch_about
from dashboard.batch import noise_beside, width_ladders
from dashboard.batch import state as batch_state
from dashboard.batch.readings import Sweep
from dashboard.downloads import File

BY_LOSS, TRAINING_CURVE = "By model or loss", "Training-curve law L(N, S)"
WIDTHS = "Learning rate by width"
#: What each tab says, and the file of this folder that draws it, from left to right.
TABS = {
    BY_LOSS: "each",
    TRAINING_CURVE: "whole",
    "Learning rate": "rates",
    WIDTHS: "widths",
    "Gradient noise": "noise",
    "Published": "papers",
}


def held(sweep: Sweep | None) -> list[str]:
    """The tabs that the data chosen have something for."""
    out = [] if sweep is None else [BY_LOSS]
    if batch_state.has_curves():
        out.append(TRAINING_CURVE)
    if batch_state.grid() is not None:
        out.append("Learning rate")
    if ladder := width_ladders.held():
        out.append(WIDTHS)
    # The norms of one run say nothing of runs that differ in width and rate.
    if noise_beside.held() or (batch_state.norms() is not None and not ladder):
        out.append("Gradient noise")
    return [*out, "Published"] if sweep is not None or batch_state.grid() is not None else out


def tabs(sweep: Sweep | None) -> None:
    """The tabs, with the open one's panel; one alone needs no tab."""
    names = held(sweep)
    if len(names) == 1:
        panel(names[0], sweep)
        return
    for tab, name in zip(st.tabs(names, key="batch_tab", bind="query-params"), names, strict=True):
        if tab.open:
            with tab:
                panel(name, sweep)


def take_away(what: str, files: Iterable[File], key: str, about: Mapping[str, Any] | None = None) -> None:
    """A tab's own exports, which say of what they are: the page has others below.

    Each says what it is `about`: the table chosen with its digest where nothing else is given.
    """
    widgets.section("Export", what)
    downloads.buttons(downloads.headed(files, batch_about.chosen() if about is None else about), key)


def panel(name: str, sweep: Sweep | None) -> None:
    """One tab's panel."""
    import_module(f"{__name__}.{TABS[name]}").panel(sweep)
