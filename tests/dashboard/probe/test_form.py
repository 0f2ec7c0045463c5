"""What a sweep's fields and its dial say, without a page."""

from __future__ import annotations

import math

import pytest

from dashboard.probe import derive, form, words
from data.errors import DataError
from data.flops import six_nd
from data.probe.sweep import DESIGNS, sweep


@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_is_laid_out_by_the_dial_at_about_its_compute(design):
    made = derive.derived(design, 1e10)
    most = max(six_nd(one.counts.nonembed, one.tokens) for one in sweep(made))
    assert math.log10(most) == pytest.approx(10, abs=0.04)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("before", DESIGNS)
def test_another_design_keeps_what_was_said_of_the_runs_and_is_laid_out(before, design):
    said = {"seed": [0, 1], "optimiser": "sgd", "evals": 3}
    changed = derive.changed({**derive.derived(before, 1e10), **said}, design, 1e10)
    assert {name: changed[name] for name in said} == said
    assert {k: v for k, v in changed.items() if k not in said} == derive.derived(design, 1e10)
    assert sweep(changed)


def test_another_compute_moves_sizes_and_tokens_alone():
    held = {**derive.derived("batch", 1e10), "batch": [4, 8], "rates": [1], "corpus": "synthetic:1.1"}
    moved = derive.changed(held, "batch", 1e11)
    assert moved["tokens"] > held["tokens"]
    assert {name: moved[name] for name in ("batch", "rates", "corpus")} == {
        "batch": [4, 8], "rates": [1], "corpus": "synthetic:1.1"
    }  # fmt: skip
    lone = derive.changed({"design": "isoflop", "width": [16], "flops": [1e10], "batch": 16}, "isoflop", 1e11)
    assert lone["batch"] == 16


@pytest.mark.parametrize("design", ["mixture", "schedule"])
def test_what_a_design_refuses_is_left_behind(design):
    held = {**derive.derived("grid", 1e10), "corpus": "synthetic:1.1", "schedule": "constant", "averages": [0.1]}
    assert sweep(derive.changed(held, design, 1e10))


@pytest.mark.parametrize(
    ("values", "where"),
    [
        ({"width": 17, "tokens": 1e5}, "“Sizes by width”"),
        ({"width": 16, "tokens": 1e12}, "“Batch, sequences” under More fields or “Tokens of a run”"),
        (
            {"design": "isoflop", "flops": 1e17, "width": 16},
            "“Batch, sequences” under More fields or “Budgets, FLOP (6ND)”",
        ),
        ({"design": "mixture"}, "“Pools”"),
        ({"design": "schedule", "tokens": 1e5, "schedule": "linear"}, "“Schedule” under More fields"),
        ({"beta3": 0.9}, "it under As JSON"),
    ],
)
def test_a_refusal_names_the_field_to_change(values, where):
    with pytest.raises(DataError) as refused:
        sweep(values)
    assert form.remedy(str(refused.value), values.get("design", "grid")).startswith(f"Change {where};")


def test_numbers_of_one_field_are_written_alike_and_none_is_rounded():
    assert form.shown([50_000, 1e5]) == "50 k, 100 k"
    assert form.shown([20_000, 40_000]) == "20000, 40000"
    assert form.shown([12_345, 123_456_789]) == "12345, 123456789"


def test_json_stands_in_the_order_of_the_page():
    assert list(form.parsed(form.written({"width": 8, "evals": 3, "flops": 1e9, "design": "isoflop"}))) == [
        "design", "flops", "width", "evals"
    ]  # fmt: skip


def test_devices_are_said_as_a_researcher_says_them():
    assert [words.on(names) for names in ([], ["cpu 0"], ["cpu 0", "cpu 1"], ["gpu 0"], ["gpu 0", "gpu 1"], ["gpu 0", "cpu 0"])] == [
        "no device", "one at a time on the CPU", "2 at a time on the CPU", "one at a time on a GPU", "2 at a time, each on a GPU",
        "2 at a time on GPUs and the CPU",
    ]  # fmt: skip
    assert [words.on(names, "run") for names in (["cpu 0"], ["cpu 0", "cpu 1"])] == [
        "1 run at a time on the CPU", "2 runs at a time on the CPU",
    ]  # fmt: skip
