"""Published laws of critical batch, best batch and learning rate beside these runs', in one unit, with how far they differ."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape

import numpy as np
import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.batch import panels as batch_panels
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.batch.readings import Sweep
from dashboard.html_table import row
from fitting.band import Band
from fitting.batch import PublishedLaw, RateLaws, published
from fitting.batch.rates import Cell

NEAR = 30.0  # a law further off than so many times would flatten what was measured
WORDS = {
    "zhang_coupled": "tokens grow with size",
    "zhang_fixed_tokens": "3 billion tokens",
    "kaplan_critical": "of loss",
}


def panel(sweep: Sweep | None) -> None:
    """Critical batches beside published laws of them, then learning rates and best batches where a grid tells one's own."""
    if sweep is not None:
        _critical(sweep)
    laws = batch_state.grid()
    if laws is not None:
        _chosen(laws)


def _critical(sweep: Sweep) -> None:
    """One line a law: what it says where these runs are, what it means by critical, and where it was fitted."""
    widgets.section(
        "Published laws of the critical batch", f"{sweep.unit} per step; constants hold for their own setups"
    )
    name = batch_panels.leading(sweep)
    inputs = _inputs(sweep, name)
    values: list[float] = []
    rows = ""
    for label, ours in _ours(sweep, name).items():
        if 0 < ours.value < math.inf:
            values.append(ours.value)
            said = numbers.with_interval(ours.value, ours.low, ours.high, "count")
            rows += _row(f"Measured here, {batch_panels.titles(sweep)[name]}", said, label)
    theirs = []
    for law in published("critical batch").values():
        value = _counted(law, inputs, sweep.unit) if set(law.inputs) <= set(inputs) else math.nan
        if math.isnan(value):
            continue
        theirs.append(value)
        about = f"{_of(law, inputs)}. {_length(law, sweep.unit)} {law.outside(**inputs)}"
        which = f": {WORDS[law.key]}" if law.key in WORDS else ""
        rows += _row(f"{law.paper}{which}, {law.source}", (numbers.count(value), ""), about, f"{law.setup} {law.note}")
    if not theirs:
        widgets.quiet("These data have neither the loss nor the model size that published laws need, in their unit.")
        return
    st.html(f'<table class="iso-table">{rows}</table>')
    low, high = min(values + theirs), max(values + theirs)
    widgets.quiet(
        f"They differ by up to a factor of {numbers.ratio(high / low)}: definitions, text, sizes and optimisers differ."
    )


def _chosen(laws: RateLaws) -> None:
    """Learning rates and best batches by paper, for the largest cell of a grid, each with how far it is from the refit's."""
    cell = largest(laws)
    where = f"{numbers.count(cell.params)} parameters on {numbers.count(cell.tokens)} tokens"
    inputs = {"params": cell.params, "tokens": cell.tokens, "flops": 6.0 * cell.params * cell.tokens}
    for gives, own, kind, unit in (
        ("learning rate", laws.lr, "flop", ""),
        ("optimal batch", laws.batch, "count", "tokens per step; "),
    ):
        widgets.section(f"Published laws of the {gives}", f"{unit}for {where}, the largest cell; C taken as 6 N D")
        ours = own.at(cell.params, cell.tokens)
        rows = _row(
            "Refitted here",
            numbers.with_interval(ours.value, ours.low, ours.high, kind),
            "From all cells of this grid.",
        )
        values = [ours.value]
        for law in published(gives).values():
            if not set(law.inputs) <= set(inputs):
                continue
            value = float(law.tokens(**inputs) if law.unit else law(**inputs))
            if not math.isfinite(value):
                continue
            values.append(value)
            times = f"{numbers.ratio(value / ours.value)} \u00d7 refit"
            about = f"{law.setup} {law.note}"
            rows += _row(f"{law.paper}, {law.source}", (numbers.say(value, kind), times), law.outside(**inputs), about)
        st.html(f'<table class="iso-table">{rows}</table>')
        widgets.quiet(
            f"They lie a factor of {numbers.ratio(max(values) / min(values))} apart. What each loses on these runs stands under "
            "Learning rate."
        )


def largest(laws: RateLaws) -> Cell:
    """The cell of most size and data."""
    return max(laws.cells, key=lambda c: (c.params * c.tokens, c.params))


def _counted(law: PublishedLaw, inputs: dict[str, float], unit: str) -> float:
    """A batch law's answer in tokens, or in sequences of the data chosen; nan where their length is not known."""
    if unit == "tokens":
        return float(law.tokens(**inputs))
    length = batch_state.seq_len()
    if math.isfinite(length):
        return float(law.tokens(**inputs)) / length
    return float(law(**inputs)) if law.unit == unit else math.nan


def _length(law: PublishedLaw, unit: str) -> str:
    if unit == "tokens":
        return ""
    length = batch_state.seq_len()
    return f"In sequences of {length if math.isfinite(length) else law.seq_len:,.0f} tokens."


