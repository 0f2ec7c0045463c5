"""The sets of runs that ship: they load without a network, say what they are, and match how they were made."""

from __future__ import annotations

import pickle
import runpy
import socket
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data import DataError, bundled, load
from data.library import PUBLISHED, table, tables
from data.probe.feed import Feed
from data.probe.language import Language
from data.probe.spec import spec


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any attempt to open a connection fails the test."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a bundled set asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def test_the_first_is_a_real_sweep_whose_two_dearest_runs_are_held_out() -> None:
    first = bundled()[0]
    assert (first.key, first.true_floor, first.simulated) == ("redpajama-overtraining", None, False)
    assert "Permission is hereby granted, free of charge" in first.licence
    runs = first.load()
    assert (len(runs.kept), len(runs.fitted), len(runs.set_aside)) == (35, 33, 0)
    assert runs.name == first.title
    dearest = runs.kept.nlargest(2, "flops")
    assert set(runs.held_out["run"]) == set(dearest["run"]) == {"rpj-open_lm_1b-32.0", "rpj-open_lm_7b-1.0"}
    assert np.allclose(runs.kept["flops"], 6 * runs.kept["params"] * runs.kept["tokens"], rtol=1e-6)
    assert runs.kept["batch"].isna().sum() == 1


def test_the_first_is_the_authors_table(dataset) -> None:
    """Their numbers and names, for the runs and the loss that were taken."""
    theirs = pd.read_csv(dataset("gadre_overtraining.csv")).query("dataset == 'rpj'").set_index("run_id")
    ours = load("redpajama-overtraining").kept.set_index("run")
    assert sorted(ours.index) == sorted(theirs.index)
    theirs = theirs.loc[ours.index]
    assert (ours[["params", "tokens"]] == theirs[["params", "tokens"]]).all(axis=None)
    assert np.allclose(ours["loss"], theirs["loss_c4_val"], rtol=0, atol=5.1e-6)


def test_the_second_is_the_probes_isoflop_sweep() -> None:
    second = bundled()[1]
    assert (second.key, second.true_floor, second.simulated) == ("probe-isoflop", 1.07635, False)
    runs = second.load()
    assert (len(runs.kept), len(runs.set_aside)) == (56, 0)
    assert runs.name == second.title
    assert {"params", "params_nonembed", "tokens", "flops", "loss", "lr", "seed", "width"} <= set(runs.columns)
    assert runs.kept["loss"].min() > second.true_floor


def test_the_entropy_of_the_language_is_the_stated_one() -> None:
    # Words of four tokens: a Zipf(1.4) context out of 16^3, and an answer that is right with .85, else uniform over 16.
    p = np.arange(1, 16**3 + 1, dtype=float) ** -1.4
    p /= p.sum()
    context = -(p * np.log(p)).sum()
    right, wrong = 0.85 + 0.15 / 16, 0.15 / 16
    answer = -(right * np.log(right) + 15 * wrong * np.log(wrong))
    assert (context + answer) / 4 == pytest.approx(Language().entropy, abs=5e-6)
    scored = Feed.of(spec({"eval_tokens": 131_072, "seq_len": 128})).known["loss_floor"]
    assert scored == pytest.approx(bundled()[1].true_floor, abs=5e-6)


@pytest.mark.parametrize("key", [e.key for e in bundled()])
def test_every_set_loads_whole(key: str) -> None:
    entry = next(e for e in bundled() if e.key == key)
    runs = load(key)
    assert len(runs.kept) >= 7
    assert not len(runs.set_aside)
    assert {"run", "params", "tokens", "flops", "loss"} <= set(runs.columns)
    for text in (entry.title, entry.sentence, entry.source, entry.made):
        assert text.strip()
    assert entry.sentence.endswith(".")
    assert entry.simulated == ("simulated" in entry.title.lower())


