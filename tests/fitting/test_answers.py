"""What a table leaves open is answered by an argument of every function that takes a table, and the question names it."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from data import load
from data.errors import DataError, MappingNeeded, Question, answered_by
from fitting import FitError, against_papers, backtest, compare_families, compare_laws, fit, lacking, read_runs
from fitting.diagnostics.calibration import calibrate
from fitting.diagnostics.floor_profile import floor_profile
from fitting.diagnostics.sensitivity import sensitivity
from fitting.held_out import forecasts
from fitting.isoflop import compare, envelope, profiles


@pytest.fixture(scope="module")
def runs():
    return load("simulated-ladder")


@pytest.fixture(scope="module")
def unclear(runs):
    """The runs with their loss under a name that says nothing."""
    kept = runs.kept[["run", "params", "tokens"]]
    return kept.assign(
        a=runs.kept["loss"], b=runs.kept["loss"] + 1.0, half=["x", "y"] * (len(kept) // 2) + ["x"] * (len(kept) % 2)
    )


def test_the_question_names_the_argument_that_answers_it_and_fit_takes_it(unclear, runs, tmp_path):
    with pytest.raises(MappingNeeded) as asked:
        fit(unclear)
    argument = str(asked.value).rsplit("Give ", 1)[1]
    assert argument.startswith('columns={"loss": ')
    assert argument.endswith("}.")
    assert "Give columns" not in asked.value.message
    found = fit(unclear, "chinchilla", columns={"loss": "a"}, resamples=0)
    assert found.params == pytest.approx(fit(runs, "chinchilla", resamples=0).params)
    unclear.to_csv(tmp_path / "u.csv", index=False)
    assert fit(str(tmp_path / "u.csv"), "chinchilla", columns={"loss": "a"}, resamples=0).n == found.n


def test_every_function_that_takes_a_table_takes_the_answers(unclear, runs):
    f = fit(unclear, "chinchilla", columns={"loss": "a"}, units={"tokens": 1.0}, prior="none", resamples=40)
    asks = {
        "backtest": lambda t, **k: backtest(f, t, resamples=0, **k),
        "sensitivity": lambda t, **k: sensitivity(f, t, 1e22, **k),
        "floor_profile": lambda t, **k: floor_profile(f, t, **k),
        "calibrate": lambda t, **k: calibrate(f, t, outer=40, inner=40, **k),
        "against_papers": lambda t, **k: against_papers(f, t, **k),
        "compare_laws": compare_laws,
        "compare_families": lambda t, **k: compare_families(t, "half", resamples=2, **k),
        "lacking": lacking,
        "forecasts": lambda t, **k: forecasts(f, t, **k),
        "to_frame": lambda t, **k: f.to_frame(t, **k),
        "compare": lambda t, **k: compare(f, t, **k),
        "profiles": lambda t, **k: profiles(t, resamples=2, **k),
        "envelope": lambda t, **k: envelope(t, resamples=2, **k),
    }
    for ask in asks.values():
        ask(unclear, columns={"loss": "a"}, units={"tokens": 1.0})
        for wrong in ({"columns": {"loss": "a"}}, {"units": {"tokens": 1e9}}, {"columns": "loss"}, {"units": 3}):
            with pytest.raises(FitError, match=r"runs is read already|is a mapping such as"):
                ask(runs, **wrong)


@pytest.mark.parametrize(
    "ask",
    [against_papers, backtest, calibrate, compare, floor_profile, forecasts, sensitivity],
    ids=lambda f: f.__name__,
)
def test_a_fit_and_its_runs_are_called_so_and_come_in_this_order(ask):
    assert list(inspect.signature(ask).parameters)[:2] == ["fit", "runs"]


def test_answers_are_written_as_python_has_them():
    cases = {
        ("columns.loss", ("a", "b"), ""): 'columns={"loss": "..."}',
        ("columns.loss", ("a", "b"), "b"): 'columns={"loss": "b"}',
        ("units.tokens", ("1e9", "1"), ""): 'units={"tokens": 1e9}',
        ("units.tokens", ("log10",), ""): 'units={"tokens": "log10"}',
        ("rows", ("runs", "checkpoints"), "runs"): 'rows="runs"',
        ("bytes_per_token", (), ""): "bytes_per_token=...",
        ("columns.loss", ('say "x"',), ""): 'columns={"loss": "say \\"x\\""}',
    }
    for (key, options, guess), said in cases.items():
        assert answered_by([Question(key, "?", options, guess)]) == said, key
    both = [
        Question("columns.loss", "?", ("a",)),
        Question("columns.params", "?", ("n",)),
        Question("rows", "?", ("runs",)),
    ]
    assert answered_by(both) == 'columns={"loss": "a", "params": "n"}, rows="runs"'
    assert answered_by([Question("columns.loss", "?", ("a",), needed=False)]) == ""


def test_approaches_are_compared_in_either_order(runs):
    f = fit(runs, "chinchilla", resamples=20)
    one, other = compare(f, runs), compare(runs, f)
    assert one.sentence == other.sentence
    pd.testing.assert_frame_equal(one.to_frame(), other.to_frame())
    with pytest.raises(FitError, match="fit is a Fit"):
        compare(runs, np.nan)


def test_a_group_is_called_as_in_the_file_too(runs):
    own = fit(runs, "chinchilla", group="params", resamples=20).settings
    frame = runs.kept[["run", "params", "tokens", "loss"]].rename(columns={"params": "model_size"})
    both = pd.concat(
        [frame.assign(family="a"), frame.assign(family="b", loss=0.98 * frame["loss"], run=frame["run"] + "b")]
    )
    for given in (frame, read_runs(frame)):
        assert fit(given, "chinchilla", group="model_size", resamples=20).settings.grouping == own.grouping == "params"
    assert compare_families(both, "family", group="model_size", resamples=20).settings.grouping == "params"
    with pytest.raises(FitError, match="no column 'size of it' to group by"):
        fit(frame, "chinchilla", group="size of it", resamples=0)


def test_the_index_of_a_frame_names_its_runs(runs):
    plain = runs.kept[["params", "tokens", "loss"]]
    n = len(plain)
    cases = {
        "text": ([f"exp{k}" for k in range(n)], [f"exp{k}" for k in range(n)]),
        "numbers": (range(7, n + 7), [str(k) for k in range(7, n + 7)]),
        "default": (range(n), [f"row {k + 1}" for k in range(n)]),
        "repeated": (["a"] * n, [f"row {k + 1}" for k in range(n)]),
    }
    for case, (index, names) in cases.items():
        frame = plain.set_axis(pd.Index(index))
        read = read_runs(frame)
        assert list(read.kept["run"]) == names, case
        (source,) = (s for s in read.sources if s.column == "run")
        assert ("index" in source.how) == (case in ("text", "numbers")), case
    assert list(
        read_runs(plain.assign(run=runs.kept["run"], index=1.0).set_axis(cases["text"][0])).kept["run"]
    ) == list(runs.kept["run"])
    assert list(read_runs(plain.assign(index=1.0).set_axis(cases["text"][0])).kept["run"]) == cases["text"][1]
    assert list(read_runs(plain.set_axis(pd.Index(cases["text"][0], name="mine"))).kept["run"]) == cases["text"][1]
    assert (
        list(read_runs(plain.assign(run=cases["text"][0]).set_index("run", drop=False)).kept["run"]) == cases["text"][1]
    )


def test_numbers_of_an_index_part_no_curve():
    """Rows of one log that were filtered keep their numbers: they name no runs where the rows are a run's checkpoints."""
    one = pd.DataFrame(
        {"step": [1, 2, 3, 4], "params": 1e8, "tokens": [1e9, 2e9, 3e9, 4e9], "loss": [4.0, 3.5, 3.2, 3.0]}
    )
    assert len(read_runs(one.set_axis([3, 5, 7, 9]))) == len(read_runs(one)) == 1
    assert list(read_runs(one.drop(columns="step").set_axis(list("abcd"))).kept["run"]) == list("abcd")


