"""What headers of columns of steps say: targets, units and settings told apart, and what is refused."""

from __future__ import annotations

import itertools

import pytest

from data.errors import ReadError
from data.readers import read_table
from data.steps.headings import heading
from data.steps.tables import steps_table

B, S_MIN, B_CRIT = (16, 64, 256, 1024, 4096), 1000, 300


def taken(b, times=1.0):
    return times * S_MIN * (1 + B_CRIT / b)


def read(headers, times):
    """A table with a column of steps for each header, each `times` the planted ones."""
    rows = "\n".join(",".join([str(b), *(f"{taken(b, t):.9g}" for t in times)]) for b in B)
    quoted = ",".join(f'"{h}"' for h in headers)
    return steps_table(read_table(f"batch_size,{quoted}\n{rows}\n".encode(), "steps.csv"))


def test_settings_units_and_targets_of_a_header_are_told_apart():
    """Every combination of a target, a learning rate, a seed, a size and a unit, behind one another and in brackets."""
    aims = {"target": "", "loss_3.2": "loss 3.2", "loss=3": "loss 3", "3.2": "loss 3.2", "val loss 3p2": "loss 3.2",
            "perplexity_20": "perplexity 20", "ppl20": "perplexity 20", "acc_0.7": "acc 0.7", "bpb 0.95": "bpb 0.95"}  # fmt: skip
    rates = {"": "", "lr=1e-3": "0.001", "lr 3e-4": "0.0003", "lr1e-3": "0.001", "eta=0.1": "0.1",
             "adam_lr=.02": "0.02", "lr0p001": "0.001"}  # fmt: skip
    seeds = {"": "", "seed0": "0", "rep 3": "3", "run_2": "2"}
    sizes = {"": "", "124M": "124M", "1.2B": "1.2B", "350m params": "350m params"}
    units = {
        "": 1.0,
        "(k)": 1e3,
        "(hundreds)": 100.0,
        "(x1000)": 1e3,
        "/ 1e3": 1e3,
        "(M)": 1e6,
    }
    for aim, rate, seed, size, unit in itertools.product(aims, rates, seeds, sizes, units):
        said = [v for v in (rate, seed, size) if v]
        forms = [f"steps_to_{aim}_{'_'.join(said)} {unit}".strip("_ "), f"steps to {aim} ({', '.join(said)}) {unit}"]
        for header in forms if said else forms[:1]:
            says = heading(header.replace("_ ", " "))
            told = (says.aim, says.rate, says.seed, says.size, says.scale, says.unclear)
            assert told == (aims[aim], rates[rate], seeds[seed], sizes[size], units[unit], ""), header


def test_numbers_of_which_nothing_says_what_they_are_are_refused():
    for header in ("steps_to_target_1e3", "steps_to_target_1000", "steps_to_loss_3_2",
                   "steps_to_target (512)", "steps_to_target_0",
                   "steps_to_target at 3e-4", "steps to target (10B tokens)", "steps_to_target lr1e_3",
                   "steps_to_target (100s)"):  # fmt: skip
        with pytest.raises(ReadError, match=r"in the header .* means is not known\. Write a target as"):
            read([header], [1])


def test_words_with_digits_and_named_settings_are_no_targets_nor_units():
    for header in ("steps_to_target_gpt2", "steps_to_target_m1", "steps_to_target (wd=0.1)", "steps_to_target, adam8bit",
                   "steps_to_target (beta2=0.95)", "steps_to_target (bs=1e3)"):  # fmt: skip
        assert (heading(header).scale, heading(header).aim, heading(header).unclear) == (1.0, "", ""), header
        assert read([header], [1]).frame["steps"].tolist() == pytest.approx([taken(b) for b in B]), header


def test_columns_at_several_rates_are_one_target_and_the_best_counts():
    for a, b in (("steps_to_target lr=3e-4", "steps_to_target lr=1e-3"), ("steps_to_loss_3.2 (lr 3e-4)", "steps_to_loss_3.2 (lr 1e-3)"),
                 ("steps_to_3.2_lr3e-4", "steps_to_3.2_lr1e-3"), ("steps_to_target (eta=.1)", "steps_to_target (eta=.2)")):  # fmt: skip
        for first, times in (((a, b), (1, 1.3)), ((b, a), (1.3, 1))):
            found = read(first, times)
            assert set(found.frame["group"]) == {""}, first
            assert found.frame["steps"].tolist() == pytest.approx([taken(x) for x in B]), first
            assert any("are steps to one target, at 2 learning rates" in n for n in found.notes[""]), first
            assert any("the best counts; 5 rows at others are left out" in n for n in found.notes[""]), first


def test_columns_of_seeds_are_repeats_and_their_mean_is_left_out():
    for form in (
        "steps_to_target_seed{}",
        "steps_to_loss_3.2 (seed {})",
        "steps_to_target_rep{}",
        "steps_to_target_s{}",
    ):
        headers = [form.format(k) for k in (0, 1, 10)]
        found = read(headers, (1, 1.1, 0.9))
        assert set(found.frame["group"]) == {""}, form
        steps = [taken(b, t) for b in B for t in (0.9, 1, 1.1)]
        assert sorted(found.frame["steps"]) == pytest.approx(sorted(steps)), form
    found = read(["steps_to_target_seed0", "steps_to_target_seed1", "steps_to_target_mean"], (1, 1.1, 1.05))
    assert len(found.frame) == 2 * len(B)
    assert "'steps_to_target_mean' is not used." in found.notes[""]


def test_rates_and_seeds_together():
    """Two seeds at each of two rates: the better rate's two remain."""
    found = read([f"steps_to_target_lr{r}_seed{s}" for r in ("3e-4", "1e-3") for s in (0, 1)], (1.5, 1.4, 0.9, 1.1))
    assert sorted(found.frame["steps"]) == pytest.approx(sorted(taken(b, t) for b in B for t in (0.9, 1.1)))


def test_sizes_perplexities_and_accuracies_are_groups_called_as_they_are():
    for headers, names in (
        (("steps_to_target 124M", "steps_to_target 350M"), ["124M", "350M"]),
        (("steps_to_perplexity_20", "steps_to_perplexity_15"), ["perplexity 20", "perplexity 15"]),
        (("steps_to_acc_0.7", "steps_to_acc_0.75"), ["acc 0.7", "acc 0.75"]),
        (("steps_to_loss_3.2_124M", "steps_to_loss_3.0_124M"), ["124M, loss 3.2", "124M, loss 3.0"]),
        (("steps_to_target_m1", "steps_to_target_k2"), ["steps_to_target_m1", "steps_to_target_k2"]),
        (("steps_to_c4_loss_3.2", "steps_to_pile_loss_3.2"), ["steps_to_c4_loss_3.2", "steps_to_pile_loss_3.2"]),
    ):  # fmt: skip
        found = read(headers, (1, 2))
        assert list(dict.fromkeys(found.frame["group"])) == names
        for name, times in zip(names, (1, 2), strict=True):
            own = found.frame[found.frame["group"] == name]
            assert own["steps"].tolist() == pytest.approx([taken(b, times) for b in B]), name
    assert read(("steps_to_target 124M", "steps_to_target 1.3B"), (1, 2)).sizes == {"124M": 124e6, "1.3B": 1.3e9}


def test_long_headers_take_no_long_time():
    for header in (
        "steps_to_" + "a_" * 40_000,
        "steps to " + "1" * 40_000,
        "steps_to_target " + "lr" * 20_000,
        "steps_to_" + "to_a " * 9_000,
    ):
        assert heading(header).scale == 1.0
