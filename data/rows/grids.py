"""Lengths of several models' runs as a sweep plans them."""

from __future__ import annotations

import numpy as np
import pandas as pd


def multiples(names: pd.Series, rows: pd.DataFrame) -> bool:
    """Whether each model's tokens are the same multiples of its parameters, as a sweep plans them."""
    if not {"params", "tokens"} <= set(rows.columns):
        return False
    ratios = [np.sort(r.to_numpy()) for _, r in (rows["tokens"] / rows["params"]).groupby(names)]
    alike = all(len(r) == len(ratios[0]) and np.allclose(r, ratios[0], rtol=0.03) for r in ratios)
    return len(ratios) > 1 and alike


def grid(names: pd.Series, lengths: pd.Series) -> bool:
    """Whether each of several models stands at the same lengths."""
    own = [np.sort(v.to_numpy()) for _, v in lengths.groupby(names)]
    return len(own) > 1 and all(len(v) == len(own[0]) and np.allclose(v, own[0], rtol=0.03) for v in own)
