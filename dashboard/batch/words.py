"""What was read for critical batches and why: the sentence that the page and the terminal both say."""

from __future__ import annotations

from data.schema import Runs
from fitting.plural import plural

HISTORY = "Many rows per run"  # which row is the run: of curves all rows count


def curves_said(runs: int) -> str:
    """For rows that are checkpoints of so many runs."""
    return f"Read from steps to a loss off the curves of {plural(runs, 'run')}: rows are checkpoints along them."


def final_said(runs: int) -> str:
    """For rows that are so many runs, each with its last loss."""
    return (
        f"Read from the final losses of {plural(runs, 'run')}: no run has rows along its way, so "
        "each row is taken for a run decayed to its end."
    )


def reading_said(runs: Runs) -> tuple[str, ...]:
    """What was done to the rows of curves before any batch was looked at, such as that a step stands twice."""
    return tuple(note for note in runs.notes if not note.startswith(HISTORY))
