"""A menu that a press has taken away does not take the press back, whatever the browser still sends of it."""

from __future__ import annotations

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.state import SessionState
from streamlit.testing.v1 import AppTest, app_test

from dashboard.server.gone_widgets import Remembering


def script() -> None:
    import streamlit as st

    held = st.session_state.setdefault("held", "first")
    if held != "opened":
        st.session_state["menu"] = held
        st.selectbox(
            "Data",
            ("first", "second"),
            key="menu",
            on_change=lambda: st.session_state.update(held=st.session_state["menu"]),
        )
        st.button("Open", on_click=lambda: st.session_state.update(held="opened"))
    st.button("Press", on_click=lambda: st.session_state.update(pressed=True))


def late_press(monkeypatch: pytest.MonkeyPatch, kind: type[SessionState], said: str) -> tuple[str, bool]:
    """What is held after the menu went by a button, and another press came with what the browser had of the menu: `said`."""
    monkeypatch.setattr(app_test, "SessionState", kind)
    page = AppTest.from_function(script).run()
    menu = page.selectbox[0].set_value(said)._widget_state
    page.selectbox[0].set_value("first")
    page.button[0].click().run()
    assert page.session_state["held"] == "opened"
    assert not page.selectbox
    states = WidgetStates()
    states.widgets.extend([*page.button[0].click().root.get_widget_states().widgets, menu])
    page._run(states)
    return page.session_state["held"], page.session_state["pressed"]


def test_a_late_press_changes_what_was_changed_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    assert late_press(monkeypatch, Remembering, "first") == ("opened", True)
    assert late_press(monkeypatch, Remembering, "second") == ("second", True), "chosen before the menu went"


def test_without_it_the_menu_takes_the_press_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Streamlit does by itself; when this fails, `gone_widgets` may have become needless."""
    assert late_press(monkeypatch, SessionState, "first") == ("first", True)


def presses() -> None:
    import streamlit as st

    def done(key: str) -> None:
        st.session_state.update({"on": not st.session_state["on"], key: st.session_state.get(key, 0) + 1})

    st.session_state.setdefault("on", False)
    if st.session_state["on"]:
        st.button("Close", key="close", on_click=done, args=("closed",))
        with st.form("form"):
            st.form_submit_button("Send", key="send", on_click=done, args=("sent",))
        st.chat_input(key="chat", on_submit=done, args=("told",))
    else:
        st.button("Open", key="open", on_click=done, args=("opened",))


def test_a_button_that_its_own_press_takes_away_can_be_pressed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app_test, "SessionState", Remembering)
    acts = {
        "closed": lambda page: page.button(key="close").click(),
        "sent": lambda page: page.button(key="send").click(),
        "told": lambda page: page.chat_input[0].set_value("the same"),
    }
    for name, act in acts.items():
        page = AppTest.from_function(presses).run()
        for time in (1, 2, 3):
            page.button(key="open").click().run()
            assert page.session_state["opened"] == time, name
            act(page).run()
            assert page.session_state[name] == time, name
