"""Published laws of learning rate and batch: the numbers they print, their units and ranges, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fitting import FitError
from fitting.batch import PUBLISHED, critical_batch, published
from fitting.batch.published import Power

LAWS = {law.key: law for law in PUBLISHED}
BATCHES = [law for law in PUBLISHED if law.unit]

# (law, inputs, answer in the law's own unit, relative tolerance): worked from the constants each paper prints.
GOLDEN = [
    ("deepseek_lr", {"flops": 1e20}, 9.8600e-4, 1e-4),  # Bi et al. 2024, arXiv 2401.02954, at 1e20 FLOP
    ("deepseek_batch", {"flops": 1e20}, 1.01714e6, 1e-5),
    ("steplaw_lr", {"params": 7e9, "tokens": 1.4e12}, 9.1656e-4, 1e-4),  # Li et al. 2025, arXiv 2503.04715
    ("steplaw_batch", {"params": 7e9, "tokens": 1.4e12}, 4.99882e6, 1e-5),
    ("porian_lr", {"params": 1e9}, 2.12913e-3, 1e-5),  # Porian et al. 2024, arXiv 2406.19146
    ("porian_batch", {"params": 1e9}, 1.60857e6, 1e-5),
    ("porian_lr", {"params": 108e6}, 4.7e-3, 0.01),  # as the paper says it: 0.0047 and 160 sequences of 2048 at 108M
    ("porian_batch", {"params": 108e6}, 160 * 2048, 0.05),
    ("zhang_coupled", {"params": 302e6}, 1364.6, 1e-4),  # Zhang et al. 2024, arXiv 2410.21676, in sequences of 512
    ("zhang_fixed_tokens", {"params": 302e6}, 1021.2, 1e-4),
    ("powerlines_timescale", {"params": 1e9, "tokens": 20e9}, 0.22356, 1e-4),  # Bergsma et al. 2025, arXiv 2505.13738
    ("powerlines_timescale", {"params": 1e9, "tokens": 1000e9}, 0.02845, 1e-3),
    ("kaplan_critical", {"loss": 3.0}, 1.069114e6, 1e-6),  # Kaplan et al. 2020, arXiv 2001.08361, eq. 5.3 with 2e8
    ("kaplan_critical_flops", {"flops": 8.64e19}, 2.0e6, 1e-12),  # table 6: one PF-day
    ("kaplan_lr", {"params": 1.0}, 3.239e-3, 1e-12),  # appendix D.6
    ("bjorck_lr", {"params": 1e9, "tokens": 1e9}, 1.55e-3, 1e-12),  # Bjorck et al. 2024, arXiv 2409.19913
    ("video_dit_batch", {"params": 1.07e9, "tokens": 10e9}, 1.4e5, 0.02),  # Yin et al. 2024, arXiv 2411.17470
    ("video_dit_lr", {"params": 1.07e9, "tokens": 10e9}, 1.8e-4, 0.02),
]


@pytest.mark.parametrize(("key", "inputs", "answer", "near"), GOLDEN)
def test_the_numbers_as_published(key, inputs, answer, near):
    assert float(LAWS[key](**inputs)) == pytest.approx(answer, rel=near)


def test_each_law_says_what_it_is():
    assert len(LAWS) == len(PUBLISHED)
    for law in PUBLISHED:
        assert law.source.startswith("arXiv ")
        assert law.setup.endswith(".")
        assert law.note.endswith(".")
        assert set(law.domain) <= {"params", "tokens", "flops", "loss"}
        assert all(low < high for low, high in law.domain.values())
        assert bool(law.unit) == law.gives.endswith("batch")
        assert (law.unit == "sequences") == (law.seq_len is not None)
    assert set(published("learning rate")) >= {"steplaw_lr", "porian_lr", "deepseek_lr", "kaplan_lr", "bjorck_lr"}
    assert {law.gives for law in published("critical batch").values()} == {"critical batch"}


@pytest.mark.parametrize("law", PUBLISHED, ids=lambda law: law.key)
def test_arrays_and_inputs_that_are_another_laws(law):
    """A grid comes back as a grid, and one table of inputs does for every law."""
    grid = {
        "params": np.geomspace(1e8, 1e9, 4),
        "tokens": np.geomspace(2e9, 1e11, 3)[:, None],
        "flops": 1e19,
        "loss": 3.0,
    }
    out = law(**grid)
    assert out.shape == np.broadcast_shapes(*(np.shape(grid[k]) for k in law.inputs))
    assert np.all(out > 0)
    one = law(**{k: np.broadcast_to(grid[k], (3, 4))[2, 1] for k in law.inputs})
    assert one == pytest.approx(np.broadcast_to(out, (3, 4))[2, 1])


@given(st.floats(1e-3, 1e3), st.floats(-2, 2), st.floats(1e6, 1e12), st.floats(1.1, 100))
def test_an_exponent_is_the_slope_between_two_sizes_whatever_the_unit(coefficient, exponent, size, factor):
    law = Power(coefficient, {"params": exponent}, {"params": 1e6})
    assert np.log(law(size * factor) / law(size)) / np.log(factor) == pytest.approx(exponent, abs=1e-9)
    assert law(1e6) == pytest.approx(coefficient)


def test_sequences_become_tokens_at_the_laws_own_length():
    law = LAWS["zhang_coupled"]
    assert law.tokens(params=302e6) == pytest.approx(1364.6 * 512, rel=1e-4)
    assert LAWS["porian_batch"].tokens(params=1e9) == LAWS["porian_batch"](params=1e9)
    for batch in BATCHES:
        assert 1e4 < batch.tokens(params=3e8, tokens=6e9, flops=1e19, loss=3.0) < 1e7


def test_an_input_outside_what_was_fitted_is_said():
    law = LAWS["steplaw_lr"]
    assert law.outside(params=3e8, tokens=1e10) == ""
    assert "2.15e8 to 1.07e9 parameters" in law.outside(params=7e9, tokens=1e10)
    both = law.outside(params=[3e8, 7e9], tokens=[1e10, 1e12])
    assert "parameters and 4e9 to 1e11 tokens" in both
    assert "not known" in LAWS["bjorck_lr"].outside(params=1e9, tokens=1e11)
    assert "tokens" in LAWS["powerlines_timescale"].outside(params=1e9, tokens=2e10)
    assert "beyond" in LAWS["powerlines_timescale"].outside(params=1e11, tokens=2e10)


def test_the_step_law_range_is_that_of_the_released_runs(dataset):
    """Step Law's released dense table (arXiv 2503.04715)."""
    runs = pd.read_csv(dataset("steplaw_dense.csv"))
    law = LAWS["steplaw_lr"]
    assert law.outside(params=runs["params_nonembedding"], tokens=runs["tokens"]) == ""
    assert law.domain["params"] == pytest.approx(
        (runs["params_nonembedding"].min(), runs["params_nonembedding"].max()), rel=0.005
    )
    assert law.domain["tokens"] == pytest.approx((runs["tokens"].min(), runs["tokens"].max()), rel=0.005)


