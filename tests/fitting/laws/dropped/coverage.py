"""Coverage of repeated sampling (Brown et al. 2024, arXiv 2407.21787, eq. 1): it rises with an input that the runs table knows too."""

from __future__ import annotations

from typing import Any

import numpy as np

from fitting.law import Law, Output, Param, coefficient


def coverage(samples: Any, a: Any, b: Any) -> Any:
    """The share of problems that some of so many samples solves."""
    return np.exp(-a * samples**-b)


law = Law(
    key="coverage",
    title="Coverage c(k)",
    formula=coverage,
    latex=r"c(k) = e^{-a\,k^{-b}}",
    inputs=("samples",),
    params=(
        Param("a", "a", "samples^b", "how many tries a problem takes", (1e-9, 1e9), anchor=coefficient("samples", "b")),
        Param("b", "b", "", "how fast more samples cover what is left", (0.01, 5.0)),
    ),
    cite="Brown et al. 2024, arXiv 2407.21787, eq. 1",
    output=Output("coverage", "Coverage", "", rises=("samples",), bounds=(0.0, 1.0)),
)