def overlays(sweep: Sweep) -> dict[str, Callable[[np.ndarray], np.ndarray]]:
    """Published laws of size (or loss) by name, in the unit of the sweep, where they come near enough to be drawn beside it."""
    out: dict[str, Callable[[np.ndarray], np.ndarray]] = {}
    placed = batch_panels.placed(sweep)
    if not placed:
        return out
    at = np.array([sweep.places[n] for n in placed])
    ours = np.array([f.b_crit.value for f in placed.values()])
    for law in published("critical batch").values():
        if law.inputs != (sweep.along,):
            continue

        length = batch_state.seq_len() if sweep.unit == "sequences" else 1.0
        per = length if math.isfinite(length) else float(law.seq_len or 1)

        def theirs(x: np.ndarray, law: PublishedLaw = law, per: float = per) -> np.ndarray:
            return np.asarray(law.tokens(**{sweep.along: x}) / per)

        if np.abs(np.log(theirs(at) / ours)).max() < np.log(NEAR):
            counted = "" if sweep.unit == "tokens" else f", sequences of {per:,.0f}"
            out[f"{law.paper}: {WORDS[law.key]}{counted}"] = theirs
    return out


def by_overhead(sweep: Sweep) -> dict[str, float]:
    """The batches of the groups drawn by Zhang's definition, so that like stands beside like; none along loss, where no law uses it."""
    if sweep.along == "loss":
        return {}
    base, share = batch_state.base(sweep), batch_settings.settings().overhead
    return {name: f.overhead_batch(base, share).value for name, f in batch_panels.placed(sweep).items()}


def disagreement(sweep: Sweep, drawn: dict[str, Callable[[np.ndarray], np.ndarray]]) -> str:
    """What is dashed and hollow in the picture, and how far they are apart."""
    if sweep.along == "loss":
        ours = {name: f.b_crit.value for name, f in batch_panels.placed(sweep).items()}
        return f"Dashed: Kaplan et al. 2020, on other text, {_times(sweep, drawn, ours)} times these batches."
    base, share = numbers.count(batch_state.base(sweep)), 100 * batch_settings.settings().overhead
    return (
        "Dashed and dotted: Zhang et al. 2024, whose critical batch takes 20 % more steps than linear scaling and is smaller. Hollow: "
        f"these runs by that definition ({share:.3g} % over linear scaling from {base}). The published laws are "
        f"{_times(sweep, drawn, by_overhead(sweep))} times the hollow marks."
    )


def _times(sweep: Sweep, drawn: dict[str, Callable[[np.ndarray], np.ndarray]], ours: dict[str, float]) -> str:
    """How many times ours each law is, from least to most."""
    at = np.array([sweep.places[n] for n in ours])
    said = []
    for theirs in drawn.values():
        times = theirs(at) / np.array(list(ours.values()))
        ends = [numbers.ratio(float(times.min())), numbers.ratio(float(times.max()))]
        said.append(" to ".join(dict.fromkeys(ends)))
    return " and ".join(said)


def _ours(sweep: Sweep, name: str) -> dict[str, Band]:
    """Both critical batches of the leading group, by what they mean."""
    found, base, share = sweep.found[name], batch_state.base(sweep), batch_settings.settings().overhead
    return {
        "McCandlish's: twice the fewest steps, twice the least data.": found.b_crit,
        f"Zhang's: {100 * share:.3g} % above linear scaling from {numbers.count(base)}.": found.overhead_batch(
            base, share
        ),
    }


def _inputs(sweep: Sweep, name: str) -> dict[str, float]:
    out = {sweep.along: sweep.places[name]} if name in sweep.places else {}
    runs = state.reading().runs
    if "params" not in out and runs is not None and "params" in runs.kept and runs.kept["params"].nunique() == 1:
        out["params"] = float(runs.kept["params"].iloc[0])
    return {k: v for k, v in out.items() if math.isfinite(v) and v > 0}


def _of(law: PublishedLaw, inputs: dict[str, float]) -> str:
    said = {"loss": lambda v: f"at a loss of {v:.4g}", "params": lambda v: f"for {numbers.count(v)} parameters"}
    words = " ".join(said.get(k, str)(inputs[k]) for k in law.inputs)
    return words[:1].upper() + words[1:]


def _row(name: str, said: tuple[str, str], about: str, setup: str = "") -> str:
    """One line: a law or a measurement, what to know at once, its setup for who opens it, and its value."""
    more = f"<details><summary>Its setup</summary>{escape(setup)}</details>" if setup else ""
    value = f"<b>{escape(said[0])}</b>" + (f"<small>{escape(said[1])}</small>" if said[1] else "")
    return row((value,), f"{escape(name)}<p>{escape(' '.join(about.split()))}</p>{more}")