def test_zhangs_law_lies_on_the_steps_it_was_fitted_to(dataset):
    """Steps to a target loss of five models (Zhang et al. 2024, arXiv 2410.21676): unit, sequence length and range of its law."""
    runs = pd.read_csv(dataset("zhang_cbs_steps_to_target.csv"))
    law = LAWS["zhang_coupled"]
    for params, model in runs.groupby("params"):
        fitted = critical_batch(model["batch_sequences"], model["steps_to_target"], resamples=0)
        assert float(law(params=params)) == pytest.approx(fitted.overhead_batch(256).value, rel=0.05)
    assert law.domain["params"] == (runs["params"].min(), runs["params"].max())
    assert set(runs["seq_len"]) == {law.seq_len}


def test_kaplans_rate_ends_where_it_reaches_zero():
    rates = LAWS["kaplan_lr"](params=[1e9, 1.2e10, 1.3e10])
    assert np.all(rates[:2] > 0)
    assert np.isnan(rates[2])
    assert "1.2e+10" in LAWS["kaplan_lr"].note


def test_kaplans_two_critical_batches_are_one_along_compute_efficient_training():
    """L = (3.1e8 PF-days / C)^0.05 (Kaplan et al. 2020, arXiv 2001.08361, eq. 1.3) carries one law into the other."""
    days = np.geomspace(1e-6, 1e2, 9)
    by_loss = LAWS["kaplan_critical"](loss=(3.1e8 / days) ** 0.05)
    assert LAWS["kaplan_critical_flops"](flops=days * 8.64e19) == pytest.approx(by_loss, rel=0.1)


def test_rates_disagree_on_more_tokens_and_the_notes_say_why():
    more = {"params": 1e9, "tokens": np.array([1e10, 1e11])}
    step, bjorck = LAWS["steplaw_lr"], LAWS["bjorck_lr"]
    assert np.diff(step(**more)) > 0 > np.diff(bjorck(**more))
    assert "rises with tokens" in step.note
    assert "falls with tokens" in bjorck.note


def test_what_is_refused():
    with pytest.raises(FitError, match="tokens is missing"):
        LAWS["steplaw_lr"](params=1e9)
    with pytest.raises(FitError, match="positive number of parameters"):
        LAWS["porian_lr"](params=[1e9, 0.0])
    with pytest.raises(FitError, match="positive number of FLOP"):
        LAWS["deepseek_lr"](flops=float("nan"))
    with pytest.raises(FitError, match="not a number of tokens"):
        LAWS["porian_lr"].tokens(params=1e9)
    with pytest.raises(FitError, match="not 'colour'"):
        published("colour")
