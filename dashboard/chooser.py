"""Choosing what to look at: a bundled set or a file of one's own, side by side."""

from __future__ import annotations

import streamlit as st

from dashboard import state, widgets
from dashboard.trouble import told

FORMATS = "CSV, TSV, Parquet, JSONL or Excel, up to 200 MB. It stays on this machine."


def menu() -> None:
    """Everything that can be chosen, the current one shown, with a sentence on what it is."""
    listed = {choice.key: choice for choice in state.choices()}
    current = state.chosen()
    st.session_state["chosen"] = current.key
    st.selectbox(
        "Data",
        list(listed),
        format_func=lambda key: listed[key].title if key in listed else str(key),
        key="chosen",
        on_change=_choose,
    )
    st.caption(widgets.literal(current.sentence))


def uploader() -> None:
    """A place to drop a file; its bytes are written to the workspace at once."""
    turn = st.session_state.setdefault("upload_turn", 0)
    key = f"upload-{turn}"
    st.file_uploader("Your runs", key=key, on_change=_keep, args=(key,), max_upload_size=200, help=FORMATS)


def forgetter() -> None:
    """The way to take an upload out of the workspace; nothing for bundled sets."""
    current = state.chosen()
    if current.key.startswith("upload:"):
        st.button("Remove this file", key="forget", type="tertiary", on_click=state.forget, args=(current.key,))


def _choose() -> None:
    state.choose(st.session_state["chosen"])


def _keep(key: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    st.session_state["upload_turn"] += 1  # an empty place again, so that the same file can be given twice
    try:
        state.upload(file.name, file.getvalue())
    except (OSError, ValueError) as error:
        state.say(" ".join(told(error)))
