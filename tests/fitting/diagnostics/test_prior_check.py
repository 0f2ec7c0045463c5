"""A prior that keeps the law from runs that follow another is said, and one that does not is not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fitting import fit


def clean(seed: int, noise: float = 0.004) -> pd.DataFrame:
    """Runs of a plain law of seven sizes at six ratios of tokens, whose smallest runs count little beside the largest."""
    rng = np.random.default_rng(seed)
    n, ratio = (x.ravel() for x in np.meshgrid(np.geomspace(2e7, 2e9, 7), [5, 10, 20, 40, 80, 160]))
    d = n * ratio
    loss = (1.8 + 480 * n**-0.348 + 2080 * d**-0.366) * np.exp(noise * rng.standard_normal(len(n)))
    return pd.DataFrame({"params": n, "tokens": d, "loss": loss})


def said(table: pd.DataFrame, **settings: str) -> list[str]:
    return [v.sentence for v in fit(table, resamples=0, **settings).verdicts if v.key == "prior"]


def test_a_prior_that_bends_the_law_away_from_clean_runs_is_said():
    found = said(clean(21))
    assert len(found) == 1
    assert "keep the law" in found[0]
    assert said(clean(21), prior="none") == []


def test_rough_runs_are_not_held_against_the_prior():
    assert [said(clean(seed, 0.03)) for seed in range(4)] == [[]] * 4
