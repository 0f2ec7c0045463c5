"""The runs table: which rows are kept, why others are set aside, what a history is, and the digest."""

from __future__ import annotations

import cProfile
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import COLUMNS, DataError, MappingNeeded, ReadError, Runs, read_runs
from data.rows.history import distinct, last_of_each
from data.schema import stack
from data.summary import describe, describe_error, read_summary

Read = Callable[..., Runs]


def test_rows_are_set_aside_with_a_reason_and_never_dropped(read: Read) -> None:
    rows = {
        "ok": "1e8,2e9,3", "no loss": "1e8,2e9,", "diverged": "1e8,2e9,nan", "inf": "1e8,2e9,inf", "zero": "0,2e9,3.1",
        "negative": "1e8,-2e9,3.2", "no tokens": "1e8,n/a,3.3", "text": "1e8,2e9,crashed", "ok2": "2e8,4e9,2.9",
    }  # fmt: skip
    runs = read("run,params,tokens,loss\n" + "".join(f"{k},{v}\n" for k, v in rows.items()))
    assert list(runs.kept["run"]) == ["ok", "ok2"]
    assert dict(zip(runs.set_aside["run"], runs.set_aside["reason"], strict=True)) == {
        "no loss": "no loss", "diverged": "loss is not finite (diverged)", "inf": "loss is not finite (diverged)",
        "zero": "params is zero", "negative": "tokens is negative", "no tokens": "no tokens",
        "text": "loss is not a number ('crashed')",
    }  # fmt: skip
    assert len(runs.kept) + len(runs.set_aside) == len(rows)
    assert list(runs.set_aside.columns) == [*runs.kept.columns, "reason"]


def test_shape_of_the_table(read: Read) -> None:
    runs = read("loss,extra,tokens,params,when\n3,1,2e9,1e8,x\n2.9,2,4e9,2e8,y\n")
    assert list(runs.kept.columns) == ["run", "params", "tokens", "flops", "flops_convention", "loss", "extra", "when"]
    assert isinstance(runs.kept.index, pd.RangeIndex)
    for column in runs.columns:
        kind = runs.kept[column].dtype
        assert kind == "float64" if COLUMNS[column].kind == "number" else kind == "str"
    assert runs.extras == ("extra", "when")
    assert len(runs) == 2


def test_copies_are_set_aside_and_repeats_stay(read: Read) -> None:
    text = "run,params,tokens,lr,loss\na,1e8,2e9,.1,3.123456\nb,1e8,2e9,.1,3.123456\nc,1e8,2e9,.1,3.2\nd,1e8,2e9,.2,3.123456\n"
    runs = read(text)
    assert list(runs.kept["run"]) == ["a", "c", "d"]
    assert list(runs.set_aside["reason"]) == ["identical copy of a"]
    assert runs.reasons == {"identical copy of another row": 1}
    assert any("to the last digit under different inputs" in n for n in runs.notes)
    kept = read(text, keep_copies=True)
    assert len(kept.kept) == 4


def test_seeds_make_repeats(read: Read) -> None:
    runs = read("params,tokens,seed,loss\n1e8,2e9,0,3.1\n1e8,2e9,1,3.1\n1e8,2e9,default,3.1\n")
    assert runs.kept["seed"].tolist() == ["0", "1", "default"]


def test_a_history_ends_in_its_run(read: Read) -> None:
    text = "run,params,step,tokens,lr,val_loss\n" + "".join(
        f"{r},{n},{s},{s * 1000},{lr},{6 - s / 1000}\n"
        for r, n in (("a", 1e8), ("b", 2e8))
        for s, lr in ((3000, 0.0), (1000, 0.1), (2000, 0.05))
    )
    runs = read(text)
    assert list(runs.kept["run"]) == ["a", "b"]
    assert runs.kept["steps"].tolist() == [3000, 3000]
    assert runs.kept["loss"].tolist() == [3.0, 3.0]
    assert runs.kept["lr"].tolist() == [0.1, 0.1]  # the peak, not the rate at the end
    assert runs.history is not None
    assert runs.history["steps"].tolist() == [1000, 2000, 3000] * 2
    assert runs.history["lr"].tolist() == [0.1, 0.05, 0.0] * 2
    assert "Many rows per run: the last of each is the run (4 earlier rows are its history)." in runs.notes
    every = read(text, history="all")
    assert len(every.kept) == 6
    assert every.kept["run"].iloc[0] == "a @ 3000"
    assert set(every.kept["group"]) == {"a", "b"}


