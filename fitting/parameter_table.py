"""The parameters of a fit as tables: each with its interval, and how they vary together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitting.band import Array, Band
from fitting.law import Law

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "symbol", "unit", "value", "low", "high", "se", "meaning")


def parameter_table(law: Law, bands: Sequence[Band], draws: Array) -> pd.DataFrame:
    """A row for each of p parameters, indexed by name: its band, and its standard error over draws (R, p); NaN without any."""
    import pandas as pd

    rows = []
    for i, (p, (value, low, high)) in enumerate(zip(law.params, bands, strict=True)):
        with np.errstate(all="ignore"):  # a draw whose exponent is nearly zero has a weight beyond any number
            se = float(np.std(draws[:, i])) if len(draws) else float("nan")
        rows.append((p.name, p.latex, p.unit, value, low, high, se, p.meaning))
    return pd.DataFrame(rows, columns=list(COLUMNS), index=list(law.names))


def covariance(law: Law, draws: Array) -> pd.DataFrame:
    """The covariance of p parameters over draws (R, p), indexed by name both ways; NaN for fewer than two draws."""
    import pandas as pd

    with np.errstate(all="ignore"):
        found = np.cov(draws, rowvar=False) if len(draws) > 1 else np.full((law.p, law.p), np.nan)
    return pd.DataFrame(np.reshape(found, (law.p, law.p)), index=list(law.names), columns=list(law.names))
