"""Whatever is fitted to a table leaves out the rows that its column `role` holds out, however wrong their losses are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import load, read_runs
from fitting import FitError, compare_families, compare_laws, fit
from fitting.batch import KAPLAN, critical_batch, fit_trajectory, rate_laws, steps_to_target
from fitting.batch.decayed import decayed, decayed_by_size
from fitting.batch.targets import lowest_by_batch
from fitting.isoflop import compare, envelope
from fitting.schedule.curves import ahead, fit_logged, logged_curves
from fitting.schedule.multi_power import law, loss_curve


def ladder():
    return load("simulated-ladder").kept[["run", "params", "tokens", "loss"]]


def families():
    return load("simulated-families").kept[["run", "family", "params", "tokens", "loss"]]


def grid():
    """Rates and batches around a planted optimum, at three sizes on three amounts of data."""
    steps = 2.0 ** np.arange(-2, 3)
    return pd.DataFrame(
        [
            {"run": f"{n:g} {d:g} {i} {j}", "params": n, "tokens": d, "lr": 0.01 * n**-0.1 * i, "batch": 0.3 * d**0.5 * j,
             "loss": 3.0 + 0.01 * (np.log(i) ** 2 + np.log(j) ** 2)}
            for n in (1e8, 3e8, 1e9) for d in (1e9, 1e10, 1e11) for i in steps for j in steps
        ]
    )  # fmt: skip


def finals():
    return pd.DataFrame(
        [
            {"run": f"{b:g} {d:g}", "params": 1e8, "batch": b, "tokens": d, "loss": 1.5 + 200 * (d / (1 + b / 1e6)) ** -0.25}
            for b in np.geomspace(1e4, 1e7, 7) for d in np.geomspace(5e8, 5e10, 7)
        ]
    )  # fmt: skip


def curves():
    rows = []
    for n in (3e6, 1e7, 3e7):
        for b in (1e5, 4e5, 1.6e6):
            s = np.geomspace(1e2, 3e4, 12) * (1.0 + KAPLAN.b_crit(KAPLAN.curve(n, b, 3e4).value).value / b)
            loss = KAPLAN.curve(n, b, s).value
            rows.append(pd.DataFrame({"run": f"{n:g}-{b:g}", "params": n, "batch": b, "step": s, "loss": loss}))
    return pd.concat(rows, ignore_index=True)


def one_size():
    frame = curves()
    return frame[frame["params"] == 1e7]


def schedules():
    rows = []
    for shape in ("cosine", "constant", "linear"):
        planned, at = ahead(shape, 1500, 1e-3, 100), np.arange(100, 1501, 50)
        loss = loss_curve(planned, at, law.published[0].values)
        rows.append(pd.DataFrame({"run": shape, "steps": at, "lr": planned.lr[at - 1], "loss": loss}))
    return pd.concat(rows, ignore_index=True)


def read_fit(frame):
    return fit(read_runs(frame), "chinchilla", resamples=0)


def read_comparison(frame):
    runs = read_runs(frame)
    found = compare(runs, fit(runs, "chinchilla", resamples=10))
    return [found.sentence, *(r.note for r in found.rows)]


WAYS = {
    "fit": (ladder, lambda x: read_fit(x).values),
    "compare_laws": (ladder, lambda x: compare_laws(read_runs(x)).sentence),
    "approaches": (ladder, read_comparison),
    "envelope": (ladder, lambda x: envelope(read_runs(x)).flops),
    "families": (families, lambda x: compare_families(read_runs(x), "family", resamples=10).digest),
    "rate_laws": (grid, lambda x: rate_laws(x, resamples=10).lr.draws),
    "rate_laws of runs": (grid, lambda x: rate_laws(read_runs(x).kept, resamples=10).batch.draws),
    "decayed": (finals, lambda x: decayed(x, resamples=10).found.b_crit.value),
    "decayed by size": (finals, lambda x: [d.found.b_crit.value for *_, d in decayed_by_size(x, resamples=10)]),
    "fit_trajectory": (curves, lambda x: list(fit_trajectory(x, after=0, resamples=0).law.centred)),
    "lowest_by_batch": (one_size, lambda x: list(lowest_by_batch(x).values())),
    "critical_batch": (one_size, lambda x: (lambda r: critical_batch(r.batch, r.steps, resamples=10).best)(steps_to_target(x, 5.0))),
    "schedule": (schedules, lambda x: list(fit_logged(logged_curves(x), 2).params.values())),
    "schedule of runs": (schedules, lambda x: list(fit_logged(logged_curves(read_runs(x)), 2).params.values())),
}  # fmt: skip


def spoilt(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows with every third run again under another name, held out, with losses that no law has."""
    names = list(dict.fromkeys(frame["run"]))[::3]
    wrong = frame[frame["run"].isin(names)]
    wrong = wrong.assign(
        run=wrong["run"] + " again", loss=wrong["loss"] * np.linspace(0.2, 3.0, len(wrong)), role="held out"
    )
    return pd.concat([frame.assign(role="fitted"), wrong], ignore_index=True)  # fmt: skip


def test_no_fit_is_made_of_rows_held_out():
    for name, (made, found) in WAYS.items():
        frame = made()
        before, after = found(frame), found(spoilt(frame))
        assert np.array_equal(before, after), (name, before, after)


def test_train_and_test_are_roles_of_runs_whether_rows_are_runs_or_their_checkpoints():
    """As in a table of runs: in a frame, in what is read, and by a flag; the words of losses of two splits hold nothing out."""
    for name, (made, found) in WAYS.items():
        frame = made()
        before, wrong = found(frame), spoilt(frame)
        out = wrong["role"] == "held out"
        for column, words in (("role", ("train", "test")), ("Role", ("fitted", "val")), ("held out", ("no", "yes"))):
            told = wrong.drop(columns="role").assign(**{column: np.where(out, words[1], words[0])})
            after = found(told)
            assert np.array_equal(before, after), (name, column, before, after)
    frame = curves()
    split = np.where(np.arange(len(frame)) % 3 == 0, "test", "train")
    assert not len(read_runs(frame.assign(role=split)).held_out), "which changes along a run"
    assert np.array_equal(
        *(list(fit_trajectory(f, after=0, resamples=0).law.centred) for f in (frame, frame.assign(role=split)))
    )


def test_where_every_row_is_held_out_it_is_said():
    for make, frame in ((rate_laws, grid()), (steps_to_target, one_size()), (logged_curves, schedules())):
        with pytest.raises(FitError, match="all held out"):
            make(frame.assign(role="held out"), *([5.0] if make is steps_to_target else []))


def test_a_role_that_a_person_gives_counts_for_the_checkpoints_too():
    runs = read_runs(spoilt(schedules()))
    out = list(runs.held_out["run"])
    back = runs.hold_out(out, held=False)
    assert "role" not in back.history
    assert {c.run for c in logged_curves(back)} == set(back.kept["run"])
    other = back.hold_out(["linear"])
    assert "role" not in other.fitted.history
    assert {c.run for c in logged_curves(other.history)} == set(back.kept["run"]) - {"linear"}
