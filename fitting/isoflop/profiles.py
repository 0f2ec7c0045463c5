"""Approach 2: at each budget the size that reaches the lowest loss, and the power laws through those sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from data.alike import Alike
from fitting.accounting import Accounting
from fitting.arguments import is_one_of
from fitting.band import LEVEL, Band, from_draws
from fitting.errors import FitError
from fitting.isoflop.buckets import Bucket, LeftOut, buckets
from fitting.isoflop.floor import Floor, floor
from fitting.isoflop.power import PowerLaw, lines, resampled
from fitting.isoflop.profile import TOLERANCE, Profile, Rows, Settings, curves, noise, profile, redraw
from fitting.isoflop.vertices import LEAST
from fitting.isoflop.words import compute, notes_of, refusal
from fitting.law import LOSS
from fitting.same_runs import Columns, RunsLike, Units, as_runs
from fitting.shown import shown
from fitting.solver.fit_data import accounting, believable
from fitting.solver.threads import one_thread

if TYPE_CHECKING:
    import pandas as pd

    from data.schema import Runs

Array = np.ndarray


class ProfilesError(FitError):
    """No power law can be drawn through the profiles; `.profiles`, `.left_out` and `.settings` hold what there is."""

    def __init__(
        self,
        message: str,
        profiles: tuple[Profile, ...] = (),
        left_out: tuple[LeftOut, ...] = (),
        settings: Settings | None = None,
    ) -> None:
        super().__init__(message)
        self.profiles = profiles
        self.left_out = left_out
        self.settings = settings


@shown()
@dataclass(frozen=True, eq=False)
class Profiles(Alike):
    """IsoFLOP profiles (B of them, ascending) and their power laws. `left_out` names each run in no profile and why.

    `vertex_draws` (R, B) are log sizes of the resampled vertices and `loss_draws` (R, B) their losses, NaN where a
    resample has none. Tokens are what the budget buys at the vertex size by the table's own FLOP count, so that size
    and tokens spend the budget exactly; the vertex of a separate curve in log D need not. `between` is how far, in log N,
    vertices scatter around the power law beyond what their own noise explains; `drift` is d log loss / d log C, by which
    runs were moved to the middle of their budgets; `weights` (B,) are those of the power laws, 0 for an unused budget.
    """

    profiles: tuple[Profile, ...]
    left_out: tuple[LeftOut, ...]
    params_law: PowerLaw
    tokens_law: PowerLaw
    vertex_draws: Array
    loss_draws: Array
    weights: Array
    between: float
    drift: float
    accounting: Accounting
    settings: Settings
    notes: tuple[str, ...]
    digest: str
    table: str

    def a(self, level: float = LEVEL) -> Band:
        """The exponent of N* in compute."""
        return self.params_law.slope(level)

    def b(self, level: float = LEVEL) -> Band:
        """The exponent of D* in compute."""
        return self.tokens_law.slope(level)

    def params(self, flops: Any, level: float = LEVEL) -> Band:
        """The best size for a budget in FLOP, in parameters; numbers or arrays (K,)."""
        return self.params_law.at(flops, level)

    def tokens(self, flops: Any, level: float = LEVEL) -> Band:
        """The tokens that go with the best size for a budget."""
        return self.tokens_law.at(flops, level)

    def tokens_per_param(self, flops: Any, level: float = LEVEL) -> Band:
        """Tokens per parameter at a budget."""
        return self.tokens_law.over(self.params_law, flops, level)

    def loss(self, flops: Any, level: float = LEVEL, through: str = "vertices", pinned: float | None = None) -> Band:
        """The loss along the frontier at a budget, in nats per token: E + A C^-gamma through the budgets' minima.

        `through` is "vertices" or "lowest", the lowest run of each budget (no interval: a minimum cannot be
        resampled). `pinned=0` leaves out the floor. Raises FitError with fewer than four usable budgets.
        """
        return self.frontier(through, pinned).at(flops, level)

    def frontier(self, through: str = "vertices", pinned: float | None = None) -> Floor:
        """The curve behind `loss`."""
        use = self.used
        c = self.flops[use]
        if through == "lowest":
            return floor(c, np.array([p.level_loss.min() for p in self.profiles if p.used]), pinned=pinned)
        if through != "vertices":
            raise TypeError(f'through is "vertices" or "lowest", not {through!r}')
        return floor(c, np.array([p.loss for p in self.profiles if p.used]), self.loss_draws[:, use], pinned=pinned)

    @cached_property
    def flops(self) -> Array:
        """The budgets (B,) in FLOP."""
        return np.array([p.flops for p in self.profiles])

    @cached_property
    def used(self) -> Array:
        """Which budgets the power laws go through, (B,)."""
        return np.array([p.used for p in self.profiles])

    def minima(self, level: float = LEVEL) -> pd.DataFrame:
        """One row per budget: flops, runs, sizes, params, tokens, loss with low and high, used, flag."""
        import pandas as pd

        rows = []
        for i, p in enumerate(self.profiles):
            x, y = self.vertex_draws[:, i], self.loss_draws[:, i]
            size = from_draws(p.params, np.exp(x[np.isfinite(x)]), level)
            height = from_draws(p.loss, y[np.isfinite(y)], level)
            rows.append((p.flops, len(p.runs), p.sizes, *size, p.tokens, p.tokens_apart, *height, p.used, p.flag))
        columns = "flops runs sizes params params_low params_high tokens tokens_apart loss loss_low loss_high used flag"
        return pd.DataFrame(rows, columns=columns.split())


def profiles(
    runs: RunsLike,
    *,
    tolerance: float = TOLERANCE,
    method: str = "quadratic",
    scale: str | None = None,
    resample: str | None = None,
    level: bool = True,
    weighted: bool = False,
    keep_flagged: bool = False,
    within: float | None = None,
    budgets: Sequence[float] | None = None,
    resamples: int = 1000,
    seed: int = 0,
    columns: Columns = None,
    units: Units = None,
) -> Profiles:
    """IsoFLOP profiles of a runs table with the power laws of best size and tokens in compute (Approach 2).

    Runs within a factor 1 + `tolerance` of a budget belong to it; budgets are found, or given. `level` moves each along
    the frontier to the middle of its budget. `method` "quadratic" is a parabola of the loss in log N (Hoffmann et al.
    2022), "akima" a local cubic in log loss (Porian et al. 2024); `scale` is what is bent, "loss" or "log loss".
    `within` 8 leaves out runs more than 8 times from the size of their budget's lowest run. A flagged budget is shown
    and not used in the power laws unless `keep_flagged`. `weighted` weighs budgets by 1 / variance of their vertex.

    Intervals refit everything on resampled data: "residuals" of all parabolas on the fixed design, or "rows" within each
    budget (all that Akima, which leaves no residuals, can do); scatter of the vertices beyond that is resampled too.

    Raises ProfilesError (a FitError) when fewer than two budgets have a usable vertex.
    """
    chosen = _checked(
        tolerance, method, scale, resample, level, weighted, keep_flagged, within, budgets, resamples, seed
    )
    table = as_runs(runs, None, columns, units)
    rows, count = _rows(table)
    found, home = _buckets(rows, chosen)
    aside = _left_out(rows, found, home, chosen)
    with one_thread():
        return _assembled(found, rows, count, chosen, aside, table)


def _checked(
    tolerance: float, method: str, scale: str | None, resample: str | None, level: bool, weighted: bool,
    keep_flagged: bool, within: float | None, budgets: Sequence[float] | None, resamples: int, seed: int,
) -> Settings:  # fmt: skip
    if not is_one_of(method, LEAST):
        raise TypeError(f'method is "quadratic" or "akima", not {method!r}')
    parabola = method == "quadratic"
    scale = scale or ("loss" if parabola else "log loss")
    resample = resample or ("residuals" if parabola else "rows")
    if not is_one_of(scale, ("loss", "log loss")):
        raise TypeError(f'scale is "loss" or "log loss", not {scale!r}')
    if not is_one_of(resample, ("residuals", "rows")):
        raise TypeError(f'resample is "residuals" or "rows", not {resample!r}')
    if resample == "residuals" and not parabola:
        raise ProfilesError("Akima goes through every size and leaves no residuals to resample; resample rows instead.")
    if not 0 <= tolerance <= 1:
        raise ProfilesError(f"tolerance is a share of the budget from 0 to 1, such as 0.12; it was {tolerance!r}.")
    if within is not None and not within > 1:
        raise ProfilesError(f"within is a factor in size above 1, such as 8; it was {within!r}.")
    if not 0 <= resamples <= 100_000:
        raise ProfilesError(f"resamples is a whole number from 0 to 100,000; it was {resamples!r}.")
    named = None
    if budgets is not None:
        named = tuple(sorted(float(b) for b in budgets))
        if not named or not all(np.isfinite(b) and b > 0 for b in named):
            raise ProfilesError(f"budgets are positive numbers of FLOP; they were {list(budgets)!r}.")
    return Settings(
        float(tolerance),
        method,
        scale,
        resample,
        level,
        weighted,
        keep_flagged,
        within,
        named,
        int(resamples),
        int(seed),
    )


def _rows(table: Runs) -> tuple[Rows, Accounting]:
    lacks = [c for c in ("params", "flops", "loss") if c not in table.kept.columns]
    if lacks:
        raise ProfilesError(
            f"IsoFLOP profiles need parameters, FLOPs and a loss; this table has no {' and no '.join(lacks)}. Map the columns."
        )
    # In order of size and name, so that the order of a file's rows moves no draw.
    frame = table.kept.dropna(subset=["params", "flops", "loss"]).sort_values(["params", "run"], kind="stable")
    if not len(frame):
        raise ProfilesError(f"This table has no run with parameters, FLOPs and a loss. Map the columns.{table.want}")
    believable(frame, table.name, LOSS)
    count = accounting(frame)
    n, c, loss = (frame[k].to_numpy(float) for k in ("params", "flops", "loss"))
    d = frame["tokens"].to_numpy(float) if "tokens" in frame else np.full(len(frame), np.nan)
    d = np.where(np.isfinite(d), d, count.tokens(c, n))
    return Rows(frame["run"].astype(str).to_numpy(), np.log(n), np.log(d), np.log(c), loss), count


def _buckets(rows: Rows, chosen: Settings) -> tuple[list[Bucket], Array]:
    found, home = buckets(rows.log_c, rows.log_n, chosen.tolerance, chosen.budgets)
    if chosen.within is None:
        return found, home
    near = []
    for b in found:
        lowest = rows.log_n[b.rows[np.argmin(rows.loss[b.rows])]]
        near.append(replace(b, rows=b.rows[np.abs(rows.log_n[b.rows] - lowest) <= np.log(chosen.within) + 1e-9]))
    return near, home


def _left_out(rows: Rows, found: list[Bucket], home: Array, chosen: Settings) -> tuple[LeftOut, ...]:
    used = np.zeros(len(home), bool)
    for b in found:
        used[b.rows] = True
    aside = []
    for i in np.flatnonzero(~used):
        if home[i] >= 0:
            why = f"over {chosen.within:g} times the size, or less than that part of it, of its budget's lowest run"
        elif chosen.budgets is not None:
            why = f"its {compute(np.exp(rows.log_c[i]))} FLOP are within {chosen.tolerance:.0%} of no budget of 3 sizes"
        else:
            why = f"fewer than 3 sizes within {chosen.tolerance:.0%} of its {compute(np.exp(rows.log_c[i]))} FLOP"
        aside.append(LeftOut(str(rows.names[i]), why))
    return tuple(aside)


def _assembled(
    found: list[Bucket], rows: Rows, count: Accounting, chosen: Settings, aside: tuple[LeftOut, ...], table: Runs
) -> Profiles:
    lines_of, drift = curves(found, rows, chosen)
    made = tuple(profile(c, rows, count, chosen) for c in lines_of)
    use = np.array([p.used for p in made], bool)
    if use.sum() < 2:
        raise ProfilesError(refusal(made, chosen) + table.want, made, aside, chosen)
    rng = np.random.default_rng(chosen.seed)
    pool = noise(lines_of, chosen) if chosen.resample == "residuals" else np.empty(0)
    drawn = [redraw(c, pool, chosen, rng) for c in lines_of]
    x, y = (np.stack([d[k] for d in drawn], axis=1) for k in (0, 1))
    log_c = np.log([p.flops for p in made])
    log_n = np.where(use, np.log([p.params for p in made]), np.nan)
    spread = np.array([_spread(x[:, i]) for i in range(len(made))])
    weights = use.astype(float)
    if chosen.weighted and np.isfinite(spread[use]).all():
        weights[use] = (np.median(spread[use]) / spread[use]) ** 2
    between = _between(log_c, log_n, weights, spread)
    shaken = x + between * rng.standard_normal(x.shape)
    held = np.isfinite(x) * weights
    params_law = resampled(log_c, log_n, weights, shaken, held)

    def tokens(log_size: Array) -> Array:
        return np.log(count.tokens(np.exp(log_c), np.exp(log_size)))

    tokens_law = resampled(log_c, tokens(log_n), weights, tokens(shaken), held)
    notes = notes_of(made, aside, between, params_law, count, chosen)
    return Profiles(
        made,
        aside,
        params_law,
        tokens_law,
        x,
        y,
        weights,
        between,
        drift,
        count,
        chosen,
        notes,
        table.digest,
        table.name,
    )


def _spread(draws: Array) -> float:
    """The standard deviation of a vertex in log N, from the middle two thirds of the draws that have one."""
    good = draws[np.isfinite(draws)]
    if len(good) < 10:
        return float("nan")
    low, high = np.quantile(good, (0.1587, 0.8413))
    return max(float(high - low) / 2.0, 1e-12)


def _between(log_c: Array, log_n: Array, weights: Array, spread: Array) -> float:
    """Standard deviation in log N of what the vertices scatter beyond their own noise (DerSimonian and Laird 1986)."""
    use = (weights > 0) & np.isfinite(spread)
    free = int(use.sum()) - 2
    if free < 2:
        return 0.0
    x, y, w = log_c[use], log_n[use], 1.0 / spread[use] ** 2
    x = x - np.average(x, weights=w)
    height, slope = lines(x, y[None, :], w[None, :])[0]
    excess = np.sum(w * (y - height - slope * x) ** 2) - free
    design = np.stack([np.ones_like(x), x])
    inverse = np.linalg.inv((design * w) @ design.T)
    taken = np.sum(w) - np.trace(inverse @ ((design * w**2) @ design.T))
    return float(np.sqrt(max(0.0, excess / taken)))
