"""The same runs in every shape a table comes in: each read right, asked about, or set aside with a reason."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import DataError, MappingNeeded, ReadError, Runs, read_runs, read_table, recognise, to_runs
from tests.data.cases import side_by_side
from tests.soon import ends_within

Read = Callable[..., Runs]
Row = dict[str, Any]


# What each shape must come to, by its smallest input -----------------------------------------------------------------


def test_an_array_of_losses_is_a_curve_with_its_end(read: Read) -> None:
    runs = read('{"n_params":1e6,"n_tokens":2e7,"losses":[9.0,5.0,4.1,3.6]}', "one.json")
    assert runs.kept[["run", "params", "tokens", "loss"]].values.tolist() == [["one", 1e6, 2e7, 3.6]]
    assert runs.history is not None
    assert runs.history["loss"].tolist() == [9.0, 5.0, 4.1, 3.6]
    assert "steps" not in runs.kept  # nothing says at which steps the losses were measured
    assert any("'index' counts them" in n for n in runs.notes)
    assert any("n_tokens" in n for n in runs.notes)


@pytest.mark.parametrize("lines", [True, False])
def test_objects_with_arrays_are_a_run_each(read: Read, lines: bool) -> None:
    rows = [
        {"params": 1e8, "tokens": [1e9, 2e9, 3e9], "loss": [4.0, 3.5, 3.25]},
        {"params": 2e8, "tokens": [1e9, 2e9], "loss": [3.75, 3.0]},
    ]
    runs = read("\n".join(map(json.dumps, rows)) if lines else json.dumps(rows), "x.json")
    assert runs.kept[["run", "params", "tokens", "loss"]].values.tolist() == [
        ["row 1", 1e8, 3e9, 3.25], ["row 2", 2e8, 2e9, 3.0],
    ]  # fmt: skip
    assert runs.history is not None
    assert runs.history["loss"].tolist() == [4.0, 3.5, 3.25, 3.75, 3.0]


def test_runs_of_one_name_stay_apart(read: Read) -> None:
    rows = [{"name": "125M", "seed": k, "params": 1.25e8, "tokens": 1e9, "losses": [4.0, 3.0 + k]} for k in (1, 2)]
    runs = read(json.dumps(rows), "x.json")
    assert list(runs.kept["run"]) == ["125M", "125M (2)"]
    assert runs.kept["loss"].tolist() == [4.0, 5.0]


def test_arrays_of_other_lengths_stay_as_text_and_are_noted(read: Read) -> None:
    row = {"params": 1e6, "tokens": 2e7, "step": [10, 20, 30, 40], "losses": [9.0, 5.0, 4.1, 3.6], "lr": [1e-3, 1e-3, 1e-4],
           "betas": [0.9, 0.95], "shapes": [[1, 2], [3]], "tags": []}  # fmt: skip
    runs = read(json.dumps(row), "x.json")
    assert runs.kept[["steps", "loss"]].values.tolist() == [[40.0, 3.6]]
    assert runs.kept["betas"].tolist() == ["[0.9, 0.95]"]
    (note,) = [n for n in runs.notes if "kept as text" in n]
    assert all(name in note for name in ("lr", "betas", "shapes"))
    assert "tags" not in note


def test_lists_of_settings_are_no_curve(read: Read) -> None:
    rows = [{"params": 1e8 * k, "tokens": 1e9, "loss": 4.0 - k, "betas": [0.9, 0.95], "dims": [8, 16]} for k in (1, 2)]
    runs = read(json.dumps(rows), "x.json")
    assert runs.kept["loss"].tolist() == [3.0, 2.0]
    assert runs.history is None
    assert any("betas, dims" in n for n in runs.notes)


def test_settings_as_long_as_a_short_curve_stay_settings(read: Read) -> None:
    rows = [{"name": n, "params": 1e8, "tokens": 1e9, "loss": c, "betas": [0.9, 0.95]} for n, c in
            (("a", [4.0, 3.5, 3.0]), ("b", [4.0, 3.25]))]  # fmt: skip
    runs = read(json.dumps(rows), "x.json")
    assert runs.kept["betas"].tolist() == ["[0.9, 0.95]"] * 2
    assert runs.kept["loss"].tolist() == [3.0, 3.25]


@pytest.mark.parametrize(
    ("key", "many"), side_by_side(["history", "log_history", "evals", "checkpoints"], [True, False])
)
def test_a_list_of_objects_inside_a_run_is_its_curve(read: Read, key: str, many: bool) -> None:
    def run(name: str, size: float) -> Row:
        return {
            "name": name,
            "params": size,
            "tokens": 2e9,
            key: [{"step": 10, "loss": 4.0}, {"step": 20, "loss": 3.5}],
        }

    runs = read(json.dumps([run("a", 1e8), run("b", 2e8)] if many else run("a", 1e8)), "x.json")
    assert list(runs.kept["run"]) == ["a", "b"][: 1 + many]
    assert runs.kept[["params", "steps", "loss"]].values.tolist() == [[1e8, 20, 3.5], [2e8, 20, 3.5]][: 1 + many]
    assert runs.history is not None
    assert len(runs.history) == 2 * (1 + many)


def test_tokens_of_the_whole_run_make_one_batch(read: Read) -> None:
    row = {"params": 1e8, "tokens": 1e9, "history": [{"step": s, "loss": 4.0 - s / 1000} for s in (100, 500, 1000)]}
    runs = read(json.dumps(row), "x.json")
    assert runs.kept["batch"].tolist() == [1e6]
    assert runs.history is not None
    assert runs.history["batch"].tolist() == [1e6] * 3
    text = "run,params,tokens,step,loss\n" + "".join(f"a,1e8,1e9,{s},{4 - s / 1000}\n" for s in (100, 500, 1000))
    assert read(text).kept["batch"].tolist() == [1e6]


def test_of_train_and_eval_lists_the_held_out_loss_is_meant(read: Read) -> None:
    row = {"params": 1e8, "tokens": 1e9, "train": [{"step": s, "loss": 5.0 - s} for s in (1, 2, 3)],
           "eval": [{"step": s, "loss": 6.0 - s} for s in (1, 3)]}  # fmt: skip
    assert read(json.dumps(row), "x.json", columns={"loss": "train/loss"}).kept["loss"].tolist() == [2.0]
    runs = read(json.dumps(row), "x.json")
    assert runs.kept[["steps", "loss"]].values.tolist() == [[3.0, 3.0]]
    assert runs.history is not None
    assert runs.history["loss"].tolist() == [5.0, 3.0]


def test_several_lists_of_runs_are_read_and_noted(read: Read) -> None:
    def sweep(size: float) -> list[Row]:
        return [{"params": size, "tokens": t, "loss": 3.0 + t / 1e12} for t in (1e9, 2e9)]

    runs = read(json.dumps({"small": sweep(1e8), "large": sweep(1e9), "targets": [{"flops": 1e21}]}), "x.json")
    assert runs.kept["params"].tolist() == [1e8, 1e8, 1e9, 1e9]
    assert runs.kept["list"].tolist() == ["small", "small", "large", "large"]
    runs = read(json.dumps({"runs": sweep(1e8), "targets": [{"flops": 1e21}]}), "x.json")
    assert len(runs) == 2
    assert any("targets" in n for n in runs.notes)


def test_a_final_loss_beside_its_curve_is_asked_about(read: Read) -> None:
    row = {"params": 1e8, "tokens": 1e9, "best_loss": 3.5, "loss_curve": [5.0, 3.5, 4.0]}
    with pytest.raises(MappingNeeded, match="loss_curve, best_loss"):
        read(json.dumps(row), "x.json")
    for header, loss in (("best_loss", 3.5), ("loss_curve", 4.0)):
        assert read(json.dumps(row), "x.json", columns={"loss": header}).kept["loss"].tolist() == [loss]


def test_a_summary_that_says_the_last_loss_again_is_no_question(read: Read) -> None:
    row = {"config": {"n_params": 1e8}, "summary": {"val/loss": 3.5, "tokens": 2e9},
           "history": [{"_step": s, "val/loss": 4.5 - s, "tokens": s * 2e9} for s in (0, 1)]}  # fmt: skip
    for rows in ([row | {"name": "a"}, row | {"name": "b"}], row):
        runs = read(json.dumps(rows), "x.json")
        assert set(runs.kept["loss"]) == {3.5}
        assert runs.history is not None
    row = {"params": 1e8, "tokens": 1e9, "final_loss": 3.5, "loss_curve": [5.0, 4.0, 3.5]}
    assert read(json.dumps(row), "x.json").kept["loss"].tolist() == [3.5]


def test_arrays_of_runs_are_runs(read: Read) -> None:
    rows = [
        {"family": f, "params": [1e8, 2e8], "tokens": [1e9, 2e9], "loss": [3.0, low]}
        for f, low in (("a", 2.5), ("b", 2.25))
    ]
    runs = read(json.dumps(rows), "x.json")
    assert runs.kept[["family", "params", "loss"]].values.tolist() == [
        ["a", 1e8, 3.0], ["a", 2e8, 2.5], ["b", 1e8, 3.0], ["b", 2e8, 2.25],
    ]  # fmt: skip


@pytest.mark.parametrize("swept", [{"lr": [1e-3, 2e-3, 4e-3]}, {"seeds": [1, 2, 3]}, {"n_params": [1e8, 2e8, 3e8]}])
def test_arrays_of_a_sweep_are_runs(read: Read, swept: dict[str, list[float]]) -> None:
    for wrap in (lambda row: row, lambda row: [row, row | {"family": "b", "losses": [4.1, 4.0, 4.2]}]):
        runs = read(json.dumps(wrap({"family": "a", "tokens": 1e9, "losses": [3.1, 3.0, 3.2], **swept})), "x.json")
        assert runs.kept["loss"].tolist()[:3] == [3.1, 3.0, 3.2]
        assert runs.history is None


def test_losses_by_domain_are_no_curve(read: Read) -> None:
    log = [{"step": s, "loss": 4.0 - s / 8, "domain_losses": [3.0, 2.0, 4.0]} for s in range(6)]
    runs = read("\n".join(map(json.dumps, log)), "night.jsonl")
    assert runs.kept[["run", "steps", "loss"]].values.tolist() == [["night", 5.0, 3.375]]
    ends = [
        {"name": n, "params": 1e8, "tokens": t, "loss": 3.3, "domain_losses": [3.0, 2.0, 4.0]}
        for n, t in (("a", 1e9), ("b", 2e9))
    ]
    runs = read(json.dumps(ends), "x.json")
    assert runs.kept["loss"].tolist() == [3.3, 3.3]
    assert any("domain_losses" in n for n in runs.notes)


@pytest.mark.parametrize("key", ["runs", "experiments", "results"])
def test_runs_by_name_inside_a_document(read: Read, key: str) -> None:
    inner = {"a": {"params": 1e8, "tokens": 1e9, "loss": 3.5}, "b": {"params": 2e8, "tokens": 1e9, "loss": 3.0}}
    runs = read(json.dumps({"project": "x", key: inner}), "x.json")
    assert runs.kept[["run", "params", "loss"]].values.tolist() == [["a", 1e8, 3.5], ["b", 2e8, 3.0]]


def test_curves_in_the_cells_of_a_data_frame() -> None:
    frame = pd.DataFrame({"name": ["a", "b"], "params": [1e8, 2e8], "tokens": [1e9, 2e9],
                          "loss": [[4.0, 3.5, np.nan], np.array([3.75, 3.25])]})  # fmt: skip
    runs = read_runs(frame)
    assert runs.kept[["run", "params", "loss"]].values.tolist() == [["a", 1e8, 3.5], ["b", 2e8, 3.25]]
    assert runs.history is not None
    assert len(runs.history) == 4


@pytest.mark.parametrize("orient", ["records", "columns", "index", "split", "table"])
def test_what_pandas_writes(read: Read, orient: Any) -> None:
    frame = pd.DataFrame(
        {"run": ["a", "b", "c"], "params": [1e8, 2e8, 3e8], "tokens": [1e9, 2e9, 3e9], "loss": [4.0, 3.5, 3.0]}
    )
    runs = read(frame.to_json(orient=orient), "x.json")
    assert runs.kept[["run", "params", "tokens", "loss"]].values.tolist() == frame.values.tolist()
    named = read(frame.set_index("run", drop=orient != "records").to_json(orient=orient), "x.json")
    assert named.kept[["run", "params", "tokens", "loss"]].values.tolist() == frame.values.tolist()


def test_sections_of_one_run_are_no_runs(read: Read) -> None:
    runs = read(
        json.dumps({"config": {"lr": 1e-3, "n_params": 1e8}, "summary": {"loss": 3.0, "tokens": 1e9}}), "x.json"
    )
    assert runs.kept[["params", "tokens", "loss", "lr"]].values.tolist() == [[1e8, 1e9, 3.0, 1e-3]]


def test_a_name_that_stands_twice_keeps_both_values(read: Read) -> None:
    with pytest.raises(MappingNeeded, match=r"loss, loss \(2\)"):
        read('{"params": 1e8, "tokens": 1e9, "loss": 3.0, "loss": 4.0}', "x.json")
    table = read_table(b'{"a": {"b": 1}, "a/b": 2, "loss": 3}', "x.json")
    assert table.frame[["a/b", "a/b (2)"]].values.tolist() == [[1, 2]]


def test_a_gap_in_a_curve_is_no_divergence(read: Read) -> None:
    runs = read('{"params": 1e8, "tokens": 1e9, "losses": [9.0, null, 4.0, null]}', "x.json")
    assert runs.kept["loss"].tolist() == [4.0]
    with pytest.raises(DataError, match="diverged"):
        read('{"params": 1e8, "tokens": 1e9, "losses": [9.0, 4.0, NaN]}', "x.json")


# Nested names --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header", ["arch/d_model", "arch.d_model", "arch__d_model", "config/arch/d_model", "gpt.body.d_model"]
)
def test_a_nested_name_is_known_by_its_last_part(read: Read, header: str) -> None:
    runs = read(f"{header},params,tokens,loss\n64,1e8,1e9,3.5\n128,2e8,1e9,3.0\n")
    assert runs.kept["width"].tolist() == [64.0, 128.0]
    assert next(s.header for s in runs.sources if s.column == "width") == header


def test_a_plain_name_goes_before_a_nested_one(read: Read) -> None:
    runs = read("teacher/params,params,tokens,loss\n1e9,1e8,1e9,3.5\n1e9,2e8,1e9,3.0\n")
    assert runs.kept["params"].tolist() == [1e8, 2e8]
    assert runs.kept["teacher/params"].tolist() == [1e9, 1e9]


def test_one_name_in_two_folders_is_asked_about(read: Read) -> None:
    text = "teacher/params,student/params,tokens,loss\n1e9,1e8,1e9,3.5\n2e9,2e8,1e9,3.0\n"
    with pytest.raises(MappingNeeded, match="teacher/params, student/params"):
        read(text)
    runs = read(text, columns={"params": "student/params"})
    assert runs.kept[["params", "teacher/params"]].values.tolist() == [[1e8, 1e9], [2e8, 2e9]]
    table = read_table(b"model/dim,data/dim,params,tokens,loss\n64,8,1e8,1e9,3.5\n128,8,2e8,1e9,3.0\n", "x.csv")
    (question,) = recognise(table).questions
    assert question.key == "columns.width"
    assert question.options == ("model/dim", "data/dim")


@pytest.mark.parametrize("header", ["eval/tokens", "ms/step", "image/size", "target/params"])
def test_other_things_behind_folders_are_not_taken(header: str) -> None:
    table = read_table(f"{header},value\n1,2\n3,4\n".encode(), "x.csv")
    assert not recognise(table).guesses


# Rows longer than their header ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("row", ["a,1,000,000,3.2", "a,1,000,3.2", "a,1e9,3.2,7", '"a",1e9,3.2,oops'])
def test_a_row_with_more_cells_than_names_says_so(read: Read, row: str) -> None:
    runs = read(f"run,tokens,loss\n{row}\nb,2e9,3.0\nc,4e9,2.9\n")
    assert list(runs.kept["run"]) == ["b", "c"]
    (reason,) = runs.reasons
    assert reason.startswith("more cells than column names (")
    assert runs.set_aside["run"].tolist() == ["row 2"]


def test_a_long_row_does_not_break_a_history(read: Read) -> None:
    log = "".join(f"a,{s},{4 - s / 10}\n" for s in range(1, 4)) + "a,1,000,2.5\n" + "b,1,3.5\nb,2,3.25\n"
    runs = read("run,step,loss\n" + log)
    assert runs.kept[["run", "steps", "loss"]].values.tolist() == [["a", 3.0, 3.7], ["b", 2.0, 3.25]]
    assert len(runs.set_aside) == 1


def test_separators_at_the_end_are_no_cells(read: Read) -> None:
    runs = read("run,tokens,loss\na,1e9,3.2,\nb,2e9,3.0,,\nc,4e9,2.9\n")
    assert len(runs) == 3
    assert not len(runs.set_aside)
    assert len(read("run,tokens,loss,\na,1e9,3.2,crashed\nb,2e9,3.0,\n")) == 2  # a remark behind the table


def test_rows_that_are_all_longer_are_refused_or_shifted(read: Read) -> None:
    with pytest.raises(ReadError, match="more cells in every row"):
        read("run,tokens,loss\na,1,000,3.2\nb,2,000,3.0\n")
    runs = read("run,tokens,loss\n1,a,1e9,3.2\n2,b,2e9,3.0\n")  # as R writes row numbers
    assert runs.kept[["run", "tokens", "loss"]].values.tolist() == [["a", 1e9, 3.2], ["b", 2e9, 3.0]]
    with pytest.raises(ReadError, match="more cells in every row"):
        read("tokens,loss\n1,000,3.2\n2,000,3.0\n")


# Long tables ---------------------------------------------------------------------------------------------------------


def long(header: str, rows: list[tuple[Any, ...]]) -> str:
    """A long table as text."""
    return header + "\n" + "".join(",".join(map(str, r)) + "\n" for r in rows)


CURVES = [(r, t, s, v + (r == "b") / 4) for r in "ab" for s in (1, 2, 3)
          for t, v in (("loss", 5.0 - s), ("acc", s / 8), ("z_loss", 0.5))]  # fmt: skip


@pytest.mark.parametrize(
    ("tag", "value"),
    side_by_side(["tag", "metric", "name", "variable", "key", "what was logged"], ["value", "metric_value", "reading"]),
)
def test_a_long_table_has_a_column_for_each_quantity(read: Read, tag: str, value: str) -> None:
    runs = read(long(f"run,{tag},step,{value}", CURVES))
    assert runs.kept[["run", "steps", "loss", "acc"]].values.tolist() == [
        ["a", 3.0, 2.0, 0.375],
        ["b", 3.0, 2.25, 0.625],
    ]
    assert runs.history is not None
    assert runs.history["loss"].tolist() == [4.0, 3.0, 2.0, 4.25, 3.25, 2.25]


def test_a_value_logged_twice_is_counted(read: Read) -> None:
    runs = read(long("run,tag,step,value", [*CURVES, ("a", "loss", 3, 1.5)]))
    assert runs.kept["loss"].tolist() == [1.5, 2.25]
    assert any(n.startswith("1 repeated value") for n in runs.notes)


def test_what_mlflow_writes(read: Read) -> None:
    rows = [("u1", k, v, 100 + s, s, "false") for s in (0, 1, 2) for k, v in
            (("val_loss", 5.0 - s), ("n_tokens", 1e9 * (s + 1)), *((("params", 1e8),) if s == 0 else ()))]  # fmt: skip
    runs = read(long("run_uuid,key,value,timestamp,step,is_nan", rows))
    assert runs.kept[["run", "params", "tokens", "loss"]].values.tolist() == [["u1", 1e8, 3e9, 3.0]]


def test_what_tensorboard_writes(read: Read) -> None:
    rows = [(1.5 * s, t, s, v) for s in (1, 2, 3) for t, v in (("train/loss", 5.0 - s), ("train/acc", s / 8))]
    runs = read(long("wall_time,tag,step,value", rows), "night.csv")
    assert runs.kept[["run", "loss", "steps"]].values.tolist() == [["night", 2.0, 3.0]]


def test_settings_beside_a_long_table(read: Read) -> None:
    rows = [
        (p, 1e-3, s, t, v) for p in (1e8, 2e8) for s in (1, 2) for t, v in (("loss", 5.0 - s - p / 1e9), ("acc", s / 8))
    ]
    runs = read(long("params,lr,step,metric,value", rows))
    assert runs.kept[["params", "lr", "loss"]].values.tolist() == [[1e8, 1e-3, 2.9], [2e8, 1e-3, 2.8]]
    rows = [
        (p, k, t, v)
        for p in (1e8, 2e8)
        for k in (1e9, 2e9)
        for t, v in (("loss", 4.0 - p / 1e9 - k / 1e10), ("acc", 0.5))
    ]
    runs = read(long("params,tokens,variable,value", rows))  # totals, and no curve
    assert runs.kept[["params", "tokens", "loss"]].values.tolist() == [
        [p, k, 4.0 - p / 1e9 - k / 1e10] for p in (1e8, 2e8) for k in (1e9, 2e9)
    ]
    assert runs.history is None


@pytest.mark.parametrize("names", [["125M", "1.3B"], ["1", "2"], ["20240101", "20240102"]])
@pytest.mark.parametrize("shape", ["long", "one quantity", "on its side", "arrays"])
def test_names_that_look_like_numbers_are_names(read: Read, names: list[str], shape: str) -> None:
    curves = list(zip(names, (1e8, 2e8), ((4.0, 3.5), (3.75, 3.25)), strict=True))
    if shape == "long":
        rows = [(n, s, t, v) for n, p, c in curves for s, x in enumerate(c, 1) for t, v in (("loss", x), ("params", p))]
        text = long("run,step,tag,value", rows)
    elif shape == "one quantity":
        text = long(
            "run,params,step,tag,value", [(n, p, s, "loss", x) for n, p, c in curves for s, x in enumerate(c, 1)]
        )
    elif shape == "on its side":
        text = f"metric,{','.join(names)}\nparams,1e8,2e8\nloss,3.5,3.25\n"
    else:
        text = json.dumps([{"name": n, "params": p, "loss": c} for n, p, c in curves])
    runs = read(text, "x")
    assert runs.kept[["run", "params", "loss"]].values.tolist() == [[names[0], 1e8, 3.5], [names[1], 2e8, 3.25]]


def test_a_long_table_of_one_run_and_one_step(read: Read) -> None:
    for header in ("metric,value,step,run", "key,metric_value,name,_step"):
        cells = {"metric": 0, "key": 0, "value": 1, "metric_value": 1, "step": 2, "_step": 2, "run": 3, "name": 3}
        rows = [("params", 1e8, 5, "a"), ("val_loss", 3.5, 5, "a"), ("acc", 0.5, 5, "a")]
        runs = read(long(header, [tuple(r[cells[h]] for h in header.split(",")) for r in rows]))
        assert runs.kept[["run", "params", "loss"]].values.tolist() == [["a", 1e8, 3.5]]


def test_words_with_gaps_are_no_trouble(read: Read) -> None:
    rows = [
        {"params": 1e8, "tokens": 1e9, "loss": 3.5, "optimizer": None},
        {"params": 2e8, "tokens": 1e9, "loss": 3.0, "optimizer": "adam"},
    ]
    assert len(read(json.dumps(rows), "x.json")) == 2


def test_one_quantity_gives_its_name(read: Read) -> None:
    runs = read("run,metric,value,params\na,val_loss,3.5,1e8\nb,val_loss,3.0,2e8\n")
    assert runs.kept["loss"].tolist() == [3.5, 3.0]
    assert next(s.header for s in runs.sources if s.column == "loss") == "val_loss"


def test_splits_become_parts_of_the_name(read: Read) -> None:
    rows = [
        ("a", sp, s, t, v + (sp == "val"))
        for sp in ("train", "val")
        for s in (1, 2)
        for t, v in (("loss", 5.0 - s), ("acc", 0.5))
    ]
    runs = read(long("run,split,step,metric,value", rows), columns={"loss": "val/loss"})
    assert runs.kept[["loss", "train/loss"]].values.tolist() == [[4.0, 3.0]]


@pytest.mark.parametrize("text", [
    "run,tag,params,tokens,loss,value\na,base,1e8,1e9,3.5,1\nb,new,2e8,1e9,3.0,2\n",
    "name,tag,params,tokens,loss\nloss-test,base,1e8,1e9,3.5\nb,base,2e8,1e9,3.0\n",
    "run,metric,params,tokens,loss\na,loss,1e8,1e9,3.5\nb,loss,2e8,1e9,3.0\n",
])  # fmt: skip
def test_a_tag_beside_real_columns_is_left_alone(read: Read, text: str) -> None:
    runs = read(text)
    assert runs.kept[["params", "tokens", "loss"]].values.tolist() == [[1e8, 1e9, 3.5], [2e8, 1e9, 3.0]]


def test_runs_that_nothing_tells_apart_are_refused(read: Read) -> None:
    rows = [(t, s, v) for _ in "ab" for s in (1, 2, 3) for t, v in (("loss", 5.0 - s), ("acc", s / 8))]
    with pytest.raises(ReadError, match="no column that tells runs apart"):
        read(long("tag,step,value", rows))
    with pytest.raises(ReadError, match="no column of steps"):
        read(long("run,metric,value", [("a", "loss", 3.0), ("a", "loss", 2.0), *[("a", "acc", 0.5)] * 3]))


# Tables on their side ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "metric,run-a,run-b\nparams,1e8,2e8\nschedule,cosine,wsd\ntokens,2e9,4e9\nloss,3.5,3.0\n",
    ",1,2\nparams,1e8,2e8\ntokens,2e9,4e9\nval loss,3.5,3.0\n",
    "params,1e8,2e8\ntokens,2e9,4e9\nloss,3.5,3.0\n",
    "| | run-a | run-b |\n|---|---|---|\n| params | 100M | 200M |\n| tokens | 2B | 4B |\n| loss | 3.5 | 3.0 |\n",
    "a ladder,,\n\nmetric,run-a,run-b\nparams,1e8,2e8\ntokens,2e9,4e9\nloss,3.5,3.0\n",
    '[{"metric":"params","a":1e8,"b":2e8},{"metric":"tokens","a":2e9,"b":4e9},{"metric":"loss","a":3.5,"b":3.0}]',
])  # fmt: skip
def test_a_table_on_its_side(read: Read, text: str) -> None:
    runs = read(text)
    assert runs.kept[["params", "tokens", "loss"]].values.tolist() == [[1e8, 2e9, 3.5], [2e8, 4e9, 3.0]]
    assert any("names stand in the first column" in n for n in runs.notes)


def test_names_and_values_are_one_run(read: Read) -> None:
    runs = read("key,value\nparams,1e8\ntokens,2e9\nloss,3.5\n")
    assert runs.kept[["params", "tokens", "loss"]].values.tolist() == [[1e8, 2e9, 3.5]]


def test_names_both_ways_are_asked_about(read: Read) -> None:
    text = "name,params,loss\nlr,1e8,3.1\nwidth,1e8,3.0\nloss,2e8,2.9\n"
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    (question,) = caught.value.questions
    assert (question.key, question.options) == ("orientation", ("rows", "columns"))
    assert read(text, orientation="rows").kept["params"].tolist() == [1e8, 1e8, 2e8]
    runs = read("name,loss,params\nloss,3.5,3.0\nparams,1e8,2e8\n", orientation="columns")
    assert runs.kept[["run", "params", "loss"]].values.tolist() == [["loss", 1e8, 3.5], ["params", 2e8, 3.0]]
    with pytest.raises(DataError, match="orientation is 'rows' or 'columns'"):
        read(text, orientation="sideways")


def test_an_ablation_is_no_table_on_its_side(read: Read) -> None:
    runs = read("ablation,params,loss\nlr,1e8,3.1\nbatch size,1e8,3.0\nwidth,1e8,2.9\n")
    assert runs.kept["loss"].tolist() == [3.1, 3.0, 2.9]


# Every shape in every format, against the truth -----------------------------------------------------------------------


@dataclass(frozen=True)
class Truth:
    """Runs that were planted: names, parameters, rates, and at each step the tokens and the loss."""

    names: tuple[str, ...]
    params: tuple[float, ...]
    lr: tuple[float, ...]
    steps: tuple[int, ...]
    loss: tuple[tuple[float, ...], ...]  # by run, then by step
    tokens_per_step: float

    def tokens(self, k: int) -> float:
        """Tokens after the k-th of the steps."""
        return self.tokens_per_step * self.steps[k]


HABITS = ("run-{}", "a{}", "exp_{}x", "{}-seed", "lr sweep {}", "dense/{}")


@st.composite
def truths(draw: st.DrawFn, habits: tuple[str, ...] = HABITS) -> Truth:
    """Runs whose losses differ in every step, under names of one of the habits."""
    n, m = draw(st.integers(2, 4)), draw(st.integers(2, 5))
    habit = draw(st.sampled_from(habits))
    start = draw(st.integers(1, 50))
    loss = tuple(tuple(round(6.0 - 0.25 * s - 0.015625 * r, 6) for s in range(m)) for r in range(n))
    return Truth(
        tuple(habit.format(start + i) for i in range(n)),
        tuple(float(10 ** draw(st.integers(7, 9)) * (i + 1)) for i in range(n)),
        tuple(draw(st.sampled_from([1e-3, 3e-4])) for _ in range(n)),
        tuple(int(s) for s in np.cumsum([draw(st.integers(1, 500)) for _ in range(m)])),
        loss,
        float(draw(st.sampled_from([2**24, 500_000_000]))),  # at least a token for 250 parameters
    )


def ends(t: Truth) -> list[Row]:
    """One row for each run, at its end."""
    return [{"run": t.names[r], "params": t.params[r], "lr": t.lr[r], "tokens": t.tokens(-1), "loss": t.loss[r][-1]}
            for r in range(len(t.names))]  # fmt: skip


def wide_rows(t: Truth) -> list[Row]:
    """One row for each run and step."""
    return [{"run": t.names[r], "params": t.params[r], "lr": t.lr[r], "step": s, "tokens": t.tokens(k), "loss": t.loss[r][k]}
            for r in range(len(t.names)) for k, s in enumerate(t.steps)]  # fmt: skip


def tidy_rows(t: Truth) -> list[Row]:
    """One row for each value, settings beside it."""
    return [{"run": w["run"], "params": w["params"], "lr": w["lr"], "step": w["step"], "tag": tag, "value": w[tag]}
            for w in wide_rows(t) for tag in ("tokens", "loss")]  # fmt: skip


def tidy_all(t: Truth) -> list[Row]:
    """One row for each value, settings among the quantities."""
    once = [
        {"run": e["run"], "metric": k, "step": t.steps[0], "value": e[k]} for e in ends(t) for k in ("params", "lr")
    ]
    return once + [
        {"run": w["run"], "metric": k, "step": w["step"], "value": w[k]}
        for w in wide_rows(t)
        for k in ("loss", "tokens")
    ]


def sideways(t: Truth) -> list[Row]:
    """The runs' ends, a run in each column."""
    return [{"metric": k, **{e["run"]: e[k] for e in ends(t)}} for k in ("params", "lr", "tokens", "loss")]


