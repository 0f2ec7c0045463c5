"""The best size of every law that a budget can be split by, against a dense grid over size, over constants and budgets."""

from __future__ import annotations

import numpy as np
import pytest

import fitting.planning.allocation
from fitting import all_laws, plan
from fitting.accounting import Accounting
from fitting.planning.allocation import optimum, valley

LAWS = {k: x for k, x in all_laws().items() if set(x.inputs) - {"unique_tokens"} == {"params", "tokens"}}
BUDGETS = np.geomspace(1e12, 1e40, 29)
# Sizes looked at over the whole of a budget, a quarter of an e-fold apart at most, and close to what was found.
GRID, CLOSE, NEAR = 401, 81, 0.4
SPAN = {
    "E": (1.2, 2.2), "A": (50.0, 3000.0), "B": (50.0, 8000.0), "alpha": (0.2, 0.5), "beta": (0.2, 0.5),
    "R_N": (0.4, 60.0), "R_D": (0.4, 150.0),
}  # fmt: skip


def drawn(law, count: int, seed: int) -> np.ndarray:
    """Constants (count, p): what `SPAN` allows, or within a fifth of the first published where a law has others."""
    rng = np.random.default_rng(seed)
    columns = []
    for p in law.params:
        if p.name in SPAN:
            low, high = SPAN[p.name]
        elif law.published:
            low, high = (law.published[0].values[p.name] * share for share in (0.8, 1.25))
        else:
            low, high = max(p.range[0], 0.1), min(p.range[1], 2.0)
        columns.append(np.exp(rng.uniform(np.log(low), np.log(high), count)))
    return np.stack(columns, axis=1)


def lowest(v, near) -> np.ndarray:
    """The lowest loss on a grid over all sizes, and on one a hundredth of an e-fold apart around log sizes `near` (R, K)."""
    low, high = v.bounds()
    best = np.full(near.shape, np.inf)
    wide = (np.broadcast_to(low + (high - low) * share, near.shape) for share in np.linspace(0.0, 1.0, GRID))
    for log_n in (*wide, *(np.clip(near + off, low, high) for off in np.linspace(-NEAR, NEAR, CLOSE))):
        loss = v.loss(log_n)
        best = np.fmin(best, np.where(np.isfinite(loss), loss, np.inf))
    return best


@pytest.mark.parametrize(
    ("key", "unique"),
    [(k, u) for k, x in LAWS.items() for u in (1e7, 1e9, 1e11) if u == 1e9 or "unique_tokens" in x.inputs],
)
def test_no_size_on_a_grid_is_better(key, unique):
    law = LAWS[key]
    values = drawn(law, 12 if "unique_tokens" in law.inputs else 36, int(np.log10(unique)))
    for count in (Accounting(), Accounting(0.0, -1 / 3, 20.0, least=1.0)):
        v = valley(law, values, BUDGETS, count, {"unique_tokens": unique} if "unique_tokens" in law.inputs else None)
        found = optimum(v)
        best = lowest(v, np.log(found.params))
        assert np.all(found.loss <= best * (1 + 1e-6))
        if "unique_tokens" in law.inputs:
            assert np.all(np.diff(found.loss, axis=1) <= 1e-7 * found.loss[:, 1:]), "more compute never costs loss"


def test_more_compute_on_the_same_text_never_costs_loss(fit_of):
    """A law with two valleys along a budget, one of a model as large as its text deserves and one of many passes."""
    f = fit_of("data-constrained", E=1.6, A=400.0, B=2000.0, alpha=0.25, beta=0.33, R_N=6.0, R_D=6.0)
    budgets = np.geomspace(1e19, 1e27, 81)
    losses = plan(f, flops=budgets, unique_tokens=1e9).loss.value
    assert np.all(np.diff(losses) <= 1e-9)
    alone = [plan(f, flops=c, unique_tokens=1e9).loss.value for c in budgets[::8]]
    assert losses[::8] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("count", [Accounting(), Accounting(0.0, -1 / 3, 20.0, least=1.0)], ids=["6ND", "counted"])
def test_only_budgets_without_a_balance_are_scanned_and_each_ends_where_it_does_alone(monkeypatch, count):
    """Where one shortage all but hides the other, q far below 1, the general law's slopes leave the range of numbers."""
    law, asked, scan = LAWS["general"], [], fitting.planning.allocation._scan
    values = drawn(law, 12, 5)
    values[:, law.names.index("q")] = np.linspace(0.1, 0.3, 12)

    def noted(v, shape):
        asked.append(shape)
        return scan(v, shape)

    monkeypatch.setattr(fitting.planning.allocation, "_scan", noted)
    together = optimum(valley(law, values, BUDGETS, count))
    (scanned,) = asked
    alone = [
        [optimum(valley(law, values[[i]], BUDGETS[[k]], count)) for k in range(BUDGETS.size)]
        for i in range(len(values))
    ]
    assert len(asked) - 1 == scanned[0]
    assert 0 < scanned[0] < together.params.size / 2
    for name in ("params", "tokens", "loss"):
        each = np.array([[getattr(one, name)[0, 0] for one in row] for row in alone])
        assert getattr(together, name) == pytest.approx(each, rel=1e-6)
