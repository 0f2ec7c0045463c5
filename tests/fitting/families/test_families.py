"""Families compared: planted ones come back, the test of sharing is the one it says, and what cannot be said is refused."""

from __future__ import annotations

import io
import json
import runpy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import f as fisher

from data import read_runs
from fitting import FitError, all_laws, compare_families, fit, plan
from fitting.band import Band
from fitting.families import SHARES, family_columns
from fitting.families.joint import expanded, shared_params
from fitting.families.result import _more_runs

PLANTED = runpy.run_path(str(Path(__file__).with_name("planted_families.py")))
planted, A, B = PLANTED["planted"], PLANTED["A"], PLANTED["B"]
MULTIPLIER, AT, CROSS = (PLANTED[k] for k in ("MULTIPLIER", "AT", "CROSS"))
LAW = all_laws()["chinchilla"]


@pytest.fixture(scope="module")
def noisy():
    """The planted families with .3 % noise, compared."""
    return compare_families(planted(0.003, seed=3), "arch", reference="A", resamples=200)


@pytest.mark.parametrize("share", ["auto", "nothing", "exponents"])
@pytest.mark.parametrize("delta", ["auto", 1e-3, float("inf")])
def test_planted_families_come_back_exactly(share, delta):
    found = compare_families(planted(), "arch", share=share, reference="A", delta=delta, resamples=20)
    assert found.share == ("exponents" if share == "auto" else share)
    assert found.multiplier("B", AT).value == pytest.approx(MULTIPLIER, rel=1e-6)
    crossing = found.crossing("B")
    assert crossing.flops.value == pytest.approx(CROSS, rel=1e-6)
    assert crossing.kind == "beyond"
    assert crossing.beyond == pytest.approx(CROSS / 3e21, rel=1e-6)
    for end in (*found.multiplier("B", AT), *crossing.flops):
        assert end == pytest.approx(MULTIPLIER, rel=1e-6) or end == pytest.approx(CROSS, rel=1e-6)
    for name, truth in (("A", A), ("B", B)):
        assert dict(zip(LAW.names, found.family(name).values, strict=True)) == pytest.approx(truth, rel=1e-5)


def test_the_multiplier_is_what_the_planner_says():
    """The budget at which the reference's own law reaches the family's loss, by the planner's bisection."""
    runs = planted(0.003, seed=3)
    found = compare_families(runs, "arch", share="nothing", reference="A", delta=1e-3, resamples=0)
    apart = {
        name: fit(
            replace(runs, kept=runs.kept[runs.kept["arch"] == name].reset_index(drop=True)),
            "chinchilla",
            delta=1e-3,
            resamples=0,
        )
        for name in "AB"
    }
    for name in "AB":
        assert found.family(name).values == pytest.approx(apart[name].values, rel=1e-5)
    for budget in (1e19, 3e20, 5e21):
        loss = plan(apart["B"], flops=budget).loss.value
        assert found.loss("B", budget).value == pytest.approx(loss, rel=1e-7)
        needed = plan(apart["A"], loss=loss).flops.value
        assert found.multiplier("B", budget).value == pytest.approx(needed / budget, rel=1e-4)


def test_swapping_the_reference_inverts_the_multiplier(noisy):
    back = compare_families(planted(0.003, seed=3), "arch", reference="B", resamples=200)
    assert back.share == noisy.share
    for budget in (1e19, 1e20, 1e21):
        times = noisy.multiplier("B", budget).value
        assert back.multiplier("A", budget * times).value == pytest.approx(1 / times, rel=1e-5)
    assert back.crossing("A").flops.value == pytest.approx(noisy.crossing("B").flops.value, rel=1e-5)


def test_the_order_of_rows_does_not_matter(noisy):
    runs = planted(0.003, seed=3)
    order = np.random.default_rng(0).permutation(len(runs.kept))
    other = compare_families(
        replace(runs, kept=runs.kept.iloc[order].reset_index(drop=True)), "arch", reference="A", resamples=0
    )
    assert other.share == noisy.share
    assert other.multiplier("B", AT).value == pytest.approx(noisy.multiplier("B", AT).value, rel=1e-6)


