"""The parameters of a fit as tables: each with its interval, and how they vary together."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING

import numpy as np

from fitting.band import Array, Band
from fitting.law import Law

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("name", "symbol", "unit", "value", "low", "high", "se", "meaning")


def parameter_table(law: Law, bands: Sequence[Band], draws: Array, unidentified: Container[str] = ()) -> pd.DataFrame:
    """A row for each of p parameters, indexed by name: its band, and its standard error over draws (R, p), the root of its variance in
    `covariance`; NaN for fewer than two draws.

    The standard error of a parameter that is `unidentified` is infinite.
    """
    import pandas as pd

    rows = []
    for i, (p, (value, low, high)) in enumerate(zip(law.params, bands, strict=True)):
        with np.errstate(all="ignore"):  # a draw whose exponent is nearly zero has a weight beyond any number
            se = float(np.std(draws[:, i], ddof=1)) if len(draws) > 1 else float("nan")
        se = float("inf") if p.name in unidentified else se
        rows.append((p.name, p.latex, p.unit, value, low, high, se, p.meaning))
    return pd.DataFrame(rows, columns=list(COLUMNS), index=list(law.names))


def covariance(law: Law, draws: Array, unidentified: Container[str] = ()) -> pd.DataFrame:
    """The covariance of p parameters over draws (R, p), by name both ways; NaN for fewer than two draws, or where `unidentified`."""
    import pandas as pd

    with np.errstate(all="ignore"):
        found = np.cov(draws, rowvar=False) if len(draws) > 1 else np.full((law.p, law.p), np.nan)
    found = np.reshape(found, (law.p, law.p)).astype(float)
    gone = [i for i, name in enumerate(law.names) if name in unidentified]
    found[gone], found[:, gone] = np.nan, np.nan
    return pd.DataFrame(np.reshape(found, (law.p, law.p)), index=list(law.names), columns=list(law.names))
