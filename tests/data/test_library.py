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
    assert (len(runs.kept), len(runs.set_aside)) == (62, 0)
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
    assert [t.key for t in tables()] == ["chinchilla-tokens", "probe-noise-scale"]


def test_our_own_ladder_and_norms_say_what_was_found_when_they_were_made() -> None:
    from fitting.batch import critical_batch, noise_scale, steps_to_target

    ladder = load("probe-batch-ladder").history
    assert ladder is not None
    ladder = ladder.rename(columns={"steps": "step"})
    # 27, 36, 39 and 52 sequences of 128 tokens; 1.2, 12.8, 23 and 38 for the noise scale.
    for loss, whole in ((1.25, 26.81), (1.22, 36.19), (1.20, 39.29), (1.18, 51.5)):
        reached = steps_to_target(ladder, loss)
        found = critical_batch(reached.batch / 128, reached.steps, resamples=0)
        assert found.b_crit.value == pytest.approx(whole, rel=1e-3)
    norms = noise_scale(
        *(table("probe-noise-scale")[c] for c in ("grad_sq_small", "grad_sq_big", "batch_small", "batch_big"))
    )
    bands = [band for _, _, band in norms.along()]
    assert [b.value for b in bands] == pytest.approx([1.19, 12.81, 23.17, 37.45], rel=0.01)
    assert all(b.low < b.value < b.high for b in bands)


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
    "probe-isoflop": "18ecb8485b2bb307c1aa220834926071a65f4c432e297e3f3fd4719741bcc5dc",
    "simulated-ladder": "514e86fd5d0904694e1daea4a2b16c94e08737094a703bc4aeb833cc4418f83d",
    "simulated-families": "7bd4e1ad9e85a0bc3262657aac9f345742b6c8758fada536e1ff91b6777e5eac",
    "probe-batch-ladder": "97e00509ff392512bec8bd9c4ae0652de9018154736f8d9c2cd3551f0437e184",
    "cerebras-gpt": "be297d88ef3c597c015d9881aa293962725398e72d4585932fc10638470f6b14",
}


def test_digests_of_the_bundled_sets_stay() -> None:
    assert {e.key: load(e.key).digest for e in bundled()} == DIGESTS


def test_runs_survive_a_pickle_and_say_what_they_are() -> None:
    runs = load("probe-isoflop")
    assert pickle.loads(pickle.dumps(runs)).digest == runs.digest
    assert repr(runs).startswith(
        "<Runs 'Probe IsoFLOP sweep: a language of known entropy': 62 kept, 0 set aside; run, params"
    )