@pytest.mark.parametrize("share", SHARES)
def test_what_is_shared_is_the_same_in_every_refit(share):
    found = compare_families(planted(0.003, seed=1), "arch", share=share, resamples=30)
    shared = shared_params(LAW, share)
    assert shared == {
        "floor and exponents": {"E", "alpha", "beta"}, "exponents": {"alpha", "beta"}, "floor": {"E"}, "nothing": set()
    }[share]  # fmt: skip
    one, two = found.families
    for i, name in enumerate(LAW.names):
        same = np.allclose(one.draws[:, i], two.draws[:, i], rtol=1e-12, atol=0)
        assert same == (name in shared), name
        assert (one.values[i] == pytest.approx(two.values[i], rel=1e-12)) == (name in shared), name


def test_sharing_less_never_fits_worse():
    for seed in range(2):
        runs = planted(0.01, seed=seed)
        tests = {t.share: t for t in compare_families(runs, "arch", resamples=0).tests}
        assert tests["floor and exponents"].objective >= tests["exponents"].objective >= tests["nothing"].objective
        assert tests["floor and exponents"].objective >= tests["floor"].objective >= tests["nothing"].objective
        assert [tests[s].parameters for s in SHARES] == [7, 8, 9, 10]


@pytest.mark.parametrize("key", ["chinchilla", "kaplan", "compute-floor"])
@pytest.mark.parametrize("share", SHARES)
def test_a_joint_law_is_the_base_law_for_each_family(key, share):
    law = all_laws()[key]
    joint, index = expanded(law, 3, shared_params(law, share))
    rng = np.random.default_rng(0)
    x = {k: np.exp(rng.normal(size=5)) for k in law.inputs}
    values = np.exp(0.3 * rng.normal(size=joint.p))
    for k in range(3):
        masks = {f"is_{i}": float(i == k) for i in range(3)}
        own = dict(zip(law.names, values[index[k]], strict=True))
        assert joint({**x, **masks}, dict(zip(joint.names, values, strict=True))) == pytest.approx(law(x, own))


# --- the test of sharing ----------------------------------------------------------------------------------------------


def test_with_least_squares_the_test_is_fishers():
    found = compare_families(planted(0.004, seed=2), "arch", delta=float("inf"), resamples=0)
    tests = {t.share: t for t in found.tests}
    n, free = 60, tests["nothing"]
    for name, q in (("exponents", 2), ("floor", 1), ("floor and exponents", 3)):
        f = (tests[name].objective - free.objective) / q / (free.objective / (n - 10))
        assert tests[name].p_value == pytest.approx(fisher.sf(f, q, n - 10), rel=1e-6)


def test_a_true_sharing_is_seldom_rejected_and_a_false_one_is():
    """Exponents are shared and the floor is not (by .026 nats): twelve seeded tables, at 5 %."""
    rejected = {"exponents": 0, "floor and exponents": 0}
    for seed in range(12):
        for t in compare_families(planted(0.002, seed=seed), "arch", resamples=0).tests:
            if t.share in rejected:
                rejected[t.share] += t.p_value < 0.05
    assert rejected["exponents"] <= 3, "binomial(12, .05) exceeds this twice in a thousand"
    assert rejected["floor and exponents"] >= 11


def test_intervals_hold_the_truth():
    """Ten seeded tables; tests/benchmarks/family_coverage.py counts over more."""
    held = np.zeros(2, int)
    for seed in range(10):
        found = compare_families(planted(0.004, seed=seed), "arch", share="exponents", reference="A", resamples=60)
        band, crossing = found.multiplier("B", AT), found.crossing("B").flops
        held += [band.low <= MULTIPLIER <= band.high, crossing.low <= CROSS <= crossing.high]
    assert np.all(held >= 7), held


# --- what follows -----------------------------------------------------------------------------------------------------