def test_the_simulated_ladder_is_its_script_and_its_law() -> None:
    script = runpy.run_path(str(PUBLISHED / "make_simulated_ladder.py"))
    entry = next(e for e in bundled() if e.key == "simulated-ladder")
    assert entry.truth is not None
    assert dict(entry.truth.params) == script["TRUTH"]
    assert (entry.truth.noise, entry.true_floor) == (script["NOISE"], script["TRUTH"]["E"])
    lines = (PUBLISHED / "simulated_ladder.csv").read_text("utf-8").splitlines()
    assert [",".join(row.values()) for row in script["rows"]()] == lines[1:]
    kept = load("simulated-ladder").kept
    assert len(kept) == 60
    assert 4.9e18 < kept["flops"].min() < kept["flops"].max() < 3.1e21
    residual = np.log(kept["loss"]) - np.log(script["loss"](kept["params"].to_numpy(), kept["tokens"].to_numpy()))
    assert abs(residual.mean()) < 3 * script["NOISE"] / np.sqrt(60)
    assert residual.std() == pytest.approx(script["NOISE"], rel=0.3)


def test_the_simulated_families_are_their_script_and_cross_where_it_says() -> None:
    script = runpy.run_path(str(PUBLISHED / "make_simulated_families.py"))
    lines = (PUBLISHED / "simulated_families.csv").read_text("utf-8").splitlines()
    assert [",".join(row.values()) for row in script["rows"]()] == lines[1:]
    kept = load("simulated-families").kept
    assert kept["family"].value_counts().to_dict() == {"baseline": 26, "candidate": 26}

    def best(family: str, flops: float) -> float:
        return float(np.min(script["loss"](family, (n := np.geomspace(1e7, 1e12, 20_001)), flops / (6 * n))))

    assert best("candidate", 1e20) == pytest.approx(best("baseline", 1.3e20), abs=1e-7)
    assert best("candidate", 1e22) == pytest.approx(best("baseline", 1e22), abs=1e-7)


def test_typed_numbers_agree_with_themselves() -> None:
    cerebras = load("cerebras-gpt").kept
    assert np.allclose(cerebras["tokens"] / cerebras["params"], 20, rtol=0.03)
    assert np.allclose(cerebras["batch"] * cerebras["steps"], cerebras["tokens"], rtol=0.01)
    chinchilla = table("chinchilla-tokens")
    assert np.allclose(chinchilla["tokens"] / chinchilla["params"], 21, rtol=0.08)
    assert [t.key for t in tables()] == [
        "chinchilla-tokens",
        "probe-width-ladder",
        "probe-noise-scale",
        "probe-rate-ladder",
    ]


def test_our_own_batch_ladder_says_what_was_found_when_it_was_made() -> None:
    from fitting.batch import critical_batch, steps_to_target
    from fitting.batch.noise_by_loss import noise_by_loss

    runs = load("probe-batch-ladder")
    assert runs.history is not None
    ladder = runs.history.rename(columns={"steps": "step"})
    for loss, whole in ((1.25, 24.05), (1.22, 27.64), (1.20, 33.02), (1.18, 40.59)):  # sequences of 128 tokens
        reached = steps_to_target(ladder, loss)
        found = critical_batch(reached.batch / 128, reached.steps, resamples=400)
        band = found.b_crit
        assert band.value == pytest.approx(whole, rel=2e-3)
        assert 0.6 * band.value < band.low < band.high < 1.6 * band.value
    both = noise_by_loss(runs, [1.25, 1.2, 1.16])
    ratio = both.noise.value / both.critical.value
    assert (ratio > 0.1).all()
    assert (ratio < 1).all(), "squared norms do not describe Adam's update"


def test_the_noise_scale_in_the_geometry_of_the_update_is_near_the_critical_batch() -> None:
    """The critical batches are those of the batch ladder, 24.0, 27.6, 33.0 and 40.6 sequences; each place bears a factor of two."""
    rows = table("probe-noise-scale")
    scale = {
        geometry: [
            near[f"noise_{geometry}"].mean() / near[f"signal_{geometry}"].mean()
            for loss in (1.25, 1.22, 1.20, 1.18)
            if len(near := rows[(rows["loss"] - loss).abs() < 0.012])
        ]
        for geometry in ("euclidean", "adam", "sign")
    }
    critical = np.array([24.05, 27.64, 33.02, 40.59])
    assert scale["adam"] == pytest.approx([23.4, 24.3, 36.4, 45.9], rel=5e-3)
    assert np.abs(np.log(scale["adam"] / critical)).max() < np.log(1.25)
    assert np.abs(np.log(scale["sign"] / critical)).max() < np.log(1.55)
    assert (scale["euclidean"] / critical < 0.55).all()


