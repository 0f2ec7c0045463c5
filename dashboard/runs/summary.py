"""Runs in words: the sentence on top, the line under it, the counts beside the chart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dashboard import numbers
from dashboard.widgets import Chip
from data.errors import Question
from data.losses.other_laws import instead
from data.reading import Reading
from data.schema import Runs
from fitting.plural import plural


def chips(title: str, runs: Runs | None, held: int = 0) -> list[Chip]:
    """The data that is current, and how much of it is used; `held` are the runs held out beside those fitted."""
    if runs is None:
        return [Chip(title, "")]
    out = f"{held:,} held out, " if held else ""
    return [
        Chip(title, f"{plural(len(runs), 'run')}{' fitted' if held else ''}, {out}{len(runs.set_aside):,} set aside")
    ]


def questions(read: Reading) -> tuple[Question, ...]:
    """What must be answered before the file can be read; empty when nothing is open."""
    return tuple(getattr(read.trouble, "questions", ())) if read.table is not None else ()


def lacking(asked: Sequence[Question]) -> bool:
    """Whether something is asked that no answer can mend: no column of the file could be the one that is needed."""
    return any(q.key.startswith("columns.") and q.needed and not q.options for q in asked)


def elsewhere(read: Reading) -> str:
    """Where a table is fitted that has all columns of a law with its own, as a sentence; '' for any other."""
    return instead(read.table.headers) if read.table is not None else ""


def asking(asked: Sequence[Question]) -> str:
    """The heading over the questions."""
    count = "One question" if len(asked) == 1 else f"{len(asked)} questions"
    return f"{count} before these runs can be read."


def answer(runs: Runs) -> tuple[str, dict[str, str], str]:
    """The sentence with its values, and the line under it."""
    values = {"n": f"{len(runs):,}", "aside": f"{len(runs.set_aside):,}"}
    held = len(runs.held_out)
    values |= {"held": f"{held:,}"} if held else {}
    noun = "run" if len(runs) == 1 else "runs"
    size = span(runs.kept, "params", "count")
    if size:
        values |= {"low": size[0], "high": size[1]}
        head = f"{{n}} {noun} from {{low}} to {{high}} parameters"
        if size[0] == size[1]:
            head = f"{{n}} {noun} of {{low}} parameters"
    else:
        head = f"{{n}} {noun}"
    parts = []
    for column, kind, unit in (("tokens", "count", "training tokens"), ("flops", "flop", "FLOP")):
        found = span(runs.kept, column, kind)
        if found:
            parts.append(f"{found[0]} to {found[1]} {unit}" if found[0] != found[1] else f"{found[0]} {unit}")
    for column in (c for c in runs.named if c not in ("params", "tokens", "flops")):
        found = span(runs.kept, column, "ratio")
        parts += [f"{column.replace('_', ' ')} {found[0]} to {found[1]}"] if found else []
    if not runs.named and len(loss := runs.kept["loss"]):
        parts.append(f"loss {numbers.interval(float(loss.min()), float(loss.max()), 'loss')} nats per token")
    under = ", ".join(parts)
    under = f"{under[:1].upper()}{under[1:]}." if under else ""
    return head + ("; {held} held out, " if held else "; ") + "{aside} set aside.", values, under


def span(frame: pd.DataFrame, column: str, kind: str) -> tuple[str, str] | None:
    """The least and the greatest value of a column, said; None where it has none."""
    if column not in frame:
        return None
    values = frame[column].to_numpy(dtype="float64", na_value=np.nan)
    values = values[np.isfinite(values)]
    return (numbers.say(float(values.min()), kind), numbers.say(float(values.max()), kind)) if len(values) else None


def counts(whole: Runs) -> dict[str, int]:
    """How many rows are kept, of these how many are fitted and held out where some are, how many are not kept, and why."""
    out = len(whole.held_out)
    kept = {"fitted": len(whole) - out, "held out": out} if out else {"kept": len(whole)}
    return {**kept, "set aside": len(whole.set_aside), **whole.reasons}