def test_the_same_family_twice_is_told_as_no_difference():
    found = compare_families(planted(0.004, seed=1, one=A, two=A), "arch", resamples=200)
    assert found.share == "floor and exponents"
    v = found.versus("two")
    assert v.overall.low < 1 < v.overall.high
    assert 0.02 < v.probability < 0.98
    assert v.more_runs is None or v.more_runs > 0
    assert "do not separate them" in v.sentence


def test_a_better_family_at_every_budget_never_crosses():
    better = {**A, "A": 0.8 * A["A"], "B": 0.8 * A["B"]}
    v = compare_families(planted(0.001, seed=0, old=A, new=better), "arch", reference="old", resamples=100).versus(
        "new"
    )
    assert v.crossing.kind == "never"
    assert np.isinf(v.crossing.flops.value)
    assert v.probability == 1
    assert v.more_runs == 0
    assert "they do not cross between" in v.sentence
    # Weights times .8 are a budget times .8^(-1/gamma) where the floors are the same, at every budget.
    gamma = A["alpha"] * A["beta"] / (A["alpha"] + A["beta"])
    exact = compare_families(planted(old=A, new=better), "arch", reference="old", resamples=0)
    assert exact.multiplier("new", np.array([1e18, 1e21, 1e24])).value == pytest.approx(0.8 ** (-1 / gamma), rel=1e-6)


def test_a_loss_the_reference_never_reaches_is_infinitely_far():
    found = compare_families(planted(old={**A, "E": 2.5}, new=A), "arch", reference="old", share="nothing", resamples=0)
    assert found.multiplier("new", 1e22).value == np.inf
    assert "never does" in found.versus("new", 1e22).sentence or "less compute" in found.versus("new", 1e22).sentence


@pytest.mark.parametrize(
    ("band", "expected"),
    [
        ((1.2, 1.1, 1.3), 0),
        ((0.8, 0.7, 0.9), 0),
        ((np.e, np.exp(-1.0), np.exp(3.0)), 90),  # reach 2, distance 1: four times the 30 runs
        ((1 / np.e, np.exp(-3.0), np.exp(1.0)), 90),
        ((1.0001, 0.5, 2.0), None),
        ((1.0, 0.5, 2.0), None),
        ((2.0, 0.0, np.inf), None),
    ],
)
def test_runs_that_would_settle_it(band, expected):
    assert _more_runs(Band(*band, 0.95), 30) == expected


def test_more_runs_do_settle_it():
    """As many as it says, drawn from the same laws, shrink the interval to about the distance from a tie."""
    few = compare_families(planted(0.004, seed=5), "arch", share="exponents", reference="A", resamples=200, target=4e21)
    more = few.versus("B").more_runs
    assert more is not None
    grid = int(np.ceil(np.sqrt(30 + more)))
    runs = planted(0.004, seed=6, sizes=grid, lengths=grid)
    many = compare_families(runs, "arch", share="exponents", reference="A", resamples=200, target=4e21)
    wide, narrow = (np.log(v.high / v.low) for v in (few.versus("B").multiplier, many.versus("B").multiplier))
    assert narrow / wide == pytest.approx(np.sqrt(30 / grid**2), rel=0.6)


def test_a_family_without_enough_runs_is_left_out_and_said(noisy):
    runs = planted(0.003, seed=3)
    kept = pd.concat([runs.kept, runs.kept.head(5).assign(arch="C", run=[f"c{i}" for i in range(5)]),
                      runs.kept.head(2).assign(arch="", run=["d0", "d1"])], ignore_index=True)  # fmt: skip
    found = compare_families(replace(runs, kept=kept), "arch", reference="A", resamples=0)
    assert found.names == ("A", "B")
    assert "C has 5" in found.notes[0]
    assert "2 runs have no arch" in found.notes[1]
    assert found.multiplier("B", AT).value == pytest.approx(noisy.multiplier("B", AT).value, rel=1e-6)


def test_groups_are_drawn_whole_within_their_family():
    runs = planted(0.003, seed=3)
    runs = replace(runs, kept=runs.kept.assign(size=runs.kept["params"].round().astype(str)))
    found = compare_families(runs, "arch", group="size", share="exponents", resamples=50)
    assert found.settings.grouping == "size"
    assert found.multiplier("B", AT).value == pytest.approx(
        compare_families(runs, "arch", share="exponents", resamples=0).multiplier("B", AT).value
    )


