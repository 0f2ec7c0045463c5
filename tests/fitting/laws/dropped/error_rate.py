"""A power law of an error rate, which lies between 0 and 1, in an input that the runs table has no column for."""

from __future__ import annotations

from typing import Any

from fitting.law import Law, Output, Param, coefficient


def error_rate(shots: Any, a: Any, b: Any) -> Any:
    """The share of answers that are wrong after so many examples."""
    return a * shots**-b


law = Law(
    key="error-rate",
    title="Error rate e(k)",
    formula=error_rate,
    latex=r"e(k) = a\,k^{-b}",
    inputs=("shots",),
    params=(
        Param("a", "a", "shots^b", "errors at one shot", (1e-9, 1e9), anchor=coefficient("shots", "b")),
        Param("b", "b", "", "how fast more shots help", (0.01, 5.0)),
    ),
    cite="made up for a test",
    output=Output("error_rate", "Error rate", "", bounds=(0.0, 1.0)),
)
