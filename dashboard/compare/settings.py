"""What a person can choose about a comparison, read from plain values that may be stale or somebody else's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fitting.families import SHARES

LONGEST = 200  # signs of a name that is kept


@dataclass(frozen=True)
class CompareSettings:
    """The column of families, the one compared with, the one in the sentence, what is shared, the budget asked about.

    None is left to the comparison: the first column that can name families, the family with most runs, the best of the
    others, and ten times the largest run. `target` is in FLOPs.
    """

    column: str | None = None
    reference: str | None = None
    family: str | None = None
    share: str = "auto"
    target: float | None = None

    def written(self) -> dict[str, Any]:
        """Plain values of what differs from the defaults."""
        return {name: value for name, value in asdict(self).items() if value != getattr(DEFAULTS, name)}


DEFAULTS = CompareSettings()


def read_settings(values: Any) -> CompareSettings:
    """The settings that plain values say; each one that makes no sense is left at its default."""
    given = values if isinstance(values, Mapping) else {}
    names = {name: given.get(name) for name in ("column", "reference", "family")}
    kept = {name: value for name, value in names.items() if isinstance(value, str) and 0 < len(value) <= LONGEST}
    share, target = given.get("share"), given.get("target")
    usable = isinstance(target, int | float) and not isinstance(target, bool) and math.isfinite(target) and target > 0
    return CompareSettings(
        **kept,
        share=share if share in ("auto", *SHARES) else DEFAULTS.share,
        target=float(target) if usable else None,  # type: ignore[arg-type]
    )
