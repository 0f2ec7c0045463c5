"""What a comparison says, in sentences for a terminal and a notebook; the page says the same with its own numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from fitting.band import Band
from fitting.families.crossing import Crossing

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


# Words in a column's name that say its families were trained or measured on different text, or cut it differently.
OTHER_TEXT = re.compile(r"data|corpus|corpora|token|vocab|split|eval|language|\bmix\b", re.IGNORECASE)
# Other columns that would make losses incomparable, if each family has its own value there.
ASIDE = re.compile(r"vocab|token[iy][sz]er|eval|split|corpus|^dataset$", re.IGNORECASE)
MOST_BELIEVABLE = 30.0


def sentence(name: str, reference: str, flops: float, multiplier: Band, crossing: Crossing) -> str:
    """How the two compare in the middle of the data, and where they change places."""
    return f"{better(name, reference, flops, multiplier)}; {crosses(crossing)}."


def better(name: str, reference: str, flops: float, multiplier: Band) -> str:
    """`B needs 1.31x (1.18–1.46) less compute than A at 1.0e20 FLOP`."""
    value, low, high = multiplier
    if np.isinf(value):
        return f"{name} reaches at {_flop(flops)} FLOP a loss that {reference} never does"
    if value == 0:
        return f"{name} never does at {_flop(flops)} FLOP what {reference} does with next to nothing"
    less = value >= 1
    v, a, b = (value, low, high) if less else (1 / value, _inverse(high), _inverse(low))
    digits = int(np.clip(2 - np.floor(np.log10(v)), 0, 6))  # as many behind the point in the ends as in the value
    inside = "" if np.isnan(a) else f" ({a:.{digits}f}–{b:.{digits}f})"
    told = "" if low > 1 or high < 1 or np.isnan(low) else ", though these runs do not separate them there"
    return f"{name} needs {v:.{digits}f}x{inside} {'less' if less else 'more'} compute than {reference} at {_flop(flops)} FLOP{told}"


def _flop(x: float) -> str:
    """A budget as the page says it: `2.4e22`."""
    return f"{x:.1e}".replace("e+", "e")


def _inverse(x: float) -> float:
    return float("inf") if x == 0 else 0.0 if np.isinf(x) else 1.0 / x


def crosses(crossing: Crossing) -> str:
    """`they cross at 1.0e22 FLOP (4.1e21 to 3.2e22), 12x beyond the largest run`."""
    value, low, high = crossing.flops
    if crossing.kind == "never":
        least, most = crossing.looked
        some = f" (interval: from {_flop(low)} FLOP on)" if 0 < low < np.inf else ""
        return f"they do not cross between {_flop(least)} and {_flop(most)} FLOP{some}"
    ends = f"{'below all looked at' if low == 0 else _flop(low)} to {'never' if np.isinf(high) else _flop(high)}"
    inside = "" if np.isnan(low) else f" ({ends})"
    far = f", {crossing.beyond:.2g}x beyond the largest run" if crossing.kind == "beyond" else ""
    return f"they cross at {_flop(value)} FLOP{inside}{far}"


def settle(
    name: str, reference: str, target: float, largest: float, multiplier: Band, probability: float, more: int | None, runs: int
) -> str:  # fmt: skip
    """Which family to take at the target, how sure that is, and what would make it sure."""
    first, sure = (name, probability) if probability >= 0.5 else (reference, 1 - probability)
    chance = "in every refit" if sure == 1 else f"in {100 * sure:.3g} % of refits"
    far = f" ({target / largest:.2g}x beyond the largest run)" if target > largest else ""
    form = " Model discrepancy (how far a law of this form may be off) comes on top." if target > 3 * largest else ""
    if np.isnan(probability):
        return f"At {_flop(target)} FLOP{far} there are no refits to say how sure it is."
    said = f"At {_flop(target)} FLOP{far} {first} is better {chance}"
    if more == 0:
        return f"{said}; the interval excludes a tie.{form}"
    if more is None:
        return f"{said}: more runs like these would not settle it, because the difference is small beside its interval.{form}"
    return (
        f"{said}. About {more:,} more runs like these in each family (to the {runs:,} there are) should settle it: "
        f"an estimate, from an interval that narrows as one over the square root of the runs.{form}"
    )


def warnings(
    column: str, named: pd.Series, frame: pd.DataFrame, names: Sequence[str], multipliers: Sequence[float]
) -> tuple[str, ...]:
    """What may make the losses of the families incomparable, from the column's name, other columns and the multipliers."""
    suspects = [column] if OTHER_TEXT.search(column) else []
    for other in map(str, frame.columns):
        if other == column or not ASIDE.search(other):
            continue
        values = frame[other].astype(str)
        per_family = [set(values[named == name]) for name in names]
        if all(len(v) == 1 for v in per_family) and len(set.union(*per_family)) > 1:
            suspects.append(other)
    out = []
    if suspects:
        out.append(
            f"The families differ in {' and '.join(suspects)}: losses measured on different text or with different tokenisers must "
            "not be compared. The numbers below hold only if every loss is on the same held-out text, tokenised the same way."
        )
    wild = [name for name, m in zip(names, multipliers, strict=True) if not 1 / MOST_BELIEVABLE < m < MOST_BELIEVABLE]
    if wild:
        out.append(
            f"{' and '.join(wild)} {'differs' if len(wild) == 1 else 'differ'} from the reference by over {MOST_BELIEVABLE:g} times "
            "the compute: a difference that large usually comes from another tokeniser, evaluation text or way of counting."
        )
    return tuple(out)
