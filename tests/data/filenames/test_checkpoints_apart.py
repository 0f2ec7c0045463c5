"""Checkpoints of one run in files of their own, or in rows named by their steps: the run, once, with its curve."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from data import MappingNeeded, Runs, read_runs
from data.filenames.steps import model_of, models, place_of
from tests.data.cases import side_by_side
from tests.soon import ends_within

Read = Callable[..., Runs]


def write(folder: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def state(last: int) -> dict[str, object]:
    """What a trainer writes at its step `last`: its log so far, a loss each 10 steps and an evaluation each 100."""
    log: list[dict[str, float]] = []
    for step in range(10, last + 1, 10):
        seen = {"epoch": step / 1000, "step": step, "num_input_tokens_seen": step * 65536}
        log.append({"loss": 5 - 0.003 * step, **seen})
        log += [{"eval_loss": 5.1 - 0.003 * step, **seen}] if step % 100 == 0 else []
    return {"global_step": last, "max_steps": 400, "log_history": log}


def evaluation(k: int, size: int = 25296128) -> dict[str, float]:
    return {"val_loss": round(4.5 - 0.2 * k, 3), "tokens": k * 10**8, "n_params": size}


def test_a_log_written_anew_at_each_checkpoint_is_read_once(tmp_path: Path) -> None:
    files: dict[str, object] = {
        f"gpt-{m}M/checkpoint-{i}/trainer_state.json": state(i) for m in (25, 50) for i in (100, 200, 300, 400)
    }
    files["gpt-50M/trainer_state.json"] = state(400)
    folder = write(tmp_path / "all", files)
    for source, names in (
        (folder, ["gpt-25M", "gpt-50M"]),
        (folder / "gpt-25M", ["gpt-25M"]),
        (sorted(folder.rglob("*.json")), ["gpt-25M", "gpt-50M"]),
    ):
        runs = read_runs(source)
        assert runs.kept["run"].tolist() == names
        assert runs.kept["loss"].tolist() == pytest.approx([3.9] * len(names))
        assert runs.kept["tokens"].tolist() == [400 * 65536] * len(names)
        assert runs.history is not None
        assert len(runs.history) == 4 * len(names)
        assert any("files of gpt-25M hold what checkpoint-400 holds" in note for note in runs.notes)


def test_a_file_for_each_checkpoint_is_one_run_however_it_is_named(tmp_path: Path) -> None:
    layouts = (
        "gpt-{m}M/step_{k}000/eval.json", "gpt-{m}M/step_{k}000.json", "gpt-{m}M-step_{k}000.json",
        "gpt-{m}M/checkpoints/{k}000/eval.json", "gpt-{m}M/iter_000{k}000/eval.json", "gpt-{m}M/global_step{k}000/eval.json",
        "gpt-{m}M/epoch={k}-step={k}000/eval.json", "gpt-{m}M/ep0-ba{k}000.json", "gpt-{m}M/ckpt-{k}000/metrics/eval.json",
    )  # fmt: skip
    for i, (layout, sizes) in enumerate(side_by_side(layouts, ((25, 50), (25,)))):
        files: dict[str, object] = {
            layout.format(m=m, k=k): evaluation(k, m * 10**6) for m in sizes for k in range(1, 5)
        }
        runs = read_runs(write(tmp_path / f"{i}-{len(sizes)}", files))
        assert len(runs) == len(sizes), layout
        assert runs.kept["params"].tolist() == [m * 1e6 for m in sizes], layout
        assert runs.kept["tokens"].tolist() == [4e8] * len(sizes), layout
        assert runs.kept["loss"].tolist() == [3.7] * len(sizes), layout
        assert all(f"gpt-{m}M" in run for m, run in zip(sizes, runs.kept["run"], strict=True)), layout
        assert runs.history is not None
        assert len(runs.history) == 4 * len(sizes), layout


def test_a_person_may_say_that_they_are_runs(tmp_path: Path) -> None:
    folder = write(tmp_path / "x", {f"gpt/step_{k}000/eval.json": evaluation(k) for k in range(1, 5)})
    assert [q.key for q in read_runs(folder).questions] == ["rows"]
    assert len(read_runs(folder, rows="runs")) == 4


def test_files_that_say_no_tokens_take_their_steps_from_the_folders(tmp_path: Path) -> None:
    said = {"n_params": 25296128, "batch_size": 64, "seq_len": 1024, "max_steps": 8000}
    files: dict[str, object] = {f"gpt/step_{k}000/eval.json": {"val_loss": 4.5 - 0.2 * k, **said} for k in range(1, 5)}
    files["gpt/config.json"] = {"n_layer": 4, "vocab_size": 50257}
    runs = read_runs(write(tmp_path / "x", files))
    assert runs.kept["tokens"].tolist() == [4000 * 65536]


def test_a_table_of_runs_for_each_checkpoint_gives_each_run_its_curve(tmp_path: Path) -> None:
    rows = {k: "".join(f"r{m},{m}0M,{5 - m / 10 - k / 10:.2f}\n" for m in range(1, 6)) for k in range(1, 5)}
    runs = read_runs(write(tmp_path / "x", {f"step_{k}000.csv": f"run,params,val_loss\n{t}" for k, t in rows.items()}))
    assert runs.kept["run"].tolist() == ["r1", "r2", "r3", "r4", "r5"]
    assert runs.kept["loss"].tolist() == pytest.approx([4.5, 4.4, 4.3, 4.2, 4.1])


def test_parts_of_a_log_are_put_together(tmp_path: Path) -> None:
    files: dict[str, object] = {
        f"gpt/checkpoint-{i}00/log.csv": "step,loss\n"
        + "".join(f"{100 * i - 100 + 10 * j},{5 - 0.01 * (10 * i + j):.2f}\n" for j in range(1, 11))
        for i in range(1, 5)
    }
    runs = read_runs(write(tmp_path / "x", files))
    assert (runs.kept["run"].tolist(), runs.kept["steps"].tolist()) == (["gpt"], [400])
    assert runs.history is not None
    assert len(runs.history) == 40


def test_files_that_differ_in_more_than_a_step_stay_runs(tmp_path: Path) -> None:
    size, length = lambda k: evaluation(k, k * 10**7), lambda k: evaluation(k) | {"max_steps": 1000 * k}
    for i, (layout, content) in enumerate(
        (("step_{k}000/eval.json", size), ("step_{k}000/eval.json", length), ("wd_{k}/eval.json", evaluation),
         ("gpt-v{k}.json", evaluation), ("seed{k}/eval.json", evaluation), ("gpt-{k}B/eval.json", evaluation))
    ):  # fmt: skip
        files: dict[str, object] = {layout.format(k=k): content(k) for k in range(1, 5)}
        assert len(read_runs(write(tmp_path / str(i), files), keep_copies=True)) == 4, layout


PLACES = (
    "step_{k}000", "step{k}000", "ckpt-{k}500", "iter_000{k}000", "global_step{k}000", "epoch={k}-step={k}000", "checkpoint-{k}000",
    "epoch={k}-step={k}000-val_loss=3.{k}1.ckpt", "ep0-ba{k}000-rank0.pt", "step-0000{k}000-ckpt.pt", "iter-{k}000-ckpt.pth",
)  # fmt: skip


def named(place: str, header: str = "run", extra: str = "", sizes: tuple[int, ...] = (25,)) -> str:
    rows = [
        f"{place.format(k=k, m=m)},{m}000000,{k}00000000,{extra.format(k=k)}{4.5 - 0.2 * k - m / 100:.2f}\n"
        for m in sizes
        for k in range(1, 5)
    ]
    return f"{header},n_params,tokens,{'max_steps,' if extra else ''}val_loss\n" + "".join(rows)


def test_rows_named_by_their_steps_alone_are_one_run_of_each_setting(read: Read) -> None:
    for place, before, header in side_by_side(PLACES * 2, ("", "gpt-", "out/gpt/"), ("run", "checkpoint", "name")):
        runs = read(named(before + place, header), "curve.csv")
        case = f"{header}: {before}{place}"
        assert runs.kept["tokens"].tolist() == [4e8], case
        assert runs.kept["run"].tolist() == [before.rstrip("-/") or "curve"], case
        assert [q.key for q in runs.questions] == ([] if before else ["rows"]), case
    assert len(read(named("step_{k}000"), rows="runs")) == 4
    assert read(named("{k}000", "checkpoint")).kept["tokens"].tolist() == [4e8]
    assert len(read(named("{k}000", "name"))) == 4
    two = read(named("step_{k}000", sizes=(25, 50)))
    assert two.kept[["params", "tokens"]].to_numpy().tolist() == [[25e6, 4e8], [50e6, 4e8]]
    assert len(read(named("step_{k}000", extra="{k}000,"))) == 4  # each to a length of its own
    assert len(read(named("step_{k}000", extra="9000,"))) == 1
    sweep = "".join(f"step_{k}000,{k}0M,{k}00M,{4.5 - k / 10}\n" for k in range(1, 5))
    assert len(read(f"run,params,tokens,val_loss\n{sweep}")) == 4
    last = named("step_{k}000").replace("step_4000", "final")
    assert read(last).kept["tokens"].tolist() == [4e8]
    against = "".join(f"step_{5 - k}000,25M,{k}00M,{4.5 - k / 10}\n" for k in range(1, 5))
    assert len(read(f"run,params,tokens,val_loss\n{against}")) == 4


def test_runs_named_by_their_lengths_are_asked_about(tmp_path: Path) -> None:
    for i, place in enumerate(("{k}k steps", "iter{k}000", "{k}000steps", "gpt-{k}000steps")):
        files: dict[str, object] = {f"gpt/{place.format(k=k)}/summary.json": evaluation(k) for k in range(1, 5)}
        folder = write(tmp_path / str(i), files)
        table = tmp_path / f"{i}.csv"
        table.write_text(named(place))
        for source in (table, folder):
            with pytest.raises(MappingNeeded) as caught:
                read_runs(source)
            assert [q.key for q in caught.value.questions] == ["rows"], place
            assert read_runs(source, rows="runs").kept["tokens"].tolist() == [1e8, 2e8, 3e8, 4e8], place
            assert read_runs(source, rows="checkpoints").kept["tokens"].tolist() == [4e8], place
    curves: dict[str, object] = {
        f"gpt-{k}000steps/history.csv": "step,n_params,tokens,val_loss\n"
        + "".join(f"{j}00,25M,{j}0M,{4.5 - j / 100 - k / 10}\n" for j in range(1, 5 * k + 1))
        for k in (1, 2, 4)
    }
    assert read_runs(write(tmp_path / "curves", curves)).kept["tokens"].tolist() == [5e7, 1e8, 2e8]


def test_steps_in_the_names_give_the_tokens_that_no_column_says(read: Read) -> None:
    for plan in ("total_steps", "max_steps", "steps"):
        rows = "".join(f"step_{k}000,25296128,64,1024,8000,{4.5 - k / 10:.2f}\n" for k in range(1, 5))
        runs = read(f"run,n_params,batch_size,seq_len,{plan},val_loss\n{rows}")
        assert runs.kept["tokens"].tolist() == [4000 * 65536], plan


def test_what_a_name_says_of_a_step() -> None:
    for name, model, place in (
        ("step_1000", "", ("steps", 1000)), ("gpt-25M-step_1000", "gpt-25M", ("steps", 1000)), ("20M 1k steps", "20M", ("steps", 1000)),
        ("global_step500", "", ("steps", 500)), ("epoch=3-step=1000", "", ("steps", 1000)), ("gpt-epoch3", "gpt", ("epochs", 3)),
        ("checkpoint-70", "", ("steps", 70)), ("gpt2-warmup1000", None, None), ("gpt-1B", None, None), ("batch512", None, None),
    ):  # fmt: skip
        assert (model_of(name), place_of(name)) == (model, place), name


def test_long_names_are_taken_apart_in_no_time() -> None:
    import pandas as pd

    with ends_within(240):
        for text in (
            "step1" * 60,
            "1 " * 150,
            "1-step-" * 42,
            "epoch=1-step=1-" * 20,
            "a=" * 150,
            "ep0-ba0-" * 37,
            "-a_=1" * 60,
            "1.1" * 100,
        ):
            models(pd.Series([text, text + "x"]))
            place_of(text)


def lines(*rows: dict[str, object]) -> str:
    return "\n".join(map(json.dumps, rows)) + "\n"


def test_a_line_of_settings_speaks_for_the_lines_below_it(read: Read) -> None:
    said: dict[str, object] = {"n_params": 25000000, "batch_size": 64, "seq_len": 1024}
    log: list[dict[str, object]] = [{"step": 100 * k, "loss": 4.5 - k / 10} for k in range(1, 9)]
    for first in (said, {"type": "config", **said}, {"config": said}, {"event": "start", "args": {"model": said}}):
        for with_type in ({}, {"type": "step"}):
            runs = read(lines(first, *(with_type | row for row in log)), "log.jsonl")
            assert runs.kept["run"].tolist() == ["log"], first
            assert runs.kept["tokens"].tolist() == [800 * 65536], first
            assert len(runs.set_aside) == 0, first
    parts = read(
        lines({"event": "model", "n_params": 25000000}, {"event": "train", "batch_size": 64, "seq_len": 1024}, *log),
        "log.jsonl",
    )
    assert (parts.kept["run"].tolist(), parts.kept["tokens"].tolist()) == (["log"], [800 * 65536])
    for other in ({"n_params": 50000000}, {"lr": 2e-3}):
        two = read(lines(said, *log, said | other, *log), "log.jsonl")
        assert two.kept["run"].tolist() == ["line 1", "line 10"], other
        assert two.kept["params"].tolist() == [25e6, float(other.get("n_params", 25e6))], other
    named_runs = read(lines({"run": "a", **said}, *log, {"run": "b", **said}, *log), "log.jsonl")
    assert named_runs.kept["run"].tolist() == ["a", "b"]


def test_a_run_without_a_loss_is_no_line_of_settings(read: Read) -> None:
    run: dict[str, object] = {"n_params": 10000000, "tokens": 10**9}
    runs = read(
        lines({"run": "a", **run}, {"run": "b", **run, "loss": 3.5}, {"run": "c", **run, "loss": 3.3}), "runs.jsonl"
    )
    assert runs.kept["run"].tolist() == ["b", "c"]
    assert runs.reasons == {"no loss": 1}
