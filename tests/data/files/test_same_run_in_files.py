"""A run that stands in several files is counted once; other runs under its name stay runs."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from data import Runs, read_runs

HEAD = "Name,State,n_params,tokens,val/loss\n"
H = "run,params,tokens,val_loss\n"
Written = Callable[..., Runs]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """A function that writes files into a folder of their own and reads it."""
    count = 0

    def write(files: Mapping[str, str], **answers: object) -> Runs:
        nonlocal count
        count += 1
        for name, text in files.items():
            path = tmp_path / f"sweep {count}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return read_runs(tmp_path / f"sweep {count}", **answers)  # type: ignore[arg-type]

    return write


def curve(header: str = "step,val_loss,tokens", end: float = 3.512345, bottom: float = 0.0) -> str:
    """Five checkpoints that end at a loss, or come through a lower one on the way."""
    losses = [end + 0.4, end + 0.3, bottom or end + 0.2, end + 0.1, end]
    cells = [{"step": str(100 * i), "tokens": f"{i}e8"} for i in range(1, 6)]
    return "\n".join(
        [
            header,
            *(",".join(c.get(h, f"{x:.6f}") for h in header.split(",")) for c, x in zip(cells, losses, strict=True)),
        ]
    )


def ray(loss: float, params: int) -> dict[str, str]:
    rows = [
        {"training_iteration": i, "loss": round(loss + 0.5 - i / 10, 6), "n_params": params, "tokens": i * 1e8}
        for i in range(1, 6)
    ]
    lines = ["training_iteration,loss,n_params,tokens", *(",".join(map(str, row.values())) for row in rows)]
    return {
        "progress.csv": "\n".join(lines),
        "result.json": "\n".join(json.dumps(row | {"config": {"lr": 1e-3}}) for row in rows),
    }


def hf(loss: float) -> dict[str, str]:
    ended = {"epoch": 1.0, "eval_loss": loss, "eval_runtime": 10.0, "perplexity": math.exp(loss)}
    trained = {"epoch": 1.0, "train_loss": loss + 0.4, "train_runtime": 100.0, "num_input_tokens_seen": 5e8}
    return {"all_results.json": json.dumps(ended | trained), "eval_results.json": json.dumps(ended)}


def trials(each: Callable[..., Mapping[str, str]], *arguments: tuple[object, ...]) -> dict[str, str]:
    return {f"gpt-{25 * 2**i}M/{name}": text for i, a in enumerate(arguments) for name, text in each(*a).items()}


#: Files of two runs or three, what params, tokens and loss each of them has, and how many rows are copies.
ONE_RUN = {
    "the same line in two exports": (
        {"a.csv": HEAD + "a,finished,25296128,500000000,4.012345\nb,finished,50296128,900000000,3.712345\n",
         "b.csv": HEAD + "a,finished,25296128,500000000,4.012345\nc,finished,99296128,1900000000,3.512345\n"},
        {(25296128, 5e8, 4.012345), (50296128, 9e8, 3.712345), (99296128, 19e8, 3.512345)}),
    "columns partly different, numbers rounded": (
        {"a.csv": HEAD + "a,finished,25296128,500000000,4.012345\n",
         "b.csv": "Name,lr,n_params,train_tokens,val/loss\na,0.001,25.3M,5e8,4.012\nc,0.001,99296128,1.9e9,3.512\n"},
        {(25296128, 5e8, 4.012345), (99296128, 19e8, 3.512)}),
    "each file lacks what the other has": (
        {"a.csv": "run,params,val_loss\na,1e8,3.60123\nb,2e8,3.50123\n", "b.csv": "run,tokens,val_loss\na,2e9,3.60123\nb,4e9,3.50123\n"},
        {(1e8, 2e9, 3.60123), (2e8, 4e9, 3.50123)}),
    "a perplexity and a loss": (
        {"a.csv": H + "a,1e8,2e9,3.281437\n", "b.csv": "run,params,tokens,val_ppl\na,1e8,2e9,26.614\nd,2e8,2e9,24.011\n"},
        {(1e8, 2e9, 3.281437), (2e8, 2e9, math.log(24.011))}),
    "a file saved twice, without names": (
        {"a.csv": "params,tokens,val_loss\n1e8,2e9,3.60123\n2e8,2e9,3.50123\n",
         "a (1).csv": "params,tokens,val_loss\n1e8,2e9,3.60123\n2e8,2e9,3.50123\n"},
        {(1e8, 2e9, 3.60123), (2e8, 2e9, 3.50123)}),
    "progress and results of a trial": (
        trials(ray, (3.812345, 25296128), (3.612345, 50296128)), {(25296128, 5e8, 3.812345), (50296128, 5e8, 3.612345)}),
    "a curve and its summary": (
        {"gpt-25M/history.csv": curve(), "gpt-25M/wandb-summary.json": '{"_step": 500, "val_loss": 3.512345, "n_params": 25296128}',
         "gpt-50M/history.csv": curve(end=3.4), "gpt-50M/wandb-summary.json": '{"_step": 500, "val_loss": 3.4, "n_params": 50296128}'},
        {(25296128, 5e8, 3.512345), (50296128, 5e8, 3.4)}),
    "a curve and its best checkpoint": (
        {"a/history.csv": curve(bottom=3.2), "a/summary.json": '{"val_loss": 3.2, "n_params": 25296128}',
         "b/history.csv": curve(bottom=3.1), "b/summary.json": '{"val_loss": 3.1, "n_params": 50296128}'},
        {(25296128, 5e8, 3.512345), (50296128, 5e8, 3.512345)}),
    "results of a trainer": (trials(hf, (3.5123,), (3.3123,)), {(25e6, 5e8, 3.5123), (50e6, 5e8, 3.3123)}),
    "results and curves of the training loss": (
        {"results.csv": H + "gpt-25M,25e6,5e8,3.61\ngpt-50M,50e6,1e9,3.41\n",
         "curves/gpt-25M.csv": curve("step,train_loss"), "curves/gpt-50M.csv": curve("step,train_loss", 3.3)},
        {(25e6, 5e8, 3.61), (50e6, 1e9, 3.41)}),
    "a table of each loss": (
        {"t.csv": H.replace("val", "train") + "a,1e8,2e9,3.5\nb,2e8,2e9,3.4\n", "v.csv": H + "a,1e8,2e9,3.6\nb,2e8,2e9,3.5\n"},
        {(1e8, 2e9, 3.6), (2e8, 2e9, 3.5)}),
}  # fmt: skip


def test_a_run_in_several_files_is_counted_once(written: Written) -> None:
    for case, (files, expected) in ONE_RUN.items():
        runs = written(files)
        rows = [tuple(row) for row in runs.kept[["params", "tokens", "loss"]].to_numpy()]
        assert sorted(rows) == [pytest.approx(row) for row in sorted(expected)], case
        assert runs.kept["flops"].to_numpy() == pytest.approx(
            6 * runs.kept["params"] * runs.kept["tokens"], rel=1e-3
        ), case
        assert len(runs.set_aside), case
        assert not runs.kept["run"].str.contains(r"\(2\)").any(), case
        assert any("counted once" in note for note in runs.notes), case
        if runs.history is not None:
            assert set(runs.history["run"]) <= set(runs.kept["run"]), case
        back = written(files, keep_copies=True)
        assert len(back) == len(runs) + len(runs.set_aside), case


#: Files whose rows under one name are runs of their own.
SEVERAL = {
    "another loss": {"a.csv": H + "a,1e8,2e9,3.60123\n", "b.csv": H + "a,1e8,2e9,3.61123\n"},
    "a loss with a nought behind it": {"a.csv": H + "a,1e8,2e9,3.60\nc,1e8,3e9,3.52\n", "b.csv": H + "a,1e8,2e9,3.61234\n"},
    "losses with no decimals": {"a.csv": H + "a,1e8,2e9,3.0\n", "b.csv": H + "a,1e8,2e9,2.8\n"},
    "other tokens": {"a.csv": H + "a,1e8,2e9,3.60123\n", "b.csv": H + "a,1e8,4e9,3.60123\n"},
    "other parameters": {"a.csv": H + "a,1e8,2e9,3.60123\n", "b.csv": H + "a,1.3e8,2e9,3.60123\n"},
    "rounded losses of repeats": {
        "a.csv": H + "a,1e8,2e9,3.28\nb,2e8,2e9,3.11\n", "b.csv": H + "a,1e8,2e9,3.28\nb,2e8,2e9,3.12\n"},
    "seeds in a column": {
        "a.csv": "seed," + H + "1,a,1e8,2e9,3.28\n", "b.csv": "seed," + H + "2,a,1e8,2e9,3.28\n"},
    "seeds in the folders": {"seed1/x.csv": H + "a,1e8,2e9,3.28\n", "seed2/x.csv": H + "a,1e8,2e9,3.28\n"},
    "rates of rounded losses": {
        "a.csv": "lr," + H + "1e-3,a,1e8,2e9,3.28\n", "b.csv": "lr," + H + "2e-3,a,1e8,2e9,3.28\n"},
    "curves of runs named after their files": {"s1.csv": curve(), "s2.csv": curve()},
}  # fmt: skip


def test_runs_that_share_a_name_and_do_not_agree_stay_runs(written: Written) -> None:
    for case, files in SEVERAL.items():
        runs = written(files)
        assert not len(runs.set_aside), case
        assert any("do not agree" in note for note in runs.notes) or case.startswith("curves"), case
        assert any("in a.csv; " in note or "seed1/x.csv; " in note for note in runs.notes) or case.startswith(
            "curves"
        ), case


def test_a_name_that_stands_twice_in_a_file_is_found_again(written: Written) -> None:
    runs = written({"a.csv": H + "a,1e8,2e9,3.60123\na,1e8,2e9,3.61123\n", "b.csv": H + "a,1e8,2e9,3.61123\n"})
    assert runs.kept["loss"].tolist() == [3.60123, 3.61123]


def test_rows_beyond_what_is_compared_stay_and_it_is_said(written: Written, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data.files.one_run.MOST", 5)
    runs = written({f"f{i}.csv": H + "a,1e8,2e9,3.60123\n" for i in range(6)})
    assert len(runs) == 6
    assert any("were not compared" in note for note in runs.notes)


def test_a_curve_whose_file_is_named_by_size_and_tokens_is_that_run(tmp_path: Path) -> None:
    table = "n_params,n_tokens,val_loss\n1238144,2000000,8.4\n1238144,5000000,8.2\n2869504,5000000,7.2\n"
    (tmp_path / "results.csv").write_text(table)
    curve = "tokens_seen,loss\n40960,9.9\n81920,9.5\n983040,8.5\n2007040,8.3\n3001000,8.15\n4997120,8.1\n"
    (tmp_path / "curve_N1238144_D5000000.csv").write_text(curve)
    runs = read_runs(tmp_path)
    assert sorted(runs.kept["loss"]) == [7.2, 8.2, 8.4]
    assert sorted(runs.kept["tokens"]) == [2e6, 5e6, 5e6]  # the curve's last point is not the run's end
    (tmp_path / "results.csv").write_text(table + "1238144,5000000,8.25\n")  # of which of the two?
    assert len(read_runs(tmp_path)) == 5
    (tmp_path / "results.csv").write_text(table)
    (tmp_path / "curve_N1238144_D5000000.csv").write_text(curve.replace("loss", "val_loss"))
    assert len(read_runs(tmp_path)) == 4  # another held-out loss


def test_files_of_the_same_names_called_train_and_val_are_two_losses_of_each(tmp_path: Path) -> None:
    for i, (one, other) in enumerate((("train", "val"), ("results_train", "results_valid"), ("training", "test"))):
        folder = tmp_path / str(i)
        folder.mkdir()
        for name, more in ((one, 0), (other, 0.04)):
            rows = f"a,125M,2.5B,{3.41 + more}\nb,350M,2.5B,{3.21 + more}\n"
            (folder / f"{name}.csv").write_text(f"run,params,tokens,loss\n{rows}")
        assert read_runs(folder).kept["loss"].tolist() == pytest.approx([3.45, 3.25]), (one, other)
    for name, loss in (("first", 3.41), ("second", 3.45)):
        (tmp_path / "2" / f"{name}.csv").write_text(f"run,params,tokens,loss\na,125M,2.5B,{loss}\n")
    assert len(read_runs([tmp_path / "2" / "first.csv", tmp_path / "2" / "second.csv"])) == 2
