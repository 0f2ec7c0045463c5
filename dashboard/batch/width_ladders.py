"""The best learning rate by width of the data chosen, where their runs hold a ladder of rates at several widths."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from data.schema import Runs
from fitting.batch import RateByWidth, width_ladders

Found = tuple[RateByWidth, ...]


def found() -> tuple[Found, tuple[str, ...]]:
    """Each parametrisation's, and why others have none; both empty where the data hold no such ladder."""
    runs = state.reading().runs
    if runs is None:
        return (), ()
    return _found(runs.identity, runs)


def held() -> bool:
    """Whether there is one."""
    return bool(found()[0])


@st.cache_resource(max_entries=8, show_spinner="Reading the best learning rate by width")
def _found(identity: str, _runs: Runs) -> tuple[Found, tuple[str, ...]]:
    return width_ladders(_runs)


def answer(ladders: Found) -> tuple[str, str, dict[str, str]]:
    """The page's sentence where a width ladder is all there is."""
    powers = [one.exponent() for one in ladders]
    values = {f"power_{i}": signed(f"{power.value:.2f}") for i, power in enumerate(powers)}
    several = len(ladders) > 1
    parts = [f"{{power_{i}}}" + (f" ({_plain(one.called)})" if several else "") for i, one in enumerate(ladders)]
    said = f"{', '.join(parts[:-1])} and {parts[-1]}" if several else parts[0]
    within = [
        (f"{one.called}: " if several else "") + signed(f"{power.low:.2f} to {power.high:.2f}")
        for one, power in zip(ladders, powers, strict=True)
    ]
    widths = sorted({float(w) for one in ladders for w in one.widths})
    runs = sum(int(tried.runs.sum()) for one in ladders for tried in one.tried)
    return (
        f"The best learning rate goes as the width to the power of {said}.",
        f"95 % {'; '.join(within)}. From {runs:,} runs at widths {widths[0]:g} to {widths[-1]:g}; at 0 a rate carries over to "
        "another width.",
        values,
    )


def _plain(name: str) -> str:
    """A name within a sentence that values are put into."""
    return name.replace("{", "{{").replace("}", "}}")


def signed(text: str) -> str:
    """A number with a minus sign in place of a hyphen; names in the text are left alone by whoever calls it."""
    return text.replace("-", "\u2212")
