"""What the columns of an uploaded table are taken for: the guess, shown with values and open to correction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import state, summary, widgets
from dashboard.reading import Reading
from data.errors import Question
from data.mapping import Mapping
from data.schema import COLUMNS, COUNTS, Runs
from data.table import Table

ALWAYS = ("loss", "params", "tokens", "flops", "run")  # asked for even when nothing in the file looks like them
ABSENT = "not in this file"
LOSS_UNITS = {
    "nats": "nats per token",
    "bits": "bits per token",
    "bits per byte": "bits per byte",
    "perplexity": "perplexity",
}
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
    "seq_len": "Sequence length",
}
ORIENTATIONS = {"rows": "each row is a run", "columns": "each column is a run"}
SCALES = {"1": "as they stand", "1000": "thousands", "1e+06": "millions", "1e+09": "billions", "1e+12": "trillions"}


def word(column: str) -> str:
    """A canonical column's name as people say it."""
    return WORDS.get(column) or column.replace("_", " ").capitalize()


def questions(read: Reading) -> None:
    """The questions a table leaves open, each with its best guess, and the button that answers them all."""
    assert read.table is not None
    asked = summary.questions(read)
    with st.form("questions", border=True):
        for question in asked:
            _question(read.table, question)
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
            "Where a column holds one under another name, say so under Columns below. Otherwise add it to the file and upload "
            "it again: a column params, tokens or flops, with values such as 125M or 2.5e19.",
        )


def _question(table: Table, question: Question) -> None:
    label = widgets.literal(question.text)
    key = f"asked:{question.key}"
    if question.key == "bytes_per_token":
        st.number_input(label, key=key, min_value=0.1, max_value=100.0, value=4.0, step=0.1)
        return
    kind = question.key.partition(".")[0]

    def shown(option: str) -> str:
        if kind == "columns":
            return _with_values(table, option)
        if kind == "units":
            return SCALES.get(option, option)
        return {**LOSS_UNITS, **WORDS, **ORIENTATIONS}.get(option, option)

    options = list(question.options)
    index = options.index(question.guess) if question.guess in options else None
    st.selectbox(label, options, index=index, format_func=shown, key=key, placeholder="Choose one")


def _answer_all(asked: Sequence[Question]) -> None:
    answers = state.answers()
    for question in asked:
        chosen = st.session_state.get(f"asked:{question.key}")
        if chosen is None:
            state.say("One question is still open.")
            return
        _put(answers, question.key, chosen)
    state.answer(answers)


def _put(answers: dict[str, Any], key: str, value: Any) -> None:
    """Enter one answer under the name `data.recognise` knows it by: `columns.loss`, `units.tokens`, `loss_unit`."""
    group, _, column = key.partition(".")
    if not column:
        answers[group] = value
        return
    held = dict(answers.get(group, {}))
    held[column] = float(value) if group == "units" else value
    answers[group] = held


def columns(read: Reading) -> None:
    """Every column of the runs table, the file's column it is read from, and a menu to say otherwise."""
    assert read.table is not None
    assert read.guessed is not None
    mapping = read.mapping or read.guessed
    listed = [*dict.fromkeys((*ALWAYS, *(c for c in COLUMNS if c in mapping.guesses or c in read.guessed.guesses)))]
    first = [c for c in listed if c in ALWAYS or c in COUNTS]
    with st.container(key="mapper", gap="small"):
        cells = st.grid(3, gap=("small", "medium"))
        for column in first:
            with cells.cell():
                _column(read.table, mapping, column)
        with cells.cell():
            _loss_unit(mapping)
        if len([c for c in COUNTS if c in mapping.guesses]) > 1:
            with cells.cell():
                _count(mapping)
        others = [c for c in listed if c not in first]
        if others:
            with st.expander(f"{len(others)} more column{'s' if len(others) > 1 else ''}"):
                cells = st.grid(3, gap=("small", "medium"))
                for column in others:
                    with cells.cell():
                        _column(read.table, mapping, column)
        if state.answers():
            st.button("Back to the guess", on_click=state.answer, args=({},), key="unanswer")


def _column(table: Table, mapping: Mapping, column: str) -> None:
    guess = mapping.guesses.get(column)
    key = f"column:{column}"
    st.session_state[key] = guess.header if guess else ABSENT
    st.selectbox(
        word(column),
        [ABSENT, *table.headers],
        format_func=lambda header: header if header == ABSENT else _with_values(table, header),
        key=key,
        help=COLUMNS[column].meaning.capitalize() + (f", in {COLUMNS[column].unit}" if COLUMNS[column].unit else ""),
        on_change=_choose_column,
        args=(column,),
    )
    if guess:
        widgets.quiet(guess.how)


def _choose_column(column: str) -> None:
    answers = state.answers()
    chosen = st.session_state[f"column:{column}"]
    _put(answers, f"columns.{column}", None if chosen == ABSENT else chosen)
    state.answer(answers)


def _loss_unit(mapping: Mapping) -> None:
    st.session_state["loss_unit"] = mapping.loss_unit
    st.selectbox(
        "Unit of the loss",
        list(LOSS_UNITS),
        format_func=LOSS_UNITS.__getitem__,
        key="loss_unit",
        on_change=_choose,
        args=("loss_unit",),
        help="Losses are held in nats per token; others are converted.",
    )


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
    _put(answers, name, st.session_state[name])
    state.answer(answers)


def _with_values(table: Table, header: str) -> str:
    """The header with its first values, as the menu shows it (plain text)."""
    values = [_short(text) for text in table.text(header).head(200) if text][:3]
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
