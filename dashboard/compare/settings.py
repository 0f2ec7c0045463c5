"""What a person can choose about a comparison, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from data.plain import Above, Kept, one_of, text, usable
from fitting.families import SHARES

Name = Annotated[str, text(1, 200)]


@dataclass(frozen=True)
class CompareSettings(Kept):
    """The column of families, the one compared with, the one in the sentence, what is shared, the budget asked about.

    None is left to the comparison: the first column that can name families, the family with most runs, the best of the
    others, and ten times the largest run. `target` is in FLOPs.
    """

    column: Name | None = None
    reference: Name | None = None
    family: Name | None = None
    share: Annotated[str, one_of(("auto", *SHARES))] = "auto"
    target: Above | None = None


DEFAULTS = CompareSettings()


def read_settings(values: Any) -> CompareSettings:
    """The settings that plain values say; each one that makes no sense is left at its default."""
    return usable(CompareSettings, values)
