"""What is said about a set of profiles: the notes beside the numbers, and the sentence when there are none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from fitting.accounting import Accounting
from fitting.isoflop.buckets import LeftOut
from fitting.isoflop.floor import LEAST_POINTS
from fitting.isoflop.power import PowerLaw
from fitting.isoflop.profile import Profile, Settings
from fitting.plural import out_of

# Below this, in log, two ways to a number of tokens are not worth a sentence.
WORTH_SAYING = 0.03


def spoken(value: float) -> str:
    """A number in three digits as people say it: 31.2 B, 450 M; powers of ten beyond that."""
    for size, name in ((1e12, " T"), (1e9, " B"), (1e6, " M"), (1e3, " k")):
        if 0.9995 * size <= value < 999.5 * size:
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}"


def compute(flops: float) -> str:
    """A budget in FLOP without its unit, in three digits: 5.76e23."""
    digits, _, power = f"{flops:.3g}".partition("e+")
    return f"{digits}e{int(power)}" if power else digits


def refusal(made: Sequence[Profile], chosen: Settings) -> str:
    """Why no power law can be drawn, and what to do."""
    if not made:
        return (
            f"No budget of this table has 3 sizes within {chosen.tolerance:.0%} of its FLOPs, so there is no profile to take a "
            "minimum from. Raise the tolerance, or train several sizes at the same compute."
        )
    usable = sum(p.used for p in made)
    if len(made) == 1:
        return (
            f"A power law needs at least 2 budgets; this table has 1, of {compute(made[0].flops)} FLOP. Add runs of several "
            "sizes at another budget, or lower the tolerance if there are several close together."
        )
    why = Counter(_kind(p.flag) for p in made if not p.used)
    told = ", ".join(f"{n} {kind}" for kind, n in why.most_common())
    few = chosen.method == "akima" and why["with too few sizes"]
    other = "or take a parabola, which needs fewer" if few else "or change the tolerance"
    return (
        f"A power law needs at least 2 budgets whose lowest loss lies between the sizes tried; this table has {usable} of "
        f"{len(made)} ({told}). Add sizes on both sides of the minimum, {other}."
    )


def _kind(flag: str) -> str:
    if flag.startswith("lowest"):
        return "lowest at " + ("the smallest size" if "smallest" in flag else "the largest size")
    return "opening downwards" if "downwards" in flag else "with too few sizes"


def notes_of(
    made: Sequence[Profile],
    aside: Sequence[LeftOut],
    between: float,
    law: PowerLaw,
    count: Accounting,
    chosen: Settings,
) -> tuple[str, ...]:
    """Sentences about what a reader of the power laws should know."""
    notes = []
    used = [p for p in made if p.used]
    flagged = sum(bool(p.flag) for p in made)
    if aside:
        total = len(aside) + sum(len(p.runs) for p in made)
        notes.append(
            f"{out_of(len(aside), total, 'run', 'belongs', 'belong')} to no profile "
            f"at a tolerance of {chosen.tolerance:.0%}."
        )
    if flagged:
        notes.append(
            f"{out_of(flagged, len(made), 'budget', 'is', 'are')} flagged "
            f"and {'kept' if chosen.keep_flagged else 'not used'}."
        )
    if len(used) == 2:
        notes.append("Two budgets determine a power law exactly and leave nothing to check it against.")
    if len(used) < LEAST_POINTS:
        notes.append(f"{len(used)} budgets are too few for a loss along the frontier.")
    if chosen.resamples and len(law.draws) < 0.95 * chosen.resamples:
        lost = chosen.resamples - len(law.draws)
        notes.append(f"{lost} of {chosen.resamples} resamples have no power law, so the intervals are too narrow.")
    if between > WORTH_SAYING:
        notes.append(
            f"Best sizes scatter by {np.expm1(between):.0%} around the power law beyond the noise of their runs; the intervals "
            "include that."
        )
    apart = [abs(np.log(p.tokens_apart / p.tokens)) for p in used if np.isfinite(p.tokens_apart)]
    if apart and max(apart) > WORTH_SAYING:
        notes.append(
            f"Curves against tokens have their lowest point up to {np.expm1(max(apart)):.0%} from what the budget buys at the "
            "best size; the tokens shown spend the budget exactly."
        )
    if count.spread > 0.05:
        notes.append(
            f"FLOPs per parameter and token scatter by {count.spread:.0%}: the runs do not share one FLOP count."
        )
    mixed = sum(len(p.runs) - p.sizes for p in used)
    if mixed > 0.5 * sum(len(p.runs) for p in used):
        notes.append(
            "Most sizes stand several times at one budget: choose one setting, data set or family to compare sizes."
        )
    return tuple(notes)
