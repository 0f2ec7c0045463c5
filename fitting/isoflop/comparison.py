"""Approaches 1, 2 and 3 side by side: what each says about the best split of a budget, and why when they disagree."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, cast

import numpy as np

from data.alike import Alike
from fitting.arguments import of_kind, one_number
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.isoflop.buckets import LeftOut
from fitting.isoflop.envelope import Envelope, envelope
from fitting.isoflop.parabola_bias import Bias, parabola_bias
from fitting.isoflop.profile import TOLERANCE, Profile, Settings
from fitting.isoflop.profiles import Profiles, ProfilesError, profiles
from fitting.isoflop.words import compute, spoken
from fitting.planning.allocation import optimum, valley
from fitting.planning.planner import plan
from fitting.plural import out_of
from fitting.result import Fit
from fitting.same_runs import Columns, RunsLike, Units, of_fit
from fitting.shown import shown
from fitting.status import Status

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

# The step in log C over which a law's exponent is read off around a budget.
STEP = 0.5


@shown()
@dataclass(frozen=True, eq=False)
class Approach(Alike):
    """What one approach says at a budget; bands are None, with the reason in `note`, where it can say nothing."""

    key: str
    title: str
    a: Band | None = None
    b: Band | None = None
    params: Band | None = None
    tokens: Band | None = None
    tokens_per_param: Band | None = None
    loss: Band | None = None
    note: str = ""


@shown()
@dataclass(frozen=True, eq=False)
class Comparison(Alike):
    """The three approaches at one budget in FLOP, one sentence on whether they agree, and the parabola's bias if known.

    `found` and `curve` are the profiles and the envelope behind rows 1 and 2, None where they were refused; `shown` and
    `left_out` are the budgets there are and the runs in none of them, also where profiles were refused, and `settings`
    what the profiles were made with.
    """

    flops: float
    level: float
    rows: tuple[Approach, ...]
    sentence: str
    bias: Bias | None
    found: Profiles | None = field(default=None, repr=False)
    curve: Envelope | None = field(default=None, repr=False)
    shown: tuple[Profile, ...] = field(default=(), repr=False)
    left_out: tuple[LeftOut, ...] = field(default=(), repr=False)
    settings: Settings | None = field(default=None, repr=False)

    def to_frame(self) -> pd.DataFrame:
        """One row per approach with value, low and high of each quantity."""
        import pandas as pd

        out = []
        for r in self.rows:
            row: dict[str, object] = {"approach": r.title}
            for name in ("a", "b", "params", "tokens", "tokens_per_param", "loss"):
                value: Band | None = getattr(r, name)
                for part in ("value", "low", "high"):
                    key = name if part == "value" else f"{name}_{part}"
                    row[key] = np.nan if value is None else getattr(value, part)
            out.append({**row, "note": r.note})
        return pd.DataFrame(out)


def compare(
    fit: Fit | RunsLike,
    runs: RunsLike | Fit,
    flops: float | None = None,
    *,
    level: float = LEVEL,
    method: str = "quadratic",
    tolerance: float = TOLERANCE,
    found: Profiles | None = None,
    curve: Envelope | None = None,
    columns: Columns = None,
    units: Units = None,
) -> Comparison:
    """The three approaches at a budget in FLOP (default: the largest run's), exponents and allocation with intervals.

    `fit` is Approach 3 and `runs` the table that it was fitted to; the older order, runs first, is read too. `found` and
    `curve` are profiles and an envelope made before, else they are made here, profiles with `method` and `tolerance`.
    `columns` and `units` are those of `read_runs`, for a path or a frame. An approach that refuses keeps its row, with the
    reason as its note.
    """
    if isinstance(runs, Fit):
        fit, runs = runs, fit
    of_kind("fit", fit, Fit)
    fit = cast(Fit, fit)
    table = of_fit(fit, runs, columns, units)  # all three see the runs that the fit saw
    at = float(fit.ranges["flops"][1]) if flops is None else one_number("flops", flops)
    why: dict[str, str] = {}
    made: Profiles | ProfilesError | None = found
    if found is None:
        try:
            made = found = profiles(table, method=method, tolerance=tolerance)
        except ProfilesError as e:
            made, why["2"] = e, str(e)
        except FitError as e:
            why["2"] = str(e)
    if curve is None:
        try:
            curve = envelope(table)
        except FitError as e:
            why["1"] = str(e)
    bias = None
    if found is not None:
        try:
            bias = parabola_bias(fit, found, at)
        except FitError as e:
            why["bias"] = str(e)
    rows = (_first(curve, at, level, why), _second(found, at, level, bias, why), _third(fit, at, level))
    sentence = _verdict(rows, at, table, fit, found, curve, bias)
    return Comparison(at, level, rows, sentence, bias, found, curve, *_made(made))


def _made(made: Profiles | ProfilesError | None) -> tuple[tuple[Profile, ...], tuple[LeftOut, ...], Settings | None]:
    return ((), (), None) if made is None else (made.profiles, made.left_out, made.settings)


def _first(curve: Envelope | None, at: float, level: float, why: dict[str, str]) -> Approach:
    title = "1: envelope of training curves"
    if curve is None:
        return Approach("1", title, note=why.get("1", ""))
    if not curve.from_history:
        title = "1: envelope of final losses"
    return Approach(
        "1", title, curve.a(level), curve.b(level), curve.params_law.at(at, level), curve.tokens_law.at(at, level),
        curve.tokens_per_param(at, level), None, curve.notes[0],
    )  # fmt: skip


def _second(found: Profiles | None, at: float, level: float, bias: Bias | None, why: dict[str, str]) -> Approach:
    title = "2: IsoFLOP profiles"
    if found is None:
        return Approach("2", title, note=why.get("2", ""))
    try:
        loss = found.loss(at, level)
    except FitError:
        loss = None
    note = bias.sentence if bias is not None else why.get("bias", "")
    return Approach(
        "2", title, found.a(level), found.b(level), found.params(at, level), found.tokens(at, level),
        found.tokens_per_param(at, level), loss, note,
    )  # fmt: skip


def _third(fit: Fit, at: float, level: float) -> Approach:
    title = f"3: {fit.law.title}"
    try:
        p = plan(fit, flops=at, level=level)
    except FitError as e:
        return Approach("3", title, note=str(e))
    if p.params is None:
        return Approach(
            "3",
            title,
            loss=p.loss,
            note=" ".join((*fit.warnings, f"{fit.law.title} is a law of compute alone and splits no budget.")),
        )
    budgets = at * np.exp([-STEP / 2, STEP / 2])
    best = optimum(valley(fit.law, fit.values[None, :], budgets, fit.accounting))
    spread = optimum(valley(fit.law, fit.draws, budgets, fit.accounting.drawn(len(fit.draws))))

    def slope(best: np.ndarray, draws: np.ndarray) -> Band:
        with np.errstate(all="ignore"):
            draws = np.diff(np.log(draws), axis=1)[:, 0] / STEP
        return from_draws(float(np.diff(np.log(best[0]))[0] / STEP), draws[np.isfinite(draws)], level)

    return Approach(
        "3", title, slope(best.params, spread.params), slope(best.tokens, spread.tokens), p.params, p.tokens,
        p.tokens_per_param, p.loss, " ".join(fit.warnings),
    )  # fmt: skip


def apart(one: Band | None, other: Band | None) -> bool:
    """Whether two intervals do not overlap; False where either is unknown."""
    if one is None or other is None or not np.all(np.isfinite([one.low, one.high, other.low, other.high])):
        return False
    return bool(one.low > other.high or other.low > one.high)


def _verdict(
    rows: tuple[Approach, ...], at: float, table: Runs, fit: Fit, found: Profiles | None, curve: Envelope | None,
    bias: Bias | None,
) -> str:  # fmt: skip
    known = [r for r in rows if r.params is not None]
    if fit.status is not Status.UNSOUND or rows[2] not in known:
        return _compared(known, rows, at, table, fit, found, curve, bias)
    if any("3" in (r.key, s.key) for r, s in _apart(known)):
        why = _compared(known, rows, at, table, fit, found, curve, bias)
        return f"{why} At least one check of Approach 3's law fails: do not plan with it."
    others = _compared(known[:-1], rows, at, table, fit, found, curve, bias) if len(known) > 2 else ""
    return (
        f"Approach 3 agrees with none: at least one check of its law fails, so do not plan with it. {others}".rstrip()
    )


def _apart(known: list[Approach]) -> list[tuple[Approach, Approach]]:
    return [(r, s) for r, s in combinations(known, 2) if apart(r.params, s.params) or apart(r.a, s.a)]


def _compared(
    known: list[Approach], rows: tuple[Approach, ...], at: float, table: Runs, fit: Fit, found: Profiles | None,
    curve: Envelope | None, bias: Bias | None,
) -> str:  # fmt: skip
    """Whether the approaches that have an answer agree."""
    if len(known) < 2:
        how_many = "Only one approach has" if known else "No approach has"
        return f"{how_many} an answer here, so there is nothing to compare."
    if not all(_bounded(r.params) and _bounded(r.a) for r in known):
        sizes = " and ".join(f"{_said(r.params)} ({r.key})" for r in known)
        return (
            f"The best size at {compute(at)} FLOP comes out as {sizes} parameters; without intervals for each it cannot be told "
            "whether they disagree."
        )
    pairs = _apart(known)
    if not pairs and found is not None and rows[2] in known and apart(rows[1].loss, rows[2].loss):
        return (
            f"Approaches 2 and 3 agree on the split of {compute(at)} FLOP and disagree on the loss it reaches "
            f"({_said(rows[1].loss)} against {_said(rows[2].loss)}): "
            f"{_made_by_left_out('loss', rows[1].loss, at, table, fit, found) or _misses(fit, found)}."
        )
    if not pairs:
        return (
            f"Approaches {_and(r.key for r in known)} agree: their intervals for the exponent and for the best size at "
            f"{compute(at)} FLOP overlap."
        )
    # The pair without the envelope says most: it is the one whose reasons can be measured.
    one, other = max(pairs, key=lambda p: p[0].key + p[1].key)
    quantity = "params" if apart(one.params, other.params) else "a"
    if quantity == "params":
        what = f"on the best size at {compute(at)} FLOP ({_said(one.params)} against {_said(other.params)} parameters)"
    else:
        what = f"on the exponent of the best size ({_said(one.a)} against {_said(other.a)})"
    if one.key == "1":
        reason = (
            "checkpoints in the middle of a decay overstate the loss that their tokens could have bought, which moves "
            "Approach 1 and not the others"
            if curve is not None and curve.from_history
            else "without checkpoints Approach 1 follows the lowest losses of single runs, whose noise the others average"
        )
    else:
        assert found is not None
        reason = _reason(quantity, one, other, at, table, fit, found, bias)
    return f"Approaches {one.key} and {other.key} disagree {what}: {reason}."


def _reason(
    quantity: str, one: Approach, other: Approach, at: float, table: Runs, fit: Fit, found: Profiles, bias: Bias | None
) -> str:
    """Why profiles and the parametric fit disagree on params or a, the likeliest that can be checked first."""
    two, three = getattr(one, quantity), getattr(other, quantity)
    if bias is not None and not apart(_corrected(two, quantity, bias), three):
        off = f"{bias.params_at:+.0%}" if quantity == "params" else f"{bias.a:+.2g}"
        return f"on the law's own surface profiles would be off by {off} without any noise, which explains it"
    if made := _made_by_left_out(quantity, two, at, table, fit, found):
        return made
    used = int(found.used.sum())
    if used < len(found.used):
        return (
            f"{out_of(len(found.used) - used, len(found.used), 'profile', 'has', 'have')} no usable lowest point, so "
            f"Approach 2 rests on {used} budgets"
        )
    return (
        "the law holds all runs to one surface and profiles do not, so its form is the likeliest reason; look at its "
        "residuals along each budget"
    )


def _misses(fit: Fit, found: Profiles) -> str:
    """How well the law and the curve through the minima tell the minima themselves, and which to believe."""
    use = found.used
    budgets, lowest = found.flops[use], np.array([p.loss for p in found.profiles if p.used])
    by_law = optimum(valley(fit.law, fit.values[None, :], budgets, fit.accounting)).loss[0]
    by_curve = found.frontier().at(budgets).value
    law, curve = (float(np.sqrt(np.mean(np.log(x / lowest) ** 2))) for x in (by_law, by_curve))
    if law > 2.0 * curve:
        return (
            f"the law misses the lowest losses of these budgets by {law:.2%}, the curve through them by {curve:.2%}, so the "
            "law's form is the likeliest reason"
        )
    return "both follow these budgets about equally well and extrapolate by different forms"


def _corrected(band: Band, quantity: str, bias: Bias) -> Band:
    """Approach 2's band with the parabola's bias taken out."""
    ends = np.array([band.value, band.low, band.high])
    value, low, high = (float(x) for x in (ends / (1.0 + bias.params_at) if quantity == "params" else ends - bias.a))
    return Band(value, low, high, band.level)


def _made_by_left_out(quantity: str, two: Band | None, at: float, table: Runs, fit: Fit, found: Profiles) -> str:
    """That runs outside all profiles make the difference, where Approach 3 without them says what Approach 2 says; else ""."""
    from fitting.estimate import fit as refit

    gone = {r.run for r in found.left_out} & set(table.kept["run"].astype(str))
    if not gone or two is None:
        return ""
    try:
        weights = None if fit.settings.weights == "none" else fit.settings.weights
        alone = refit(
            table,
            fit.law_key,
            exclude=gone,
            delta=fit.settings.delta,
            weights=weights,
            resamples=0,
            seed=fit.settings.seed,
        )
    except FitError:
        return ""
    moved: Band | None = getattr(_third(alone, at, two.level), quantity)
    if moved is None or not two.low <= moved.value <= two.high:
        return ""
    one = len(gone) == 1
    which = (
        "the one run that belongs to no profile makes"
        if one
        else f"the {len(gone)} runs that belong to no profile make"
    )
    return f"{which} the difference (without them Approach 3 gives {_said(moved)})"


def _bounded(b: Band | None) -> bool:
    return b is not None and bool(np.isfinite([b.low, b.high]).all())


def _said(b: Band | None) -> str:
    return "unknown" if b is None else spoken(float(b.value))


def _and(keys: Iterable[str]) -> str:
    names = list(keys)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
