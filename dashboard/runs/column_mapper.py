"""What the columns of an uploaded table are taken for: the guess, shown with values and open to correction."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboard import state, widgets
from dashboard.runs import summary
from dashboard.runs.answers import put
from data.cells.values import number
from data.errors import Question
from data.headers.logs import LOGS
from data.headers.parts import header as take_apart
from data.losses.units import TYPICAL, UNITS
from data.mapping import Mapping
from data.reading import Reading
from data.schema import COLUMNS, COUNTS, Runs
from data.table import Table
from data.units.factors import DIMENSION, MENU

ALWAYS = ("loss", "params", "tokens", "flops", "run")  # asked for even when nothing in the file looks like them
ABSENT = "not in this file"
LOSS_UNITS = {name: unit.title for name, unit in UNITS.items()}
WORDS = {
    "loss": "Loss",
    "params": "Parameters",
    "params_total": "Parameters, all",
    "params_nonembed": "Parameters without embeddings",
    "params_active": "Parameters active per token",
    "tokens": "Training tokens",
    "flops": "Training compute",
    "run": "Run name",
    "lr": "Learning rate",
    "batch": "Batch, tokens",
    "batch_sequences": "Batch, sequences",
    "batch_device": "Batch of one device, sequences",
    "grad_accum": "Gradient accumulation steps",
    "seq_len": "Sequence length",
    "wall_seconds": "Wall-clock time",
}
READINGS = {
    "tokens": "tokens",
    "sequences": "sequences",
    "step": "the sequences of a whole step",
    "device": "one device, one forward pass",
    "accumulated": "one device, its whole step",
    "all devices": "all devices, one forward pass",
}
ROWS = {"checkpoints": "checkpoints of one run", "runs": "runs of their own"}
ORIENTATIONS = {"rows": "each row is a run", "columns": "each column is a run"}
EPOCHS = {"after": "after the first epoch", "before": "before any training"}
SPLITS = {"all": "every row is a run of its own"}
TOKENS_FROM = {"columns": "what those columns come to", "flops": "what FLOPs and parameters come to"}
CHOICES = {
    "rows": ROWS, "batch": READINGS, "orientation": ORIENTATIONS, "split": SPLITS, "epochs": EPOCHS, "tokens_from": TOKENS_FROM,
}  # fmt: skip
LOG_NAMES = {"log10": "log10 of it", "ln": "ln of it", "log2": "log2 of it"}
AS_NAMED = {"last": "the last", "least": "the least"}


def word(column: str) -> str:
    """A canonical column's name as people say it."""
    return WORDS.get(column) or column.replace("_", " ").capitalize()


def questions(read: Reading) -> None:
    """The questions a table leaves open, each with its best guess, and the button that answers them all."""
    assert read.table is not None
    asked = summary.questions(read)
    with st.form("questions", border=True):
        for question in asked:
            text = question.text.removesuffix(f" {summary.elsewhere(read)}")  # which stands above them
            _question(read.table, replace(question, text=text))
        st.form_submit_button("Read the runs", type="primary", on_click=_answer_all, args=(tuple(asked),))


def preview(table: Table) -> None:
    """The first rows as the file has them."""
    widgets.quiet("The first rows as they are:")
    st.dataframe(table.frame.head(8).astype(str), hide_index=True, alt="The first rows of the file")


def missing() -> None:
    """What to do about a table that says how low its runs came, and not what they were."""
    with st.container(border=True):
        st.markdown("**What were these runs?**")
        widgets.quiet(
            "A law of scaling needs, beside the loss, each run's number of parameters, its training tokens or its training "
            "compute. No column of this table was taken for one of them.",
            "Where a column holds one under another name, choose it under Columns below. Otherwise add it to the file and upload "
            "it again: a column params, tokens or flops, with values such as 125M or 2.5e19.",
        )


def _question(table: Table, question: Question) -> None:
    label = widgets.literal(question.text)
    key = f"asked:{question.key}"
    if question.key == "bytes_per_token":
        per = next((u.per for u in UNITS.values() if f"many {u.per}s" in question.text), "byte")
        usual = f"such as {TYPICAL.get(per, 4.0):g}, which is usual for English text"
        st.number_input(label, key=key, min_value=0.01, max_value=10_000.0, value=None, step=0.1, placeholder=usual)
        return
    if question.key == "devices":
        st.number_input(
            label, key=key, min_value=1.0, max_value=1e6, value=None, placeholder="such as 8", **widgets.WHOLE
        )
        return
    kind, _, column = question.key.partition(".")

    def shown(option: str) -> str:
        if kind == "columns" and option in table.headers:
            return _with_values(table, option)
        if kind == "units":
            return LOG_NAMES.get(option) or factor_name(column, float(option))
        if question.key in CHOICES:
            return CHOICES[question.key].get(option, option)
        return {**LOSS_UNITS, **WORDS}.get(option, option)

    options = list(question.options)
    index = options.index(question.guess) if question.guess in options else None
    st.selectbox(label, options, index=index, format_func=shown, key=key, placeholder="Choose one")


