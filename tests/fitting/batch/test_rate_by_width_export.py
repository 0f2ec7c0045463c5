"""Best rates by width taken away: JSON with its version and every loss, CSV that holds the intervals, open ends in both."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from fitting.batch import rate_by_width
from fitting.export.rate_by_width import to_csv, to_json


@pytest.fixture(scope="module")
def found():
    """Three widths whose best rate lies beyond the rates tried at the first alone."""
    rows = [
        (width, lr, 2.0 + 0.01 * np.log(lr / best) ** 2, name)
        for width, best in ((32, 0.1), (64, 0.004), (128, 0.002))
        for lr in (0.001, 0.002, 0.004, 0.008)
        for name in ("standard", "=1+1")
    ]
    return rate_by_width(pd.DataFrame(rows, columns=["width", "lr", "loss", "parametrisation"]), resamples=50)


def test_json_holds_everything_with_a_version(found):
    body = json.loads(to_json(found, ["mup has none."]))
    assert (body["format"], body["version"]) == ("isoflop-rate-by-width", 1)
    assert body["notes"] == ["mup has none."]
    first = body["parametrisations"][0]
    assert first["parametrisation"] == "standard"
    assert first["exponent"]["value"] == found[0].exponent().value
    assert first["notes"] == list(found[0].notes)
    assert [w["high"] == "inf" for w in first["widths"]] == [True, False, False]
    assert first["widths"][1]["tried"]["lr"] == [0.001, 0.002, 0.004, 0.008]
    assert first["widths"][1]["tried"]["loss"][2] == pytest.approx(2.0)
    assert first["widths"][1]["tried"]["runs"] == [1, 1, 1, 1]


def test_csv_holds_each_width_and_no_name_runs_as_a_formula(found):
    text = to_csv(found)
    table = pd.read_csv(io.StringIO(text))
    assert len(table) == 6
    assert np.isposinf(table["lr_high"][0])
    assert table["lr"].to_numpy() == pytest.approx(np.concatenate([one.best for one in found]))
    assert "\n=1+1" not in text
