"""Sweeps: every run once, laid out as their designs say, and one sentence for what is wrong."""

from __future__ import annotations

import math

import pytest

from data.errors import DataError
from data.probe.spec import MOST_SEED, Spec
from data.probe.sweep import DESIGNS, sweep


def test_four_fields_are_a_whole_sweep():
    runs = sweep({"corpus": "synthetic", "width": [16, 32], "tokens": [2.5e5, 5e5], "seed": 0})
    assert [(r.width, r.tokens) for r in runs] == [(16, 2.5e5), (16, 5e5), (32, 2.5e5), (32, 5e5)]
    assert {r.vocab for r in runs} == {32}
    assert len({r.key for r in runs}) == 4


def test_a_run_that_comes_twice_is_made_once():
    assert len(sweep({"width": [16, 16, 32]})) == 2


def test_a_list_of_lists_varies_what_is_a_list_in_a_run():
    assert len(sweep({"averages": [0.1, 0.2]})) == 1
    assert [r.averages for r in sweep({"averages": [[0.1], [0.2, 0.3]]})] == [(0.1,), (0.2, 0.3)]


def test_isoflop_spends_each_budget_at_each_size():
    runs = sweep({"design": "isoflop", "flops": [1e12, 3e12], "width": [16, 32]})
    assert len(runs) == 4
    spent = sorted(6 * r.counts.nonembed * r.tokens for r in runs)
    assert spent == pytest.approx([1e12, 1e12, 3e12, 3e12])


def test_a_batch_ladder_scales_its_rate_with_the_root_of_the_batch():
    runs = sweep({"design": "batch", "width": 32, "batch": [2, 8, 32], "rates": [1.0, 2.0]})
    assert {r.schedule for r in runs} == {"constant"}
    rates = {(r.batch, r.lr) for r in runs}
    base = 0.25 / 32
    assert sorted(lr / math.sqrt(b / 8) / base for b, lr in rates) == pytest.approx([1, 1, 1, 2, 2, 2])


