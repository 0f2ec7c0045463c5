"""The checks made of every fit, each a line a person can act on: did it converge, and can these runs say this at all?"""

from __future__ import annotations

from collections.abc import Callable

from fitting.diagnostics.checks import (
    constants,
    counts,
    floor,
    flops,
    identified,
    influence,
    prior,
    runs,
    shape,
    solution,
)
from fitting.diagnostics.checks.evidence import Evidence
from fitting.diagnostics.checks.unusable import on_a_line, refusal
from fitting.status import Verdict

__all__ = ["Evidence", "on_a_line", "refusal", "verdicts"]

# In the order a person would ask.
CHECKS: tuple[Callable[[Evidence], Verdict | None], ...] = (
    solution.converged,
    solution.one_minimum,
    solution.refits,
    identified.identified,
    runs.enough,
    runs.variety,
    runs.confounded,
    runs.repeated_data,
    counts.counts,
    counts.proportions,
    flops.flops,
    floor.bounds,
    floor.floor,
    constants.weights,
    prior.followed,
    shape.trend,
    shape.order,
    shape.repeats,
    influence.influence,
    runs.outliers,
)


def verdicts(e: Evidence) -> tuple[Verdict, ...]:
    """All checks that apply to this fit, in the order a person would ask."""
    return tuple(v for check in CHECKS if (v := check(e)) is not None)
