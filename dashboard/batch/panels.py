"""The parts of the Batch page: its sentence, its table, its controls, and what it says where there is nothing to fit."""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

import streamlit as st

from dashboard import numbers, state, widgets
from dashboard.batch import about as batch_about
from dashboard.batch import settings as batch_settings
from dashboard.batch import state as batch_state
from dashboard.batch.readings import RESAMPLES, Sweep
from dashboard.charts.batch import colours
from dashboard.downloads import File
from dashboard.error_messages import once
from dashboard.runs import chooser
from data.cells.values import number
from fitting import FitError
from fitting.band import Band
from fitting.batch import AlongLoss, CriticalBatch, Growth, growth
from fitting.export.critical_batch import to_csv, to_json, to_latex, to_python

STYLE = Path(__file__).parents[1] / "static" / "compare.css"
UNGROUPED = "Nothing else"
EXAMPLE = """model,batch_size,steps_to_target
125M,64,41000
125M,256,11800
125M,1024,4600
125M,4096,2700"""


def nothing() -> None:
    """The page where the data hold no sweep of batch sizes: what to add, and in which form."""
    widgets.answer(
        "These runs do not show the effect of batch size.",
        batch_state.lacking()
        or "That needs runs at several batch sizes that reach one loss, each at its best learning rate.",
    )
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        st.markdown("**What to add**")
        widgets.quiet(
            "Either a table of the steps to one loss at each batch size: four sizes or more over a factor of sixteen, "
            "up to sizes at which more batch saves no steps.",
            "Or training curves: many rows per run with batch size, step and loss (and the learning rate, so that the best "
            "of several is taken). Then the critical batch can be read at any loss.",
            "Compare runs at a constant learning rate or one schedule: a schedule that ends early ends lower. For decayed runs the "
            "final losses suffice, at three batch sizes or more on three amounts of data each.",
            "A grid of runs over learning rates and batches gives laws of both; gradient norms over a small and a big batch "
            "(grad_sq_small, grad_sq_big, batch_small, batch_big) give the gradient noise scale.",
        )
        if isinstance(trouble := batch_state.norms_or_why(), Exception):
            widgets.quiet(f"Gradient norms are there, too, and say nothing yet. {trouble}")
        st.page_link("views/runs.py", label="Upload them on the Runs page")
        st.page_link("views/probe.py", label="Train a batch ladder on the Probe page")
    with right.container(border=True, height="stretch"):
        st.markdown("**Example**")
        st.code(EXAMPLE, language=None)
        st.button("Open the bundled batch-size sweep", on_click=state.choose, args=(batch_state.LADDER,))
        widgets.quiet("One small model at seven batch sizes and four learning rates each, with training curves.")


def titles(sweep: Sweep) -> dict[str, str]:
    """What each group is called."""
    return {name: f"loss {name}" if sweep.along == "loss" else name or "all" for name in sweep.found}


def leading(sweep: Sweep) -> str:
    """The group that the sentence is about: the lowest loss, or the largest model, with a finite critical batch if any has one."""
    known = list(finite(sweep)) or list(sweep.found)
    if sweep.along == "loss":
        return min(known, key=lambda n: sweep.places[n])
    return max(known, key=lambda n: sweep.places.get(n, -math.inf))


def finite(sweep: Sweep) -> dict[str, CriticalBatch]:
    """The groups whose critical batch is a number."""
    return {n: f for n, f in sweep.found.items() if 0 < f.b_crit.value < math.inf}


def placed(sweep: Sweep) -> dict[str, CriticalBatch]:
    """Those of them that tell where they stand: their model size, or the loss."""
    return {n: f for n, f in finite(sweep).items() if n in sweep.places}


def answer(sweep: Sweep) -> tuple[str, str, dict[str, str]]:
    """The page's sentence, the line under it, and the numbers in it."""
    name = leading(sweep)
    band = sweep.found[name].b_crit
    where = f" at a loss of {name}" if sweep.along == "loss" else f" for {titles(sweep)[name]}" if name else ""
    if sweep.read_from == "curves" and (group := batch_state.groups()[0]):
        where = f" of {group}{where}"
    if not 0 < band.value < math.inf:
        return (
            "No critical batch can be read from these runs{where}.",
            once(sweep.notes[name]),
            {"where": where or ""},
        )
    value, within = _both(band)
    base, share = batch_state.base(sweep), batch_settings.settings().overhead
    other, around = _both(sweep.found[name].overhead_batch(base, share))
    under = (
        f"McCandlish et al.'s definition, 95 % {within}: twice the fewest steps and twice the least data. Zhang et al. define it "
        f"differently, by {100 * share:.3g} % more steps than linear scaling from {numbers.count(base)}: {other} ({around})."
    )
    if sweep.read_from == "curves":
        under += " Both are fitted to the steps to this loss alone; other methods are compared below."
    return f"The critical batch{{where}} is {{value}} {sweep.unit}.", under, {"value": value, "where": where}


