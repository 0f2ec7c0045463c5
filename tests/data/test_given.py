"""Whatever is given to a public reader is taken as meant or answered in a sentence, never in a raw error."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from data import (
    DataError,
    MappingNeeded,
    ReadError,
    describe,
    load,
    read_file,
    read_files,
    read_runs,
    read_table,
    recognise,
)
from data.own_columns import read_columns
from data.steps.tables import steps_table
from data.summary import read_summary

WRONG: tuple[Any, ...] = (
    None, True, "nope", "", b"x", float("nan"), -1.0, 0, 3, 2.5, 10**400, [], ["x"], [None], [3], {}, {"a": 1}, {3: 4}, set(), object(),
    len, Path("nowhere.csv"), np.array([True]), np.array(["a"]), pd.Series([1e9], index=["a"]), pd.DataFrame(), pd.DataFrame({"x": [1]}),
    "x\0y",
)  # fmt: skip


def frame() -> pd.DataFrame:
    n, d = (x.ravel() for x in np.meshgrid(np.geomspace(1e7, 1e9, 4), np.geomspace(1e9, 1e11, 4)))
    return pd.DataFrame({"params": n, "tokens": d, "loss": 1.7 + 400 * n**-0.34 + 410 * d**-0.28})


def tries() -> pd.DataFrame:
    k = np.geomspace(1, 100, 8)
    return pd.DataFrame({"samples": k, "coverage": np.exp(-2.0 * k**-0.3)})


RUNS = read_runs(frame())
ASKS: dict[str, Callable[[Any], Any]] = {
    "read_runs": read_runs,
    "read_file": read_file,
    "read_files": read_files,
    "read_table": read_table,
    "read_table, its name": lambda x: read_table(b"a,b\n1,2\n", x),
    "recognise": recognise,
    "load": load,
    "describe": describe,
    "read_summary": read_summary,
    "steps_table": steps_table,
    "Runs.hold_out": RUNS.hold_out,
    "Runs.exclude": RUNS.exclude,
    "Runs.called": RUNS.called,
    "read_columns": lambda x: read_columns(x, ["samples", "coverage"]),
    "read_columns, columns": lambda x: read_columns(tries(), x),
    "read_columns, answers": lambda x: read_columns(tries(), ["samples", "coverage"], x),
    **{
        f"read_runs, {name}": lambda x, name=name: read_runs(frame(), **{name: x})
        for name in inspect.signature(read_runs).parameters
        if name != "source"
    },
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ASKS)
def test_whatever_is_given_is_taken_or_answered_in_a_sentence(name: str) -> None:
    raw = []
    for wrong in WRONG:
        try:
            ASKS[name](wrong)
        except DataError as e:
            raw += [] if str(e).strip() else [f"{wrong!r:.40}: nothing said"]
        except Exception as e:
            raw.append(f"{wrong!r:.40}: {type(e).__name__} {e}")
    assert not raw, "\n".join(raw)


def test_a_list_of_one_frame_is_the_frame() -> None:
    one = read_runs([frame()])
    assert one == RUNS
    assert one.labels == RUNS.labels
    with pytest.raises(ReadError, match="Join them with pandas"):
        read_runs([frame(), frame()])
    with pytest.raises(ReadError, match="Join them with pandas"):
        read_runs(["runs.csv", frame()])


def test_a_frame_of_steps_is_a_table_of_them() -> None:
    rows = pd.DataFrame({"batch_size": [64, 128, 256], "steps_to_target": [9000, 6000, 4800]})
    assert list(steps_table(rows).frame["steps"]) == [9000, 6000, 4800]


def test_a_single_name_is_one_column() -> None:
    assert list(read_columns(tries(), "coverage").kept["coverage"]) == list(
        read_columns(tries(), ["coverage"]).kept["coverage"]
    )
    for none in ([], {}, 3):
        with pytest.raises(DataError, match="columns is a list of names"):
            read_columns(tries(), none)


def test_a_unit_is_a_factor() -> None:
    with pytest.raises(DataError, match="the unit of params is a factor"):
        read_runs(frame(), units={"params": True})


def test_names_that_no_run_has_are_said_in_short_beside_those_there_are() -> None:
    with pytest.raises(
        DataError, match=r"no kept run is called zzz\. Name some of those kept: row 1, row 2, row 3 and 13 more"
    ):
        RUNS.exclude(["zzz"])
    for of in (RUNS.exclude, RUNS.hold_out):
        with pytest.raises(DataError, match=r"called rwo 12 \(the nearest by spelling is 'row 12'\)\. Name"):
            of(["row 1", "rwo 12"])
    with pytest.raises(DataError) as said:
        RUNS.exclude(["z" * 10_000, *(f"y{k}" for k in range(99))])
    assert len(str(said.value)) < 400
    mask = frame()[["loss"]] > 3
    with pytest.raises(
        DataError, match=r"one mask over them; it was a DataFrame\. Give one of its columns: frame\['loss'\]"
    ):
        RUNS.exclude(mask)


def test_of_two_columns_of_one_name_one_is_asked_for() -> None:
    """As of two losses: the first was taken without a word."""
    one = tries()
    for both in (one.assign(Coverage=one["coverage"] * 0.5), pd.concat([one, one[["coverage"]] * 0.5], axis=1)):
        with pytest.raises(
            MappingNeeded, match=r"Which column holds coverage: coverage, .*Give columns=\{\"coverage\": \"coverage\"\}"
        ):
            read_columns(both, ["samples", "coverage"])
    other = read_columns(one.assign(Coverage=one["coverage"] * 0.5), ["samples", "coverage"], {"coverage": "Coverage"})
    assert np.allclose(other.kept["coverage"], one["coverage"] * 0.5)
    same = read_columns(one.assign(Coverage=one["coverage"]), ["samples", "coverage"])
    assert np.allclose(same.kept["coverage"], one["coverage"])


def test_an_answer_for_a_column_that_nobody_asks_for_is_refused() -> None:
    with pytest.raises(DataError, match="there is no column 'zzz' to read; the law has samples, coverage"):
        read_columns(tries(), ["samples", "coverage"], {"zzz": "coverage"})
    with pytest.raises(MappingNeeded, match="no column coverage"):
        read_columns(tries(), ["samples", "coverage"], {"coverage": None})
    named = read_columns(tries().assign(id="a"), ["samples", "coverage"], {"run": "id"})
    assert named.kept["run"].str.startswith("a").all()
