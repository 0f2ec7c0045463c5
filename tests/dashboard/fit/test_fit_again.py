"""The lines that the Fit page shows make the same fit again, for every law and every setting that the page has."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from dashboard.fit import repeat_code
from dashboard.fit.settings import DEFAULTS, DELTAS, INTERVALS, PRIORS, WEIGHTS, FitSettings, read_settings
from data import read_runs
from data.sources.upload import Upload
from fitting import all_laws, fit
from fitting.diagnostics.calibration import calibrate

# One value or more of each setting beside its default; the intervals that need groups have them.
OTHER = {
    "law": [],  # every law, and auto
    "delta": [d for d in DELTAS if d != DEFAULTS.delta],
    "intervals": [i for i in INTERVALS if i != DEFAULTS.intervals],
    "prior": [p for p in PRIORS if p != DEFAULTS.prior],
    "resamples": [500],
    "group": ["family"],
    "seed": [3],
    "weights": [w for w in WEIGHTS if w != DEFAULTS.weights],
}
SOME = ("auto", "general", "chinchilla", "kaplan-params")
FEW = 20  # refits, where their number is not what is looked at; the lines say it, whatever it is
TRUTH = {"E": 1.7, "A": 410.0, "B": 1200.0, "alpha": 0.34, "beta": 0.33, "q": 0.6}


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Runs with everything that any law or setting asks for, as a file."""
    rng = np.random.default_rng(4)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(3e8, 3e10, 6)))
    law = all_laws()["general"]
    loss = law({"params": n, "tokens": d}, TRUTH) * np.exp(0.004 * rng.standard_normal(36))
    path = tmp_path_factory.mktemp("again") / "runs.csv"
    pd.DataFrame(
        {
            "run": [f"r{i}" for i in range(36)], "params": n, "tokens": d, "unique_tokens": d / rng.integers(1, 9, 36),
            "flops": 6 * n * d, "loss": loss, "loss_error": 0.01 * rng.uniform(0.5, 2, 36),
            "family": [f"f{i}" for i in rng.integers(0, 9, 36)],
        }
    ).to_csv(path, index=False)  # fmt: skip
    return path


@cache
def read(path):
    return read_runs(path)


def again(path, settings: FitSettings, exclude=()):
    """The fit that the page makes with these settings, and what its lines make."""
    runs = read(path)
    asked = settings.arguments(runs.kept.columns)
    first = fit(runs.exclude(exclude) if exclude else runs, **asked)
    first = replace(first, settings=replace(first.settings, excluded=tuple(exclude)))
    scope: dict = {}
    exec(repeat_code.python(first, Upload("0" * 64, str(path)), {}, asked), scope)
    return first, scope["f"]


def same(one, other) -> None:
    a, b = (json.loads(f.to_json()) for f in (one, other))
    for body in (a, b):
        body["settings"].pop("law_reason")  # "chosen by you", once the line says which
        body.pop("checksum")  # is over the reason too
    assert a == b


def test_every_setting_has_a_variant():
    assert set(OTHER) == {f.name for f in fields(FitSettings)}


@pytest.mark.parametrize(
    "law", ["auto", *(k for k, law in all_laws().items() if not law.own_columns)]
)  # the page has no others
def test_every_law_by_default(table, law):
    same(*again(table, FitSettings(law=law, resamples=FEW)))


VALUES = [(name, value) for name, values in OTHER.items() for value in values]
# Each value with one law in turn, and each of the prior with every law: what it comes to depends on the law.
WITH = {
    *((name, value, SOME[k % len(SOME)]) for k, (name, value) in enumerate(VALUES)),
    *(("prior", value, law) for value in OTHER["prior"] for law in SOME),
}


@pytest.mark.parametrize(("name", "value", "law"), sorted(WITH, key=str))
def test_every_setting(table, law, name, value):
    settings = read_settings({"law": law, name: value})
    if name != "resamples":
        settings = replace(settings, resamples=FEW)
    if settings.intervals in ("groups", "components"):
        settings = replace(settings, group="family")
    same(*again(table, settings))


def test_runs_left_out(table):
    same(*again(table, FitSettings(resamples=FEW), exclude=("r3", "r8")))


def test_the_prior_makes_a_difference_that_the_lines_keep(table):
    """Else leaving it out would pass."""
    with_it, _ = again(table, FitSettings(law="general", resamples=FEW, prior="published"))
    without, refitted = again(table, FitSettings(law="general", resamples=FEW, prior="none"))
    assert with_it.params != without.params
    assert refitted.params == without.params


def test_calibrated_intervals_are_calibrated_again(table):
    runs = read(table)
    asked = FitSettings(law="chinchilla", resamples=500).arguments(runs.kept.columns)
    first = fit(runs, **asked)
    first = first.calibrated(calibrate(first, runs, outer=40, inner=41, seed=2, flops=1e22))
    scope: dict = {}
    exec(repeat_code.python(first, Upload("0" * 64, str(table)), {}, asked), scope)
    assert scope["f"].calibration == first.calibration
    same(first, scope["f"])


def test_a_calibration_without_compute_is_written_too(table):
    runs = read_runs(pd.read_csv(table)[["run", "tokens", "loss"]])
    first = fit(runs, "kaplan-tokens", resamples=100)
    first = first.calibrated(calibrate(first, runs, outer=40, inner=40))
    lines = repeat_code.python(first, Upload("0" * 64, str(table)), {}, {})
    scope: dict = {}
    exec(
        lines.replace(repr(str(table)), "mine").replace("runs = read_runs(mine)", "runs = mine"), scope | {"mine": runs}
    )
    assert "nan" not in lines
