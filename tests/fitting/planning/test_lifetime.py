"""Training and use together: the numbers of Sardana et al., their condition at the optimum, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from fitting import FitError, all_laws, fit, plan
from fitting.planning.lifetime import lifetime

TEX = {"E": np.exp(0.5267228), "A": np.exp(6.0073404), "B": np.exp(6.0179186), "alpha": 0.33917084, "beta": 0.2849083}
QUALITY = 2.101053468  # what 7 B parameters reach where they are the best to train


@pytest.mark.parametrize(
    ("served", "params", "tokens"),
    [(1e11, 6.0547e9, 3.4397e11), (1e12, 3.7898e9, 6.3086e11), (1e13, 2.0939e9, 2.0597e12)],
)
def test_the_quality_of_a_7b_model_for_so_much_use(fit_of, served, params, tokens):
    """Sardana et al. 2023 (arXiv 2401.00448) with Hoffmann's constants in full: 6 B on 1.18 times the data for 1e11 tokens."""
    law = fit_of("chinchilla", **TEX)
    found = lifetime(law, loss=QUALITY, served=served)
    assert found.params.value == pytest.approx(params, rel=5e-5)
    assert found.tokens.value == pytest.approx(tokens, rel=5e-5)
    assert law.predict(params=found.params.value, tokens=found.tokens.value).value == pytest.approx(QUALITY, rel=1e-9)
    n, d = found.params.value, found.tokens.value
    # At the optimum (alpha A N^-alpha) / (beta B D^-beta) = 1 + S / 3 D.
    ratio = TEX["alpha"] * TEX["A"] * n ** -TEX["alpha"] / (TEX["beta"] * TEX["B"] * d ** -TEX["beta"])
    assert ratio == pytest.approx(1 + served / (3 * d), rel=1e-9)
    assert found.flops.value == pytest.approx(6 * n * d + 2 * n * served, rel=1e-9)
    alone = found.trained
    assert alone.params.value == pytest.approx(7e9, rel=1e-4)
    over = 6 * alone.params.value * alone.tokens.value + 2 * alone.params.value * served
    assert found.saved.value == pytest.approx(1 - found.flops.value / over, abs=1e-6)


def test_without_use_it_is_the_plan(fit_of):
    law = fit_of("chinchilla", **TEX)
    found, planned = lifetime(law, loss=2.3, served=0), plan(law, loss=2.3)
    assert found.params.value == pytest.approx(planned.params.value, rel=1e-3)  # flat there
    assert found.flops.value == pytest.approx(planned.flops.value, rel=1e-6)
    assert found.saved.value == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("key", ["chinchilla", "general"])
def test_bands_and_any_law_of_both(noisy, key):
    """No other size takes less, by brute force; the draws give intervals around it."""
    law = fit(noisy, key, resamples=60)
    loss = float(noisy.kept["loss"].median())
    found = lifetime(law, loss=loss, served=1e12)
    assert found.params.low < found.params.value < found.params.high
    assert 0 < found.saved.low < found.saved.high < 1
    assert found.params.value < found.trained.params.value
    for size in found.params.value * np.array([0.5, 0.8, 1.25, 2.0]):
        try:
            flops = plan(law, loss=loss, params=size).flops.value
        except FitError:
            continue  # too small to come so low
        use = law.accounting.flops(size, 1e12) / 3
        assert flops + use > found.flops.value * (1 + 1e-6)


def test_what_is_refused(fit_of):
    law = fit_of("chinchilla", **TEX)
    with pytest.raises(FitError, match="No budget reaches"):
        lifetime(law, loss=1.0, served=1e12)
    with pytest.raises(FitError, match="a number from 0 on"):
        lifetime(law, loss=2.3, served=-1.0)
    of_compute = fit_of("compute", **{p.name: p.range[1] for p in all_laws()["compute"].params})
    with pytest.raises(FitError, match="no law of size and tokens"):
        lifetime(of_compute, loss=2.3, served=1e12)