def controls(sweep: Sweep) -> None:
    """The losses asked about, and where Zhang's definition stands."""
    if sweep.along == "loss":
        _targets(", ".join(sweep.places))
    if sweep.reach is not None:
        widgets.quiet(
            f"Every batch size reaches a loss of {sweep.reach[0]:.4g}, the best of them {sweep.reach[1]:.4g}."
        )
    _group()
    _unit(sweep)
    st.session_state["batch_base"] = numbers.count(batch_state.base(sweep)).replace("\u202f", " ")
    st.text_input(
        f"Linear scaling from a batch of, {sweep.unit}", key="batch_base", on_change=_keep_base,
        help="By default the smallest batch measured. Zhang et al. 2024 (arXiv 2410.21676) start at 256 sequences, which is also the "
        "default for a table of steps that counts in sequences and has such batches.",
    )  # fmt: skip
    st.session_state["batch_overhead"] = 100 * batch_settings.settings().overhead
    st.number_input(
        "Overhead over linear scaling, %", min_value=0.1, max_value=1000.0, step=5.0, key="batch_overhead", on_change=_keep_overhead,
        help="20 % in Zhang et al. 2024.",
    )  # fmt: skip
    if sweep.read_from == "curves":
        _smooth()


def declined(trouble: Exception) -> None:
    """Why no critical batch is read, beside what can be said otherwise about how it is."""
    main, side = st.columns([7, 3], gap="large")
    with main:
        widgets.show_trouble(trouble)
        if not batch_settings.settings().readings:
            st.page_link("views/runs.py", label="Look at the data on the Runs page")
    with side:
        _group()
        if batch_state.has_batches() or batch_settings.settings().readings:
            _targets("3.4, 3.3")
            if batch_state.has_curves():
                _smooth()
        chooser.other_data()


def _targets(otherwise: str) -> None:
    """The losses to reach, and `otherwise` in their place where nobody says."""
    st.session_state["batch_targets"] = ", ".join(f"{t:g}" for t in batch_settings.settings().targets)
    st.text_input(
        "Target losses", key="batch_targets", placeholder=otherwise, on_change=_keep_targets, max_chars=200,
        help=f"One to {batch_settings.MOST_TARGETS}, such as 3.4, 3.3; empty for automatic ones. Steps are those of the best "
        "learning rate tried at each batch; log step is interpolated linearly in log loss between evaluations.",
    )  # fmt: skip


def _group() -> None:
    """What else groups go by, and which group of curves is read, where there are several."""
    if columns := batch_state.ungrouped():
        by = batch_settings.settings().by
        st.session_state["batch_by"] = by if by in columns else UNGROUPED
        st.selectbox(
            "Group by", (UNGROUPED, *columns), key="batch_by", on_change=_keep_by,
            help="Runs at one batch differ in these columns. Group by a column that is a setting, not by one that is a result.",
        )  # fmt: skip
    name, names = batch_state.groups()
    if not names:
        return
    st.session_state["batch_group"] = name
    st.selectbox(
        "Curves of", names, key="batch_group", on_change=_keep_group,
        help="Curves at one batch that differ in a setting are separate groups; the first has the most batch sizes.",
    )  # fmt: skip


def _keep_by() -> None:
    by = st.session_state["batch_by"]
    batch_settings.change("groups", by=None if by == UNGROUPED else by)


def _keep_group() -> None:
    batch_settings.change("curves read", group=st.session_state["batch_group"])


def _smooth() -> None:
    st.session_state["batch_smooth"] = batch_settings.settings().smooth
    st.number_input(
        "Smoothing of curves", min_value=0.0, max_value=0.99, step=0.1, key="batch_smooth", on_change=_keep_smooth,
        help="The decay of an exponential moving average of each curve; 0 for none. Noisy evaluations cross a target loss too early.",
    )  # fmt: skip


