"""Learning rate and batch from a grid: one cell as a map with its plateau, and rules for both judged by what they lose."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import streamlit as st

from dashboard import numbers, widgets
from dashboard.batch import state as batch_state
from dashboard.batch import tabs as batch_tabs
from dashboard.batch.readings import Sweep
from dashboard.batch.tabs import papers
from dashboard.charts import batch_grid
from dashboard.downloads import File
from dashboard.widgets import PLOT
from data.plural import out_of
from fitting.batch import PUBLISHED, RateLaws
from fitting.batch.rates import Cell
from fitting.export.rate_laws import to_csv, to_json, to_latex, to_python

PAIRS = {"Step Law": "steplaw", "Porian et al.": "porian", "DeepSeek": "deepseek"}
OF = {law.key: law for law in PUBLISHED}


def panel(sweep: Sweep | None) -> None:
    """The map of the cell chosen, and the table of rules."""
    laws = batch_state.grid()
    if laws is None:
        return
    widgets.section("Loss over learning rate and batch", "one size on one amount of data at a time")
    cells = laws.cells
    held = st.session_state.get("batch_cell")
    at = st.selectbox(
        "Cell", range(len(cells)), key=widgets.show("batch_cell", held if held in range(len(cells)) else 0),
        format_func=lambda i: f"{numbers.count(cells[i].params)} parameters on {numbers.count(cells[i].tokens)} tokens",
    )  # fmt: skip
    cell = cells[int(at or 0)]
    marks = {
        name: (float(lr(cell.params, cell.tokens)), float(b(cell.params, cell.tokens)))
        for name, (lr, b) in _rules(laws).items()
    }
    st.plotly_chart(batch_grid.figure(cell, marks), config=PLOT, key="rates")
    widgets.quiet(_plateau(cell))
    widgets.section("Rules compared", "regret: loss of a rule's choice above the best run of a cell")
    _table(laws)
    widgets.quiet(
        *laws.notes,
        "Judge rules by regret, not by exponents: runs within 0.25 % of a cell's best differ from it by no more than noise. Published "
        "rules count parameters in their own way and hold for their own schedules; DeepSeek's are of compute, taken as 6 N D.",
    )
    batch_tabs.take_away(
        "the rules refitted here",
        [
            File("LaTeX", "rates.tex", "text/x-tex", lambda: to_latex(laws)),
            File("Python", "rates.py", "text/x-python", lambda: to_python(laws)),
            File("JSON", "rates.json", "application/json", lambda: to_json(laws, _published_regret(laws))),
            File("CSV", "rates.csv", "text/csv", lambda: to_csv(laws)),
        ],
        "rates",
    )


def _published_regret(laws: RateLaws) -> dict[str, np.ndarray]:
    rules = {name: pair for name, pair in _rules(laws).items() if name in PAIRS}
    return {name: laws.regret(*pair) for name, pair in rules.items()}


def answer(laws: RateLaws) -> tuple[str, str, dict[str, str]]:
    """The page's sentence where a grid is all there is."""
    largest = papers.largest(laws)
    lr, batch = laws.lr.at(largest.params, largest.tokens), laws.batch.at(largest.params, largest.tokens)
    value, within = numbers.with_interval(batch.value, batch.low, batch.high, "count")
    return (
        "Best for {cell}: a batch of {batch} tokens and a learning rate of {lr}.",
        f"95 % {within} and {lr.low:.2g} to {lr.high:.2g}, from {len(laws.cells)} cells; the mean regret in a cell left out is "
        f"{100 * laws.held_out.mean():.2g} %.",
        {
            "batch": value,
            "lr": f"{lr.value:.2g}",
            "cell": f"{numbers.count(largest.params)} parameters on {numbers.count(largest.tokens)} tokens",
        },
    )


def _rules(laws: RateLaws) -> dict[str, tuple[Any, Any]]:
    out: dict[str, tuple[Any, Any]] = {"refitted here": (laws.lr, laws.batch)}
    for name, key in PAIRS.items():
        lr, batch = OF[f"{key}_lr"], OF[f"{key}_batch"]
        out[name] = (
            lambda n, d, law=lr: law(params=n, tokens=d, flops=6 * n * d),
            lambda n, d, law=batch: law.tokens(params=n, tokens=d, flops=6 * n * d),
        )
    return out


def _plateau(cell: Cell) -> str:
    said = (
        f"{out_of(int(np.sum(cell.near)), len(cell.loss), 'run', 'is', 'are')} within 0.25 % of the best: "
        f"over a factor of {cell.plateau('lr'):.3g} in rate and {cell.plateau('batch'):.3g} in batch."
    )
    words = {"lr": "rate", "batch": "batch"}
    if cell.edge:
        said += f" The best {' and '.join(words[e] for e in cell.edge)} is at an end of those tried; the optimum may lie beyond."
    return said


def _power(formula: Any, of: str) -> float | None:
    """The power of a published law, that of compute taken as 6 N D for both; None where it knows nothing of it."""
    exponents = getattr(formula, "exponents", {})
    return exponents.get(of, exponents.get("flops"))


def _table(laws: RateLaws) -> None:
    rows = ""
    for name, (lr, batch) in _rules(laws).items():
        if name == "refitted here":
            regret = laws.held_out
            powers = [
                laws.lr.exponent("params"),
                laws.lr.exponent("tokens"),
                laws.batch.exponent("params"),
                laws.batch.exponent("tokens"),
            ]
            cells = [
                f"{b.value:.2f}<small>{b.low:.2f} to {b.high:.2f}</small>".replace("-", "\u2212")
                if b.value
                else "\u2014"
                for b in powers
            ]
            name = "refitted here (each cell by the others)"
        else:
            regret, key = laws.regret(lr, batch), PAIRS[name]
            given = [
                (OF[f"{key}_{of}"].formula, of_input) for of in ("lr", "batch") for of_input in ("params", "tokens")
            ]
            held = [_power(f, i) for f, i in given]
            cells = ["\u2014" if h is None else f"{h:.2f}".replace("-", "\u2212") for h in held]
        rows += (
            f'<tr><th scope="row">{escape(name)}</th><td><b>{100 * regret.mean():.2g} %</b></td><td>{100 * regret.max():.2g} %</td>'
            f"{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        )
    heads = ("Mean regret", "Worst", "rate: N", "rate: D", "batch: N", "batch: D")
    st.html(
        '<div class="iso-scroll"><table class="iso-table"><thead><tr><th scope="row"></th>'
        f"{''.join(f'<th scope=col>{h}</th>' for h in heads)}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
