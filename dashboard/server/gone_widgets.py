"""A widget that the page no longer draws is not taken for changed when the browser sends its value once more.

The browser lets go of a widget once it hears that the run of the script without it has ended. Whatever is pressed until then
is sent with that widget's value, which Streamlit (1.67, runtime/state/session_state.py) has forgotten and takes for changed:
the menu of data, gone because other data were opened by a button, would open the data of before again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from streamlit.runtime import state
from streamlit.runtime.scriptrunner_utils.script_requests import _TRIGGER_PROTO_FIELDS
from streamlit.runtime.state.session_state import SessionState


class Remembering(SessionState):
    """Streamlit's state of a session, which keeps the values of the widgets that the last run took away until the next one ends."""

    def on_script_finished(self, widget_ids_this_run: frozenset[str], **given: Any) -> None:
        """Forget what was not drawn, but what it was."""
        before = {}
        for widget in {*self._old_state, *self._new_widget_state}:
            with suppress(KeyError):
                if not self._is_press(widget):
                    before[widget] = self[widget]
        super().on_script_finished(widget_ids_this_run, **given)
        self.gone = {w: v for w, v in before.items() if w not in self._old_state and w not in self._new_widget_state}

    def _is_press(self, widget: str) -> bool:
        """Whether a widget's value is no more than what was just done, such as a button's: each time is a change."""
        known = self._new_widget_state.widget_metadata.get(widget)
        return known is not None and known.value_type in _TRIGGER_PROTO_FIELDS

    def set_widgets_from_proto(self, widget_states: Any) -> None:
        """Take what the browser sends; a value is compared with what it last was."""
        super().set_widgets_from_proto(widget_states)
        for widget, value in getattr(self, "gone", {}).items():
            if widget in self._new_widget_state:
                self._old_state.setdefault(widget, value)


def remember() -> None:
    """Have every session that begins from now on keep its state so."""
    state.SessionState = Remembering  # type: ignore[misc]
