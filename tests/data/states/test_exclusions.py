"""Rows that a file marks as not used are set aside with its own reason, and what is exported is read again as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

from data import bundled, read_runs
from data.states.exclusions import KEPT, UNSAID
from fitting import fit
from fitting.export import residuals_to_csv


@pytest.fixture
def write(tmp_path: Path):
    def put(text: str) -> Path:
        path = tmp_path / "runs.csv"
        path.write_text(text)
        return path

    return put


def table(header: str, *marks: str) -> str:
    rows = (f"r{i},{i + 1}e7,{i + 1}e9,{3.5 - i / 10},{mark}" for i, mark in enumerate(marks))
    return "\n".join([f"run,params,tokens,loss,{header}", *rows]) + "\n"


@pytest.mark.parametrize("source", ["probe-isoflop", "simulated-ladder", "simulated-families", "probe-batch-ladder"])
def test_an_exported_table_keeps_and_sets_aside_the_same_runs_for_the_same_reasons(write, source: str) -> None:
    runs = next(e for e in bundled() if e.key == source).load()
    names = list(runs.kept["run"])
    runs = runs.exclude(names[1:9:3]).exclude(names[10:12], 'a spike, said Mara; "odd" = yes')
    text = residuals_to_csv(fit(runs, resamples=50), runs)
    again = read_runs(write(text))
    assert again.digest == runs.digest
    assert again.reasons == runs.reasons
    by_run = ["run", "reason", "loss"]
    assert again.set_aside[by_run].values.tolist() == runs.set_aside[by_run].values.tolist()
    once_more = read_runs(write(residuals_to_csv(fit(again, resamples=50), again)))
    assert not [name for name in once_more.extras if "used" in name or "reason" in name]
    assert once_more.reasons == runs.reasons


def test_rows_set_aside_by_their_own_values_keep_their_reasons(write) -> None:
    runs = read_runs(
        write(table("state", *["finished"] * 9, "crashed") + "x,1e7,1e9,,finished\ny,1e7,1e9,-2,finished\n")
    )
    assert len(runs.reasons) == 3
    runs = runs.exclude(["r0"])
    again = read_runs(write(residuals_to_csv(fit(runs, law="kaplan-params", resamples=0), runs)))
    assert again.reasons == runs.reasons
    assert again.digest == runs.digest


def test_runs_that_a_law_of_the_frontier_does_not_fit_are_kept(write) -> None:
    runs = next(e for e in bundled() if e.key == "simulated-ladder").load()
    text = residuals_to_csv(fit(runs, law="compute-floor", resamples=50), runs)
    assert text.count(KEPT) > 0
    assert read_runs(write(text)).digest == runs.digest


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    [("used", "True", "False"), ("Used", "yes", "no"), ("include", "1", "0"), ("used_in_fit", "y", "n"),
     ("excluded", "FALSE", "TRUE"), ("is_excluded", "0", "1"), ("Exclude?", "no", "yes"), ("set aside", "", "yes"),
     ("keep", "true", "false")],
)  # fmt: skip
def test_a_mark_of_yes_and_no_is_read_under_any_of_its_names(write, header: str, yes: str, no: str) -> None:
    runs = read_runs(write(table(header, yes, no, yes, yes)))
    assert list(runs.set_aside["run"]) == ["r1"]
    assert runs.reasons == {UNSAID: 1}
    assert header not in runs.kept
    back = read_runs(write(table(header, yes, no, yes, yes)), states=["not used"])
    assert len(back) == 4


@pytest.mark.parametrize("header", ["used", "excluded", "keep"])
def test_a_column_of_other_values_under_such_a_name_is_carried_along(write, header: str) -> None:
    runs = read_runs(write(table(header, "3", "0", "1", "12")))
    assert len(runs) == 4
    assert list(runs.kept[header]) == [3, 0, 1, 12]


def test_a_mark_on_every_row_sets_nothing_aside_and_says_so(write) -> None:
    runs = read_runs(write(table("used", "no", "no", "no")))
    assert len(runs) == 3
    assert any("Every row is marked as not used" in note for note in runs.notes)


def test_a_reason_without_a_mark_is_the_file_s_own_column(write) -> None:
    runs = read_runs(write(table("reason", "a", "b", "c")))
    assert list(runs.kept["reason (file)"]) == ["a", "b", "c"]


def test_a_marked_checkpoint_is_no_part_of_its_curve(write) -> None:
    curve = "run,params,step,loss,used\n" + "".join(f"r,1e7,{s},{5 - s / 4},{s != 4}\n" for s in range(1, 9))
    runs = read_runs(write(curve))
    assert list(runs.kept["loss"]) == [3.0]
    assert runs.history is not None
    assert list(runs.history["steps"]) == [1, 2, 3, 5, 6, 7, 8]
    assert any("1 checkpoint cannot be used" in note for note in runs.notes)
