"""What is to be known about a plan: how far it lies beyond the runs, how often it sees its text, what its FLOPs count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fitting.doubt import CHECKED
from fitting.mixture import SAID, unseen
from fitting.optimum import Optimum
from fitting.result import Fit

if TYPE_CHECKING:
    from fitting.planner import Text

Array = np.ndarray

# Up to four passes over the same text cost about nothing (Muennighoff et al. 2023, arXiv 2305.16264, section 6).
FREE_EPOCHS = 4.0


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
            f"{budgets[k]:.3g} FLOP" + (f" and {best.params[0, k]:.3g} parameters" if by_size else "") for k in places
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
            notes.append(f"{passes:.3g} passes over {text.unique:.3g} unique tokens, as the law weighs repeats.")
        elif best.tokens[0, 0] > text.most * 1.000001:
            notes.append(
                f"At this size the budget goes {passes:.3g} times over {text.unique:.3g} unique tokens; the law takes each for "
                f"new, which holds up to about {FREE_EPOCHS:g} passes."
            )
        elif best.tokens[0, 0] > text.most * 0.999999:
            notes.append(
                f"Held to {FREE_EPOCHS:g} passes over {text.unique:.3g} unique tokens, so the model is larger than the best for "
                "unlimited text. A law of repeated data weighs more passes; fit one to runs that repeat."
            )
        elif passes > 1.0:
            notes.append(f"{passes:.3g} passes over {text.unique:.3g} unique tokens, which cost about nothing.")
    largest = fit.ranges.get("flops", (np.nan, np.nan))[1]
    if budgets[0] > largest:
        far = f"{float(f'{budgets[0] / largest:.2g}'):,g}x beyond the largest run"
        if fit.doubt is None:
            notes.append(f"{far}: the bands hold the noise of these runs, not doubt about the law's form.")
        else:
            checked = (
                "" if budgets[0] / largest <= CHECKED else f", up to {CHECKED:g}x: further than that nobody has looked"
            )
            notes.append(
                f"{far}: the law's band holds the noise of these runs; a new run's also holds doubt about the law's form, as large "
                f"as public sweeps showed it to be{checked}."
            )
    if fit.doubt is not None and fit.doubt.mixture is not None:
        off = float(fit.doubt.mixture.outside({"params": best.params, "tokens": best.tokens})[0, 0])
        if off > SAID:
            notes.append(
                f"Size and data are mixed as in none of the runs, {unseen(off)} away: a new run's interval also holds how far laws "
                "were off there in public sweeps."
            )
    outside = [
        word
        for name, word, x in (("params", "model size", best.params), ("tokens", "number of tokens", best.tokens))
        if sized and not fit.ranges[name][0] <= x[0, 0] <= fit.ranges[name][1]
    ]
    if outside:
        notes.append(f"The {' and the '.join(outside)} lie{'s' * (len(outside) == 1)} outside what the runs cover.")
    if not fit.accounting.is_six_nd:
        notes.append(
            f"FLOPs as the table counts them: {fit.accounting.ratio(best.params[0, 0]):.3g} times 6ND at this size."
            if sized else "FLOPs as the table counts them."
        )  # fmt: skip
    return tuple(notes)