def arrays(t: Truth) -> list[Row]:
    """An object for each run, its curve in arrays."""
    m = range(len(t.steps))
    return [{"run": t.names[r], "params": t.params[r], "config": {"lr": t.lr[r], "betas": [0.9, 0.95, 0.99, 0.5, 0.1, 0.2]},
             "step": list(t.steps), "tokens": [t.tokens(k) for k in m], "loss": list(t.loss[r])}
            for r in range(len(t.names))]  # fmt: skip


def histories(t: Truth) -> list[Row]:
    """An object for each run, its curve in a list of objects."""
    m = range(len(t.steps))
    return [{"run": t.names[r], "config": {"model": {"n_params": t.params[r]}, "optim": {"lr": t.lr[r]}},
             "history": [{"step": t.steps[k], "tokens": t.tokens(k), "loss": t.loss[r][k]} for k in m]}
            for r in range(len(t.names))]  # fmt: skip


SHAPES: dict[str, tuple[Callable[[Truth], list[Row]], bool]] = {  # and whether the shape carries the curve
    "ends": (ends, False), "wide": (wide_rows, True), "tidy": (tidy_rows, True), "tidy all": (tidy_all, True),
    "sideways": (sideways, False), "arrays": (arrays, True), "histories": (histories, True),
}  # fmt: skip


