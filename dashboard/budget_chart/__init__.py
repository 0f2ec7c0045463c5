"""The chart whose budget line is dragged: it is handed a table along the budget and returns the budget let go of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from dashboard.budget_chart.declared import Payload
from dashboard.budget_chart.payload import PayloadError, clean

__all__ = ["PayloadError", "budget_chart", "bundle", "committed_budget", "committed_choice", "joined"]

_FOLDER = Path(__file__).parent
# In the order in which they use each other; chart.js holds the default export.
_MODULES = (
    "dom.js",
    "format.js",
    "interpolate.js",
    "scales.js",
    "times.js",
    "layout.js",
    "draw.js",
    "devices.js",
    "readouts.js",
    "parse.js",
    "interact.js",
    "tip.js",
    "legend.js",
    "choice.js",
    "build.js",
    "chart.js",
)
_IMPORT = re.compile(r'^import [^;]*? from "\./[a-z]+\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)


@cache
def bundle() -> str:
    """The chart's modules as one ES module: Streamlit takes the text itself, so no build step and no asset route."""
    return joined(_MODULES)


def joined(names: Iterable[str], folder: Path = _FOLDER) -> str:
    """Modules of a folder one after another, without what each imports from the others."""
    texts = [(folder / name).read_text(encoding="utf-8") for name in names]
    return "\n".join(_EXPORT.sub("", _IMPORT.sub("", text)) for text in texts)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "isoflop_budget_chart",
        html='<div class="bc-host"></div>',
        css=(_FOLDER / "chart.css").read_text(encoding="utf-8"),
        js=bundle(),
    )


class LetGo(NamedTuple):
    """A budget let go of, in log10 FLOP, under the option that the chart showed then; `n` grows from word to word."""

    at: float
    under: str | None
    n: int


class Choice(NamedTuple):
    """An option chosen; `n` grows from word to word, those of all charts of a page."""

    key: str
    n: int


def committed_budget(key: str) -> LetGo | None:
    """The budget last let go of on the chart with this key, known before the chart is drawn again."""
    said = _said(key, "budget")
    return None if said is None else LetGo(float(said["at"]), said.get("under"), int(said["n"]))


def committed_choice(key: str) -> Choice | None:
    """The option last chosen on the chart with this key, known before the chart is drawn again."""
    said = _said(key, "choice")
    return None if said is None else Choice(str(said["key"]), int(said["n"]))


def _said(key: str, name: str) -> Any:
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


def budget_chart(
    payload: Payload | Mapping[str, Any],
    *,
    key: str,
    on_change: Callable[[], None] | None = None,
    on_choice: Callable[[], None] | None = None,
) -> float | None:
    """Draws the chart and returns the budget last let go of, in log10 FLOP, or None before the first time.

    The line stands at the payload's budget when that changes; a budget put into its `grid` as well is read without interpolation.
    `on_change` is called when a budget is let go of, `on_choice` when an option of its choice is chosen. Raises PayloadError.
    """
    before = committed_budget(key)
    result = _component()(
        data=clean(payload, 0 if before is None else before.n),
        key=key,
        on_budget_change=on_change or (lambda: None),
        on_choice_change=on_choice or (lambda: None),
    )
    return None if result.budget is None else float(result.budget["at"])
