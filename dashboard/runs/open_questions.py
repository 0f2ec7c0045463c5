"""What a table leaves open although its runs can be read: each guess announced in a sentence, one click from being changed."""

from __future__ import annotations

import streamlit as st

from dashboard import state, widgets
from dashboard.runs.answers import put
from data.errors import Question
from data.mapping import Mapping
from data.reading import Reading
from data.schema import Runs
from data.states.exclusions import KEEP, exclusions
from data.states.recognise import STATE
from fitting.plural import plural

LONGEST = 40  # signs of a state's word on its button
MOST = 4  # announcements at once; the Columns tab shows every guess


def announce(read: Reading) -> None:
    """The questions that a guess has answered, each with the buttons that answer it otherwise."""
    if read.runs is None or read.table is None or read.mapping is None:
        return
    # Counts with and without embeddings differ by little; a mixture's active parameters are another thing than all of them,
    # and a total that was added up here is one that nobody has seen.
    added = "params_active", *(("params_total",) if read.table.told else ())
    asked = [q for q in read.runs.questions if q.key != "count" or any(c in q.options for c in added)][:MOST]
    if not asked:
        return
    with st.container(key="announced", gap="small", border=True):
        for number, question in enumerate(asked):
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                widgets.quiet(question.text)
                for k, (label, value) in enumerate(_ways(question, read.mapping)):
                    st.button(
                        widgets.literal(label),
                        key=f"announced:{number}:{k}",
                        type="tertiary" if value == _holds(question, read.mapping) else "secondary",
                        on_click=_answer,
                        args=(question.key, value),
                    )


def _ways(question: Question, mapping: Mapping) -> list[tuple[str, str | None]]:
    """The answers as buttons: their label, and what is then the answer."""
    kind, _, column = question.key.partition(".")
    if kind == "columns":
        held = mapping.header(column)
        others = [option for option in question.options if option != held][:3]
        ways: list[tuple[str, str | None]] = []
        ways += [(f"Use {option[:40]}", option) for option in others]
        if held is not None:
            ways += [("That is right", held)] if held in question.options else []
            ways += [("Leave it out", None)] if len(question.options) == 1 else []
        else:
            ways.append(("It is not", None))
        return ways
    words = {
        "count": {"params": "The plain count", "params_total": "All parameters", "params_nonembed": "Without embeddings",
                  "params_active": "Active parameters"},
        "rows": {"checkpoints": "They are checkpoints", "runs": "They are runs of their own"},
        "batch": {"step": "A whole step", "device": "One device, one pass", "accumulated": "One device's step",
                  "all devices": "All devices, one pass"},
        "split": {"all": "Every row is a run"},
        "unknown_states": {"kept": "Keep them", "set aside": "Set them aside"},
    }.get(kind, {})  # fmt: skip
    return [(words.get(option, option), option) for option in question.options]


def _holds(question: Question, mapping: Mapping) -> str | None:
    """The answer that stands as long as nobody gives another."""
    kind, _, column = question.key.partition(".")
    return mapping.header(column) if kind == "columns" else question.guess


def _answer(key: str, value: str | None) -> None:
    answers = state.answers()
    kind, _, column = key.partition(".")
    if kind == "columns" and column in answers.get("units", {}):  # said of the column that was there before
        answers["units"] = {name: factor for name, factor in answers["units"].items() if name != column}
    put(answers, key, value)
    state.answer(answers)


# --- runs set aside for their state, or by the file --------------------------------------------------------------------


def bring_back(read: Reading, runs: Runs) -> None:
    """A button for each state that runs were set aside for, one for those that the file does not use, and one to undo it.

    A crash may have come after the last step, and a file may hold what another person set aside.
    """
    if (
        read.table is None and not state.chosen().mine
    ):  # what ships is read in one way; a sweep is no table, and has states
        return
    by_state: dict[str, tuple[str, int]] = {}  # the word as it is written first, and how many runs have it
    for reason, number in runs.reasons.items():
        if reason.startswith(STATE):
            word = reason.removeprefix(STATE)
            if read.table is None:  # with the sentence of a run that failed
                word = word.partition(" (")[0]
            shown, before = by_state.get(word.lower(), (word, 0))
            by_state[word.lower()] = (shown, before + number)
    kept = state.answers().get("states", [])
    marked = read.table is not None and bool(exclusions(read.table)) and KEEP not in kept
    if not by_state and not kept and not marked:
        return
    with st.container(horizontal=True, gap="small", key="states"):
        for k, (word, (shown, number)) in enumerate(by_state.items()):
            label = f"Bring back {_with_state(number, shown)}"
            st.button(widgets.literal(label), key=f"state:{k}", on_click=_keep, args=([*kept, word],))
        if marked:
            st.button(
                "Bring back what the file marks as not used", key="state:file", on_click=_keep, args=([*kept, KEEP],)
            )
        if kept:
            st.button("Set them aside again", key="state:none", type="tertiary", on_click=_keep, args=([],))


def _with_state(number: int, shown: str) -> str:
    """So many runs with a state's word as the file writes it: `2 crashed runs`, `1 run: failed (exit code 137)`."""
    cut = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    if all(part.isalpha() for part in cut.split()):
        return plural(number, f"{cut} run")
    return f"{plural(number, 'run')}: {cut}"


def _keep(states: list[str]) -> None:
    answers = state.answers()
    if states:
        answers["states"] = sorted(set(states))
    else:
        answers.pop("states", None)
    state.answer(answers)
