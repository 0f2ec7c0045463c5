"""What was read for critical batches and why: the sentence that the page and the terminal both say."""

from __future__ import annotations

from data.plural import agreeing
from data.schema import Runs
from fitting.batch.rows import in_sequences
from fitting.plural import plural

HISTORY = "Many rows per run"  # which row is the run: of curves all rows count

SEQUENCES = "Batches count sequences: no column has the tokens of one. A column seq_len would give them in tokens."


def curves_said(curves: int, runs: Runs) -> str:
    """For rows that are checkpoints of so many of the runs."""
    return (
        f"Read from the steps to a loss of {plural(curves, 'training curve')}: rows are checkpoints.{held_said(runs)}"
    )


def final_said(runs: Runs) -> str:
    """For rows that are runs, each with its last loss."""
    return (
        f"Read from the final losses of {plural(len(runs.kept), 'run')}: no run has checkpoints, so each row is read as a run whose "
        f"learning rate has decayed.{held_said(runs)}"
    )


def held_said(runs: Runs) -> str:
    """How many more runs the table has that are held out, a sentence behind a space; '' for none."""
    return f" {agreeing(runs.apart, 'run is', 'runs are')} held out and left out." if runs.apart else ""


def reading_said(runs: Runs) -> tuple[str, ...]:
    """What was done to the rows of curves before any batch was looked at, such as that a step stands twice."""
    said = tuple(note for note in runs.notes if not note.startswith(HISTORY))
    return (*said, SEQUENCES) if in_sequences(runs) else said
