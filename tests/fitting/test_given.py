"""Fits take what readers take, and are written where a path says, or a sentence says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import MappingNeeded, read_runs
from fitting import FitError, backtest, compare_families, compare_laws, fit
from fitting.held_out import forecasts


def test_a_list_of_one_frame_is_the_frame(noisy) -> None:
    frame = noisy.kept.drop(columns="flops")
    found = fit([frame], "chinchilla", resamples=20)
    assert found == fit(frame, "chinchilla", resamples=20)
    assert backtest(found, [frame], resamples=20) == backtest(found, frame, resamples=20)


@pytest.mark.parametrize(
    "path", [3, b"x", "", [], np.array(["a"]), True, ".", "no_such_folder/fit.json", "x\0y"], ids=repr
)
def test_where_a_fit_cannot_be_written_is_said(noisy, path: Any) -> None:
    found = fit(noisy, "chinchilla", resamples=0)
    with pytest.raises(FitError, match=r"path is that of the file|cannot be written"):
        found.to_json(path)


def test_a_fit_is_written_where_a_path_says(noisy, tmp_path: Path) -> None:
    found = fit(noisy, "chinchilla", resamples=0)
    assert (tmp_path / "fit.json").write_text("") == 0
    assert found.to_json(tmp_path / "fit.json") == (tmp_path / "fit.json").read_text("utf-8")


def test_a_frame_of_truth_values_is_no_mask(noisy) -> None:
    mask = noisy.kept[["loss"]] > 3
    with pytest.raises(FitError, match=r"exclude is names of runs, or one mask over them; it was a DataFrame"):
        fit(noisy, "chinchilla", exclude=mask, resamples=0)
    assert isinstance(mask, pd.DataFrame)


def test_a_question_names_an_argument_that_the_function_asked_takes(noisy, tmp_path: Path) -> None:
    """What is left open and the function takes no answer for is answered by reading the runs first."""
    frame = noisy.kept[["run", "params", "tokens", "loss"]]
    high = frame.assign(loss=frame["loss"] * 5)
    high.to_csv(tmp_path / "high.csv", index=False)
    said = r'Read the runs first, and give what read_runs\(\.\.\., loss_unit="perplexity"\) returns\.'
    for ask in (lambda t: fit(t, "chinchilla", resamples=0), compare_laws, lambda t: compare_families(t, "run")):
        for table in (high, [high], str(tmp_path / "high.csv")):
            with pytest.raises(MappingNeeded, match=said):
                ask(table)
    assert fit(read_runs(high, loss_unit="perplexity"), "chinchilla", resamples=0).n == len(frame)
    both = (
        frame.assign(a=frame["loss"], b=1.01 * frame["loss"])
        .drop(columns="loss")
        .rename(columns={"a": "loss a", "b": "loss b"})
    )
    with pytest.raises(MappingNeeded, match=r'Give columns=\{"loss": ') as asked:
        fit(both, "chinchilla", resamples=0)
    assert "read_runs" not in str(asked.value)


def test_what_would_be_passed_over_is_refused(noisy) -> None:
    found = fit(noisy, "chinchilla", resamples=20)
    places = noisy.kept[["params", "tokens"]]
    with pytest.raises(FitError, match="params is a column of the frame, and was given by name too"):
        found.predict(places, params=1e9)
    assert np.array_equal(
        found.predict(places[["params"]], tokens=1e10).value, found.predict(params=places["params"], tokens=1e10).value
    )
    for wrong in (-5, 2.5, True, "3"):
        with pytest.raises(FitError, match="draws is a whole number"):
            found.thinned(wrong)
    assert len(found.thinned(5).draws) == 5
    with pytest.raises(FitError, match="level is a share"):
        forecasts(found, noisy, level="x")
