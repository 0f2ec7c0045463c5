"""Rows that are no runs and cells that were merged: told where it is plain, left alone where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from data import Runs, read_runs
from data.readers._summaries import is_summary
from data.readers._unit_rows import is_unit_row


def of(folder: Path, text: str) -> Runs:
    """The runs in CSV text."""
    path = folder / "runs.csv"
    path.write_text(text)
    return read_runs(path)


@pytest.mark.parametrize(
    "text",
    [
        "Average",
        "avg.",
        "Mean",
        "**Mean**",
        "Std. dev.",
        "std",
        "Median",
        "Total",
        "Min",
        "25%",
        "Mean (3 seeds)",
        "mean of all runs:",
    ],
)
def test_words_for_a_summary(text: str) -> None:
    assert is_summary(text)


@pytest.mark.parametrize(
    "text", ["mean-pooling", "maximal update", "minGPT", "total 7B", "averaged-125M", "", "sum to one"]
)
def test_names_that_are_no_summary(text: str) -> None:
    assert not is_summary(text)


def test_sizes_said_once_are_filled_down(tmp_path: Path) -> None:
    runs = of(tmp_path, "params,lr,tokens,loss\n1e7,1e-3,1e9,4.1\n,,2e9,4.0\n2e7,5e-4,1e9,3.9\n,,2e9,3.8\n")
    assert runs.kept["params"].tolist() == [1e7, 1e7, 2e7, 2e7]
    assert runs.kept["lr"].tolist() == [1e-3, 1e-3, 5e-4, 5e-4]
    assert any("filled down" in note for note in runs.notes)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("params,tokens,loss\n1e7,1e9,4.1\n,2e9,4.0\n2e7,1e9,3.9\n2e7,2e9,3.8\n3e7,2e9,3.7\n", 4),  # one blank
        ("params,tokens,loss\n1e7,1e9,4.1\n,2e9,4.0\n,3e9,3.9\n2e7,2e9,3.8\n3e7,2e9,3.7\n", 3),  # one group
        ("params,tokens,loss\n,1e9,4.1\n1e7,2e9,4.0\n,3e9,3.9\n2e7,2e9,3.8\n,3e9,3.7\n", 2),  # the first says nothing
    ],
)
def test_sizes_that_are_missing_stay_missing(tmp_path: Path, text: str, kept: int) -> None:
    runs = of(tmp_path, text)
    assert len(runs.kept) == kept
    assert set(runs.set_aside["reason"]) == {"no params"}


def test_states_seeds_and_what_stands_behind_the_loss_are_not_filled_down(tmp_path: Path) -> None:
    runs = of(
        tmp_path,
        "run,params,tokens,loss,state,seed\na,1e7,1e9,4.1,crashed,1\nb,1e7,2e9,4.0,,\nc,2e7,1e9,3.9,crashed,2\nd,2e7,2e9,3.8,,\n",
    )
    assert runs.kept["run"].tolist() == ["b", "d"]
    assert not any("filled down" in note for note in runs.notes)


def test_a_size_is_not_carried_past_a_heading(tmp_path: Path) -> None:
    runs = of(
        tmp_path,
        "params,tokens,loss,remark\nDense one,,,\n1e7,1e9,4.1,\n,2e9,4.0,\n2e7,1e9,3.9,\n,2e9,3.8,\n"
        "Sparse one,,,\n,1e9,4.4,\n3e7,1e9,3.7,\n,2e9,3.6,\n",
    )
    assert not (runs.kept["loss"] == 4.4).any()


def test_headings_in_a_used_column_are_brought_down(tmp_path: Path) -> None:
    runs = of(
        tmp_path,
        "params,tokens,loss\n*Transformer*,,\n1e7,1e9,4.1\n2e7,2e9,4.0\nAverage,,4.05\n*Mamba*,,\n1e7,1e9,3.9\n2e7,2e9,3.8\nAverage,,3.85\n\n"
        "Notes: trained from scratch.\n",
    )
    assert runs.kept["family"].tolist() == ["Transformer", "Transformer", "Mamba", "Mamba"]
    reasons = runs.set_aside["reason"].tolist()
    assert sorted(reasons) == ["a heading between runs, not a run"] * 2 + ["a summary of other rows, not a run"] * 2
    assert any("Notes: trained from scratch." in note for note in runs.notes)


def test_runs_that_failed_are_no_headings(tmp_path: Path) -> None:
    runs = of(
        tmp_path, "run,params,tokens,loss\na,,,\nb,1e7,1e9,4.0\nc,2e7,2e9,3.0\nd,,,\ne,1e7,1e9,4.0\nf,2e7,2e9,3.1\n"
    )
    assert set(runs.set_aside["reason"]) == {"no loss"}
    assert len(runs.set_aside) == 2


def test_a_mean_with_every_cell_filled_is_set_aside_where_it_is_one(tmp_path: Path) -> None:
    runs = of(
        tmp_path,
        "run,params,tokens,loss\na,1e7,1e9,4.0\nb,3e7,3e9,3.0\nMean,2e7,2e9,3.5\nStd. dev.,1.414e7,1.414e9,0.7071\n",
    )
    assert runs.kept["run"].tolist() == ["a", "b"]
    runs = of(
        tmp_path, "run,params,tokens,loss\nmean,1e7,1e9,4.1\nmax,1e7,2e9,4.0\nsum,2e7,1e9,3.9\nattention,2e7,2e9,3.8\n"
    )
    assert len(runs.kept) == 4  # ways of pooling


@pytest.mark.parametrize(
    ("row", "is_unit"),
    [
        (["", "M params", "B tokens", "k tokens", "×1e-4", "nats"], True),
        (["", "millions", "[B]", "(h)", "EFLOPs", "nats/token"], True),
        (["-", "10^6", "10⁹ tokens", "%"], True),
        (["-", "10^6", "10^9"], True),
        (["a", "10^6", "10^9", "3.2"], False),
        (["a", "M params", "B tokens"], False),
        (["", "12M", "3B"], False),
        (["", "small", "finished"], False),
    ],
)
def test_a_row_of_units(row: list[str], is_unit: bool) -> None:
    assert is_unit_row(row, ".") is is_unit