def _answer_all(asked: Sequence[Question]) -> None:
    answers, open_ = state.answers(), []
    for question in asked:
        chosen = st.session_state.get(f"asked:{question.key}")
        if chosen is None:
            open_.append(question.text)
        else:
            put(answers, question.key, round(chosen) if question.key == "devices" else chosen)
    if open_:
        state.say(f"Still to be answered: {' '.join(open_)}")
    else:
        state.answer(answers)


def factor_name(column: str, factor: float) -> str:
    """A column's factor as a menu calls it: millions, PF-days, 8.64e+19."""
    if factor == -1.0:
        return "minus the loss"
    menu = MENU.get(DIMENSION.get(column, "count"), {})
    return next((name for f, name in menu.items() if abs(f - factor) <= 1e-9 * f), f"times {factor:g}")


def columns(read: Reading) -> None:
    """Every column of the runs table, the file's column it is read from, and a menu to say otherwise."""
    assert read.table is not None
    assert read.guessed is not None
    mapping = read.mapping or read.guessed
    listed = [*dict.fromkeys((*ALWAYS, *(c for c in COLUMNS if c in mapping.guesses or c in read.guessed.guesses)))]
    first = [c for c in listed if c in ALWAYS or c in COUNTS]
    names = {header: _with_values(read.table, header) for header in read.table.headers} | {ABSENT: ABSENT}
    with st.container(key="mapper", gap="small"):
        cells = st.grid(3, gap=("small", "medium"))
        for column in first:
            with cells.cell():
                _column(names, mapping, column)
        with cells.cell():
            _loss_unit(mapping, read.guessed)
        if read.runs is not None:
            with cells.cell():
                _rows(mapping)
            if read.runs.history is not None:
                with cells.cell():
                    _history(read.table, mapping)
        if len([c for c in COUNTS if c in mapping.guesses]) > 1:
            with cells.cell():
                _count(mapping)
        others = [c for c in listed if c not in first]
        if others:
            with st.expander("More columns", key="more_columns"):
                cells = st.grid(3, gap=("small", "medium"))
                for column in others:
                    with cells.cell():
                        _column(names, mapping, column)
        if state.answers():
            st.button("Back to the guess", on_click=state.answer, args=({},), key="unanswer")


def _column(names: dict[str, str], mapping: Mapping, column: str) -> None:
    """The menu of the file's columns, by the `names` it shows of them, for one column of the runs table."""
    guess = mapping.guesses.get(column)
    key = f"column:{column}"
    st.session_state[key] = guess.header if guess else ABSENT
    # A loss has a menu of its own for its unit; its factor is shown where it has one.
    scaled = guess is not None and column in DIMENSION and (column != "loss" or guess.scale != 1.0 or guess.base > 0)
    place, unit = st.columns([5, 3], gap="small") if scaled else (st.container(), None)
    with place:
        st.selectbox(
            word(column),
            [ABSENT, *(header for header in names if header != ABSENT)],
            format_func=names.__getitem__,
            key=key,
            help=COLUMNS[column].meaning.capitalize()
            + (f", in {COLUMNS[column].unit}" if COLUMNS[column].unit else ""),
            on_change=_choose_column,
            args=(column,),
        )
    if unit is not None and guess is not None:
        with unit:
            _factor(column, guess.scale, guess.base)
    if guess:
        widgets.quiet(guess.how)


def _factor(column: str, scale: float, base: float) -> None:
    """The menu of the factor that the column's values carry, or of the logarithm that they are."""
    menu = [*MENU[DIMENSION[column]]]
    if not any(abs(f - scale) <= 1e-9 * f for f in menu):
        menu.append(scale)
    names = [factor_name(column, f) for f in menu]
    key = f"factor:{column}"
    log = next((name for name, b in LOGS.items() if b == base), "")
    st.session_state[key] = LOG_NAMES[log] if log else factor_name(column, scale)
    st.selectbox(
        "Unit",
        [*names, *(LOG_NAMES.values() if log else ())],
        key=key,
        on_change=_choose_factor,
        args=(column, tuple(zip(names, menu, strict=True))),
        accept_new_options=True,
        help="What the numbers in this column are counted in; type a factor such as 1e7 for another.",
    )