def written(rows: list[Row], form: str) -> bytes:
    """The rows in a format."""
    out = io.BytesIO()
    frame = pd.DataFrame(rows)
    if form == "csv":
        frame.to_csv(out, index=False)
    elif form == "md":
        lines = [list(frame), ["---"] * frame.shape[1], *frame.astype(object).values.tolist()]
        out.write("\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines).encode())
    elif form == "xlsx":
        frame.to_excel(out, index=False)
    elif form == "parquet":
        frame.to_parquet(out)
    elif form == "jsonl":
        out.write("\n".join(map(json.dumps, rows)).encode())
    elif form == "columns":
        out.write(json.dumps({h: frame[h].tolist() for h in frame}).encode())
    elif form == "runs":
        out.write(json.dumps({"project": "x", "runs": rows}).encode())
    else:
        out.write(json.dumps(rows).encode())
    return out.getvalue()


FLAT = ["csv", "md", "xlsx", "parquet", "json", "jsonl", "columns", "runs"]
CASES = [(s, f) for s in ("ends", "wide", "tidy", "tidy all", "sideways") for f in FLAT]
CASES += [(s, f) for s in ("arrays", "histories") for f in ("json", "jsonl", "runs")] + [
    ("arrays nested flat", "parquet")
]


def flat_arrays(t: Truth) -> list[Row]:
    """Arrays in the columns of a table."""
    return [{**{k: v for k, v in row.items() if k != "config"}, "lr": row["config"]["lr"]} for row in arrays(t)]


@pytest.mark.parametrize(("shape", "form", "habit"), [(*case, i % len(HABITS)) for i, case in enumerate(CASES)])
@settings(max_examples=2, deadline=None)
@given(data=st.data())
def test_the_same_runs_from_every_shape(shape: str, form: str, habit: int, data: st.DataObject) -> None:
    """Two truths for each pair, the simplest of them with names of the next habit, so that each table's shape meets them all."""
    t = data.draw(truths((HABITS[habit], HABITS[habit - 3])))
    make, curve = SHAPES.get(shape, (flat_arrays, True))
    table = read_table(written(make(t), form), "planted")
    runs = to_runs(table, recognise(table))
    true = pd.DataFrame(ends(t))
    assert runs.kept["run"].tolist() == true["run"].tolist()
    for column in ("params", "lr", "tokens", "loss"):
        assert np.allclose(runs.kept[column], true[column], rtol=1e-12), column
    assert not len(runs.set_aside)
    if curve:
        assert runs.history is not None
        whole = pd.DataFrame(wide_rows(t))
        assert runs.history["run"].tolist() == whole["run"].tolist()
        assert np.allclose(runs.history["steps"], whole["step"])
        assert np.allclose(runs.history["tokens"], whole["tokens"])
        assert np.allclose(runs.history["loss"], whole["loss"])
        assert np.allclose(runs.history["params"], whole["params"])


@pytest.mark.parametrize("shape", ["tidy", "tidy all", "sideways", "arrays", "histories"])
@settings(max_examples=6, deadline=None)
@given(t=truths(), data=st.data())
def test_damaged_shapes_are_never_wrong_in_silence(shape: str, t: Truth, data: st.DataObject) -> None:
    """Without some of its parts a table is read with true losses, asked about or refused; no other number is a loss."""
    rows = SHAPES[shape][0](t)
    gone = data.draw(st.sampled_from(sorted(rows[0])))
    if data.draw(st.booleans()):
        rows = [{k: v for k, v in row.items() if k != gone} for row in rows]
    else:
        del rows[data.draw(st.integers(0, len(rows) - 1))]
    form = data.draw(st.sampled_from(["json", "jsonl"] if shape in ("arrays", "histories") else ["csv", "json", "md"]))
    try:
        table = read_table(written(rows, form), "planted")
        runs = to_runs(table, recognise(table))
    except DataError:
        return
    true = {round(x, 9) for curve in t.loss for x in curve}
    assert {round(x, 9) for x in runs.kept["loss"]} <= true


# Hostile documents ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    '{"params": 1e8, "losses": [' + "1," * 60_000 + '1], "betas": [1, 2], ' + ",".join(f'"k{j}": 1' for j in range(100)) + "}",
    "[" + ",".join('{"losses": [' + "1," * 999 + "1], " + ",".join(f'"k{j}": 1' for j in range(100)) + "}" for _ in range(60)) + "]",
    "{" + ",".join(f'"k{j}": {j}' for j in range(1_000_000)) + "}",
    '{"losses": [3.0, "a", null, true, {"x": 1}, [2]], "params": 1e8}',
    '{"losses": [[[[[[1]]]]]], "params": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": {"j": {"k": {"l": 1}}}}}}}}}}}}}',
    '{"history": [{}, {}, {"loss": 3}], "runs": [], "params": []}',
    '{"columns": [1, [2]], "data": [[], [1, 2, 3]]}', '{"schema": {}, "data": []}', '{"loss": {}, "params": {}}',
    '[{"loss": [1, 2]}, {"loss": 3}, {"loss": {"0": 1}}, {"loss": []}]', '{"a": 1' + ', "a": 2' * 5_000 + "}",
    "tag,value\n" + "loss,1\n" * 5 + ",2\n", "metric,a\nloss\nparams\n", "run,tag,step,value\n" + "".join(
        f"r,loss{i},1,3\n" for i in range(6_000)),
    "run,metric,step,value\n" + "".join(f"r{i},loss {i % 4000},{i},3\n" for i in range(20_000)),
])  # fmt: skip
def test_hostile_shapes_end_in_runs_or_a_sentence(text: str) -> None:
    with ends_within(3600):
        sentence = ""
        try:
            table = read_table(text.encode(), "x")
            to_runs(table, recognise(table))
        except DataError as e:
            sentence = str(e)
        assert "\n" not in sentence
        assert "damaged" not in sentence  # every case has a sentence of its own
