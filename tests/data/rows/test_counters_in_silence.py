"""Counters of other things than optimiser steps, and under names that nobody knows: read right, or asked about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs, read_runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
STEPS = [
    "current_steps", "current_step", "cur_step", "curr_iter", "current_iteration", "it", "iter_num", "update_step", "opt_step",
    "step_num", "step_idx", "batches", "total_batches", "ba", "time/batch", "valid_num_updates", "num_updates", "completed_steps",
    "trained_steps", "gradient_steps",
]  # fmt: skip


def asked(text: str, read: Read, name: str = "runs.csv", **answers: object) -> list[str]:
    """The keys of the questions that must be answered; [] where none must."""
    try:
        read(text, name, **answers)
    except MappingNeeded as e:
        return [q.key for q in e.questions]
    return []


def log(header: str, rows: int = 24, last: int | None = None, plan: str = "total_steps") -> str:
    """A log of rows 100 steps apart under `header`, beside a plan of 2,400 steps."""
    lines = [f"25000000,64,1024,{100 * k},2400,{4.6 - k / 10:.4f}\n" for k in range(1, rows + 1)]
    return f"n_params,batch_size,seq_len,{header},{plan},loss\n" + "".join(lines)


def test_a_counter_beside_a_plan_is_one_run_under_any_of_its_names(read: Read) -> None:
    for header, rows in side_by_side(STEPS, (3, 12, 24)):
        runs = read(log(header, rows), "log.csv")
        case = f"{header}, {rows} rows"
        assert runs.kept["run"].tolist() == ["log"], case
        assert runs.kept["tokens"].tolist() == [100 * rows * 64 * 1024], case
        assert runs.history is not None
        assert len(runs.history) == rows, case


@pytest.mark.parametrize("header", ["foo", "tick", "micro_step", "n_seen"])
def test_a_counter_that_nobody_knows_is_asked_about(read: Read, header: str) -> None:
    text = log(header)
    assert asked(text, read) == ["rows", "columns.steps"]
    assert asked(text, read, rows="checkpoints") == ["columns.steps"]
    assert len(read(text, rows="runs")) == 24
    half = read(log(header, 12), columns={"steps": header})
    assert half.kept["tokens"].tolist() == [1200 * 64 * 1024]
    whole = read(log(header, 12), rows="checkpoints", columns={"steps": "total_steps"})
    assert whole.history is not None
    assert whole.history["tokens"].tolist() == pytest.approx([2400 * 64 * 1024 * k / 12 for k in range(1, 13)])


def test_names_that_repeat_along_it_are_asked_about_and_repeats_are_not(read: Read) -> None:
    def table(header: str, place: Callable[[int], int], loss: Callable[[int], float]) -> str:
        rows = [f"{r},{n}M,500M,{place(k)},{loss(k):.3f}\n" for r, n in (("a", 25), ("b", 50)) for k in range(1, 6)]
        return f"run,n_params,tokens,{header},loss\n" + "".join(rows)

    def falls(k: int) -> float:
        return 4.5 - k / 10

    def scattered(k: int) -> float:
        return 3.5 + k * 7 % 5 / 100

    text = table("foo", lambda k: 7 * k, falls)
    assert asked(text, read) == ["rows"]
    runs = read(text, rows="checkpoints")
    assert runs.kept["run"].tolist() == ["a", "b"]
    assert runs.history is not None
    assert runs.history["tokens"].tolist() == pytest.approx([1e8, 2e8, 3e8, 4e8, 5e8] * 2)
    for header, place in (
        ("rep", lambda k: k),
        ("trial_no", lambda k: 3 * k),
        ("idx", lambda k: k - 1),
        ("foo", lambda k: 9 - k),
    ):
        assert len(read(table(header, place, scattered))) == 10, header
    assert asked(table("idx", lambda k: k - 1, falls), read) == ["rows"]


def test_an_ablation_is_no_curve(read: Read) -> None:
    rows = "".join("gpt,25M,500M,{}," + f"{3.5 - k / 50:.3f}\n" for k in range(3))
    for header, values in (
        ("window", (128, 256, 512)), ("KV heads", (1, 2, 4)), ("chunk", (64, 128, 256)), ("warmup", (100, 200, 400)),
        ("n_loops", (2, 4, 8)), ("params_batch_size", (64, 128, 256)), ("foo", (10, 20, 30)),
    ):  # fmt: skip
        model = "model" if len(header) % 2 else "variant of"
        text = f"{model},params,tokens,{header},val_loss\n" + rows.format(*values)
        assert asked(text, read) == [], header
        assert len(read(text).kept) == 3, header
    for header in ("log", "tick", "i"):
        assert asked(f"model,params,tokens,{header},val_loss\n" + rows.format(100, 200, 400), read) == ["rows"], header
    even = "".join(f"25M,500M,{64 * k},{4 - k / 10:.3f}\n" for k in range(1, 7))
    assert asked("params,tokens,chunk,val_loss\n" + even, read) == []
    assert asked("params,tokens,foo,val_loss\n" + even, read) == ["rows"]


PLANS = ("max_steps", "max_iters", "total_steps", "num_training_steps", "train_iters", "lr_decay_iters")


def summaries(plan: str, state: str, header: str = "_step", every: int = 50, names: str = "Name") -> str:
    rows = [("r0", 7700, 25296128, 4.4272), ("r1", 7700, 50296128, 4.2), ("r2", 15400, 25296128, 4.1)]
    lines = [f"{r},{state}{s // every},{s},64,1024,{n},{v}\n" for r, s, n, v in rows]
    return f"{names},{'State,' if state else ''}{header},{plan},batch_size,seq_len,n_params,val/loss\n" + "".join(lines)


def test_log_calls_are_not_the_steps_of_runs_that_finished(read: Read) -> None:
    for plan in PLANS:
        runs = read(summaries(plan, "finished,"))
        assert runs.kept["tokens"].tolist() == [s * 65536 for s in (7700, 7700, 15400)], plan
        assert [q.guess for q in runs.questions if q.key == "columns.steps"] == [plan], plan
        assert asked(summaries(plan, "running," if plan == PLANS[0] else ""), read) == ["columns.steps"], plan
    answered = read(summaries(PLANS[0], "finished,"), columns={"steps": "_step"})
    assert answered.kept["tokens"].tolist()[0] == 154 * 65536
    one = "\n".join(summaries("max_steps", "finished,").splitlines()[:2]) + "\n"
    assert read(one).kept["tokens"].tolist() == [7700 * 65536]
    assert asked(summaries("max_steps", "finished,", header="step"), read) == ["columns.steps"]
    assert read(summaries("max_steps", "finished,", every=1)).kept["steps"].tolist() == [7700, 7700, 15400]
    known = summaries("max_steps", "").replace("n_params", "tokens,n_params").replace("1024,", "1024,{},")

    assert read(known.format(*(s * 65536 for s in (7700, 7700, 15400)))).kept["steps"].tolist() == [7700, 7700, 15400]
    assert read(known.format(*(s // 50 * 65536 for s in (7700, 7700, 15400)))).kept["steps"].tolist() == [154, 154, 308]


def test_beside_steps_log_calls_say_nothing(read: Read) -> None:
    for header in ("trainer/global_step", "global_step", "step", "train/global_step"):
        text = f"Name,_step,{header},n_params,batch_size,seq_len,val/loss\n" + "".join(
            f"r{k},{20 * k},{1000 * k},{k}0000000,64,1024,{4 - k / 10}\n" for k in (1, 2, 3)
        )
        assert read(text).kept["tokens"].tolist() == [1000 * k * 65536 for k in (1, 2, 3)], header


def test_reports_are_no_steps(read: Read) -> None:
    rows = [("a1", 50, 25, 3.5), ("a2", 60, 50, 3.4)]
    for header in ("training_iteration", "ray/tune/training_iteration"):
        text = f"val_loss,tokens,{header},trial_id,config/n_params\n" + "".join(
            f"{v},{10**7 * i},{i},{t},{n}000000\n" for t, i, n, v in rows
        )
        assert "batch" not in read(text).kept, header
        text = f"val_loss,{header},trial_id,config/n_params,config/batch_size,config/seq_len\n" + "".join(
            f"{v},{i},{t},{n}000000,64,1024\n" for t, i, n, v in rows
        )
        runs = read(text)
        assert "tokens" not in runs.kept, header
        assert any(header in q.text for q in runs.questions), header


@pytest.mark.parametrize("steps", ["step", "global_step", "optimizer_step"])
@pytest.mark.parametrize("passes", ["iter", "iteration", "iter_num"])
def test_optimiser_steps_go_before_forward_passes(read: Read, passes: str, steps: str) -> None:
    text = f"loss,{passes},{steps},total_tokens,val_loss\n" + "".join(
        f"4.1,{200 * k},{100 * k},{k}00000000,{4.3 - k / 10}\n" for k in range(1, 5)
    )
    runs = read(text)
    assert runs.kept["batch"].tolist() == [1e6]
    assert runs.kept["steps"].tolist() == [400]


def test_steps_that_differ_by_much_are_asked_about_though_tokens_are_known(read: Read) -> None:
    rows = "".join(f"r{k},{k}0M,{200 * k + 7 * k * k},{100 * k},{k}00M,{4.3 - k / 10}\n" for k in range(1, 7))
    assert asked(f"run,params,updates,steps,tokens,val_loss\n{rows}", read) == ["columns.steps"]


def test_batches_of_a_trial_are_its_steps(read: Read) -> None:
    text = "trial_id,n_params,batch_size,seq_len,total_batches,val_loss\n"
    ends = read(text + "".join(f"{k},{k}0000000,64,1024,{k}0000,{4.3 - k / 10:.2f}\n" for k in range(1, 5)))
    assert ends.kept["tokens"].tolist() == [k * 10_000 * 65536 for k in range(1, 5)]
    rows = [f"{m},{m}0000000,64,1024,{k}000,{4.4 - k / 10 - m / 10:.2f}\n" for m in (1, 2) for k in range(1, 7)]
    runs = read(text + "".join(rows))
    assert runs.kept["tokens"].tolist() == [6000 * 65536] * 2


def test_what_stands_under_time_may_be_seconds(read: Read) -> None:
    text = "run,n_params,tokens,time/batch,val_loss\n" + "".join(
        f"r{k},{k}0M,{k}00M,0.{k}5,{4 - k / 10}\n" for k in (1, 2, 3)
    )
    assert "batch" not in read(text).kept
    text = "time/batch,time/token,time/sample,n_params,loss/train/total\n" + "".join(
        f"{k}00,{k * 6553600},{k * 6400},25000000,{4.5 - k / 10:.2f}\n" for k in range(1, 9)
    )
    runs = read(text)
    assert (runs.kept["tokens"].tolist(), runs.kept["steps"].tolist()) == ([8 * 6553600], [800])


def test_a_frame_is_asked_about_like_a_file() -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {
            "n_params": 25e6,
            "batch_size": 64,
            "seq_len": 1024,
            "tick": [5, 9, 14],
            "max_steps": 20,
            "loss": [4.0, 3.9, 3.8],
        }
    )
    with pytest.raises(MappingNeeded, match="tick"):
        read_runs(frame)
