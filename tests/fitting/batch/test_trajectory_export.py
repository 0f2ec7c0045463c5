"""What is taken away of a whole run: the Python runs alone and gives the same, the JSON holds every interval."""

from __future__ import annotations

import io
import json

import pandas as pd
import pytest

from fitting.batch import KAPLAN, fit_trajectory
from fitting.batch.trajectory import NAMES
from fitting.export.trajectory import to_csv, to_json, to_latex, to_python


def rows(sizes):
    out = []
    for n in sizes:
        for b in (1e5, 4e5, 1.6e6, 6.4e6):
            steps = [300.0 * 2**i for i in range(8)]
            loss = KAPLAN.curve(n, b, steps).value
            out += [
                {"run": f"={n:g}-{b:g}", "params": n, "batch": b, "step": s, "loss": v}
                for s, v in zip(steps, loss, strict=True)
            ]
    return pd.DataFrame(out)


@pytest.mark.parametrize("sizes", [(3e6, 3e7), (3e7,)])
def test_it_is_the_same_law_outside(sizes):
    fit = fit_trajectory(rows(sizes), after=0, resamples=20)
    outside: dict = {}
    exec(to_python(fit), outside)
    assert outside["loss"](2e4, 5e5, 3e7) == pytest.approx(KAPLAN.curve(3e7, 5e5, 2e4).value, rel=1e-6)
    assert outside["steps"](3.5, 5e5, 3e7) == pytest.approx(KAPLAN.steps(3e7, 5e5, 3.5).value, rel=1e-5)
    said = json.loads(to_json(fit))
    assert said["constants"]["alpha_S"]["value"] == pytest.approx(0.76, rel=1e-6)
    assert (said["constants"]["N_c"] is None) == (len(sizes) == 1) == (said["floor"] is not None)
    assert set(said["constants"]) == set(NAMES)
    latex = to_latex(fit)
    b = fit.law.constant("B_star")
    assert f"% B_star = {b.value!r} ({b.low!r} to {b.high!r} at 0.95)" in latex
    assert (r"L_\infty" in latex) == (len(sizes) == 1) == ("% N_c" not in latex)
    table = pd.read_csv(io.StringIO(to_csv(fit)))
    assert len(table) == 32 * len(sizes)
    assert table["law"].to_numpy() == pytest.approx(table["loss"].to_numpy(), rel=1e-6)
    assert not table["run"].str.startswith("=").any()  # no formula for a spreadsheet