def test_a_width_ladder_has_both_parametrisations_on_one_base():
    runs = sweep({"design": "width", "width": [32, 64, 128], "rates": [0.01, 0.02]})
    assert len(runs) == 10  # muP at its base is the standard parametrisation: one run for both
    assert [r.width for r in runs if r.parametrisation == "mup"] == [64, 64, 128, 128]
    assert {r.base_width for r in runs if r.parametrisation == "mup"} == {32}
    assert {r.base_width for r in runs if r.parametrisation == "standard"} == {0}
    alone = sweep({"design": "width", "width": [32, 64], "rates": [0.01], "parametrisation": ["mup"]})
    assert [r.width for r in alone] == [32, 64]
    other = sweep({"design": "width", "width": [32, 64], "rates": [0.01], "base_width": 64})
    assert [(r.width, r.parametrisation) for r in other] == [(32, "standard"), (64, "standard"), (32, "mup")]
    deep = sweep({"design": "width", "width": [32, 64], "rates": [0.01], "parametrisation": ["standard", "mup_depth"]})
    assert len(deep) == 4


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (3, "A sweep is an object"),
        ({"design": "star"}, "'star' is no design; there is grid"),
        ({"design": "isoflop", "width": [16]}, "needs 'flops': the budgets, in FLOP"),
        ({"design": "isoflop", "flops": [-1], "width": 16}, "a positive number"),
        ({"design": "isoflop", "flops": ["1e12"], "width": 16}, "'1e12' came"),
        ({"design": "rate", "rates": []}, "at least one number"),
        ({"width": []}, "The sweep has no runs"),
        ({"width": [16, 3]}, "width should be greater than or equal to 4; 3 came"),
        ({"width": list(range(16, 4016, 2)), "seed": list(range(10))}, "at most 10,000 are made"),
        ({"corpus": "nowhere"}, "'nowhere' is no corpus"),
        ({"depht": 2}, "has no field 'depht'; the nearest by spelling is 'depth'."),
        ({"zzzz": 2}, "has no field 'zzzz'."),
        ({"desing": "batch"}, "the nearest by spelling is 'design'"),
        ({"flops": 1e12}, "'flops' is a field of the design isoflop, and the sweep is of the design grid"),
        (
            {"design": "isoflop", "flops": 1e12, "rates": [1]},
            "of the design batch or rate or width, and",
        ),
        (
            {"design": "isoflop", "flops": 1e12, "tokens": 1e6},
            "has each run's tokens from 'flops' and its size; leave 'tokens' out",
        ),
        ({"design": "width", "lr": 0.1}, "has the learning rates from 'rates'; leave 'lr' out"),
        (
            {"design": "schedule", "tokens": 1e6, "schedule": "cosine"},
            "decays linearly from a constant rate; leave 'schedule' out",
        ),
        ({"design": "schedule", "tokens": 1e6, "keep": [1e5]}, "lays out its own trunk; leave 'keep' out"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(wrong, sentence):
    with pytest.raises(DataError) as said:
        sweep(wrong)
    assert sentence in str(said.value)


def test_every_design_says_what_it_is():
    assert all(d.title and d.sentence.endswith(".") for d in DESIGNS.values())


def test_fields_of_the_wrong_kind_are_said_in_every_design():
    """A sentence, no error of Python: lists, texts and numbers where another was expected, and a run of too many steps."""
    for wrong in (
        {"design": ["grid"]}, {"design": "batch", "batch": ["a"]}, {"design": "width", "width": ["a", 8]}, {"design": "rate", "lr": "x"},
        {"design": "isoflop", "flops": 1e12, "width": [None]}, {"width": 4096, "depth": 32, "tokens": 1e12}, {"width": {"a": 1}},
    ):  # fmt: skip
        with pytest.raises(DataError):
            sweep(wrong)


#: A value that each design can do without, and what it needs.
LEAST = {
    "grid": {}, "isoflop": {"flops": 1e12}, "batch": {}, "rate": {}, "width": {}, "mixture": {"pools": [{"corpus": "synthetic"}]},
    "schedule": {"tokens": [20000, 40000]},
}  # fmt: skip
ODD = (
    "a", "", "\ud800", "a\nb\x1b[2J", None, True, [], {}, [None], ["a"], [[]], [{}], [["a"]], {"a": 1}, -1, 0, 0.5, 1e308, 2**64, 10**400,
    [10**400], 1e-320, math.nan, math.inf,
)  # fmt: skip


def refusal(values):
    """Why a sweep is refused; '' for one that is none."""
    try:
        sweep(values)
    except DataError as said:
        return str(said)
    return ""


@pytest.mark.parametrize("design", DESIGNS)
def test_every_field_of_every_design_takes_any_value_or_refuses_it_in_a_sentence(design):
    for name in (*Spec.__dataclass_fields__, *DESIGNS[design].own, "design"):
        for odd in ODD:
            said = refusal({"design": design, **LEAST[design], name: odd})
            assert not said or said.isprintable(), (name, odd)
            assert len(said) < 600, (name, odd)


@pytest.mark.parametrize(
    ("values", "count"),
    [
        ({"design": "isoflop", "flops": [1e12 + i for i in range(12_000)], "width": [16]}, "12,000"),
        ({"design": "rate", "rates": [1 + i for i in range(12_000)]}, "12,000"),
        ({"design": "rate", "width": [16] * 2_001}, "10,005"),
        ({"design": "width", "width": [16, 32], "rates": [1 + i for i in range(6_001)]}, "24,004"),
        ({"design": "batch", "batch": [1] * 3_334}, "10,002"),
        ({"design": "mixture", "pools": [{"corpus": "synthetic"}] * 2, "parts": 1000, "seed": [*range(10)]}, "10,010"),
        ({"design": "schedule", "tokens": [1e6] * 5_000, "decay": [0.1, 0.2]}, "10,001"),
        ({"width": [16] * 10**5, "depth": [1] * 10**5, "seed": [1] * 10**5, "batch": [1]}, "over 10^15"),
    ],
)
def test_the_runs_of_every_design_are_counted_before_any_is_laid_out(values, count, monkeypatch):
    monkeypatch.setattr("data.probe.sweep.spec", lambda values: pytest.fail("a run was made"))
    with pytest.raises(DataError, match=r"The sweep has .* at most 10,000 are made\.") as said:
        sweep(values)
    assert f"has {count} runs;" in str(said.value)


def test_the_longest_lengths_of_a_schedule_set_have_a_warm_up_of_their_own():
    assert len(sweep({"design": "schedule", "tokens": [3e7]})) == 2


def test_a_seed_is_a_number_that_everybody_holds():
    assert sweep({"seed": MOST_SEED})[0].seed == 2**53 - 1
    for seed in (2**53, 2**64 - 1, 2**64, 10**300):
        with pytest.raises(DataError, match="seed should be less than or equal to 9007199254740991"):
            sweep({"seed": seed})