def _choose_factor(column: str, menu: tuple[tuple[str, float], ...]) -> None:
    chosen = str(st.session_state[f"factor:{column}"] or "")
    factor: float | str | None = dict(menu).get(chosen)
    factor = next((log for log, name in LOG_NAMES.items() if name == chosen), factor)
    if isinstance(factor, str):
        answers = state.answers()
        put(answers, f"units.{column}", factor)
        state.answer(answers)
        return
    if factor is None:
        factor = number(chosen.removeprefix("times "))
    if not (math.isfinite(factor) and factor > 0):
        state.say(f"The unit of {word(column).lower()} is a positive factor such as 1e6; {chosen[:40]!r} is none.")
        return
    answers = state.answers()
    put(answers, f"units.{column}", factor)
    state.answer(answers)


def _choose_column(column: str) -> None:
    answers = state.answers()
    chosen = st.session_state[f"column:{column}"]
    put(answers, f"columns.{column}", None if chosen == ABSENT else chosen)
    units = {name: factor for name, factor in answers.get("units", {}).items() if name != column}
    answers["units"] = units  # what was said of one column's unit says nothing of another's
    if column == "loss":
        answers.pop("loss_unit", None)
        answers.pop("bytes_per_token", None)
    state.answer({name: value for name, value in answers.items() if value})


def _loss_unit(mapping: Mapping, guessed: Mapping) -> None:
    """The menu of the loss's unit; where a column says it of each row, that is one of the answers."""
    own = {"": "as each row says"} if guessed.row_units else {}
    st.session_state["loss_unit"] = "" if mapping.row_units and own else mapping.loss_unit
    st.selectbox(
        "Unit of the loss",
        [*own, *LOSS_UNITS],
        format_func={**own, **LOSS_UNITS}.__getitem__,
        key="loss_unit",
        on_change=_choose,
        args=("loss_unit",),
        help="Losses are held in nats per token; others are converted.",
    )


def _rows(mapping: Mapping) -> None:
    st.session_state["rows"] = mapping.rows
    st.selectbox(
        "Rows are",
        ["", *ROWS],
        format_func=lambda said: ROWS.get(said, "told from the table"),
        key="rows",
        on_change=_choose,
        args=("rows",),
        help="Checkpoints make one run, with a curve that ends in its loss; runs of their own are each a point.",
    )


def _history(table: Table, mapping: Mapping) -> None:
    """Which loss of a run's checkpoints is the run's."""
    best = [h for h in table.headers if _METRIC.search(take_apart(h).path) and table.numbers(h).share > 0.5][:20]
    deciding = [f"{'highest' if _MORE.search(take_apart(h).path) else 'lowest'} {h}" for h in best]
    options = ["last", "least", "mean of last 5", "mean of last 20", *deciding]
    st.session_state["history"] = mapping.history
    st.selectbox(
        "Loss of each run",
        options if mapping.history in options else [*options, mapping.history],
        format_func=lambda said: AS_NAMED.get(said) or (said if said.startswith("mean") else f"at the {said}"),
        key="history",
        on_change=_choose,
        args=("history",),
        help="Which checkpoint's loss, tokens and compute stand for the run.",
    )


_METRIC = re.compile(r"\b(loss|ppl|perplexity|bpb|acc(?:uracy)?|score|f1|mmlu|hellaswag|entropy)\b")
_MORE = re.compile(r"\b(acc(?:uracy)?|score|f1|mmlu|hellaswag)\b")


def _count(mapping: Mapping) -> None:
    st.session_state["count"] = mapping.count
    st.selectbox(
        "Count that fits use",
        [c for c in COUNTS if c in mapping.guesses],
        format_func=word,
        key="count",
        on_change=_choose,
        args=("count",),
        help="A law's constants depend on which parameters are counted.",
    )


def _choose(name: str) -> None:
    answers = state.answers()
    put(answers, name, st.session_state[name] or None)
    state.answer(answers)


def _with_values(table: Table, header: str) -> str:
    """The header with its first values, as the menu shows it (plain text)."""
    values = [_short(text) for text in table.text(header, 200) if text][:3]
    return f"{header[:60]}   ({', '.join(values)})" if values else f"{header[:60]}   (empty)"


def _short(text: str) -> str:
    """A cell in at most a dozen signs; a number with needless digits in four."""
    if len(text) <= 10:
        return text
    try:
        return f"{float(text):.4g}"
    except ValueError:
        return text[:11] + "…"


def derived(runs: Runs) -> None:
    """What was worked out from other columns rather than read."""
    lines = [f"{word(source.column)}: {source.how}." for source in runs.sources if not source.header]
    widgets.quiet(*dict.fromkeys(lines))


def sources(runs: Runs) -> None:
    """How every column of the runs table was got, read only."""
    st.dataframe(
        {
            "Column": [word(source.column) for source in runs.sources],
            "Read from": [source.header or "derived" for source in runs.sources],
            "How": [source.how for source in runs.sources],
        },
        hide_index=True,
        alt="How each column was got",
    )
