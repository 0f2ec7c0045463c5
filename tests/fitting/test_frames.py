"""Fits, bands and plans as tables and text: what a statistician expects to ask of them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fitting
from data import load
from fitting import Band, FitError, compare_families, fit, plan, read_runs
from fitting.batch import critical_batch
from fitting.planning.step_time import step_time


@pytest.fixture(scope="module")
def runs():
    return load("simulated-ladder")


@pytest.fixture(scope="module")
def found(runs):
    return fit(runs, law="chinchilla", resamples=200)


def test_a_band_is_compared_written_and_tabled():
    one, other = (
        Band(np.array([1.0, np.nan]), np.array([0.5, np.nan]), np.array([2.0, np.nan]), 0.95),
        Band(1.0, 0.5, 2.0, 0.95),
    )
    assert one == Band(np.array([1.0, np.nan]), np.array([0.5, np.nan]), np.array([2.0, np.nan]), 0.95)
    assert one != other
    assert other == Band(1.0, 0.5, 2.0, 0.95)
    assert other != Band(1.0, 0.5, 2.0, 0.9)
    assert len({other, Band(1.0, 0.5, 2.0, 0.95)}) == 1
    assert f"{other:.2f}" == "1.00 (0.50 to 2.00)"
    assert f"{other}" == "1 (0.5 to 2)"
    assert list(one.to_frame()["low"].fillna(-1)) == [0.5, -1]


def test_a_fit_is_a_table_of_its_runs_with_the_sign_of_statsmodels(found, runs):
    table = found.to_frame(runs)
    assert list(table.columns) == ["params", "tokens", "observed", "fitted", "residual"]
    assert tuple(table.index) == found.runs
    assert np.allclose(table["residual"], found.residuals)
    assert np.allclose(table["observed"] / table["fitted"], np.exp(table["residual"]))
    with pytest.raises(FitError, match="not those that were fitted"):
        found.to_frame(runs.kept.assign(loss=1.3 * runs.kept["loss"]))


def test_residuals_of_every_fit_are_observed_less_fitted(runs):
    """The observation that was raised by a fifth has the largest residual, and it is positive."""
    up = np.where(np.arange(12) == 5, 1.2, 1.0)
    batch = 2.0 ** np.arange(12)
    grid = pd.DataFrame({"params": np.repeat([1e8, 1e9, 1e10, 1e11], 3), "tokens": np.tile([1e10, 1e11, 1e12], 4)})
    loss = (1.7 + 400 * grid["params"] ** -0.34 + 410 * grid["tokens"] ** -0.28) * up
    two = pd.concat([grid.assign(loss=loss, arch="A"), grid.assign(loss=loss * 0.97, arch="B")], ignore_index=True)
    speed = {
        "params": grid["params"],
        "batch": 1024 * batch,
        "step_seconds": (0.05 + 1e-13 * grid["params"] * batch) * up,
    }
    left = [
        fit(grid.assign(loss=loss), "chinchilla", resamples=20).residuals,
        compare_families(two, "arch", resamples=0).families[0].residuals,
        critical_batch(batch, 1000 * (1 + 30 / batch) * up, resamples=0).residuals,
        step_time(speed, resamples=0).residuals,
    ]
    assert [int(np.argmax(np.abs(r))) for r in left] == [5] * 4
    assert all(r[5] > 0.05 for r in left)


def test_intervals_and_covariance_are_indexed_by_name(found):
    ends = found.conf_int()
    assert ends.loc["alpha", "low"] == found.interval("alpha").low
    assert found.summary().loc["alpha", "value"] == found.params["alpha"]
    cov = found.cov()
    assert np.allclose(np.sqrt(np.diag(cov)[:1]), found.draws[:, 0].std(ddof=1))
    assert np.allclose(np.sqrt(np.diag(cov)), found.summary()["se"], rtol=1e-12)
    assert np.allclose(cov, cov.T)


def test_predict_takes_a_frame(found, runs):
    said = found.predict(runs.kept)
    assert said == found.predict(params=runs.kept["params"].to_numpy(), tokens=runs.kept["tokens"].to_numpy())
    assert len(said.to_frame()) == len(runs.kept)
    with pytest.raises(TypeError, match="a data frame, or inputs by name"):
        found.predict(0.9)


def test_a_mask_leaves_out_what_it_names(found, runs):
    mask = np.zeros(len(runs.kept), bool)
    mask[[2, 5]] = True
    some = fit(runs, law="chinchilla", exclude=mask, resamples=0)
    assert set(found.runs) - set(some.runs) == set(runs.kept["run"][mask].astype(str))
    assert some.settings.excluded == tuple(sorted(runs.kept["run"][mask].astype(str)))


def test_a_plan_is_a_table(found):
    p = plan(found, flops=[1e22, 1e23])
    table = p.to_frame()
    assert list(table.loc[table["quantity"] == "params", "value"]) == list(p.params.value)
    assert {"flops", "params", "tokens", "tokens_per_param", "loss", "loss_run"} <= set(table["quantity"])


def test_a_plan_of_several_budgets_says_of_each_row_what_it_is_for(found):
    """Tidy: one row for a budget and quantity, so that a pivot finds each number again."""
    for p in (plan(found, flops=[1e22, 1e23]), plan(found, loss=[2.6, 2.5]), plan(found, flops=1e22)):
        wide = p.to_frame().pivot(index="budget", columns="quantity", values="value")
        assert list(wide.index) == list(np.ravel(p.flops.value))
        assert list(wide["params"]) == list(np.ravel(p.params.value))
    sized = plan(found, flops=[[1e22, 1e22], [1e23, 1e23]], params=[1e9, 2e9])
    wide = sized.to_frame().pivot(index=["budget", "size"], columns="quantity", values="value")
    assert wide.loc[(1e23, sized.params.value[1, 1]), "loss"] == sized.loss.value[1, 1]
    assert list(wide["penalty"]) == list(np.ravel(sized.penalty.value))


def test_what_a_notebook_shows_is_a_few_lines():
    families = compare_families(load("simulated-families"), "family", resamples=50)
    assert len(repr(families)) < 1500
    assert all(name in repr(families) and name in families.sentence for name in families.others)
    (row, *rest), v = families.to_frame().to_dict("records"), families.versus(families.others[0])
    assert len(rest) == len(families.others) - 1
    assert (row["family"], row["target"], row["middle"]) == (v.family, v.target, v.middle)
    assert (row["multiplier"], row["multiplier_low"], row["multiplier_high"]) == tuple(v.multiplier)
    assert (row["crossing"], row["overall_high"], row["probability"]) == (
        v.crossing.flops.value,
        v.overall.high,
        v.probability,
    )


def test_the_version_is_that_of_the_package(tmp_path):
    said = tomllib.loads(Path(fitting.__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
    assert fitting.__version__ == said["project"]["version"]
    pd.DataFrame({"params": [1e8, 2e8], "tokens": [2e9, 4e9], "loss": [3.1, 2.9]}).to_csv(
        tmp_path / "r.csv", index=False
    )
    assert len(read_runs(tmp_path / "r.csv")) == 2


def test_every_result_shows_itself_in_a_few_lines(found, runs):
    import runpy

    from fitting import against_papers, backtest, batch, compare_laws
    from fitting.diagnostics.calibration import calibrate
    from fitting.diagnostics.floor_profile import floor_profile
    from fitting.diagnostics.sensitivity import sensitivity
    from fitting.isoflop import compare, envelope, profiles
    from fitting.planning.hardware import Hardware
    from fitting.planning.hour_classes import hour_classes
    from fitting.planning.lifetime import lifetime

    readme = runpy.run_path(str(Path(__file__).parents[1] / "test_readmes.py"))
    plain = fit(runs, "chinchilla", prior="none", resamples=40)
    one, steps, curves = plan(found, flops=1e22), readme["steps"](), readme["curves"]()
    rules = tuple(map(batch.from_paper, ("steplaw_batch", "steplaw_lr", "zhang_coupled")))
    back, sens = backtest(found, runs, resamples=5), sensitivity(plain, runs, 1e22)
    results = [
        runs, found, plain, one, plan(found, flops=[1e22, 1e24]), plan(found, hours=100, devices=64, price=2.0), back, *back.cuts,
        compare_laws(runs), floor_profile(plain, runs), sens, calibrate(plain, runs, outer=40, inner=40), compare(plain, runs),
        profiles(runs, resamples=5), envelope(runs, resamples=5), *against_papers(plain, runs), found.law, found.predict(runs.kept),
        found.predict(params=1e20, tokens=1e20), lifetime(found, loss=2.6, served=1e12), *rules,
        compare_families(load("simulated-families"), "family", resamples=5),
        *hour_classes(found, lambda n: 4e14 / (6 * n), hours=[24.0], batch=2**19),
        batch.critical_batch(steps["batch_size"], steps["steps_to_target"], resamples=20), batch.fit_trajectory(curves, resamples=3),
        batch.decayed(readme["final"](), 3.0, resamples=20), batch.rate_laws(readme["rates"](), resamples=5),
        *batch.rate_by_width(readme["widths"](), resamples=5),
        batch.held_out(curves, resamples=3), batch.whole_run(one, batch=rules[0], lr=rules[1], critical=rules[2]),
        batch.front(one, batch.a_number(2e6, "critical batch"), rules[0], batch.Cluster(Hardware(512), tokens=16_384)),
    ]  # fmt: skip
    for result in results:
        text = repr(result)
        assert len(text) < 400, (type(result).__name__, text)
        assert text.count("\n") < 5 or result in (found, plain), text
    assert repr(one).splitlines()[0].startswith("Plan for 1e+22 FLOP")
    assert f"{one.params:.4g}" in repr(one)
    assert repr(sens) == f"Sensitivity: {sens.sentence}"


def test_a_frame_that_lacks_an_input_is_told_which(found):
    places = pd.DataFrame({"N": [1e9], "D": [1e10]})
    with pytest.raises(TypeError, match=r"the frame has no column params and no tokens; it has 'N', 'D'\. Rename them"):
        found.predict(places)
    with pytest.raises(TypeError, match="no column params; it has 'tokens'"):
        found.predict(pd.DataFrame({"tokens": [1e10]}))
    named = found.predict(pd.DataFrame({"tokens": [1e10]}), params=1e9)
    assert named == found.predict(places.rename(columns={"N": "params", "D": "tokens"}))


def test_help_lists_every_parameter_on_a_line():
    import inspect

    from fitting import Fit, compare_laws
    from fitting.batch import critical_batch, decayed, fit_trajectory

    for asked in (fit, Fit.predict, plan, read_runs, compare_laws, critical_batch, decayed, fit_trajectory):
        lines = [line.strip() for line in inspect.getdoc(asked).splitlines()]
        listed = [
            name
            for line in lines
            if line.startswith("`") and "`: " in line
            for name in line.partition("`: ")[0][1:].split("`, `")
        ]
        assert listed == [p for p in inspect.signature(asked).parameters if p != "self"], asked.__qualname__
