"""Curves and final losses of two sweeps in one table: read apart, with what tells them apart said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fitting import FitError
from fitting.batch import critical_batch, curve_groups, decayed, steps_to_target
from fitting.batch.decayed import decayed_by_size

TRUTH = {"c4": (7000, 262_144), "pile": (2800, 2e6)}  # fewest steps to a loss of 2.4, and the critical batch
FLOORS = {"c4": (1.7, 3e5), "pile": (1.5, 3e6)}


def curves(column: str = "dataset", names: tuple = ("c4", "pile")) -> pd.DataFrame:
    parts = []
    step = np.unique(np.geomspace(100, 400_000, 60).astype(int))
    for value, (s_min, b_crit) in zip(names, TRUTH.values(), strict=True):
        for b in 2.0 ** np.arange(15, 23):
            loss = 2.4 * (s_min * (1 + b_crit / b) / step) ** 0.1
            parts.append(pd.DataFrame({"run": f"{value} {b:g}", "batch": b, "step": step, "loss": loss, column: value}))
    return pd.concat(parts, ignore_index=True)


def final() -> pd.DataFrame:
    rows = [
        (name, b, d, floor + 2000 * (d / (1 + b / crit)) ** -0.36)
        for name, (floor, crit) in FLOORS.items()
        for b in np.geomspace(2e4, 2e7, 7)
        for d in np.geomspace(1e10, 1e12, 5)
    ]
    return pd.DataFrame(rows, columns=["dataset", "batch", "tokens", "loss"])


def test_curves_of_two_sweeps_are_read_apart():
    settings = {
        "dataset": ("c4", "pile"), "optimizer": ("adam", "muon"), "family": ("dense", "moe"), "seq_len": (1024, 4096),
        "weight_decay": (0.1, 0.0),
    }  # fmt: skip
    for column, values in settings.items():
        frame = curves(column, values)
        for form in (frame, frame.assign(run="x"), frame.assign(**{column: frame[column].where(frame["step"] == 100)})):
            groups = curve_groups(form)
            assert groups.by == (column,), column
            assert f"differ in {column!r}" in groups.notes[0], column
            for own, (s_min, b_crit) in zip(groups.parts.values(), TRUTH.values(), strict=True):
                reached = steps_to_target(own, 2.4)
                found = critical_batch(reached.batch, reached.steps, resamples=0)
                assert tuple(found.best) == pytest.approx((s_min, s_min * b_crit), rel=1e-3), column
                assert not any("differ" in note for note in reached.notes), column
        said = steps_to_target(frame, 2.4).notes[0]
        assert said.endswith("are read as one here; `curve_groups` reads them apart."), column


def test_an_unknown_number_is_said_and_can_be_grouped_by():
    frame = curves("beta2", (0.95, 0.99))
    assert list(curve_groups(frame).parts) == [""]
    assert "differ in 'beta2' (0.95, 0.99) and count as one group" in steps_to_target(frame, 2.4).notes[0]
    assert list(curve_groups(frame, "beta2").parts) == ["beta2 0.95", "beta2 0.99"]
    assert len(curve_groups(frame.assign(optimizer="adam"), ("optimizer", "beta2")).parts) == 2
    with pytest.raises(FitError, match="no column 'beta3' to group by"):
        curve_groups(frame, "beta3")


def test_what_changes_along_a_run_tells_nothing_apart():
    frame = curves()[lambda f: f["dataset"] == "c4"].assign(dataset="c4")
    frame["phase"] = np.where(frame["step"] < 1000, "warm-up", "stable")
    frame["seq_len"] = np.where(frame["step"] < 1000, 512, 2048)
    frame["rate"] = 1 / frame["step"]
    assert curve_groups(frame).notes == ()


def test_final_losses_of_two_data_sets_are_read_apart():
    for target in ((), (2.1,)):
        read = decayed_by_size(final(), target, resamples=50)
        assert [name for name, _, _ in read] == ["c4", "pile"]
        for (name, size, one), (_, crit) in zip(read, FLOORS.values(), strict=True):
            assert np.isnan(size)
            assert one.found.b_crit.value == pytest.approx(crit, rel=1e-3), name
            assert one.found.notes[0].startswith("Runs at one batch differ in 'dataset' (c4, pile): each")
    said = decayed(final(), 2.1, resamples=50).found.notes[0]
    assert said.startswith("Runs at one batch differ in 'dataset' (c4, pile) and are read as one here")
    alone = decayed(final()[lambda f: f["dataset"] == "c4"], 2.1, resamples=50).found.notes
    assert not any("differ" in note for note in alone)


def test_a_group_left_out_is_said():
    frame = final()
    few = frame[(frame["dataset"] == "c4") | (frame["batch"] > 5e6)]
    (only,) = decayed_by_size(few, (2.1,), resamples=50)
    assert any(note.startswith("pile: fewer than 3 batch sizes") for note in only[2].found.notes)
    high = decayed_by_size(frame, (1.65,), resamples=50)  # below the floor of one
    assert [name for name, _, _ in high] == ["pile"]
    assert any(note.startswith("c4: Whether every batch comes down to 1.65") for note in high[0][2].found.notes)


def test_groups_go_by_any_list_of_names_and_by_nothing_else():
    for by in (pd.Index(["dataset"]), np.array(["dataset"]), ["dataset"], ("dataset",), "dataset"):
        assert [name for name, _, _ in decayed_by_size(final(), by=by, resamples=0)] == ["c4", "pile"]
    for by in (5, [5], {"dataset": 1}):
        with pytest.raises(FitError, match="by is the name of a column, or a list of them; it was"):
            decayed_by_size(final(), by=by, resamples=0)
