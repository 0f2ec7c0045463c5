"""Does the law have the shape of these runs? Trends in what it leaves over, along size, data, compute and their ratio.

The residuals are regressed on what the law's own parameters can do together with what they cannot (squares and products
of the log inputs), so that a trend counts only where no change of the parameters would take it up (the Gauss-Newton
regression of Davidson and MacKinnon 1990). Errors are White's with each residual over its leverage (HC3, MacKinnon and
White 1985), summed within groups where noise is taken to be shared. A bend along one direction is diluted in a test of all
of them together, and a person who looks at the residuals sees one direction at a time: each is tested too, and the
p-values are combined by Cauchy's distribution, which holds for tests that depend on each other (Liu and Xie 2020, J. Am.
Stat. Assoc. 115, equation 1). Measured levels: `tests/benchmarks/check_alarms.py`.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations_with_replacement

import numpy as np
from scipy import special

from fitting.diagnostics.checks.evidence import Evidence
from fitting.status import Verdict

Array = np.ndarray

# Shares of sound fits that each test may flag; together with the others' about one in twenty.
CURVED, ORDERED, UNREPEATED = 0.03, 0.02, 0.005
# Far more stretches than by chance: two kinds of run take turns. Noise that sizes share does that to a grid sorted by compute
# now and then, so it takes more to be said.
TAKING_TURNS = 1e-3
# A p-value is said as a share of that: adjusted for the tests asked together (weighted Bonferroni), one that passes is
# never below what readers take for significant, and one that is noted always is.
SIGNIFICANT = 0.05
ADJUSTED = "adjusted for the checks made together"
CERTAIN = 1e-4
LEAST_SPARE = 3  # degrees of freedom below which nothing is said
# A bend that takes most of what is left over, and is this large beside the whole spread of the log losses, is no detail.
BROKEN = 0.2
# Nor is one of this share of the loss, whatever else is left over.
GROSS = 0.05
WORDS = {"params": "model size", "tokens": "tokens", "flops": "compute", "unique_tokens": "unique tokens"}


def trend(e: Evidence) -> Verdict | None:
    """Curvature and interaction: does what is left over bend along an input, their ratio or their product?"""
    title = "Shape of the law"
    if e.is_exact:
        return None
    terms = _bends(e)
    names, z = list(terms), np.array(list(terms.values())).T
    joint = _joint(e, z[:, : _joint_size(e)])
    if joint is None:
        return Verdict(
            "shape", title, "caution",
            f"{len(e.residuals)} runs are too few beside {e.law.p} parameters to check the law's shape.",
            "Add runs; until then the law's shape is assumed, not tested.",
        )  # fmt: skip
    _, share, size = joint
    single = {name: test[0] for k, name in enumerate(names) if (test := _joint(e, z[:, [k]]))}
    p = _combined([joint[0], *single.values()])
    if p >= CURVED:
        directions = _listed([name.removeprefix("along ") for name in names if name.startswith("along ")])
        return Verdict("shape", title, "pass", f"Residuals show no curvature along {directions} ({_said(p, CURVED)}).")
    strongest = min(single, key=lambda name: single[name]) if single else names[0]
    along = min((name for name in single if name.startswith("along ")), key=lambda name: single[name], default="")
    where = strongest if strongest == along or not along else f"{strongest}, clearest {along}"
    most = share > 0.5 and size > BROKEN * float(np.std(np.log(e.table.loss)))
    broken = p < CERTAIN and (most or size > GROSS)
    return Verdict(
        "shape", title, "fail" if broken else "caution",
        f"{'The law does not fit: residuals' if broken else 'Residuals'} show curvature {where}, "
        f"by {100 * size:.2g} % of the {e.law.output.title.lower()} ({_said(p, CURVED)}).",
        "Try a law with another form, or leave out runs of another regime; predictions beyond the runs have this error too.",
    )  # fmt: skip


def _said(p: float, share: float) -> str:
    """A p-value in words, adjusted so that `share`, below which the check notes it, reads as `SIGNIFICANT`."""
    adjusted = min(1.0, p * SIGNIFICANT / share)
    digits = f"{adjusted:.2g}" if adjusted >= SIGNIFICANT else f"{adjusted:.1g}"
    if adjusted < SIGNIFICANT <= float(digits):
        digits = "just below 0.05"
        return f"p {digits}, {ADJUSTED}"
    return f"p = {digits}, {ADJUSTED}"


def _combined(chances: list[float]) -> float:
    """One p-value from those of several tests that may depend on each other."""
    # A p-value of 1 stands at minus infinity and would outweigh any that finds something.
    held = np.clip(np.array(chances), 1e-300, 0.99)
    terms = np.where(held < 1e-15, 1.0 / (held * np.pi), np.tan((0.5 - held) * np.pi))
    mean = float(np.mean(terms))
    return float(1.0 / (mean * np.pi)) if mean > 1e15 else float(0.5 - np.arctan(mean) / np.pi)


def _listed(names: list[str]) -> str:
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), *names[-1:]])


def _joint_size(e: Evidence) -> int:
    k = len(e.logs)
    return 2 if k == 1 else k * (k + 1) // 2


def _bends(e: Evidence) -> dict[str, Array]:
    """What the law cannot do: squares and products of the log inputs (those tested together first), then named sums."""
    logs = e.logs
    if len(logs) == 1:
        ((name, x),) = logs.items()
        return {f"along {WORDS.get(name, name)}": x**2, f"back and forth along {WORDS.get(name, name)}": x**3}
    out = {
        f"along {WORDS.get(a, a)}" if a == b else f"with {WORDS.get(a, a)} and {WORDS.get(b, b)} together": logs[a]
        * logs[b]
        for a, b in combinations_with_replacement(logs, 2)
    }
    if {"params", "tokens"} <= set(logs):
        n, d = (np.log(e.table.inputs[k]) for k in ("params", "tokens"))
        for name, x in (("along tokens per parameter", d - n), ("along compute", d + n)):
            out[name] = (x - x.mean()) ** 2
    return out


def _joint(e: Evidence, z: Array) -> tuple[float, float, float] | None:
    """p-value of all columns of z (n, q) being absent, the share of what is left over that they take, and their root mean square."""
    n, q = z.shape
    count = int(e.alike.max()) + 1
    own = z - e.basis @ (e.basis.T @ z)
    u, s, _ = np.linalg.svd(own / np.maximum(np.linalg.norm(z, axis=0), 1e-300), full_matrices=False)
    u = u[:, s > 1e-6]
    q = u.shape[1]
    single = n - q - e.basis.shape[1]
    if q == 0 or single < LEAST_SPARE:
        return None
    # Too few groups say nothing about their own spread; then runs are taken one by one.
    grouped = count < n and count - q - 1 >= LEAST_SPARE
    b = u.T @ e.left_over
    left = e.left_over - u @ b
    leverage = np.sum(e.basis**2, axis=1) + np.sum(u**2, axis=1)
    scores = u * (left / np.maximum(1.0 - leverage, 1e-3))[:, None]
    p = _chance(b, scores, single)
    if grouped:
        # A few groups make this test alarm too often, shared noise the other: what both see is there.
        sums = np.zeros((count, q))
        np.add.at(sums, e.alike, scores)
        p = max(p, _chance(b, sums, count - q - 1))
    share = float(b @ b) / max(float(e.left_over @ e.left_over), 1e-300)
    return p, share, float(np.sqrt(b @ b / n))


def _chance(b: Array, scores: Array, spare: int) -> float:
    """p-value of the coefficients b (q,) being zero, from the scores of independent runs or groups (m, q)."""
    q = len(b)
    meat = scores.T @ scores
    statistic = float(b @ np.linalg.solve(meat + 1e-12 * np.trace(meat) * np.eye(q), b)) / q
    return float(special.fdtrc(q, spare, statistic))


def order(e: Evidence) -> Verdict | None:
    """Wald and Wolfowitz's runs test (1940): along compute, do runs above and below the law come in long stretches, or take turns?"""
    n = len(e.residuals)
    if e.is_exact or n < 12:
        return None
    inputs = e.table.inputs
    by = ("params", "tokens") if {"params", "tokens"} <= set(inputs) else tuple(inputs)[:1]
    along = np.sum([np.log(inputs[k]) for k in by], axis=0)
    r = e.left_over[np.lexsort((next(iter(inputs.values())), np.round(along, 6)))]
    above = r > np.median(r)
    stretches = 1 + int(np.sum(above[1:] != above[:-1]))
    up = int(above.sum())
    p = _fewer(stretches, up, n - up)
    expected = 1 + 2 * up * (n - up) / n
    found = f"{stretches} stretches of one sign, {expected:.0f} expected; Wald-Wolfowitz"
    by_what = "compute" if len(by) > 1 else WORDS.get(by[0], by[0])
    title = f"Residual trend with {by_what}"
    turns = 1.0 - _fewer(stretches - 1, up, n - up)
    if turns < TAKING_TURNS:
        return Verdict(
            "order", title, "caution", f"Residuals alternate in sign along {by_what} ({found}): the runs are of two kinds.",
            "Look for the difference, such as a family, a schedule or an evaluation set, and compare the two kinds or fit one.",
        )  # fmt: skip
    if p >= ORDERED:
        return Verdict("order", title, "pass", f"No trend of residuals with {by_what} ({found}).")
    return Verdict(
        "order", title, "caution", f"Residuals have a trend with {by_what} ({found}, {_said(p, ORDERED)}).",
        f"Look at the residuals: a trend with {by_what} biases every forecast beyond the runs.",
    )  # fmt: skip


