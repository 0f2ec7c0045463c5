"""The entry of the page: navigation, what every page shares, and the boundary no traceback passes."""

from __future__ import annotations

# ruff: noqa: E402 - nothing of ours is imported beside the thread that imports it already
import streamlit as st

from dashboard.server.launch import one_thread_each, wait_until_warm

one_thread_each()
wait_until_warm()

from dashboard import frame, state, widgets

listed, page = frame.navigation()
trouble = frame.given_up(page.title)
said: list[str] = []

try:
    state.began()
    said = state.said()
    for sentence in said:
        st.toast(widgets.literal(sentence))
    if trouble is None:
        page.run()
except Exception as error:  # Streamlit's own stop and rerun are no Exceptions and pass
    if trouble is None:
        for sentence in said:  # they are to be seen on the page that follows
            state.say(sentence)
        frame.give_up(page.title, error)

if trouble is not None:
    frame.instead(trouble, None if page is listed[0] else listed[0])
