"""A fit says in words what is wrong with it, and refuses where there is no number."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from fitting import FitError, Status, all_laws, fit
from fitting.diagnostics.checks.solution import refits

LAW = all_laws()["chinchilla"]
TRUTH = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def states(f) -> dict[str, str]:
    return {v.key: v.state for v in f.verdicts}


def said(f, key: str) -> str:
    return next(v.sentence for v in f.verdicts if v.key == key)


def losses(n, d, noise: float = 0.003, seed: int = 0):
    rng = np.random.default_rng(seed)
    return LAW({"params": n, "tokens": d}, TRUTH) * np.exp(noise * rng.standard_normal(len(n)))


def check_words(f) -> None:
    """Each sentence is one plain sentence, and what is not ok says what to do."""
    for v in f.verdicts:
        assert v.state in ("pass", "caution", "fail")
        assert v.title
        for text in (v.sentence, v.todo) if v.state != "pass" else (v.sentence,):
            assert text.endswith("."), text
            assert "\n" not in text
            assert not re.search(r"\.\s+[A-Z]", text.replace("95 % ", "")), f"two sentences: {text}"
            assert not re.search(r"nan|\binf\b|None|array|\{|\}|  ", text), text
            assert len(text) < 220, text
    assert f.status.sentence.endswith(".")


def test_a_good_table_is_sound(noisy):
    f = fit(noisy, "chinchilla", resamples=500)
    assert set(states(f).values()) == {"pass"}, [v for v in f.verdicts if v.state != "pass"]
    assert f.status is Status.SOUND
    check_words(f)


def test_status_is_the_worst_verdict(noisy, make_runs):
    assert fit(noisy, "chinchilla", resamples=100).status is Status.SOUND
    k = noisy.kept
    loss = k["loss"].to_numpy().copy()
    loss[3] *= 1.3
    noted = fit(make_runs(params=k["params"], tokens=k["tokens"], loss=loss), "chinchilla", resamples=100)
    assert noted.status is Status.CAUTION
    n = np.geomspace(1e8, 1e10, 30)
    d = 20 * n * np.tile([0.9, 1.1], 15)
    failed = fit(make_runs(params=n, tokens=d, loss=losses(n, d)), "chinchilla", resamples=100)
    assert failed.status is Status.UNSOUND


def test_sizes_nearly_proportional_to_tokens_are_flagged(make_runs):
    """Nearly one ray in (N, D): alpha can hardly be told from beta."""
    n = np.geomspace(1e8, 1e10, 30)
    d = 20 * n * np.tile([0.9, 1.1], 15)
    f = fit(make_runs(params=n, tokens=d, loss=losses(n, d)), law="chinchilla", resamples=200)
    assert states(f)["confounded"] == "fail"
    assert "params" in said(f, "confounded")
    assert "tokens" in said(f, "confounded")
    check_words(f)


def test_outliers_are_named(make_runs, noisy):
    k = noisy.kept
    loss = k["loss"].to_numpy().copy()
    loss[5] *= 1.25
    f = fit(make_runs(params=k["params"], tokens=k["tokens"], loss=loss), "chinchilla", resamples=0)
    assert f"1 of {len(k)} runs lies over" in said(f, "outliers")
    loss[17] *= 0.8
    f = fit(make_runs(params=k["params"], tokens=k["tokens"], loss=loss), "chinchilla", resamples=100)
    assert states(f)["outliers"] == "caution"
    assert "run-5" in said(f, "outliers")
    assert "run-17" in said(f, "outliers")
    assert "run-4" not in said(f, "outliers").replace("run-5", "").replace("run-17", "")
    check_words(f)


def test_a_share_of_refits_that_is_nothing_is_not_said():
    """All end at a bound, and each converged: nothing is said of 0 %."""
    theta = np.zeros((1000, 2))
    where = SimpleNamespace(bounds=(np.zeros(2), np.ones(2)))
    for converged, words in (
        (1000, "100 % ended at a bound."),
        (970, "3 % did not converge and 100 % ended at a bound."),
    ):
        made = SimpleNamespace(converged=np.arange(1000) < converged, theta=theta)
        assert refits(SimpleNamespace(refits=made, where=where)).sentence == f"Of 1,000 refits {words}"


def test_few_sizes_are_flagged(make_runs):
    n = np.repeat([1e8, 1e9], 15)
    d = np.tile(np.geomspace(1e9, 1e11, 15), 2)
    f = fit(make_runs(params=n, tokens=d, loss=losses(n, d)), law="chinchilla", resamples=200)
    assert states(f)["variety"] == "fail"
    assert "2 distinct params" in said(f, "variety")
    assert f.status is Status.UNSOUND
    check_words(f)


def test_a_narrow_range_is_flagged(make_runs):
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e9, 2e9, 6), np.geomspace(1e9, 1e11, 5)))
    f = fit(make_runs(params=n, tokens=d, loss=losses(n, d)), "chinchilla", resamples=100)
    assert states(f)["variety"] == "fail"


def test_no_floor_is_flagged(make_runs):
    """A surface that bends downwards in logs wants a floor below zero."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e10, 7), np.geomspace(1e8, 1e11, 6)))
    loss = 8 - 0.12 * np.log(n) - 0.1 * np.log(d)
    f = fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=100)
    assert f.params["E"] == pytest.approx(0, abs=1e-6)
    assert states(f)["bounds"] == "fail"
    assert "zero" in said(f, "bounds")
    assert states(f)["floor"] == "fail"
    assert f.status is Status.UNSOUND
    check_words(f)