def test_names_and_masks_leave_out_runs_by_the_index(runs):
    frame = runs.kept[["params", "tokens", "loss"]].set_axis([f"exp{k}" for k in range(len(runs.kept))])
    mask = frame["loss"] > frame["loss"].quantile(0.9)
    out = tuple(sorted(mask.index[mask]))
    for exclude in (mask, mask.sample(frac=1, random_state=0), mask.to_numpy(), mask.reset_index(drop=True), list(out)):
        assert fit(frame, "chinchilla", exclude=exclude, resamples=0).settings.excluded == out
    with pytest.raises(FitError, match="it has no 'exp0'"):
        fit(frame, "chinchilla", exclude=mask[1:], resamples=0)


def test_a_mask_means_the_labels_of_its_index(runs):
    """Numbers are labels as names are: a frame that was sorted, turned or sampled has them in another order."""
    plain = runs.kept[["run", "params", "tokens", "loss"]].head(25)
    plain["run"] = [f"r{k}" for k in plain.index]
    mask = plain["loss"] > plain["loss"].quantile(0.8)
    out = tuple(sorted(plain["run"][mask]))
    assert len(out) == 5
    for name, frame in (
        ("sorted", plain.sort_values("loss")), ("turned", plain[::-1]), ("sampled", plain.sample(25, random_state=0)), ("as it is", plain),
    ):  # fmt: skip
        assert fit(frame, "chinchilla", exclude=mask, resamples=0).settings.excluded == out, name
        assert fit(plain, "chinchilla", exclude=mask.loc[frame.index], resamples=0).settings.excluded == out, name
        unnamed = frame.drop(columns="run")
        assert len(without := fit(unnamed, "chinchilla", exclude=mask, resamples=0).settings.excluded) == 5, name
        if name != "as it is":
            assert set(without) == {str(k) for k in mask.index[mask]}, name
        read = read_runs(frame)
        if name in ("as it is",):
            assert tuple(sorted(read.hold_out(mask[::-1]).held_out["run"])) == out, name
            continue
        over_frame, over_kept = mask.loc[frame.index], read.kept["run"].isin(out)
        for one in (over_frame, over_kept, over_kept & ~over_kept.isna()):
            assert tuple(sorted(read.hold_out(one).held_out["run"])) == out, name
            assert fit(read, "chinchilla", exclude=one, resamples=0).settings.excluded == out, name
        with pytest.raises(
            DataError, match=r'Give runs\.kept\["run"\]\[mask\.to_numpy\(\)\]'
        ):  # of the frame, or of runs.kept?
            read.hold_out(mask)
        assert tuple(sorted(read.hold_out(read.kept["run"].isin(out).to_numpy()).held_out["run"])) == out, name
    shifted = plain.set_axis(range(100, 125))
    assert (
        tuple(
            sorted(read_runs(shifted).hold_out((shifted["loss"] > plain["loss"].quantile(0.8))[::-1]).held_out["run"])
        )
        == out
    )
    blank = plain.assign(loss=plain["loss"].where(plain.index != 3))
    assert set(fit(blank, "chinchilla", exclude=mask[::-1], resamples=0).settings.excluded) == set(out) - {"r3"}
    with pytest.raises(FitError, match="neither that of the table nor the runs' names"):
        fit(plain, "chinchilla", exclude=mask.set_axis(range(7, 32)), resamples=0)


