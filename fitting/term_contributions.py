"""What each term of a law contributes at the middle of the runs: known well where its weight and exponent apart are not."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

import numpy as np

from fitting.band import LEVEL, from_draws
from fitting.law import Law, Param

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray


def terms(
    law: Law,
    values: Array,
    draws: Array,
    ranges: Mapping[str, tuple[float, float]],
    level: float = LEVEL,
    unidentified: Container[str] = (),
) -> pd.DataFrame:
    """One row for each weight or length of a law of best values (p,) and draws (R, p), with the columns of `Fit.summary` and more.

    A in A x^-alpha is the term's value where x is 1, decades outside any data, and hangs on alpha (their logs correlate
    by .999 on Chinchilla's runs). `value` is the term at `at`, the geometric middle of its input's range to two digits
    (`ranges` holds the ends of each; of several inputs the first's, and `meaning` has them all), in the output's unit;
    `correlation` that of the weight's logarithm with the exponent over the draws (of several the closest), NaN without draws.
    The term of a weight that is `unidentified` has an open interval.
    """
    import pandas as pd

    rows = []
    for p in law.params:
        if p.anchor is None or p.anchor.kind == "location" or not p.anchor.exponent:
            continue
        at = {x: _middle(*ranges[x]) for x, _ in p.anchor.factors}

        def here(named: dict[str, Array], p: Param = p, at: dict[str, float] = at) -> Array:
            return contribution(law, p, named, at)

        best, drawn = (here({k: v[..., i] for i, k in enumerate(law.names)}) for v in (values, draws))
        value, low, high = from_draws(best, drawn, level)
        with np.errstate(all="ignore"):
            se = float(np.std(drawn, ddof=1)) if len(drawn) > 1 else np.nan
        if p.name in unidentified:
            low, high, se = 0.0, np.inf, np.inf
        meaning = f"its term at {' and '.join(f'{x} = {v:.3g}' for x, v in at.items())}, the middle of these runs"
        rows.append(
            (
                p.name,
                p.latex,
                law.output.unit.split(" per ")[0],
                value,
                low,
                high,
                se,
                meaning,
                at[p.anchor.input],
                np.nan if p.name in unidentified else _correlation(law, draws, p),
            )
        )
    columns = ["name", "symbol", "unit", "value", "low", "high", "se", "meaning", "at", "correlation"]
    return pd.DataFrame(rows, columns=columns)


def contribution(law: Law, p: Param, values: dict[str, Array], at: Mapping[str, float]) -> Array:
    """The term that parameter `p` weighs, at inputs of `at`: A at^-alpha (for each), or (x_c / at)^alpha for a length."""
    assert p.anchor is not None
    weight = values[p.name]
    with np.errstate(all="ignore"):  # in logs: the weight alone may leave the floating-point numbers
        log = np.log(weight)
        if p.anchor.kind == "scale":
            return np.asarray(np.exp(values[p.anchor.exponent] * (log - np.log(at[p.anchor.input]))))
        for x, exponent in p.anchor.factors:
            log = log - values[exponent] * np.log(at[x])
        return np.asarray(np.exp(log))


def _middle(low: float, high: float) -> float:
    return float(f"{np.sqrt(low * high):.1e}")


def _correlation(law: Law, draws: Array, p: Param) -> float:
    assert p.anchor is not None
    if len(draws) < 3:
        return float("nan")
    with np.errstate(all="ignore"):
        a = np.log(draws[:, law.names.index(p.name)])
    found = [with_exponent(a, draws[:, law.names.index(e)]) for e in p.anchor.exponents]
    return max(found, key=lambda r: -1.0 if np.isnan(r) else abs(r))


def with_exponent(a: Array, b: Array) -> float:
    """The correlation of a weight's logarithms (R,) with an exponent (R,); NaN where one of them does not vary."""
    usable = np.isfinite(a) & np.isfinite(b)
    if usable.sum() < 3 or np.std(a[usable]) == 0 or np.std(b[usable]) == 0:
        return float("nan")
    return float(np.corrcoef(a[usable], b[usable])[0, 1])
