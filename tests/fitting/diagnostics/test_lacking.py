"""What is said of a law before it is fitted is what a fit comes to."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.read import read_runs
from fitting import FitError, all_laws, lacking
from fitting.diagnostics.checks.unusable import refusal
from fitting.solver.fit_data import arrays


def test_a_law_lacks_something_exactly_where_a_fit_refuses(tmp_path):
    grid = [(n, d) for n in (3e7, 1e8, 3e8, 9e8) for d in (2e9, 7e9, 3e10)]
    tables = {
        "a grid": grid,
        "five runs": grid[:5],
        "one run": grid[:1],
        "in step": [(n, 20 * n) for n in np.geomspace(1e7, 1e9, 12)],
        "one size": [(1e8, d) for d in np.geomspace(1e9, 1e11, 12)],
        "scattered": [(1e7 * 1.3**k, 1e9 * 1.7 ** ((5 * k) % 17)) for k in range(17)],
        "one loss": grid,
    }
    for case, inputs in tables.items():
        n, d = np.array(inputs).T
        loss = np.full(len(n), 2.5) if case == "one loss" else 1.8 + 480 / n**0.35 + 2085 / d**0.37
        columns = {"params": n, "tokens": d, "flops": 6 * n * d, "loss": loss}
        pd.DataFrame({"run": [f"r{i}" for i in range(len(n))], **columns}).to_csv(tmp_path / "runs.csv", index=False)
        runs = read_runs(tmp_path / "runs.csv")
        found = lacking(runs)
        assert set(found) == set(all_laws())
        for key, law in all_laws().items():
            try:
                refused = refusal(law, arrays(runs, law), runs.name)
            except FitError as error:
                refused = str(error)
            assert bool(found[key]) == bool(refused), (case, key, found[key], refused)
