"""The entry of the page: navigation, what every page shares, and the boundary no traceback passes."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import streamlit as st

from dashboard import state, widgets
from dashboard.launch import one_thread_each
from data.errors import DataError

HERE = Path(__file__).parent
# One line a page, in the order of the menu: file in views/, title, what it answers. A page without a file is not shown.
PAGES = (
    ("runs", "Runs", "What do I have, and what of it can be used?"),
    ("fit", "Fit", "What law do the runs follow, and should I believe it?"),
    ("plan", "Plan", "What should I train with this budget?"),
    ("batch", "Batch", "How large a batch still saves steps?"),
    ("compare", "Compare", "Is one family of runs better, and will it still be at scale?"),
)

one_thread_each()
st.set_page_config(page_title="Isoflop", page_icon=str(HERE / "static" / "icon.svg"), layout="wide")
st.logo(str(HERE / "static" / "logo.svg"), size="large")
st.html(widgets.STYLE)

listed = [
    st.Page(file, title=title, url_path=None if name == "runs" else name, default=name == "runs", help=question)
    for name, title, question in PAGES
    if (file := HERE / "views" / f"{name}.py").is_file()
]
page = st.navigation(listed, position="top")

try:
    state.space()
    for sentence in state.said():
        st.toast(widgets.literal(sentence))
    page.run()
except Exception as error:  # Streamlit's own stop and rerun are no Exceptions and pass
    other = None
    with suppress(DataError):  # whatever keeps the file from being read has been said already
        from dashboard import batch_state  # only now: most pages do without it

        other = batch_state.instead_of_runs(state.reading().table) if isinstance(error, DataError) else None
    if other is not None:
        widgets.answer(*other)
        st.page_link("views/batch.py", label="See them on the Batch page")
    else:
        widgets.show_trouble(error)
        if page is not listed[0] and isinstance(error, DataError):
            st.page_link(listed[0], label="Answer this on the Runs page")