def test_a_floor_among_noisy_losses(make_runs):
    """Runs that all sit on the floor, with noise: half of them lie below it, and the fit says 1.8 all the same."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 8), np.geomspace(1e9, 1e11, 8)))
    rng = np.random.default_rng(1)
    loss = (1.8 + 3e6 * n**-0.9 + 3e6 * d**-0.9) * np.exp(0.01 * rng.standard_normal(64))
    f = fit(make_runs(params=n, tokens=d, loss=loss), "chinchilla", resamples=100)
    assert loss.min() < 1.79
    assert f.params["E"] == pytest.approx(1.8, abs=0.01)
    assert "zero" not in said(f, "bounds")
    check_words(f)


def test_few_runs_are_noted(make_runs):
    n = np.array([1e8, 1e9, 1e10, 1e8, 1e9, 1e10, 3e8, 3e9])
    d = np.array([1e9, 1e10, 1e11, 1e11, 1e9, 1e10, 5e9, 4e10])
    f = fit(make_runs(params=n, tokens=d, loss=losses(n, d)), "chinchilla", resamples=100)
    assert states(f)["enough"] == "caution"
    check_words(f)


def test_few_groups_are_noted(noisy, make_runs):
    k = noisy.kept
    three = (np.arange(len(k)) % 3).astype(str)
    f = fit(
        make_runs(params=k["params"], tokens=k["tokens"], loss=k["loss"], g=three),
        "chinchilla",
        resamples=100,
        group="g",
    )
    assert states(f)["enough"] == "caution"
    assert "3 groups" in said(f, "enough")


# Refusals: one sentence that says what was expected, what came, and what to do.


def refused(match: str, *args, **kwargs) -> None:
    with pytest.raises(FitError, match=match) as e:
        fit(*args, **kwargs)
    text = str(e.value)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) < 320


@pytest.mark.parametrize("n", [1, 3, 6])
def test_too_few_runs(n, make_runs):
    x = np.geomspace(1e8, 1e10, n)
    refused(
        f"at least 7 runs.* has {n}", make_runs(params=x, tokens=x[::-1] * 10, loss=2 + 1e4 / x**0.5), law="chinchilla"
    )


def test_runs_set_aside_are_counted(make_runs):
    x = np.geomspace(1e8, 1e10, 8)
    runs = make_runs(params=x, tokens=x[::-1] * 10, loss=2 + 1e4 / x**0.5)
    refused("2 were set aside", runs, law="chinchilla", exclude=["run-0", "run-1"])


def test_runs_on_one_line(make_runs):
    """N proportional to D: what there is comes with the refusal, and what can be fitted instead is said."""
    n = np.geomspace(1e8, 1e10, 30)
    runs = make_runs(params=n, tokens=20 * n, loss=losses(n, 20 * n))
    refused("stand on one line, tokens = 20 params", runs, law="chinchilla")
    assert fit(runs, resamples=0).law_key == "compute-floor"
    bent = make_runs(params=n, tokens=3 * n**1.5, loss=losses(n, 3 * n**1.5))
    refused("tokens fixed by params", bent, law="chinchilla")
    with pytest.raises(FitError) as e:
        fit(runs, law="chinchilla", resamples=50)
    assert e.value.fit.n == 30


def test_fewer_settings_than_parameters(make_runs):
    """Twenty runs, but four settings: five parameters pass through four points in many ways."""
    n, d = np.tile([1e8, 1e8, 1e9, 1e9], 5), np.tile([1e9, 1e10, 1e9, 1e10], 5)
    refused("20 runs at 4 different settings", make_runs(params=n, tokens=d, loss=losses(n, d)), law="chinchilla")


def test_constant_loss(make_runs):
    x = np.geomspace(1e8, 1e10, 12)
    refused("same loss", make_runs(params=x, tokens=x[::-1], loss=np.full(12, 2.5)), law="chinchilla")


def test_constant_input(make_runs):
    x = np.geomspace(1e8, 1e10, 12)
    refused("same params", make_runs(params=np.full(12, 1e9), tokens=x, loss=2 + 1e4 / x**0.5), law="chinchilla")


def test_missing_columns(make_runs):
    x = np.geomspace(1e8, 1e10, 12)
    refused("no tokens", make_runs(params=x, loss=2 + 1e4 / x**0.5), law="chinchilla")
    refused("no column", make_runs(params=x, tokens=x[::-1], loss=2 + 1e4 / x**0.5), group="sweep")


def test_unknown_choices(noisy):
    refused("no law called", noisy, law="chincilla")
    for delta in (0, -1.0, float("nan")):
        refused("delta", noisy, delta=delta)
    for resamples in (-1, 10**7):
        refused("resamples", noisy, resamples=resamples)
    with pytest.raises(ValueError, match="nobody"):
        fit(noisy, "chinchilla", exclude=["nobody"])


def test_one_name_to_exclude_may_be_given_bare(noisy):
    assert fit(noisy, "chinchilla", exclude="run-7", resamples=0).settings.excluded == ("run-7",)


def test_values_no_run_has(make_runs):
    x = np.geomspace(1e8, 1e10, 12)
    refused("unit", make_runs(params=x, tokens=x[::-1] * 1e40, loss=2 + 1e4 / x**0.5))


def test_nothing_that_varies(make_runs):
    refused("at least three", make_runs(loss=np.linspace(2, 3, 12)))


def test_auto_takes_what_the_table_allows(make_runs):
    x = np.geomspace(1e8, 1e10, 12)
    loss = 2 + 1e4 / x**0.5
    assert fit(make_runs(params=x, loss=loss), resamples=0).law_key == "kaplan-params"
    assert fit(make_runs(tokens=x, loss=loss), resamples=0).law_key == "kaplan-tokens"
    assert fit(make_runs(flops=x * 1e10, loss=loss), resamples=0).law_key == "compute-floor"
    assert fit(make_runs(params=np.full(12, 1e9), tokens=x, loss=loss), resamples=0).law_key == "kaplan-tokens"


def test_laws_of_compute_are_fitted_to_the_frontier(make_runs):
    """Only runs that no cheaper or equally cheap run beats; of two that tie in loss, the cheaper."""
    c = np.array([1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]) * 1e20
    loss = np.array([4.0, 3.9, 3.5, 3.5, 3.6, 3.2, 3.0, 2.9, 2.8])
    f = fit(
        make_runs(flops=c[::-1], loss=loss[::-1], run=[f"r{i}" for i in range(9)][::-1]), law="compute", resamples=0
    )
    assert f.runs == ("r1", "r2", "r5", "r6", "r7", "r8")


def test_group_of_one_is_no_interval(noisy, make_runs):
    """All runs in one group: every resample is the table itself, and a width of zero would be a lie."""
    k = noisy.kept
    runs = make_runs(params=k["params"], tokens=k["tokens"], loss=k["loss"], g=["same"] * len(k))
    refused("one value", runs, group="g")


# Public tables with known trouble.


@pytest.mark.parametrize("column", ["loss_model_card", "loss_paper"])
def test_cerebras_cannot_say(dataset, column):
    """Seven points on one ray: the floor is anywhere in .10 to .74, and which loss one takes moves it."""
    runs = read_runs(dataset("cerebras_gpt.csv"), columns={"loss": column})
    for law in ("chinchilla", "kaplan"):
        with pytest.raises(
            FitError, match=r"All 7 runs.* stand on one line, tokens = 20 params.*no split of a budget"
        ) as e:
            fit(runs, law=law, resamples=200)
        assert e.value.fit.status is Status.UNSOUND
        check_words(e.value.fit)
    f = fit(runs, resamples=200)
    assert f.law_key == "compute-floor"
    assert "in step" in f.settings.law_reason
    assert f.status is Status.UNSOUND
    check_words(f)


def test_a_law_without_its_shape(dataset):
    """Loss that falls off a cliff at 600 examples is no power law: the fit says so, and where it bends."""
    runs = read_runs(dataset("bnsl_4digit_addition.csv"), columns={"tokens": "dataset_size"})
    f = fit(runs, law="kaplan-tokens", resamples=200)
    assert states(f)["shape"] == "fail"
    assert "does not fit" in said(f, "shape")
    assert "along tokens" in said(f, "shape")
    assert f.status is Status.UNSOUND
    check_words(f)


def test_misfitting_floor(dataset):
    """Li et al. 2025: all rows E 1.808, objective 5.0217e-3; best rate per cell 1.40; without embeddings zero, and said."""
    frame = pd.read_csv(dataset("misfitting_final.csv"))
    everything = fit(frame_runs(frame, "params"), law="chinchilla", delta=1e-3, resamples=0)
    assert everything.objective == pytest.approx(5.0217e-3, rel=1e-4)
    assert everything.params["E"] == pytest.approx(1.808, abs=1e-3)
    assert everything.params["alpha"] == pytest.approx(0.2002, abs=1e-4)
    assert everything.params["beta"] == pytest.approx(0.6357, abs=1e-4)
    best = frame.loc[frame.groupby(["params", "tokens"])["loss"].idxmin()]
    cells = fit(frame_runs(best, "params"), law="chinchilla", delta=1e-3, resamples=0)
    assert cells.params["E"] == pytest.approx(1.40, abs=0.02)
    bare = fit(frame_runs(best, "params_nonembedding"), law="chinchilla", delta=1e-3, resamples=200)
    assert bare.params["E"] == pytest.approx(0.0, abs=1e-6)
    assert states(bare)["bounds"] == "fail"
    assert states(bare)["floor"] == "fail"
    check_words(bare)


def frame_runs(table: pd.DataFrame, params: str):
    from data import Runs
    from data.flops import six_nd

    frame = pd.DataFrame(
        {
            "run": table["run_id"].astype(str).to_numpy(),
            "params": table[params].to_numpy(float),
            "tokens": table["tokens"].to_numpy(float),
            "loss": table["loss"].to_numpy(float),
        }
    )
    frame["flops"] = six_nd(frame["params"], frame["tokens"])
    return Runs(kept=frame, set_aside=frame.iloc[:0].assign(reason=""), name="misfitting")


def test_known_floor_is_inside_its_interval(dataset):
    """A language whose entropy is 1.07739 nats: delta 1e-3 puts E at 1.082, 1e-2 at 1.076."""
    frame = pd.read_csv(dataset("probe_synthetic_grid.csv"))
    f = fit(frame_runs(frame, "params"), law="chinchilla", delta=1e-3, resamples=500)
    assert f.params["E"] == pytest.approx(1.082, abs=1e-3)
    for found in (f, fit(frame_runs(frame, "params"), law="chinchilla", resamples=500)):
        band = found.interval("E")
        assert band.low < 1.07739 < band.high
    wide = fit(frame_runs(frame, "params_nonembedding"), law="chinchilla", resamples=0, delta=1e-2)
    assert wide.params["E"] == pytest.approx(1.076, abs=1e-3)


def test_repeated_data_is_said_of_a_law_that_takes_it_for_new(make_runs):
    """Runs of up to forty passes: a note for Chinchilla's law, none for the law that counts repeats for less."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(5e7, 1e10, 5), np.geomspace(1e9, 3e11, 5)))
    passes = np.tile([1.0, 2.0, 4.0, 10.0, 40.0], 5)
    runs = make_runs(params=n, tokens=d, unique_tokens=d / passes, loss=losses(n, d))
    f = fit(runs, "chinchilla", resamples=0)
    assert states(f)["repeated_data"] == "caution"
    assert said(f, "repeated_data").startswith(
        "20 of 25 runs repeat their data, up to 40 times over (10 over four times)"
    )
    check_words(f)
    held = fit(runs, "data-constrained", resamples=0)
    assert states(held)["repeated_data"] == "pass"
    check_words(held)
    few = make_runs(params=n, tokens=d, unique_tokens=d / np.minimum(passes, 4.0), loss=losses(n, d))
    f = fit(few, "chinchilla", resamples=0)
    assert states(f)["repeated_data"] == "pass"
    check_words(f)
    for columns in ({"unique_tokens": d}, {}):
        once = fit(make_runs(params=n, tokens=d, loss=losses(n, d), **columns), "chinchilla", resamples=0)
        assert "repeated_data" not in states(once)
    sizes = fit(runs, "kaplan-params", resamples=0)
    assert "repeated_data" not in states(sizes), "a law of size alone counts no tokens"


def test_the_published_runs_on_repeated_data_say_so(dataset):
    f = fit(read_runs(dataset("datablations_fit182.csv")), resamples=0)
    assert said(f, "repeated_data").startswith(
        "153 of 182 runs repeat their data, up to 9,000 times over (124 over four times)"
    )
    assert states(f)["repeated_data"] == "caution"
