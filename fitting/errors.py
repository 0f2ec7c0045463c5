"""The error of a fit that cannot give a number."""

from __future__ import annotations

from typing import Any


class FitError(ValueError):
    """No usable number: one sentence with what was expected, what came and what to do. `.fit` is the `Fit` that there is, or None."""

    def __init__(self, message: str, fit: Any = None) -> None:
        super().__init__(message)
        self.fit = fit