def test_our_own_isoflop_sweep_finds_the_entropy_of_its_language() -> None:
    from fitting import fit

    runs = load("probe-isoflop")
    floor = bundled()[1].true_floor
    assert floor is not None
    found = fit(runs)
    band = found.interval("E")
    assert abs(found.params["E"] / floor - 1) < 0.01
    assert 0.98 * floor < band.low < floor < band.high < 1.02 * floor
    assert found.residuals.std() < 0.005


def test_our_own_width_ladder_says_which_rate_carries_over() -> None:
    from fitting.batch import rate_by_width

    frame = table("probe-width-ladder")
    mup, standard = sorted(rate_by_width(frame), key=lambda one: one.parametrisation)
    assert list(mup.widths) == list(standard.widths) == [32, 64, 128, 256]
    moves, stays = standard.exponent(), mup.exponent()
    assert moves.low < -1.0 <= moves.high < -0.7
    assert stays.low < 0 < stays.high
    assert stays.high - stays.low < 0.6


def test_our_own_rate_ladder_says_that_longer_runs_want_lower_rates() -> None:
    from fitting.batch.best_rate import best_rates

    rates = [one.rate for one in best_rates(table("probe-rate-ladder"))]
    assert [rate.value for rate in rates] == pytest.approx([0.0214, 0.0167, 0.0130, 0.0106], rel=5e-3)
    assert all(0 < rate.low < rate.value < rate.high < np.inf for rate in rates)


def test_our_own_runs_on_real_text_fall_with_size_and_tokens() -> None:
    kept = load("probe-python-source").kept
    losses = kept.assign(tokens=kept["tokens"].round(-5)).pivot_table(index="width", columns="tokens", values="loss")
    assert losses.shape == (4, 4)
    assert (losses.diff().iloc[1:] < 0).all(axis=None)
    assert (losses.diff(axis=1).iloc[:, 1:] < 0).all(axis=None)


def test_unknown_keys_name_the_known_ones() -> None:
    with pytest.raises(DataError, match="probe-isoflop"):
        load("nope")
    with pytest.raises(DataError, match="chinchilla-tokens"):
        table("nope")


def test_every_table_has_a_sidecar_with_its_source() -> None:
    for path in sorted(Path(PUBLISHED).glob("*.csv")):
        said = tomllib.loads(path.with_suffix(".toml").read_text("utf-8"))
        assert said["source"]
        assert said["title"]


def test_loading_twice_gives_separate_tables() -> None:
    one = load("probe-isoflop")
    one.kept.loc[0, "loss"] = 99.0
    assert load("probe-isoflop").kept["loss"].iloc[0] != 99.0


#: What fits of the bundled sets carry as the digest of their data; it changes only when the numbers do.
DIGESTS = {
    "redpajama-overtraining": "11c3679699f5217d82f69e8ade77460cbd34fa2ff498d7e01aa2295d47bc01a9",
    "probe-isoflop": "d3e481f24f34c07e2e93308f9b6cc04ed3d2668fa889eb2c1cde692e0ae52fc7",
    "simulated-ladder": "514e86fd5d0904694e1daea4a2b16c94e08737094a703bc4aeb833cc4418f83d",
    "simulated-families": "7bd4e1ad9e85a0bc3262657aac9f345742b6c8758fada536e1ff91b6777e5eac",
    "probe-batch-ladder": "02d16fbc4602752cb3abdc597ffaea047bc75fda04c1315c2e362311b9ee067e",
    "probe-python-source": "98d0cc15feba8194b5affc6f502593dcbdada7fc8db72e9ea239632f14789a07",
    "cerebras-gpt": "be297d88ef3c597c015d9881aa293962725398e72d4585932fc10638470f6b14",
}


def test_digests_of_the_bundled_sets_stay() -> None:
    assert {e.key: load(e.key).digest for e in bundled()} == DIGESTS


def test_runs_survive_a_pickle_and_say_what_they_are() -> None:
    runs = load("probe-isoflop")
    assert pickle.loads(pickle.dumps(runs)).digest == runs.digest
    assert repr(runs).startswith(
        "<Runs 'Probe IsoFLOP sweep: a language of known entropy': 56 kept, 0 set aside; run, params"
    )
