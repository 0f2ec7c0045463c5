"""Numbers the papers' constants must give: losses of Kaplan's and Chinchilla's laws, and the best split of a budget."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import all_laws, plan
from fitting.laws.compute import PF_DAY

LAWS = all_laws()
ROUNDED = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
TEX = {"E": np.exp(0.5267228), "A": np.exp(6.0073404), "B": np.exp(6.0179186), "alpha": 0.33917084, "beta": 0.2849083}
BESIROGLU = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def published(key: str, paper: str = ""):
    return next(p.values for p in LAWS[key].published if p.paper.startswith(paper) or paper in p.source)


@pytest.mark.parametrize(
    ("key", "inputs", "loss"),
    [
        ("kaplan-params", {"params": 1e9}, 2.3756403),
        ("kaplan-tokens", {"tokens": 1e10}, 2.2624418),
        ("kaplan", {"params": 1e9, "tokens": 2.2e10}, 2.3693163),
    ],
)
def test_kaplan(key, inputs, loss):
    """Kaplan et al. 2020, arXiv 2001.08361, Tables 2 and 5."""
    assert LAWS[key](inputs, published(key)) == pytest.approx(loss, abs=5e-8)


def test_kaplan_compute():
    """Table 5: one PF-day is 8.64e19 FLOP, and L(C) = (C_c / C)^alpha in PF-days."""
    assert pytest.approx(8.64e19) == PF_DAY
    law = LAWS["compute"]
    best, fixed = (p.values for p in law.published)
    assert law({"flops": PF_DAY}, best) == pytest.approx(3.1e8**0.050, rel=1e-12)
    assert law({"flops": PF_DAY}, fixed) == pytest.approx(1.6e7**0.057, rel=1e-12)


def test_chinchilla_constants_are_the_papers():
    assert published("chinchilla", "Hoffmann") == pytest.approx(TEX, rel=1e-4)
    assert published("chinchilla", "Besiroglu") == BESIROGLU


@pytest.mark.parametrize(
    ("constants", "flops", "params", "tokens", "loss"),
    [
        (ROUNDED, 1e21, 1.824e9, 9.136e10, 2.32888),
        (TEX, 1e21, 2.217e9, 7.518e10, 2.29549),
        (BESIROGLU, 1e21, 2.778e9, 5.999e10, 2.30553),
        (BESIROGLU, 5.76e23, 7.225e10, 1.329e12, None),
    ],
    ids=["rounded", "tex", "besiroglu", "besiroglu-at-gopher's-budget"],
)
def test_best_split(constants, flops, params, tokens, loss, fit_of):
    """The numeric optimum against the closed form, and the closed form against its golden numbers."""
    e, a, b, alpha, beta = (constants[k] for k in ("E", "A", "B", "alpha", "beta"))
    g = (alpha * a / (beta * b)) ** (1 / (alpha + beta))
    k = flops / 6
    n = g * k ** (beta / (alpha + beta))
    gamma = alpha * beta / (alpha + beta)
    lowest = e + (a * g**-alpha + b * g**beta) * k**-gamma
    assert n == pytest.approx(params, rel=5e-4)
    assert k / n == pytest.approx(tokens, rel=5e-4)
    if loss is not None:
        assert lowest == pytest.approx(loss, abs=6e-6)
    p = plan(fit_of("chinchilla", **constants), flops=flops)
    assert p.params.value == pytest.approx(n, rel=1e-9)
    assert p.tokens.value == pytest.approx(k / n, rel=1e-9)
    assert p.loss.value == pytest.approx(lowest, rel=1e-12)
    assert p.tokens_per_param.value == pytest.approx(k / n**2, rel=1e-9)


def test_besiroglu_tokens_per_parameter(fit_of):
    """About 20 tokens a parameter at 5.76e23 FLOP; Hoffmann's own constants say three times that."""
    assert plan(fit_of("chinchilla", **BESIROGLU), flops=5.76e23).tokens_per_param.value == pytest.approx(
        18.4, abs=0.05
    )
    assert plan(fit_of("chinchilla", **TEX), flops=5.76e23).tokens_per_param.value > 55


def test_kaplan_split_is_its_own_closed_form(fit_of):
    """d/dN of (N_c/N)^(aN/aD) + D_c 6N/C is zero at N^(1 + r) = r N_c^r C / (6 D_c), r = aN/aD."""
    c = published("kaplan")
    r = c["alpha_N"] / c["alpha_D"]
    for flops in (1e18, 1e21, 1e24):
        n = (r * c["N_c"] ** r * flops / (6 * c["D_c"])) ** (1 / (1 + r))
        p = plan(fit_of("kaplan", **c), flops=flops)
        assert p.params.value == pytest.approx(n, rel=1e-8)
        assert p.loss.value == pytest.approx(LAWS["kaplan"]({"params": n, "tokens": flops / 6 / n}, c), rel=1e-12)
