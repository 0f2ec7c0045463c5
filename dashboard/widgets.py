"""Pieces that pages share: the answer on top, chips, counts with their reasons, trouble in a sentence, undo and redo.

Names of runs, columns and files are a stranger's text: everything that goes into HTML here is escaped, and nothing of
theirs goes into Markdown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.error_messages import message_of

STYLE = Path(__file__).parent / "static" / "page.css"
#: What pages with figures add to it.
FIGURES = Path(__file__).parent / "static" / "fit.css"
#: How Plotly shows a figure that is only looked at.
PLOT = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
SETTLING = 3.0  # seconds after which a browser has surely taken what was written; assumed


@dataclass(frozen=True)
class Chip:
    """A small fact above the answer: what it is about in bold, the rest beside it; `tone` is "", good, note or bad."""

    strong: str
    rest: str = ""
    tone: str = ""


def chips(shown: Iterable[Chip]) -> None:
    """A row of facts that hold for the whole page."""
    spans = "".join(
        f'<span class="iso-chip{f" iso-{chip.tone}" if chip.tone else ""}"><b>{escape(chip.strong)}</b>'
        f"{f'<span>{escape(chip.rest)}</span>' if chip.rest else ''}</span>"
        for chip in shown
    )
    st.html(f'<div class="iso-chips">{spans}</div>')


def answer(sentence: str, under: str = "", /, **values: str) -> None:
    """The page's answer, its `{values}` in the accent, and one quieter line `under` it; all of it plain text."""
    marked = {
        name: f'<em class="{"iso-long" if len(value) > 24 else ""}">{escape(value)}</em>'
        for name, value in values.items()
    }
    filled = escape(sentence).format(**marked)
    st.html(f'<h1 class="iso-answer">{filled}</h1>' + (f'<p class="iso-under">{escape(under)}</p>' if under else ""))


def counts(lines: Mapping[str, int], *, marks: Mapping[str, str] | None = None) -> None:
    """How many of what, one a line; `marks` says which lines carry the mark that stands for them on the plane."""
    width = max((len(f"{number:,}") for number in lines.values()), default=1)
    items = "".join(
        f'<li class="{f"iso-strong iso-{mark}" if (mark := (marks or {}).get(what)) else ""}">'
        f"<b>{number:,}</b><span>{escape(what)}</span></li>"
        for what, number in lines.items()
    )
    st.html(f'<ul class="iso-list" style="--digits: {width + 0.5}ch">{items}</ul>')


def quiet(*lines: str) -> None:
    """Remarks in smaller type, one a paragraph and each once; plain text."""
    if lines:
        st.html("".join(f'<p class="iso-quiet">{escape(line)}</p>' for line in dict.fromkeys(lines)))


def trouble(sentence: str, todo: str = "") -> None:
    """What went wrong and what to do about it."""
    more = f"<p>{escape(todo)}</p>" if todo else ""
    st.html(f'<div class="iso-trouble" role="alert"><p>{escape(sentence)}</p>{more}</div>')


def show_trouble(error: Exception | None) -> None:
    """The sentence for an error, whoever raised it; no traceback reaches the page."""
    if error is not None:
        trouble(*message_of(error))


def steps() -> None:
    """Undo and redo, each saying what it would do when pointed at."""
    done = state.history()
    with st.container(horizontal=True, gap="small", width="content"):
        for name, label, act in (("undo", done.undo, state.undo), ("redo", done.redo, state.redo)):
            st.button(
                name.capitalize(),
                key=name,
                type="tertiary",
                icon=f":material/{name}:",
                on_click=act,
                disabled=label is None,
                help=literal(f"{name.capitalize()}: {label}") if label else f"Nothing to {name}",
            )


def literal(text: str) -> str:
    """Text that Streamlit's Markdown shows letter for letter: for help and labels that hold a stranger's name."""
    flat = " ".join(text.split())
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]()<>#+-.!|:$~&^=@/\"'" else sign for sign in flat)


#: A whole number's field. Streamlit reads what is typed into a field of integers up to the first letter, 1e3 as 1: this one is of
#: floats that show no decimals, and takes what they are rounded to.
WHOLE: dict[str, Any] = {"step": 1.0, "format": "%.0f"}


def hold(key: str, value: object) -> str:
    """The key of a widget that shows what the workspace says, also after an undo: its own memory must not win."""
    if key not in st.session_state or st.session_state[key] != value:
        st.session_state[key] = value
    return key


def show(key: str, value: object, words: str = "") -> str:
    """The key of a menu that shows `value`, in `words` where those of this value change from run to run.

    The browser keeps the words of what was chosen, not the choice, and takes new ones only with a value that is written
    again: words that say what a fit found would stay another fit's otherwise. But what is written reaches the browser
    late, over what was chosen there meanwhile, and comes back with whatever is pressed next as if it had been chosen. So
    it is written where value or words are news to the browser, and for SETTLING seconds afterwards at each change, since
    the browser may come to show what was written before. A field that is typed into takes `hold`, which wipes out less.
    """
    written = st.session_state.setdefault("menus_written", {})
    before, said, until = written.get(key, (value, "", 0.0))
    now, there = time.monotonic(), key in st.session_state
    news = not there or st.session_state[key] != value or (words != "" and words != said)
    if news or (value != before and now < until):
        st.session_state[key] = value
        until = now + SETTLING if there else 0.0
    written[key] = (value, words, until)
    return key


def section(title: str, aside: str = "") -> None:
    """The heading of one part of the page, with a remark beside it."""
    st.html(f'<h2 class="iso-section">{escape(title)}{f"<small>{escape(aside)}</small>" if aside else ""}</h2>')
