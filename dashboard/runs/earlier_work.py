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
            widgets.literal(f"{one.title}, {_ago(one)}"), key=f"earlier-{one.id}", on_click=state.enter, args=(one.id,), width="stretch",
        )  # fmt: skip


def _ago(one: Earlier) -> str:
    """When it was last changed: sweeps of several workspaces have the same names."""
    passed = now() - one.changed
    return f"{numbers.roughly(passed)} ago" if passed >= 60.0 else "just now"
