"""The error of a fit that cannot give a number."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fitting.result import Fit


class FitError(ValueError):
    """No usable number: one sentence with what was expected, what came and what to do. `.fit` has what there is."""

    def __init__(self, message: str, fit: Fit | None = None) -> None:
        super().__init__(message)
        self.fit = fit
