"""The fit's settings in the page's address: taken up where it brings them, and said there where they are set."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

import streamlit as st

from dashboard import state
from dashboard.fit.settings import FitSettings, read_settings


def follow() -> None:
    """Take up fit settings that the address brings (`?law=kaplan&delta=0.01`), then let it say those that are set.

    What the page itself wrote there is no news, neither what it wrote last nor what it wrote before: the browser sends the
    address it has with whatever is pressed, while the page's next one is on its way, and the first thing that a reload
    brings is the address of before the change that the reload cut short. Else it would bring back what was just undone.
    """
    names = [f.name for f in fields(FitSettings)]
    ours: dict[str, list[str]] = st.session_state.setdefault("address_said", {})
    brought = {name: st.query_params[name] for name in names if name in st.query_params}
    if not ours and state.changed_lately(state.space()):
        ours.update({name: [value] for name, value in brought.items()})
    news = {name: value for name, value in brought.items() if value not in ours.get(name, ())}
    if news:
        asked = replace(state.fit_settings(), **{name: getattr(read_settings(news), name) for name in news})
        if asked != state.fit_settings():
            state.set_fit("settings from the address", **asdict(asked))
    said = {name: str(value) for name, value in state.fit_settings().written().items()}
    for name in names:
        if name in said and st.query_params.get(name) != said[name]:
            st.query_params[name] = said[name]
        elif name not in said and name in st.query_params:
            del st.query_params[name]
        values = ours.setdefault(name, [])
        if name in said and said[name] not in values:
            values.append(said[name])
