"""Curves and final losses are given as a path, a frame or runs alike, with a column called step or steps."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

from data import read_runs
from fitting import FitError
from fitting.batch import curve_groups, decayed, fit_trajectory, rate_laws, steps_to_target

README = runpy.run_path(str(Path(__file__).parents[2] / "test_readmes.py"))


def test_curves_are_given_in_any_form(tmp_path):
    curves = README["curves"]()
    curves.rename(columns={"step": "steps"}).to_csv(tmp_path / "curves.csv", index=False)
    path = tmp_path / "curves.csv"
    forms = {
        "steps": curves.rename(columns={"step": "steps"}),
        "path": path,
        "text": str(path),
        "runs": read_runs(path),
    }
    law = fit_trajectory(curves, resamples=0).law
    one = curves[curves["params"] == 1e8]
    reached = steps_to_target(one, 3.4)
    for form, given in forms.items():
        assert fit_trajectory(given, resamples=0).law.centred == pytest.approx(law.centred, rel=1e-6), form
        assert len(curve_groups(given).parts) == len(curve_groups(curves).parts), form
    assert np.allclose(steps_to_target(one.rename(columns={"step": "steps"}), 3.4).steps, reached.steps)


@pytest.mark.parametrize("name", ["model_size", "N", "num_model_params", "model_size_m"])
def test_sizes_of_curves_have_any_usual_name(name):
    """Curves of several sizes were fitted as those of one where the column of sizes was called otherwise than params."""
    curves, rates = README["curves"](), README["rates"]()
    law = fit_trajectory(curves, resamples=0).law
    unit = 1e6 if name.endswith("_m") else 1.0
    called = [f.assign(**{name: f["params"] / unit}).drop(columns="params") for f in (curves, rates)]
    assert fit_trajectory(called[0], resamples=0).law.centred == pytest.approx(law.centred, rel=1e-6)
    assert len(curve_groups(called[0]).parts) == len(curve_groups(curves).parts)
    assert len(rate_laws(called[1], resamples=0).cells) == len(rate_laws(rates, resamples=0).cells)


def test_final_losses_are_given_in_any_form(tmp_path):
    final, rates = README["final"](), README["rates"]()
    final.to_csv(tmp_path / "final.csv", index=False)
    found = decayed(final, 3.0, resamples=0).found.best
    for given in (tmp_path / "final.csv", str(tmp_path / "final.csv"), read_runs(tmp_path / "final.csv")):
        assert np.allclose(decayed(given, 3.0, resamples=0).found.best, found)
    rates.to_csv(tmp_path / "rates.csv", index=False)
    assert len(rate_laws(tmp_path / "rates.csv", resamples=0).cells) == len(rate_laws(rates, resamples=0).cells)
    with pytest.raises(
        FitError, match=r"no training curves with the columns batch, steps and loss; it has .* a row for each run"
    ):
        fit_trajectory(tmp_path / "final.csv")