def test_a_run_that_diverged_at_the_end_is_set_aside_and_a_gap_is_not(read: Read) -> None:
    runs = read(
        "run,params,tokens,step,loss\n"
        "a,1e8,1e9,1,4\na,1e8,2e9,2,3\na,1e8,3e9,3,\nb,2e8,1e9,1,4\nb,2e8,2e9,2,nan\n"
    )  # fmt: skip
    assert list(runs.kept["run"]) == ["a"]
    assert runs.kept["loss"].tolist() == [3]  # nothing was measured at step 3
    assert list(runs.set_aside["run"]) == ["b"]
    assert list(runs.set_aside["reason"]) == ["loss is not finite (diverged)"]
    assert runs.history is not None
    assert set(runs.history["run"]) == {"a"}


def test_a_name_over_different_sizes_is_a_group(read: Read) -> None:
    runs = read("name,params,tokens,loss\nx,1e8,1e9,4\nx,2e8,1e9,3\ny,1e8,2e9,3.5\n")
    assert runs.kept["group"].tolist() == ["x", "x", "y"]
    assert runs.kept["run"].tolist() == ["row 2", "row 3", "row 4"]
    assert any("was taken as the group" in n for n in runs.notes)


def test_names_that_occur_again_get_a_number(read: Read) -> None:
    runs = read("run,params,tokens,loss\nx,1e8,1e9,4\nx,1e8,1e9,3.9\nx (2),1e8,1e9,3.8\n,1e8,2e9,3\n")
    assert runs.kept["run"].tolist() == ["x", "x (3)", "x (2)", "row 5"]


def test_a_log_without_names_is_one_run(read: Read) -> None:
    text = "step,lr,loss\n" + "".join(f"{s},.1,{4 - s / 1000}\n" for s in range(0, 1000, 100))
    runs = read(text, "cosine.csv")
    assert runs.kept["run"].tolist() == ["cosine"]
    assert runs.kept["loss"].tolist() == [3.1]
    table = read(
        "params,steps,loss\n" + "".join(f"1e8,{s},{4 - s / 1000}\n" for s in range(100, 1000, 100)), "sweep.csv"
    )
    assert len(table.kept) == 9  # planned steps of nine runs, not one run's log


@given(st.lists(st.sampled_from(["a", "b", "a (2)", "a (3)", ""]), max_size=12))
def test_distinct_names_are_distinct_and_first_ones_stay(names: list[str]) -> None:
    out = distinct(names)
    assert len(set(out)) == len(names) == len(out)
    for name in set(names):
        assert out[names.index(name)] == name


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9), st.booleans()), min_size=1, max_size=30))
def test_the_last_row_of_each(rows: list[tuple[int, int, bool]]) -> None:
    names = np.array([f"r{r}" for r, _, _ in rows], dtype=object)
    steps = np.array([s for _, s, _ in rows], dtype=float)
    measured = np.array([m for _, _, m in rows])
    chosen = last_of_each(names, steps, measured)
    assert list(dict.fromkeys(names)) == list(names[chosen])
    for at in chosen:
        mine = names == names[at]
        pool = mine & measured if (mine & measured).any() else mine
        assert pool[at]
        assert steps[at] == steps[pool].max()


def test_excluding_moves_rows(read: Read) -> None:
    runs = read("run,params,tokens,loss\na,1e8,1e9,4\nb,2e8,1e9,3\nc,1e8,2e9,3.5\n")
    fewer = runs.exclude(["b"])
    assert list(fewer.kept["run"]) == ["a", "c"]
    assert list(fewer.set_aside["reason"]) == ["excluded by you"]
    assert list(runs.kept["run"]) == ["a", "b", "c"]
    assert fewer.digest != runs.digest
    assert list(fewer.exclude("a", reason="too small").set_aside["reason"]) == ["excluded by you", "too small"]
    with pytest.raises(DataError, match="no kept run is called nobody"):
        runs.exclude(["nobody"])


