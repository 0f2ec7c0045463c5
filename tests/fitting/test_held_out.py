"""Runs held out: in no fit, and compared with what the fit made without them forecasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from data import load, read_runs
from fitting import FitError, backtest, compare_families, compare_laws, fit, load_fit
from fitting.export import fit_to_json, residuals_to_csv
from fitting.held_out import forecasts
from fitting.isoflop import compare, envelope, profiles


@pytest.fixture(scope="module")
def first():
    return load("redpajama-overtraining")


@pytest.fixture(scope="module")
def found(first):
    return fit(first)


def test_the_bundled_forecast_holds_its_two_dearest_runs(first, found):
    """6.9 B on 138 B tokens, 9 times the largest fitted run's compute, and 1.4 B on 921 B, 12 times: forecast 2.407 and 2.466
    by the default fit, against 2.425 and 2.502 measured."""
    apart = forecasts(found, first)
    assert apart.runs == ("rpj-open_lm_1b-32.0", "rpj-open_lm_7b-1.0")
    assert apart.off == pytest.approx([0.0147, 0.0075], abs=0.003)
    assert apart.inside.all()
    assert apart.forecast.level == 0.9
    assert apart.beyond == pytest.approx([12.24, 8.75], abs=0.01)
    assert apart.sentence.endswith("both inside their 90 % prediction intervals.")


def test_a_fit_is_that_of_the_fitted_runs_and_says_what_was_held_out(first, found):
    names = list(first.held_out["run"])
    alone = fit(first.hold_out(names, held=False), exclude=names)
    assert np.array_equal(found.values, alone.values)
    assert np.array_equal(found.draws, alone.draws)
    assert (found.n, found.digest) == (33, alone.digest)
    assert found.settings.held_out == tuple(names)
    assert "(2 more held out)" in repr(found)
    back = load_fit(fit_to_json(found))
    assert back.settings == found.settings
    mask = first.kept["run"].isin(names) | (first.kept["run"] == first.kept["run"][0])
    masked = fit(first, exclude=mask, resamples=0)  # over the rows of `kept`, those held out among them
    assert (masked.n, masked.settings.held_out) == (32, ())


def test_what_goes_beside_a_fit_sees_the_fitted_runs_alone():
    runs = load("simulated-ladder")
    names = list(runs.kept.nlargest(6, "flops")["run"])
    held, without = runs.hold_out(names), runs.exclude(names)
    f, g = fit(held, "chinchilla", resamples=20), fit(without, "chinchilla", resamples=20)
    pairs = [
        (backtest(f, held, resamples=20).sentence, backtest(g, without, resamples=20).sentence),
        (compare_laws(held).sentence, compare_laws(without).sentence),
        (compare(held, f).sentence, compare(without, g).sentence),
    ]
    for i, (a, b) in enumerate(pairs):
        assert a == b, i
    families = load("simulated-families")
    gone = list(families.kept.nlargest(4, "flops")["run"])
    one, other = (
        compare_families(t, "family", resamples=10) for t in (families.hold_out(gone), families.exclude(gone))
    )
    assert one.digest == other.digest
    assert one.versus(one.others[0]).multiplier.value == other.versus(other.others[0]).multiplier.value


def test_an_export_holds_the_same_runs_out_when_it_is_read_again(tmp_path, first, found):
    path = tmp_path / "runs.csv"
    path.write_text(residuals_to_csv(found, first))
    again = read_runs(path)
    assert again.digest == first.digest
    assert list(again.held_out["run"]) == list(first.held_out["run"])
    apart = forecasts(found, first)
    lines = [line for line in path.read_text().splitlines() if "held out" in line and not line.startswith("#")]
    assert len(lines) == 2
    law = found.predict(params=first.held_out["params"], tokens=first.held_out["tokens"]).value
    assert all(f"{x:.6g}"[:6] in line for x, line in zip(law, lines, strict=True)), (law, lines)
    assert apart is not None


def test_the_sentence_says_how_far_and_how_many_hold(found, first):
    apart = forecasts(found, first)
    middle = np.asarray(apart.forecast.value)

    def said(*times, drawn=True):
        some = list(range(len(times)))
        pick = [i % 2 for i in some]
        band = replace(apart.forecast, value=middle[pick], low=middle[pick] * 0.95, high=middle[pick] * 1.05)
        actual = middle[pick] * np.array(times)
        return replace(
            apart,
            runs=tuple(f"r{i}" for i in some),
            beyond=np.ones(len(times)),
            actual=actual,
            forecast=band,
            drawn=drawn,
        ).sentence

    cases = {
        (1.01,): "1 held-out run lies 1.0 % above the forecast made without it, inside its 90 % prediction interval.",
        (0.9,): "1 held-out run lies 10.0 % below the forecast made without it, outside its 90 % prediction interval.",
        (1.01, 0.98): "2 held-out runs lie 1.0 % above and 2.0 % below the forecasts made without them, both inside "
        "their 90 % prediction intervals.",
        (1.1, 1.02, 1.0): "3 held-out runs lie 10.0 %, 2.0 % and under 0.1 % above the forecasts made without them, 2 "
        "of 3 inside their 90 % prediction intervals.",
        (1.1, 1.1, 0.8, 1.2): "4 held-out runs lie within 20.0 % of the forecasts made without them, none inside their "
        "90 % prediction intervals.",
    }  # fmt: skip
    for times, sentence in cases.items():
        assert said(*times) == sentence, times
    assert said(1.01, drawn=False).endswith("above the forecast made without it.")


def test_none_held_out_and_one_that_was_fitted(first, found):
    assert forecasts(found, first.fitted) is None
    seen = first.hold_out(found.runs[:1])
    with pytest.raises(FitError, match="was made with it"):
        forecasts(found, seen)


def test_where_too_few_runs_are_left_those_held_out_are_said():
    """Of 25 runs, 20, all but one, and all held out; with fewer runs and none held out nothing of the kind is said."""
    ladder = load("simulated-ladder")
    few = ladder.exclude(ladder.kept["run"][25:])
    pairs = load("simulated-families")
    ways = {
        "fit": lambda runs: fit(runs, "chinchilla", resamples=0),
        "auto": lambda runs: fit(runs, resamples=0),
        "compare_laws": compare_laws,
        "envelope": envelope,
        "profiles": profiles,
        "families": lambda runs: compare_families(runs, "family", resamples=0),
    }
    for name, way in ways.items():
        table = pairs if name == "families" else few
        for left in (5, 1, 0) if name != "auto" else (2, 1, 0):
            names = list(table.kept["run"])
            names = names[: len(names) - left]
            with pytest.raises(FitError) as said:
                way(table.hold_out(names))
            assert f"{len(names)} runs are held out of fits and may be fitted instead." in str(said.value), (name, left)
            if left:
                with pytest.raises(FitError) as unsaid:
                    way(table.exclude(names))
                assert "held out" not in str(unsaid.value), (name, left)
    assert few.hold_out(few.kept["run"][:1]).fitted.want == " 1 run is held out of fits and may be fitted instead."