def test_a_law_of_compute_alone_compares_frontiers():
    c = np.geomspace(1e18, 1e21, 12)
    frame = pd.concat([
        pd.DataFrame({"flops": c, "loss": 1.8 + 1500 * (times * c) ** -0.17, "arch": name})
        for name, times in (("A", 1.0), ("B", 1.5))
    ], ignore_index=True)  # fmt: skip
    frame.insert(0, "run", [f"r{i}" for i in range(len(frame))])
    found = compare_families(
        read_runs(frame.rename(columns={"arch": "variant"})),
        "variant",
        law="compute-floor",
        reference="A",
        resamples=20,
    )
    assert found.share == "floor and exponents"
    assert found.multiplier("B", 1e20).value == pytest.approx(1.5, rel=1e-5)


def test_it_is_reproducible(noisy):
    again = compare_families(planted(0.003, seed=3), "arch", reference="A", resamples=200)
    assert np.array_equal(again.family("B").draws, noisy.family("B").draws)
    other = compare_families(planted(0.003, seed=3), "arch", reference="A", resamples=200, seed=1)
    assert not np.array_equal(other.family("B").draws, noisy.family("B").draws)


# --- refusals and warnings --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        (lambda k: k, {"column": "what"}, "no column 'what' to name the families in planted.csv; arch could"),
        (lambda k: k.assign(arch="A"), {}, "two families or more"),
        (lambda k: k.assign(arch=""), {}, "two families or more"),
        (lambda k: k.drop(k.index[33:]), {}, "at least 7 runs in each family, but B has 3"),
        (lambda k: k, {"reference": "C"}, "no family 'C'"), (lambda k: k, {"column": "arhc"}, "the nearest by spelling is 'arch'"),
        (lambda k: k, {"group": "parms"}, "the nearest by spelling is 'params'"),
        (lambda k: k, {"share": "everything"}, "share is one of"),
        (lambda k: k, {"law": "kaplan", "share": "floor"}, "has no floor to share"),
        (lambda k: k, {"law": "kaplan-params"}, "does not say what a budget is best spent on"),
        (lambda k: k, {"law": "chinchila"}, "no law called"),
        (lambda k: k, {"target": 1e40}, "a million times the largest run"),
        (lambda k: k, {"target": float("nan")}, "a million times the largest run"),
        (lambda k: k, {"delta": 0.0}, 'delta is "auto" or a positive number'),
        (lambda k: k, {"delta": "wide"}, 'delta is "auto" or a positive number'),
        (lambda k: k, {"resamples": -1}, "resamples is a whole number"),
        (lambda k: k.assign(arch=[str(i) for i in range(len(k))]), {}, "at least 7 runs in each family"),
    ],
)  # fmt: skip
def test_refusals_are_sentences(change, arguments, words):
    runs = planted(0.003)
    given = {"column": "arch", "resamples": 10, **arguments}
    with pytest.raises(FitError, match=words):
        compare_families(replace(runs, kept=change(runs.kept).reset_index(drop=True)), **given)


def test_families_without_compute_in_common_are_refused():
    runs = planted(0.003)
    k = runs.kept
    small, large = k["flops"] < 5e19, k["flops"] > 5e19
    kept = k[((k["arch"] == "A") & small) | ((k["arch"] == "B") & large)].reset_index(drop=True)
    with pytest.raises(FitError, match="no compute in common"):
        compare_families(replace(runs, kept=kept), "arch")


def test_a_family_on_one_ray_is_refused():
    runs = planted(0.003)
    ray = (runs.kept["arch"] == "A") | (runs.kept["tokens"] / runs.kept["params"]).between(15, 25)
    line = runs.kept.assign(tokens=np.where(runs.kept["arch"] == "B", 20 * runs.kept["params"], runs.kept["tokens"]))
    with pytest.raises(FitError, match=r"B .*(one line|different settings)"):
        compare_families(replace(runs, kept=line), "arch")
    with pytest.raises(FitError, match="at least 7 runs"):
        compare_families(replace(runs, kept=runs.kept[ray].reset_index(drop=True)), "arch")


