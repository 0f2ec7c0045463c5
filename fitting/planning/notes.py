"""What is to be known about a plan, or a run asked of a fit: how far beyond the runs, how often it sees its text, whose FLOPs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fitting.amounts import count, times
from fitting.planning.allocation import Optimum
from fitting.result import Fit
from fitting.uncertainty.extrapolation import beyond_runs, mixed_as_none

Array = np.ndarray

# Up to four passes over the same text cost about nothing (Muennighoff et al. 2023, arXiv 2305.16264, section 6).
FREE_EPOCHS = 4.0


@dataclass(frozen=True)
class Text:
    """How much text there is: `unique` tokens, and the `most` tokens of training where the law itself knows no repeats."""

    unique: float
    most: float | None

    def given(self, fit: Fit) -> dict[str, float]:
        """What the law is told of it."""
        return {"unique_tokens": self.unique} if "unique_tokens" in fit.law.inputs else {}


def uncovered(fit: Fit, params: Any, tokens: Any) -> tuple[str, ...]:
    """Which of a run's size and tokens no run fitted is near."""
    words: dict[str, tuple[str, Any]] = {"model sizes": ("params", params), "token counts": ("tokens", tokens)}
    outside = [word for word, (name, x) in words.items() if not fit.ranges[name][0] <= x <= fit.ranges[name][1]]
    if not outside:
        return ()
    return (f"Extrapolated beyond the fitted {' and '.join(outside)}.",)


def place_notes(fit: Fit, flops: Any, params: Any, tokens: Any) -> tuple[str, ...]:
    """What is to be known about one run's place: beyond the runs in compute, mixed as none of them, of a size none had."""
    n, d = np.array([params]), np.array([tokens])
    return (
        *beyond_runs(fit.doubt, fit.beyond({"flops": flops}), output=fit.law.output),
        *mixed_as_none(fit.doubt, n, d, output=fit.law.output),
        *uncovered(fit, params, tokens),
    )


def all_notes(fit: Fit, budgets: Array, best: Optimum, sized: bool, text: Text | None) -> tuple[str, ...]:
    """The notes of each of K budgets, said with what they are of; those of all budgets once."""
    found: dict[str, list[int]] = {}
    for k in range(len(budgets)):
        here = slice(k, k + 1)
        one = Optimum(*(np.asarray(x)[:, here] for x in (best.params, best.tokens, best.loss)))
        for note in _notes(fit, budgets[here], one, sized, text):
            found.setdefault(note, []).append(k)
    by_size = len(np.unique(budgets)) < len(budgets)

    def of(places: list[int]) -> str:
        names = [
            f"{budgets[k]:.3g} FLOP" + (f" and {count(best.params[0, k])} parameters" if by_size else "")
            for k in places
        ]
        more = f" and {len(names) - 3} more" if len(names) > 3 else ""
        return f"At {', '.join(names[:3])}{more}: "

    return tuple(note if len(at) == len(budgets) else of(at) + note for note, at in found.items())


def _notes(fit: Fit, budgets: Array, best: Optimum, sized: bool, text: Text | None = None) -> tuple[str, ...]:
    if len(budgets) != 1:
        return fit.warnings
    notes = [*fit.warnings]
    if text is not None:
        passes = best.tokens[0, 0] / text.unique
        if text.most is None:
            notes.append(f"{times(passes)} epochs of {count(text.unique)} unique tokens; the law discounts repeats.")
        elif best.tokens[0, 0] > text.most * 1.000001:
            notes.append(
                f"At this size the budget takes {times(passes)} epochs of {count(text.unique)} unique tokens; the law counts repeated "
                f"tokens as new, which holds up to about {FREE_EPOCHS:g} epochs."
            )
        elif best.tokens[0, 0] > text.most * 0.999999:
            notes.append(
                f"Limited to {FREE_EPOCHS:g} epochs of {count(text.unique)} unique tokens, so the model is larger than the optimum for "
                "unlimited data. To plan more epochs, fit a data-constrained law to runs that repeat their data."
            )
        elif passes > 1.0:
            notes.append(
                f"{times(passes)} epochs of {count(text.unique)} unique tokens: repeats up to {FREE_EPOCHS:g} epochs cost little."
            )
    if sized and best.tokens[0, 0] < 1.0:
        notes.append("The best size would train on less than one token: the budget is too small. Enter a larger one.")
    if sized:
        notes += place_notes(fit, budgets[0], best.params[0, 0], best.tokens[0, 0])
    else:
        notes += beyond_runs(fit.doubt, fit.beyond({"flops": budgets}), output=fit.law.output)
    if not fit.accounting.is_six_nd:
        notes.append(
            f"FLOPs by the table's own count: {fit.accounting.ratio(best.params[0, 0]):.3g} times 6ND at this size."
            if sized else "FLOPs by the table's own count."
        )  # fmt: skip
    return tuple(notes)