def _unit(sweep: Sweep) -> None:
    """What batches are counted in, where the data say how long a sequence is."""
    if not math.isfinite(batch_state.seq_len()):
        return
    st.session_state["batch_unit"] = sweep.unit
    st.segmented_control(
        "Batch unit", ("tokens", "sequences"), key="batch_unit", on_change=_keep_unit, required=True,
        help=f"A sequence of these data has {batch_state.seq_len():,.0f} tokens.",
    )  # fmt: skip


def _keep_targets() -> None:
    words = st.session_state["batch_targets"].replace(";", ",").split(",")
    values = [number(w) for w in words if w.strip()]
    if any(not (math.isfinite(v) and v > 0) for v in values):
        state.say("Losses are positive numbers with commas between them, such as 3.4, 3.3.")
        return
    if len(set(values)) > batch_settings.MOST_TARGETS:
        state.say(f"At most {batch_settings.MOST_TARGETS} losses can be read at once; these are {len(set(values))}.")
        return
    batch_settings.change("target losses", targets=tuple(values))


def _keep_base() -> None:
    value = number(st.session_state["batch_base"])
    if not (math.isfinite(value) and value > 0):
        state.say("A batch is a positive number, such as 256 or 0.5M.")
        return
    batch_settings.change("base batch", base=value)


def _keep_unit() -> None:
    unit, length = st.session_state["batch_unit"], batch_state.seq_len()
    if unit not in ("tokens", "sequences"):
        return
    base = batch_settings.settings().base
    if base is not None:  # said in the other unit
        base = base * length if unit == "tokens" else base / length
    batch_settings.change(f"batch unit: {unit}", unit=unit, base=base)


def _keep_smooth() -> None:
    batch_settings.change("smoothing", smooth=float(st.session_state["batch_smooth"]))


def _keep_overhead() -> None:
    batch_settings.change("overhead", overhead=float(st.session_state["batch_overhead"]) / 100)


