"""Runs of one name or of none, told apart by their batch and the order of lines: one rule in a file, in the terminal and in Python."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from data.rows.by_batch import by_batch
from fitting import FitError
from fitting.batch import critical_batch, steps_to_target
from fitting.batch.ladder import ladder
from fitting.batch.rows import curve_rows

B_CRIT, S_MIN, TARGET = 262_144.0, 1000.0, 2.457  # where 1.7 + 12 s^-0.4 comes to the target
BATCHES = 2.0 ** np.arange(14, 22)


def planted(
    ramps, grid="common", tokens=False, seed=1
):  # of draws whose intervals hold with names; how often they do is tested elsewhere
    """Curves of eight batches: of one batch, or with a quarter of it for the first steps; evaluated at common or at own places."""
    rng, out = np.random.default_rng(seed), []
    for k, b in enumerate(BATCHES):
        end = 3000 * (1 + B_CRIT / b)
        step = np.arange(100, end, 100.0) if grid == "common" else np.unique(np.round(np.linspace(end / 60, end, 60)))
        warm = {"no": 0, "short": 300, "long": 1000}[ramps] if grid == "common" else ramps != "no" and 0.1 * end
        batch = np.where(step <= warm, b / 4, b)
        width = np.diff(step, prepend=0.0)
        done = np.cumsum(width / (1 + B_CRIT / batch)) * np.exp(0.01 * rng.normal())
        loss = (1.7 + 12 * done**-0.4) * np.exp(0.002 * rng.normal(size=len(step)))
        own = pd.DataFrame({"run": f"r{k}", "batch_tokens": batch, "step": step, "loss": loss})
        out.append(own.assign(tokens=np.cumsum(width * batch)) if tokens else own)
    return pd.concat(out, ignore_index=True)


ORDERS = {
    "as logged": lambda t: t,
    "from the end": lambda t: t.iloc[::-1],
    "runs in another order": lambda t: pd.concat([t[t["run"] == f"r{k}"] for k in (3, 0, 6, 1, 7, 5, 2, 4)]),
    "shuffled": lambda t: t.sample(frac=1.0, random_state=1),
    "by step": lambda t: t.sort_values(["step", "batch_tokens"]),
    "by batch": lambda t: t.sort_values(["batch_tokens", "step"]),
}
NAMES = {"none": lambda t: t.drop(columns="run"), "one": lambda t: t.assign(run="x")}


def found(frame):
    reached = steps_to_target(frame, TARGET)
    got = critical_batch(reached.batch, reached.steps, doubt=reached.doubt, resamples=200)
    return got.b_crit, got.s_min, reached


def test_runs_are_told_apart_with_a_name_or_without_in_any_order_that_tells_them(tmp_path):
    """What names give, or a refusal where batches that rise cannot be told from runs of one batch."""
    kinds = (("no", "own", False), ("short", "common", False), ("long", "own", True))
    for k, (ramps, grid, tokens) in enumerate(kinds):
        frame = planted(ramps, grid, tokens)
        b_named, s_named, _ = found(frame.rename(columns={"batch_tokens": "batch"}))
        assert b_named.low <= B_CRIT <= b_named.high, (ramps, grid)
        for j, (order, arranged) in enumerate(ORDERS.items()):
            for name in ("none", "one")[(j + k) % 2 :: 2]:
                given = NAMES[name]
                case = (ramps, grid, tokens, order, name)
                logged = given(arranged(frame))
                file = tmp_path / "curves.csv"
                logged.to_csv(file, index=False)
                runs = read_runs(file)
                read = curve_rows(runs)
                plain = logged.assign(run="x").rename(columns={"batch_tokens": "batch"})
                if ramps != "no" and order in ("shuffled", "by step", "by batch"):
                    for each in (plain, read):
                        with pytest.raises(FitError, match=r"is not told\. Give each run a name"):
                            steps_to_target(each, TARGET)
                    continue
                assert read["run"].nunique() == len(BATCHES), case
                assert not any("repeat" in note for note in runs.notes), case
                for each in (plain, read):
                    b_crit, s_min, reached = found(each)
                    assert len(reached.batch) == len(BATCHES), case
                    assert b_crit.value == pytest.approx(b_named.value, rel=1e-6), case
                    assert b_crit.low <= B_CRIT <= b_crit.high, case
                    assert s_min.low <= S_MIN <= s_min.high, case
                    assert b_crit.high / b_crit.low < (b_named.high / b_named.low) ** 2, case
                    assert s_min.high / s_min.low < (s_named.high / s_named.low) ** 2, case


def test_a_counter_that_falls_back_begins_a_run_or_resumes_one():
    step, batch = np.tile(np.arange(1.0, 11), 3), np.repeat([4.0, 8.0, 16.0], 10)
    assert by_batch(step, batch).batches == ((4.0,), (8.0,), (16.0,))
    warmed = np.where(step <= 3, batch / 4, batch)
    assert by_batch(step, warmed).batches == ((1.0, 4.0), (2.0, 8.0), (4.0, 16.0))
    again = np.r_[np.arange(0, 10), np.arange(5, 30)]  # the first run resumes at its sixth row
    told = by_batch(step[again], warmed[again])
    assert told.batches == ((1.0, 4.0), (2.0, 8.0), (4.0, 16.0))
    assert np.sum(told.part == 0) == 15
    one = by_batch(np.arange(1.0, 9), np.repeat([2.0, 4.0], 4))
    assert one.batches == ((2.0, 4.0),)
    assert not one.doubt


def test_rates_of_a_schedule_part_no_rows_and_are_not_mixed(tmp_path):
    """Three peak rates at each batch under one name: as logged they are runs, shuffled nothing tells them apart."""
    frame = planted("no", "own")
    end = frame.groupby("run")["step"].transform("max")
    shape = 0.5 + 0.5 * np.cos(np.pi * frame["step"] / end) + 1e-3
    peaks = (1e-3, 2e-3, 3e-3)
    runs = [frame["run"] == f"r{k}" for k in range(len(BATCHES))]
    parts = [frame[own].assign(lr=peak * shape[own]) for own in runs for peak in peaks]
    one = pd.concat(parts).assign(run="x")
    file = tmp_path / "curves.csv"
    one.to_csv(file, index=False)
    plain = one.rename(columns={"batch_tokens": "batch"})
    for each in (plain, curve_rows(read_runs(file))):
        assert len(ladder(each).runs) == 3 * len(BATCHES)
        assert found(each)[0].value == pytest.approx(B_CRIT, rel=0.05)
    with pytest.raises(FitError, match="with other learning rates"):
        steps_to_target(plain.sample(frac=1.0, random_state=1), TARGET)