def test_curves_that_end_alike_have_another_digest_on_the_way(read: Read) -> None:
    text = "run,params,tokens,step,loss\n" + "".join(
        f"{r},1e8,{s}e6,{s},{3 - s / 1000}\n" for r in "ab" for s in (100, 200, 300)
    )
    runs, other = read(text), read(text.replace("a,1e8,100e6,100,2.9", "a,1e8,100e6,100,2.95"))
    assert other.history is not None
    assert other.digest == runs.digest
    assert other.curves_digest != runs.curves_digest
    assert read(text, "copy.csv").curves_digest == runs.curves_digest


def test_the_digest_is_about_values(read: Read) -> None:
    text = "run,params,tokens,loss\na,1e8,1e9,4\nb,2e8,1e9,3\n"
    runs = read(text)
    assert runs.digest == read(text.replace("1e8", "100M"), "other.csv").digest
    assert (
        runs.digest
        == read(text.replace(",loss", ",loss,note").replace(",4\n", ",4,x\n").replace(",3\n", ",3,y\n")).digest
    )
    assert runs.digest != read(text.replace(",4", ",4.0001")).digest
    assert runs.digest != read(text.replace("a,", "z,")).digest
    nudged = Runs(runs.kept.assign(loss=np.nextafter(runs.kept["loss"], 9)), runs.set_aside, "x")
    assert nudged.digest == runs.digest
    assert runs.digest == "a994ffa4e27e1fe7f4ebf38d7e3db0a566c5d4fb9eaa9158232bc58cd269e563"


def test_stacking_frames_without_rows() -> None:
    empty = pd.DataFrame({"a": pd.Series(dtype="float64")})
    assert list(stack([empty, empty]).columns) == ["a"]
    assert stack([empty, pd.DataFrame({"a": [1.0]})])["a"].tolist() == [1.0]