def table(sweep: Sweep) -> None:
    """One line a group: both critical batches, the fewest steps and the least data, each with its interval."""
    base, share = batch_state.base(sweep), batch_settings.settings().overhead
    heads = ("Batches", "Critical batch", f"{100 * share:.3g} % over linear", "Fewest steps", f"Least {sweep.unit}")
    colour, words = colours(sweep.found), titles(sweep)
    rows = []
    for name, f in sweep.found.items():
        cells = [cell(b) for b in (f.b_crit, f.overhead_batch(base, share), f.s_min, f.e_min)]
        rows.append(
            f'<tr><th scope="row"><i style="background:{colour[name]}"></i>{escape(words[name])}{_at(sweep, name)}</th>'
            f"<td>{len(f.batch)}</td>"
            f"{''.join(f'<td>{c}</td>' for c in cells)}</tr>"
        )
    for why in dict.fromkeys(sweep.refused.values()):
        of = ", ".join(name for name, said in sweep.refused.items() if said == why)
        rows.append(
            f'<tr><th scope="row">{escape(of or "all")}</th><td class="iso-why" colspan="5">{escape(why)}</td></tr>'
        )
    st.html(
        '<div class="iso-scroll"><table class="iso-table iso-families iso-sweep"><thead><tr><th scope="row"></th>'
        f"{''.join(f'<th scope=col>{escape(h)}</th>' for h in heads)}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _at(sweep: Sweep, name: str) -> str:
    return f"<p>at a loss of {sweep.read_at[name]:.4g}</p>" if name in sweep.read_at else ""


def cell(band: Band) -> str:
    """A critical batch or a count with its interval, as HTML."""
    if band.value == math.inf:
        return "<b>none measured</b><small>steps fall as one over the batch</small>"
    value, within = _both(band)
    return f"<b>{escape(value)}</b><small>{escape(within)}</small>"


def _both(band: Band) -> tuple[str, str]:
    """A batch or a count and its interval, which can hold everything."""
    value, within = numbers.with_interval(band.value, band.low, band.high, "count")
    return value, "unbounded" if band.low <= 0 and band.high == math.inf else within


def remarks(sweep: Sweep) -> None:
    """What to know before using the numbers, each sentence once with the groups it is about."""
    widgets.quiet(*remarks_of(sweep))


def remarks_of(sweep: Sweep) -> list[str]:
    """The same sentences, for whatever else rests on these numbers."""
    said: dict[str, list[str]] = {}
    for name, sentences in sweep.notes.items():
        for sentence in sentences:
            said.setdefault(sentence, []).append(titles(sweep)[name])
    return [
        *((sweep.method,) if sweep.method else ()),
        *(
            f"{', '.join(names)}: {sentence}" if len(names) < len(sweep.found) else sentence
            for sentence, names in said.items()
        ),
    ]


def law_of(sweep: Sweep, base: float | None = None) -> Growth | AlongLoss | None:
    """The power law of the critical batches (Zhang's over `base` if given), where there are three places or more.

    Off curves it is fitted to steps at several losses at once, since points off the same curves are wrong together.
    """
    if sweep.read_from == "curves":
        return batch_state.along()
    if sweep.law is not None and base is None:
        return sweep.law
    known, share = placed(sweep), batch_settings.settings().overhead
    if len({sweep.places[n] for n in known}) < len(known):
        return None  # of several groups at one size there is no one law
    batches = [(f.b_crit if base is None else f.overhead_batch(base, share)).value for f in known.values()]
    try:
        return growth([sweep.places[n] for n in known], batches)
    except FitError:
        return None


def grows(sweep: Sweep, law: Growth | AlongLoss) -> str:
    """The scaling of the critical batch, in a line beside the heading."""
    if isinstance(law, AlongLoss):
        low, high = law.x.min(), law.x.max()
        if sweep.read_from == "final losses":
            return (
                f"power law of the loss, exponent {_power(law)}; one fit to all final losses, at {len(law.x)} losses from "
                f"{low:.4g} to {high:.4g}"
            )
        return (
            f"power law of the loss, exponent {_power(law)}; one fit to the steps at {len(law.x)} losses from {low:.4g} to "
            f"{high:.4g}; the losses of a batch share noise"
        )
    if sweep.along == "loss":
        return f"power law of the loss, exponent {_signed(law.slope)}; no interval, since all losses are of one set of runs"
    said = [f"power law of parameters, exponent {_power(law)} for the critical batch"]
    other = law_of(sweep, batch_state.base(sweep))
    if isinstance(other, Growth):
        said.append(f"{_power(other)} for the batch of {100 * batch_settings.settings().overhead:.3g} % overhead")
    return "; ".join(said)


def _power(law: Growth | AlongLoss) -> str:
    band = law.exponent()
    return f"{_signed(band.value)} ({_signed(band.low)} to {_signed(band.high)})"


def _signed(value: float) -> str:
    """An exponent, to three digits."""
    return f"{value:#.3g}".rstrip(".").replace("-", "\u2212")


def files(sweep: Sweep) -> list[File]:
    """The table as LaTeX and CSV, everything as JSON, and the fitted curves as Python."""
    base, share = batch_state.base(sweep), batch_settings.settings().overhead
    law, called = law_of(sweep), batch_about.groups(sweep)
    found = {called[n]: f for n, f in sweep.found.items()}
    read = {
        called[n]: (*(f"At a loss of {sweep.read_at[n]:.4g}." for _ in [n] if n in sweep.read_at), *sweep.notes[n])
        for n in sweep.found
    }
    notes = {**read, **{called[name]: (why,) for name, why in sweep.refused.items()}}
    return [
        File("LaTeX", "batch.tex", "text/x-tex", lambda: to_latex(found, sweep.unit, base, share, law, sweep.along)),
        File("Python", "steps.py", "text/x-python", lambda: to_python(found, sweep.unit, law, sweep.along)),
        File("JSON", "batch.json", "application/json", lambda: to_json(found, notes, sweep.unit, base, share, law)),
        File("CSV", "batch.csv", "text/csv", lambda: to_csv(found, sweep.unit, base, share)),
    ]


def computed() -> None:
    """How the numbers came about."""
    with st.expander("How was this computed"):
        st.markdown(
            "Steps to one loss fall with the batch as S = S_min (1 + B_crit / B), and the data used rise as E = E_min (1 + B / B_crit) "
            "(McCandlish et al. 2018, arXiv 1812.06162). Fitted by least squares of log steps, to the global optimum. Intervals: "
            f"{RESAMPLES:,} bootstrap refits of residuals, the middle 95 %; of the scaling exponent, Student's t. "
            "Zhang et al.'s critical batch is x B_crit + (1 + x) B_base for an overhead x over linear scaling from B_base "
            "(arXiv 2410.21676); the two definitions differ by a factor of three to four and are never mixed here. Final losses alone "
            "are fitted jointly by L = E + K D_min^-beta, D = D_min (1 + B / B_crit), with B_crit a power law of the data (Power Lines, "
            "arXiv 2505.13738) whose exponent is fitted too; runs at one batch size and amount of data are assumed to differ in "
            "learning rate alone, and the best of them counts."
        )
