"""The way back to earlier work from a page that was opened without a workspace's address."""

from __future__ import annotations

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.server import local
from dashboard.workspace.earlier import Earlier, earlier
from data.probe.folder import now


def panel() -> None:
    """The latest workspaces of this machine, a button each, where this one is new and nobody else can be looking."""
    if state.space().exists or local.why_not_local():
        return
    found = earlier(state.space().id)
    if not found:
        return
    widgets.section("Earlier work", "opens where it was left")
    for one in found:
        st.button(
            widgets.literal(one.title), key=f"earlier-{one.id}", on_click=state.enter, args=(one.id,), help=_when(one), width="stretch",
        )  # fmt: skip


def _when(one: Earlier) -> str:
    return widgets.literal(f"Last changed {numbers.duration(max(now() - one.changed, 1.0))} ago.")