def test_a_floor_that_is_not_seen_is_said():
    none = {**A, "E": 0.0, "A": 20.0, "B": 30.0, "alpha": 0.1, "beta": 0.1}
    found = compare_families(planted(0.01, one=none, two=none), "arch", share="nothing", resamples=60)
    assert "show no floor" in found.notes[-1]
    assert compare_families(planted(0.001), "arch", resamples=60).notes == ()


def test_the_reference_itself_is_not_compared(noisy):
    with pytest.raises(FitError, match="is the reference itself"):
        noisy.versus("A")
    with pytest.raises(FitError, match="there are A, B"):
        noisy.versus("C")


def test_families_on_other_text_are_warned_of():
    runs = planted(0.003, seed=3)
    plain = compare_families(runs, "arch", resamples=0)
    assert plain.warnings == ()
    corpus = replace(runs, kept=runs.kept.rename(columns={"arch": "corpus"}))
    assert "must not be compared" in compare_families(corpus, "corpus", resamples=0).warnings[0]
    vocab = replace(runs, kept=runs.kept.assign(vocab=np.where(runs.kept["arch"] == "A", 32000.0, 50257.0)))
    assert "differ in vocab" in compare_families(vocab, "arch", resamples=0).warnings[0]
    same = replace(runs, kept=runs.kept.assign(vocab=32000.0))
    assert compare_families(same, "arch", resamples=0).warnings == ()
    scaled = replace(runs, kept=runs.kept.assign(loss=runs.kept["loss"] * np.where(runs.kept["arch"] == "A", 1, 1.6)))
    assert "another tokeniser" in compare_families(scaled, "arch", resamples=0).warnings[0]


# --- taking it away ---------------------------------------------------------------------------------------------------


def test_json_and_csv_say_the_same(noisy, tmp_path):
    body = json.loads(noisy.to_json(str(tmp_path / "families.json")))
    assert json.loads((tmp_path / "families.json").read_text()) == body
    assert body["versus"][0]["multiplier"]["value"] == noisy.versus("B").multiplier.value
    assert body["settings"]["seed"] == 0
    assert [t["share"] for t in body["tests"]] == [t.share for t in noisy.tests]
    table = pd.read_csv(io.StringIO(noisy.to_csv()), comment="#")
    assert set(table["family"]) == {"A", "B"}
    assert np.allclose(table.loc[table["family"] == "A", "multiplier"], 1)
    assert list(table["flops"]) == pytest.approx(body["curves"]["flops"])


def test_the_law_is_one_wherever_nobody_chooses_it():
    """Page and terminal ask for "auto", as a fit does: families have no prior, so it is Chinchilla where size and tokens vary."""
    runs = planted(0.003, seed=3)
    for found in (compare_families(runs, "arch", resamples=0), compare_families(runs, "arch", "auto", resamples=0)):
        assert (found.law_key, found.settings.law_reason[-34:]) == ("chinchilla", "a prior five parameters are enough")
    kept = runs.kept.assign(flops=6.0 * runs.kept["params"] * runs.kept["tokens"]).drop(columns=["params", "tokens"])
    assert compare_families(replace(runs, kept=kept), "arch", resamples=0).law_key == "compute-floor"


def test_exports_do_not_contradict_themselves(tmp_path):
    """No prior, so no reason that rests on one; the column as the file calls it, beside its name in the table of runs."""
    kept = planted(0.003, seed=3).kept
    text = kept.rename(columns={"arch": "architecture"})[["architecture", "params", "tokens", "loss"]].to_csv(
        index=False
    )
    (tmp_path / "arms.csv").write_text(text)
    for law in ("auto", "general", "chinchilla"):
        found = compare_families(read_runs(tmp_path / "arms.csv"), "architecture", law, resamples=0)
        body = json.loads(found.to_json())
        assert body["settings"]["prior"] == "none", law
        assert "published" not in body["settings"]["law_reason"], law
        assert (body["column"], body["column_in_file"]) == ("family", "architecture"), law
        assert '# column_in_file: "architecture"\n' in found.to_csv(), law
    assert (
        json.loads(compare_families(planted(0.003, seed=3), "arch", resamples=0).to_json())["column_in_file"] == "arch"
    )


