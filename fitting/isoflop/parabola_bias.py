"""How far profiles miss the optimum of a surface without any noise: what their curve does to a lopsided valley.

Along a budget the loss of E + A N^-alpha + B D^-beta falls faster than it rises unless alpha = beta, so that a parabola
through it has its vertex beside the minimum (Approach 2's bias); sizes off centre move it further.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from data.alike import Alike
from fitting.errors import FitError
from fitting.isoflop.buckets import Bucket
from fitting.isoflop.power import PowerLaw, power_law
from fitting.isoflop.profile import Rows, curves, profile
from fitting.isoflop.profiles import Profiles
from fitting.isoflop.words import compute
from fitting.planning.allocation import optimum, valley
from fitting.result import Fit

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Bias(Alike):
    """Shares by which noise-free profiles of a surface are off its optimum: -0.03 is 3 % too little.

    `params` and `tokens` (B,) are at the budgets the power laws go through; a budget whose noise-free vertex falls
    outside the sizes tried is NaN. `params_at` and `tokens_at` are those of the extrapolated power laws at `at` FLOP;
    `a` is by how much the exponent of the best size is off, profiles' less that through the optima themselves.
    """

    flops: Array
    params: Array
    tokens: Array
    at: float
    params_at: float
    tokens_at: float
    a: float
    sentence: str


def parabola_bias(fit: Fit, found: Profiles, flops: float) -> Bias:
    """The bias of these profiles' sizes and tokens, were the fitted surface the truth: its loss at their own runs.

    FLOPs are counted as the profiles' table counts them. Raises FitError for a law that is not one of size and tokens,
    or when fewer than two noise-free budgets have a vertex.
    """
    if set(fit.law.inputs) != {"params", "tokens"}:
        raise FitError(f"The bias of profiles needs a law of parameters and tokens; {fit.law.title} is not one.")
    rows, buckets = _rows(found)
    surface = fit.law({"params": np.exp(rows.log_n), "tokens": np.exp(rows.log_d)}, fit.params)
    noise_free = replace(rows, loss=np.asarray(surface, float))
    drawn, _ = curves(buckets, noise_free, found.settings)
    made = [profile(c, noise_free, found.accounting, found.settings) for c in drawn]
    size = np.array([p.params if p.used else np.nan for p in made])
    held = np.isfinite(size)
    if held.sum() < 2:
        raise FitError(
            f"On the surface of {fit.law.title} fewer than two of these budgets have their lowest loss between the sizes "
            "tried, so the profiles' bias is unknown."
        )
    budgets = np.array([b.flops for b in buckets])
    weights = found.weights[found.weights > 0]
    laws = [
        power_law(budgets[held], y[held], weights[held]) for y in (size, found.accounting.tokens(budgets, size))
    ]  # fmt: skip
    far = np.array([float(flops)])
    true_n, true_d = _optimum(fit, found, budgets)
    far_n, far_d = _optimum(fit, found, far)
    slope = laws[0].exponent - power_law(budgets[held], true_n[held], weights[held]).exponent
    off_n, off_d = _off(laws[0], far, far_n), _off(laws[1], far, far_d)
    sentence = (
        f"If {fit.law.title} is the truth, profiles of these runs put the best size at {compute(flops)} FLOP "
        f"{abs(off_n):.1%} too {'high' if off_n > 0 else 'low'} and its tokens {abs(off_d):.1%} too "
        f"{'high' if off_d > 0 else 'low'}, with no noise at all."
    )
    tokens = found.accounting.tokens(budgets, size)
    return Bias(budgets, size / true_n - 1.0, tokens / true_d - 1.0, float(flops), off_n, off_d, slope, sentence)


def _off(law: PowerLaw, at: Array, truth: Array) -> float:
    return float(law.at(at).value[0] / truth[0] - 1.0)


def _optimum(fit: Fit, found: Profiles, budgets: Array) -> tuple[Array, Array]:
    best = optimum(valley(fit.law, fit.values[None, :], budgets, found.accounting))
    return best.params[0], best.tokens[0]


def _rows(found: Profiles) -> tuple[Rows, list[Bucket]]:
    used = [p for p in found.profiles if p.used]
    counts = np.cumsum([0] + [len(p.runs) for p in used])
    buckets = [Bucket(np.arange(counts[i], counts[i + 1]), p.flops) for i, p in enumerate(used)]
    n, d, c, loss = (
        np.concatenate([getattr(p, k) for p in used]) for k in ("run_params", "run_tokens", "run_flops", "run_loss")
    )
    names = np.concatenate([np.array(p.runs) for p in used])
    return Rows(names, np.log(n), np.log(d), np.log(c), loss), buckets
