"""The best learning rate at each width beside the losses that it is read off, what both say, and files."""

from __future__ import annotations

import streamlit as st

from dashboard import widgets
from dashboard.batch import tabs as batch_tabs
from dashboard.batch import width_ladders
from dashboard.batch.readings import Sweep
from dashboard.charts import batch_widths
from dashboard.downloads import File
from dashboard.widgets import PLOT
from fitting.batch import RateByWidth
from fitting.export.rate_by_width import to_csv, to_json

A_ROW = 3  # pictures beside each other
HOW = (
    "Each best rate is where parabolas in the log rate, through the 3, 4 and 5 rates around the lowest loss, have their minimum, a star. "
    "Intervals hold the scatter of seeds and the choice among the three; an arrow says that the rates tried leave an end open."
)


def panel(sweep: Sweep | None) -> None:
    """The pictures in rows, a sentence for each parametrisation, and the exports."""
    found, refused = width_ladders.found()
    if not found:
        return
    widgets.section("Learning rate by width", "the best of the rates tried at each width, with 95 % intervals")
    pictures = [
        ("Best learning rate by width", batch_widths.best(found), "widths_best"),
        *(
            (f"Loss by learning rate, {one.called}", batch_widths.losses(one, found), f"widths_{i}")
            for i, one in enumerate(found)
        ),
    ]
    for at in range(0, len(pictures), A_ROW):
        row = pictures[at : at + A_ROW]
        for column, (title, figure, key) in zip(st.columns(len(row), gap="medium"), row, strict=True):
            with column:
                widgets.quiet(title)
                st.plotly_chart(figure, config=PLOT, key=key, alt=title)
    said = [line for one in found for line in (_said(one), *_notes(one, len(found) > 1))]
    widgets.quiet(*said, *refused, HOW)
    batch_tabs.take_away(
        "the best learning rates by width",
        [
            File("JSON", "rate_by_width.json", "application/json", lambda: to_json(found, refused)),
            File("CSV", "rate_by_width.csv", "text/csv", lambda: to_csv(found)),
        ],
        "widths",
    )


def _said(one: RateByWidth) -> str:
    """Its sentence, with minus signs in its numbers and not in its name."""
    return one.called + width_ladders.signed(one.sentence[len(one.called) :])


def _notes(one: RateByWidth, several: bool) -> list[str]:
    return [f"{one.called}: {note[0].lower()}{note[1:]}" if several else note for note in one.notes]