def test_a_spreadsheet_runs_nothing():
    runs = planted(0.003, seed=3)
    named = replace(runs, kept=runs.kept.assign(arch=runs.kept["arch"].map({"A": "=1+1", "B": "B"})))
    text = compare_families(named, "arch", resamples=0).to_csv()
    assert "\n=1+1," not in text
    assert "\n'=1+1," in text


# --- real runs --------------------------------------------------------------------------------------------------------


def test_columns_that_name_families_are_found(dataset):
    gadre = read_runs(dataset("gadre_overtraining.csv"), columns={"loss": "loss_c4_val"})
    assert list(family_columns(gadre)) == ["dataset"], "sizes, rays and batch sizes are no families"
    misfit = read_runs(dataset("misfitting_final.csv"))
    assert list(family_columns(misfit))[-1] == "lr"
    assert family_columns(planted()) == {"arch": {"A": 30, "B": 30}}


def test_porians_corpora_carry_the_warning(dataset):
    """RefinedWeb and OpenWebText2 have validation sets of their own (Porian et al. 2024, arXiv 2406.19146)."""
    table = pd.read_csv(dataset("porian_isoflops.csv"))
    runs = read_runs(table[(table["experiment"] == "4 Cosine decay") & (table["split"] == "val")])
    found = compare_families(runs, "dataset", reference="OpenWebText2", resamples=200)
    assert "must not be compared" in found.warnings[0]
    assert found.share == "exponents", "one exponent, two entropies: what two corpora of one kind should look like"
    v = found.versus("RefinedWeb")
    assert 0.3 < v.overall.value < 0.42
    assert v.crossing.kind == "never"


def test_gadres_corpora_are_ordered_by_nearness_to_the_test_text(dataset):
    """On C4's validation text, runs trained on C4 do best (Gadre et al. 2024, arXiv 2403.08540)."""
    runs = read_runs(dataset("gadre_overtraining.csv"), columns={"loss": "loss_c4_val"})
    found = compare_families(runs, "dataset", reference="rpj", resamples=200)
    assert "must not be compared" in found.warnings[0]
    c4 = found.versus("c4_original")
    assert c4.overall.low > 1.2
    assert c4.overall.value == pytest.approx(1.75, abs=0.1)


def test_misfittings_learning_rates_change_places(dataset):
    """A higher rate is better for small budgets and worse for large ones (Li et al. 2025, arXiv 2502.18969)."""
    runs = read_runs(dataset("misfitting_final.csv"))
    keep = runs.kept["lr"].isin([0.001, 0.002])
    runs = replace(runs, kept=runs.kept[keep].reset_index(drop=True))
    found = compare_families(runs, "lr", reference="0.002", share="nothing", resamples=100)
    v = found.versus("0.001")
    assert v.overall.high < 1
    assert v.crossing.kind == "within"
    assert v.multiplier.low > 1


def test_noise_that_sizes_share_widens_the_interval_and_drawing_runs_does_not_see_it():
    width = {}
    for shared in (0.0, 0.5):
        for intervals in ("auto", "runs"):
            logs = []
            for seed in range(4):
                runs = planted(0.004, seed=seed, shared=shared)
                found = compare_families(
                    runs, "arch", share="nothing", reference="A", intervals=intervals, resamples=100
                )
                band = found.multiplier("B", AT)
                logs.append(np.log(band.high / band.low))
            width[shared, intervals] = float(np.median(logs))
    assert found.settings.intervals == "runs"
    assert width[0.5, "auto"] > 1.3 * width[0.5, "runs"]  # measured 1.8; 96 of 100 hold the truth beside 84
    assert width[0.0, "auto"] < 1.4 * width[0.0, "runs"]  # measured 1.15
