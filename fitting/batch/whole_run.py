"""The whole run before it is made: the batch, learning rate and steps that go with a plan's size and tokens, with bands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from data.alike import Alike
from fitting.arguments import takes
from fitting.band import Band
from fitting.batch.advice import Advice, from_paper, papers
from fitting.batch.published import OPTIMAL, RATE
from fitting.errors import FitError
from fitting.planning.planner import Plan
from fitting.shown import shown


@shown()
@dataclass(frozen=True, eq=False)
class WholeRun(Alike):
    """What goes with a plan, numbers or arrays (K,) as the plan has them. Batches are tokens a step.

    `batch` is the one of lowest loss by its law, `lr` the learning rate that goes with it, `steps` the plan's tokens over the
    batch. `critical` is McCandlish's critical batch, another thing: where a run takes twice the fewest steps and twice the
    least data. `notes` begin with what the plan's fit says wherever its numbers go. `sources` says where each law is from.
    `papers` are the lowest and highest answer of the published laws, by what they give: laws are taken as exact, so that their
    disagreement is in no band, and it is often the larger doubt.
    """

    batch: Band
    lr: Band | None
    steps: Band
    critical: Band | None
    notes: tuple[str, ...]
    sources: tuple[tuple[str, str], ...] = ()
    papers: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)


@takes(plan=Plan, batch=Advice, lr=Advice | None, critical=Advice | None)
def whole_run(plan: Plan, batch: Advice, lr: Advice | None = None, critical: Advice | None = None) -> WholeRun:
    """Batch, learning rate, steps and critical batch along a plan, each with the plan's own doubt and that of its law.

    Raises FitError for a plan without sizes: laws of batch and learning rate speak of parameters and tokens.
    """
    best, drawn = plan.split.best, plan.split.drawn
    if "params" not in best:
        raise FitError(
            "Batch and learning rate follow from a model's size and tokens, which a law of compute alone does not give. "
            "Fit a law of both, such as Chinchilla."
        )

    def band(advice: Advice | None) -> Band | None:
        if advice is None:
            return None
        with np.errstate(all="ignore"):
            return plan.of_size(advice.value(best), advice.drawn(drawn))

    with np.errstate(all="ignore"):
        steps = plan.of_size(best["tokens"] / batch.value(best), drawn["tokens"] / batch.drawn(drawn))
    batch_band = band(batch)
    assert batch_band is not None
    sources = tuple((a.gives, a.title) for a in (batch, lr, critical) if a is not None)
    notes = _notes(plan, batch, lr, critical)
    return WholeRun(batch_band, band(lr), steps, band(critical), notes, sources, _papers(plan))


def _papers(plan: Plan) -> dict[str, tuple[Any, Any]]:
    """The lowest and highest answer of published laws to the plan's best split, in the shape of its numbers."""
    out = {}
    for gives in (OPTIMAL, RATE):
        with np.errstate(all="ignore"):
            answers = np.stack([from_paper(key).value(plan.split.best) for key in papers(gives)])
        answers = np.where(answers > 0, answers, np.nan)  # a law that has no answer any more leaves it to the others
        ends = np.nanmin(answers, axis=0), np.nanmax(answers, axis=0)
        low, high = (plan.band_of(end, end).value for end in ends)
        out[gives] = (low, high)
    return out


def _notes(plan: Plan, *advice: Advice | None) -> tuple[str, ...]:
    if np.shape(plan.loss.value):
        return plan.warnings
    where: dict[str, list[str]] = {}
    for one in advice:
        if one is not None and (known := one.outside(plan.split.best)):
            where.setdefault(f"({one.title}: {known})", []).append(one.gives)
    warned = tuple(f"{one.title}: {said}" for one in advice if one is not None for said in one.warnings)
    if not where:
        return (*plan.warnings, *warned)
    said = ", ".join(f"{' and '.join(names)} {range_}" for range_, names in where.items())
    return (*plan.warnings, f"Laws used outside the range they were fitted on: {said}.", *warned)