def test_a_folder_reads_as_one(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.csv").write_text("step,loss\n" + "".join(f"{s},{9 - s}\n" for s in range(1, 7)))
    (tmp_path / "two.jsonl").write_text("".join(json.dumps({"step": s, "loss": 8 - s}) + "\n" for s in range(1, 7)))
    (tmp_path / "notes.md").write_text("not a table")
    (tmp_path / "broken.csv").write_bytes(b"\x80\x04\x00\x00.")
    (tmp_path / ".hidden.csv").write_text("step,loss\n1,1\n")
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text("run,loss\nsecret,1\n")
    (tmp_path / "link.csv").symlink_to(outside)
    (tmp_path / "up").symlink_to(tmp_path.parent)
    runs = read_runs(tmp_path)
    assert sorted(runs.kept["run"]) == ["one", "two"]
    assert dict(zip(runs.kept["run"], runs.kept["loss"], strict=True)) == {"one": 3.0, "two": 2.0}
    assert any("broken.csv" in n for n in runs.notes)
    assert runs.history is not None
    assert len(runs.history) == 12


def test_several_files_keep_their_names_apart(tmp_path: Path) -> None:
    for k in (1, 2):
        (tmp_path / f"{k}.csv").write_text(f"run,params,tokens,loss\na,1e8,{k}e9,{4 - k / 10}\n")
    runs = read_runs([tmp_path / "1.csv", tmp_path / "2.csv"])
    assert runs.kept["run"].tolist() == ["a", "a (2)"]
    assert runs.name == "1.csv, 2.csv"
    with pytest.raises(ReadError, match="does not exist"):
        read_runs([tmp_path / "1.csv", tmp_path / "3.csv"])


def test_the_summary_is_plain_values(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("run,params,tokens,loss\na,1e8,1e9,4\nb,2e8,1e9,\nc,1e8,2e9,3.5\n")
    said = json.loads(json.dumps(read_summary(path, rows=True), allow_nan=False))
    assert (said["kept"], said["set_aside"], said["reasons"]) == (2, 1, {"no loss": 1})
    params = next(c for c in said["columns"] if c["column"] == "params")
    assert (params["header"], params["unit"], params["min"], params["max"]) == ("params", "parameters", 1e8, 1e8)
    assert [r["run"] for r in said["runs"]] == ["a", "c"]
    assert said["set_aside_runs"][0]["loss"] is None
    assert "runs" not in describe(read_runs(path))
    with pytest.raises(MappingNeeded) as caught:
        read_runs(pd.DataFrame({"params": [1e8], "a_loss": [3], "b_loss": [4]}))
    assert describe_error(caught.value)["questions"][0]["options"] == ["a_loss", "b_loss"]


def test_large_tables_read_quickly(tmp_path: Path) -> None:
    """The work of a further row does not grow with the rows before it, and is that of its few cells."""
    each = [_calls(_log_of(n, tmp_path)) for n in (2_000, 4_000, 8_000)]
    first, second = (each[1] - each[0]) / 2_000, (each[2] - each[1]) / 4_000
    assert second < 1.4 * first
    assert second < 220  # calls of functions for its eight cells; 155 when this was written


def _log_of(n: int, folder: Path) -> Path:
    """A file of `n` rows, 50 of each run."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"run": [f"r{i // 50}" for i in range(n)], "step": np.tile(np.arange(50), n // 50)})
    frame["params"] = np.repeat(rng.random(n // 50) * 1e9, 50)
    for c in ("tokens", "loss", "lr", "grad_norm", "time"):
        frame[c] = rng.random(n) + 1e6 * (c == "tokens")
    frame.to_csv(folder / f"{n}.csv", index=False)
    return folder / f"{n}.csv"


def _calls(path: Path) -> int:
    """How many calls of functions reading a file takes: a measure of the work that no busy machine moves."""
    with cProfile.Profile() as profile:
        runs = read_runs(path)
    assert len(runs.kept) == int(path.stem) // 50
    return sum(entry.callcount for entry in profile.getstats())


def test_models_lend_their_names(read: Read) -> None:
    runs = read("model,N,D,L\nPythia-70M,70M,300B,2.9\nPythia-160M,160M,300B,2.7\n")
    assert runs.kept["run"].tolist() == ["Pythia-70M", "Pythia-160M"]


def test_a_name_that_is_a_size_names_no_run(read: Read) -> None:
    runs = read("name,size,tokens,loss\n70M,70M,1B,4\n70M,70M,2B,3.8\n160M,160M,4B,3.6\n")
    assert len(runs.kept) == 3
    assert runs.kept["group"].tolist() == ["70M", "70M", "160M"]


def test_rows_of_other_things_are_no_checkpoints(read: Read) -> None:
    text = "run_id,params,_step,train_loss,val_loss\n" + "".join(
        f"a,1e8,{s},{5 - s / 10},\na,1e8,{s},,{5.1 - s / 10}\n" for s in (1, 2, 3)
    )
    runs = read(text, columns={"loss": "val_loss"})
    assert runs.kept["loss"].tolist() == [4.8]
    assert runs.history is not None
    assert len(runs.history) == 3
    assert not len(runs.set_aside)


def test_an_index_of_several_levels_names_no_runs():
    frame = pd.DataFrame({"params": [1e6, 2e6, 4e6], "tokens": [2e7, 4e7, 8e7], "loss": [4.0, 3.8, 3.6]})
    frame.index = pd.MultiIndex.from_product([["a"], ["x", "y", "z"]])
    runs = read_runs(frame)
    assert len(runs.kept) == 3
    assert runs.labels is None


def test_what_the_digest_leaves_out_tells_runs_apart() -> None:
    """Columns of the file's own, their names and where a column came from; the digest goes on naming the data."""
    frame = pd.DataFrame(
        {"params": [1e7, 2e7, 4e7], "tokens": [1e9, 2e9, 4e9], "loss": [3.4, 3.2, 3.0], "optimizer": ["a", "b", "a"]}
    )
    runs = read_runs(frame)
    assert runs.extras == ("optimizer",)
    assert read_runs(frame.copy()).identity == runs.identity
    others = (
        frame.assign(optimizer=["a", "a", "b"]),
        frame.rename(columns={"optimizer": "opt"}),
        frame.rename(columns={"params": "N"}),
    )
    for other in map(read_runs, others):
        assert other.digest == runs.digest
        assert other.identity != runs.identity
    curves = pd.concat([frame.assign(run=list("xyz"), step=s, loss=frame["loss"] + 1 / s) for s in (1, 2, 3)])
    assert "optimizer" in read_runs(curves).history, "so that the digest of curves holds such columns"
