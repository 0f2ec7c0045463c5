"""Laws of columns of their own that several tests share, made of those in `tests/fitting/laws/dropped`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from fitting.law import Law, coefficient
from tests.fitting.laws.dropped import coverage, error_rate

COVERAGE, ERROR_RATE = coverage.law, error_rate.law


def of_input(name: str, formula: Any) -> Law:
    """The law of coverage with its input called so."""
    first = replace(COVERAGE.params[0], anchor=coefficient(name, "b"))
    output = replace(COVERAGE.output, rises=(name,))
    return replace(COVERAGE, formula=formula, inputs=(name,), params=(first, COVERAGE.params[1]), output=output)


def covered_by_drawn(samples_drawn: Any, a: Any, b: Any) -> Any:
    """The share of problems that some of so many samples solves, under a name that no runs table has."""
    return np.exp(-a * samples_drawn**-b)


SAMPLES_DRAWN = of_input("samples_drawn", covered_by_drawn)
