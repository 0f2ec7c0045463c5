"""Amounts in sentences, to three significant digits, without an exponent as far as people say them without."""

from __future__ import annotations

import math

_LADDER = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))


def count(value: float) -> str:
    """A number of tokens or parameters: `950`, `100 B`, `1.3 T`; with an exponent from 1e15 on."""
    shown = float(f"{value:.3g}")
    if not math.isfinite(shown) or shown >= 1e15:
        return f"{value:.3g}"
    for divisor, suffix in _LADDER:
        if shown >= divisor:
            return f"{shown / divisor:.4g} {suffix}"
    return f"{value:.3g}"


def times(value: float) -> str:
    """A factor: `0.35`, `64`, `4,000`; with an exponent from 1e9 on."""
    shown = float(f"{value:.3g}")
    return f"{shown:,.0f}" if 1e3 <= shown < 1e9 else f"{value:.3g}"
