"""Choosing what to look at: a bundled set or a file of one's own, side by side."""

from __future__ import annotations

import streamlit as st

from dashboard import state, widgets

FORMATS = "CSV, TSV, JSONL, Parquet or Excel. It stays on this machine."


def other_data() -> None:
    """The ways to other data and back, for the side of a page that has nothing to draw of these."""
    for part in (menu, forgetter, uploader, widgets.steps):
        part()


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
    widgets.quiet(current.sentence)


def uploader() -> None:
    """A place to drop a file; its bytes are written to the workspace at once."""
    turn = st.session_state.setdefault("upload_turn", 0)
    key = f"upload-{turn}"
    st.file_uploader("Your runs", key=key, on_change=_keep, args=(key,), max_upload_size=200)
    widgets.quiet(FORMATS)


def forgetter() -> None:
    """The way to take an upload, or a folder that lies elsewhere, out of the workspace; nothing for other sets."""
    current = state.chosen()
    if current.removable and not current.copied:
        with st.popover("Remove this folder", type="tertiary"):
            widgets.quiet("It leaves this workspace; Undo brings it back. The folder and its runs stay as they are.")
            st.button("Remove", key="forget", on_click=state.forget, args=(current.key,))
    elif current.removable:
        with st.popover("Remove this file", type="tertiary"):
            widgets.quiet(
                "It leaves this workspace; Undo brings it back. Deleted for good, its copy and all that was set of it are gone at "
                "once. Your own file is not touched."
            )
            st.button("Remove", key="forget", on_click=state.forget, args=(current.key,))
            st.button("Delete for good", key="delete", type="tertiary", on_click=state.delete, args=(current.key,))


def cards() -> None:
    """Bundled data and the upload side by side, for a page that has nothing else to show."""
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        st.markdown("**Open a bundled set**")
        for choice in state.choices():
            if not choice.mine:
                st.button(
                    widgets.literal(choice.title), key=f"open-{choice.key}", on_click=state.choose, args=(choice.key,)
                )
                widgets.quiet(choice.sentence)
    with right.container(border=True, height="stretch"):
        st.markdown("**Upload your runs**")
        uploader()
        widgets.quiet(
            "One row per run, with its loss and at least one of parameters, training tokens and training compute. "
            "Columns are recognised by their names, and values such as 125M, 1.3B or 2.5e19 are read as numbers."
        )
        menu()
        forgetter()


def _choose() -> None:
    state.choose(st.session_state["chosen"])


def _keep(key: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    st.session_state["upload_turn"] += 1  # an empty place again, so that the same file can be given twice
    state.upload(file.name, file.getvalue())
