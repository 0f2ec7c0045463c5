"""The broken power law against decimals of fifty digits, near its break and as far out as budgets go."""

from __future__ import annotations

from decimal import Decimal, getcontext

import numpy as np
import pytest

from fitting import all_laws, plan
from fitting.autodiff import partials_of, seed

LAWS = {k: law for k, law in all_laws().items() if k.startswith("broken-")}
BASE = {"E": 1.75, "B": 60.0, "c0": 0.08, "c1": 0.02, "x1": 1e19}


def exact(x: float, E, B, c0, c1, x1, f1) -> float:
    getcontext().prec = 50
    getcontext().Emax = 10**12
    x, E, B, c0, c1, x1, f1 = (Decimal(v) for v in (x, E, B, c0, c1, x1, f1))
    past = ((x / x1).ln() / f1).exp()
    return float(E + B * (-c0 * x.ln() - c1 * f1 * (1 + past).ln()).exp())


@pytest.mark.parametrize("key", LAWS)
@pytest.mark.parametrize("f1", [0.02, 0.03, 0.2, 1.0, 3.0])
@pytest.mark.parametrize("x", [1e3, 1e10, 0.999e19, 1e19, 1.001e19, 1e25, 1e35, 1e45])
def test_the_law_far_from_a_sharp_break(key, f1, x):
    law, values = LAWS[key], {**BASE, "f1": f1}
    assert law({law.inputs[0]: x}, values) == pytest.approx(exact(x, **values), rel=1e-12)
    out = law.formula(np.array([x]), *seed([values[k] for k in law.names]))
    assert all(np.all(np.isfinite(d)) for d in partials_of(out).values())


@pytest.mark.parametrize("f1", [0.02, 0.5])
def test_its_plans_and_its_export(f1, fit_of):
    values = {**BASE, "f1": f1}
    f = fit_of("broken-compute", **values)
    scope: dict = {}
    exec(f.to_python(), scope)
    for budget in (1e20, 1e25, 1e40):
        assert plan(f, flops=budget).loss.value == pytest.approx(exact(budget, **values), rel=1e-12)
        assert scope["loss"](budget) == pytest.approx(exact(budget, **values), rel=1e-12)
    wanted = exact(1e25, **values)
    assert plan(f, loss=wanted).flops.value == pytest.approx(1e25, rel=1e-6)