@cache
def _fewer(stretches: int, up: int, down: int) -> float:
    """The chance of at most this many stretches among `up` and `down` signs in random order; normal, corrected for steps."""
    n = up + down
    mean = 1 + 2 * up * down / n
    variance = (mean - 1) * (mean - 2) / (n - 1)
    return float(special.ndtr((stretches + 0.5 - mean) / np.sqrt(max(variance, 1e-12))))


def repeats(e: Evidence) -> Verdict | None:
    """Lack of fit against pure error: do runs of the same inputs agree with each other better than with the law?"""
    keys = np.round(np.log(np.array(list(e.table.inputs.values()))), 3)
    cell = np.unique(keys, axis=1, return_inverse=True)[1].ravel()
    # Rows copied from one another are no repeats: the same loss to the last digit counts once.
    once = np.unique(np.column_stack([cell, np.log(e.table.loss)]), axis=0, return_index=True)[1]
    cell, r = cell[once], e.left_over[once]
    size = np.bincount(cell)
    spare, cells = len(cell) - int(np.sum(size > 0)), int(np.sum(size > 0))
    extra = cells - e.basis.shape[1]
    if e.is_exact or spare < 3 or extra < 2:
        return None
    means = np.bincount(cell, r) / np.maximum(size, 1)
    pure = float(np.sum((r - means[cell]) ** 2)) / spare
    lack = float(np.sum(size * means**2)) / extra
    if pure <= 0:
        return None
    ratio, p = lack / pure, float(special.fdtrc(extra, spare, lack / pure))
    title = "Repeated runs"
    found = f"{cells} settings, {spare} repeats: residuals are {np.sqrt(ratio):.2g} times the spread of repeats"
    if p >= UNREPEATED:
        return Verdict("repeats", title, "pass", f"{found}, consistent with noise ({_said(p, UNREPEATED)}).")
    return Verdict(
        "repeats", title, "caution", f"{found} ({_said(p, UNREPEATED)}): noise alone does not explain the residuals.",
        "Settings differ by more than the law's inputs, or the law's form is wrong; group the runs that share a setting.",
    )  # fmt: skip