def test_columns_go_together_by_their_index(runs):
    f = fit(runs, "chinchilla", resamples=0)
    places = pd.DataFrame({"params": [1e8, 1e9, 1e10], "tokens": [1e10, 3e10, 1e11]})
    turned = places[::-1]
    right = f.predict(params=places["params"].to_numpy(), tokens=places["tokens"].to_numpy()).value
    assert list(f.predict(params=places["params"], tokens=turned["tokens"]).value) == list(right)
    assert list(f.predict(turned[["params"]], tokens=places["tokens"]).value) == list(right[::-1])
    assert list(f.predict(params=places["params"], tokens=[1e10, 3e10, 1e11]).value) == list(right)
    with pytest.raises(FitError, match="theirs have other labels"):
        f.predict(params=places["params"], tokens=places["tokens"].set_axis([5, 6, 7]))


def test_a_forecast_keeps_the_index_of_its_places(runs):
    frame = runs.kept[["params", "tokens", "loss"]].set_axis([f"exp{k}" for k in range(len(runs.kept))])
    f = fit(frame, "chinchilla", resamples=20)
    assert list(f.predict(frame[:3]).to_frame().index) == ["exp0", "exp1", "exp2"]
    assert list(f.to_frame(frame).index) == list(frame.index)
    assert list(f.predict(params=[1e9, 2e9], tokens=1e10).to_frame().index) == [0, 1]
    some = frame[:3]
    turned = f.predict(params=some["params"], tokens=some["tokens"][::-1], of="run").to_frame()
    assert turned.equals(f.predict(some, of="run").to_frame())
    assert list(f.predict(params=some["params"], tokens=1e10).to_frame().index) == ["exp0", "exp1", "exp2"]
    assert list(f.predict(params=1e9, tokens=some["tokens"]).to_frame().index) == ["exp0", "exp1", "exp2"]
