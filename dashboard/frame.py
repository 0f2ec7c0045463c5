"""What stands around every page and stays when the page itself can't be drawn: navigation, data menu, undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import streamlit as st

from dashboard import state, widgets
from dashboard.error_messages import message_of
from dashboard.runs import chooser, summary
from data.errors import DataError, MappingNeeded

HERE = Path(__file__).parent
# One line a page, in the order of the menu: file in views/, title, what it answers. A page without a file is not shown.
PAGES = (
    ("runs", "Runs", "What do I have, and what of it can be used?"),
    ("fit", "Fit", "What law do the runs follow, and how well is it known?"),
    ("plan", "Plan", "What should I train with this budget?"),
    ("batch", "Batch", "How large a batch still saves steps?"),
    ("compare", "Compare", "Is one family of runs better, and will it still be at scale?"),
    ("probe", "Probe", "Which run next, and how are the runs doing?"),
)
BROKEN = "broken"  # in the session: which page could not be drawn, and what is said of it


def navigation() -> tuple[list[Any], Any]:
    """Draw what every page has, and return the pages listed and the one that is open."""
    st.set_page_config(page_title="Isoflop", page_icon=str(HERE / "static" / "icon.svg"), layout="wide")
    st.logo(str(HERE / "static" / "logo.svg"), size="large")
    st.html(widgets.STYLE)
    listed = [
        st.Page(file, title=title, url_path=None if name == "runs" else name, default=name == "runs", help=question)
        for name, title, question in PAGES
        if (file := HERE / "views" / f"{name}.py").is_file()
    ]
    return listed, st.navigation(listed, position="top")


def give_up(page: str, error: Exception) -> None:
    """Draw the page anew as the trouble and the ways out of it: half a page would hold some of these already."""
    st.session_state[BROKEN] = (page, error)
    st.rerun()


def given_up(page: str) -> Exception | None:
    """Why this page could not be drawn a moment ago; said once, then the page is tried again."""
    name, error = st.session_state.pop(BROKEN, ("", None))
    return error if name == page else None


def instead(error: Exception, runs_page: Any = None) -> None:
    """The trouble in place of a page, and every way out: undo what led here, choose other data, bring a file.

    `runs_page` is where a question about the data is answered, for the pages that are not it.
    """
    main, side = st.columns([7, 3], gap="large")
    with main:
        other = _for_another_page() if isinstance(error, DataError) else None
        if other is not None:
            widgets.answer(*other)
            st.page_link("views/batch.py", label="See them on the Batch page")
        else:
            widgets.show_trouble(error)
            if runs_page is not None and isinstance(error, DataError):
                asked = isinstance(error, MappingNeeded) and not summary.lacking(error.questions)
                st.page_link(runs_page, label=f"{'Answer this' if asked else 'Look at the data'} on the Runs page")
    with side:
        _each(chooser.menu, chooser.forgetter, chooser.uploader, widgets.steps)


def declined(error: Exception, **links: str) -> NoReturn:
    """Why a page has nothing to draw of these runs, the pages in views/ where that can be changed, and the ways to other data."""
    main, side = st.columns([7, 3], gap="large")
    with main:
        widgets.show_trouble(error)
        for page, label in links.items():
            st.page_link(f"views/{page}.py", label=label)
    with side:
        chooser.other_data()
    st.stop()


def losses_alone(what: str) -> None:
    """Nothing, but for a law with columns of its own, which has nothing for this page: why, in place of it, and the way to another."""
    if (law := state.own_law()) is not None:
        widgets.chips([widgets.Chip(state.chosen().title)])
        said = f"{what}. {law.title}, chosen on the Fit page, has columns of its own: choose another law there, or other data here."
        declined(DataError(said), fit="Choose another law on the Fit page")


def whole(error: Exception) -> None:
    """A whole page in place of one that never began: the trouble within the frame."""
    _each(navigation, lambda: instead(error))


def _for_another_page() -> tuple[str, str] | None:
    """What the data chosen are, where they are no runs but something for the Batch page."""
    from dashboard.batch import state as batch_state  # only now: most pages do without it

    try:
        return batch_state.instead_of_runs(state.reading().table)
    except Exception:  # the trouble that led here is the one to say
        return None


def _each(*parts: Callable[[], Any]) -> None:
    """Draw each part for itself: one that fails leaves the others where they are."""
    for part in parts:
        try:
            part()
        except Exception as error:
            message_of(error)  # recorded; the page says the first trouble only
