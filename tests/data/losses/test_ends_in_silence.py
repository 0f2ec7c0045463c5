"""Which loss, which end and which rows count, where a table once gave a wrong number without a word: right, asked or set aside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from data import MappingNeeded, Runs, read_runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
HELD_OUT, TRAIN = [3.98, 3.71, 3.45], [3.90, 3.62, 3.35]


def table(header: str, *columns: list[str]) -> str:
    """Three runs with their parameters and tokens, and what else each has under `header`."""
    rows = zip(["a,20M,400M", "b,40M,800M", "c,80M,1.6B"], *columns, strict=True)
    return f"run,params,tokens,{header}\n" + "".join(",".join(r) + "\n" for r in rows)


def losses(header: str, *more: list[float]) -> str:
    return table(header, *([str(v) for v in column] for column in (TRAIN, HELD_OUT, *more)))


@pytest.mark.parametrize(
    "header",
    ["train_loss,eval/c4", "train/loss,val/c4", "train_loss,C4", "train_loss,wikitext103", "train_ce,pile_val", "train_loss,paloma_avg",
     "Train CE Loss,C4-en Val", "train_loss,lm_eval/pile", "loss,c4_en_validation", "train loss (nats),WikiText-2"],
)  # fmt: skip
def test_a_held_out_loss_without_the_word_goes_before_a_training_loss(read: Read, header: str) -> None:
    assert read(losses(header)).kept["loss"].tolist() == HELD_OUT


@pytest.mark.parametrize(
    "header", ["train_loss,eval_time", "train_loss,val/grad_norm", "train_loss,tokens_per_c4", "train_loss,c4_std"]
)
def test_what_an_evaluation_has_beside_a_loss_is_none(read: Read, header: str) -> None:
    assert read(losses(header)).kept["loss"].tolist() == TRAIN


def test_an_accuracy_on_a_text_is_no_loss(read: Read) -> None:
    runs = read(losses("train_loss,C4,lambada", [1.8, 2.0, 2.2]))
    assert runs.kept["loss"].tolist() == HELD_OUT


@pytest.mark.parametrize(
    "text",
    [losses("train_loss,paloma/c4_en,paloma/wikitext", [4.2, 3.9, 3.6]), losses("loss,C4"), losses("train_ppl,C4")],
)  # fmt: skip
def test_several_of_them_are_asked_about(read: Read, text: str) -> None:
    with pytest.raises(MappingNeeded) as e:
        read(text)
    assert "columns.loss" in [q.key for q in e.value.questions]


@pytest.mark.parametrize("key", ["eval", "evals"])
def test_held_out_losses_below_a_key_of_json(read: Read, key: str) -> None:
    rows = [(1e7, 4.40, 4.52, 4.21), (2e7, 4.00, 4.12, 3.81), (4e7, 3.70, 3.80, 3.50)]
    one = [f'{{"N":{n},"D":2e9,"train_loss":{t},"{key}":{{"c4":{c}}}}}' for n, t, c, _ in rows]
    two = [f'{{"N":{n},"D":2e9,"train_loss":{t},"{key}":{{"c4":{c},"pile":{p}}}}}' for n, t, c, p in rows]
    assert read("\n".join(one), "runs.jsonl").kept["loss"].tolist() == [4.52, 4.12, 3.80]
    with pytest.raises(MappingNeeded, match="c4"):
        read("\n".join(two), "runs.jsonl")


@pytest.mark.parametrize(
    ("header", "cells"),
    [("planned_steps,step,batch_tokens,tokens_planned", "{total},{step},400000,{plan}"),
     ("planned_steps,step,target_tokens", "{total},{step},{plan}"),
     ("max_steps,global_step,batch_size,seq_len,token_budget", "{total},{step},200,2000,{plan}"),
     ("step,batch_tokens,planned tokens", "{step},400000,{plan}")],
)  # fmt: skip
def test_a_run_that_stopped_saw_its_steps_and_not_its_plan(read: Read, header: str, cells: str) -> None:
    runs = [(1000, 1000, "400M"), (2000, 2000, "800M"), (4000, 2000, "1.6B")]
    rows = "".join(f"r{t},{t}M,3.9,{cells.format(total=t, step=s, plan=p)}\n" for t, s, p in runs)
    found = read(f"run,params,val_loss,{header}\n{rows}")
    assert found.kept["tokens"].tolist() == pytest.approx([4e8, 8e8, 8e8])
    assert any("is a plan" in note for note in found.notes)


@pytest.mark.parametrize(
    ("steps", "batch"), [("1000,2000,4000", "400000"), ("1000,2000,4000", "390000"), ("1000,2000,4000", "400")]
)
def test_a_plan_that_was_reached_or_is_not_borne_out_stays(read: Read, steps: str, batch: str) -> None:
    rows = zip("abc", steps.split(","), ("400M", "800M", "1.6B"), strict=True)
    text = "run,params,step,batch_tokens,planned tokens,val_loss\n" + "".join(
        f"{r},20M,{s},{batch},{t},3.9\n" for r, s, t in rows
    )
    try:
        runs = read(text)
    except MappingNeeded:
        return  # a batch of 400 tokens: asked about
    assert runs.kept["tokens"].tolist() == [4e8, 8e8, 1.6e9]


def checkpoints(header: str, name: str, many: int, models: tuple[str, ...] = ("20M", "40M")) -> str:
    """Checkpoints at 1B, 2B, ... tokens of each model, named by `name`."""
    rows = [f"{name.format(m=m, k=k)},{m},{k}B,{4.5 - 0.1 * k:.2f}\n" for m in models for k in range(1, many + 1)]
    return f"{header},params,tokens,val_loss\n" + "".join(rows)


@pytest.mark.parametrize(("named", "many", "models"), side_by_side(
    [("model", "{m}-step{k}000"), ("model", "pythia-{m}-step{k}000"), ("run", "OLMo-{m}-step{k}000-tokens{k}B"),
     ("model", "OLMo-{m}-step{k}000-tokens{k}B"), ("model", "{m} (step {k}000)"),
     ("Model", "{m}/checkpoint-{k}000"), ("model,revision", "pythia-{m},step{k}000"),
     ("model,revision", "OLMo {m},stage1-step{k}000-tokens{k}B")] * 2,
    [2, 3, 10], [("20M", "40M"), ("20M",)],
))  # fmt: skip
def test_checkpoints_named_by_their_step_are_a_run_of_each_model(
    read: Read, named: tuple[str, str], many: int, models: tuple[str, ...]
) -> None:
    header, name = named
    runs = read(checkpoints(header, name, many, models))
    assert runs.kept["tokens"].tolist() == [many * 1e9] * len(models)
    assert runs.kept["loss"].tolist() == pytest.approx([4.5 - 0.1 * many] * len(models))


def test_names_that_end_in_a_number_of_steps_are_asked_about(read: Read) -> None:
    """They may be checkpoints of each model, or runs of as many lengths."""
    text = checkpoints("model", "{m} {k}k steps", 3)
    with pytest.raises(MappingNeeded) as asked:
        read(text)
    assert [q.key for q in asked.value.questions] == ["rows"]
    assert read(text, rows="checkpoints").kept["tokens"].tolist() == [3e9, 3e9]
    assert len(read(text, rows="runs").kept) == 6


@pytest.mark.parametrize(
    ("header", "name"),
    [("model", "{m}-{k}B"), ("model", "{m}-v{k}"), ("run,revision", "{m}-{k},abc{k}"), ("model", "{m}-warmup{k}000")],
)
def test_other_names_are_runs_of_their_own(read: Read, header: str, name: str) -> None:
    assert len(read(checkpoints(header, name, 3))) == 6


CURVE = "step,tokens,train_loss,val_loss\n100,200M,4.1,{a}\n200,400M,3.9,{b}\n"
SPARSE = "epoch,step,train_loss,val_loss\n0,99,4.4,\n0,99,,{a}\n1,199,4.1,\n1,199,,{b}\n"


@pytest.mark.parametrize(
    "text",
    [
        CURVE,
        SPARSE,
        CURVE.replace("step,", "iteration,"),
        CURVE.replace("train_loss", "lr").replace("4.1", "3e-3").replace("3.9", "1e-3"),
    ],
)
def test_a_curve_of_two_evaluations_is_one_run(read: Read, text: str) -> None:
    runs = read(text.format(a=4.2, b=3.98), "log.csv")
    assert runs.kept["loss"].tolist() == [3.98]
    assert [q.key for q in runs.questions if q.key == "rows"] == ["rows"]
    assert len(read(text.format(a=4.2, b=3.98), "log.csv", rows="runs")) == 2


@pytest.mark.parametrize("text", [CURVE, SPARSE])
def test_a_folder_of_such_curves_has_a_run_for_each_file(tmp_path: Path, text: str) -> None:
    for size, last in (("20M", 3.98), ("40M", 3.71)):
        (tmp_path / f"model={size}").mkdir()
        (tmp_path / f"model={size}" / "log.csv").write_text(text.format(a=4.2, b=last))
    assert read_runs(tmp_path).kept[["params", "loss"]].to_numpy().tolist() == [[2e7, 3.98], [4e7, 3.71]]


def test_two_rows_of_two_settings_are_two_runs(read: Read) -> None:
    assert len(read("params,step,tokens,val_loss\n20M,100,200M,4.2\n40M,200,400M,3.98\n")) == 2
    assert len(read("params,steps,tokens,val_loss\n20M,100,200M,4.2\n20M,200,400M,3.98\n")) == 2


def set_aside(read: Read, text: str, state: str) -> str:
    """The reason for which the second of three runs alone is set aside; `state` brings it back, and all so marked are kept."""
    runs = read(text)
    assert runs.kept["params"].tolist() == [2e7, 8e7]
    (reason,) = runs.reasons
    if len(text) % 2:  # one of the two for each case: neither depends on the words
        assert len(read(text, states=[state])) == 3
        return reason
    header, _, second, _ = text.splitlines()
    alone = read(f"{header}\n{second}\n")
    assert len(alone) == 1
    assert alone.notes or state in ("extrapolation", "fit", "scaling law")  # which say so only beside what was measured
    return reason


@pytest.mark.parametrize(
    ("header", "yes", "no"),
    [("valid", "yes", "no"), ("usable", "Y", "N"), ("good", "1", "0"), ("outlier", "no", "yes"), ("skip", "", "x"),
     ("Discard", "False", "True"), ("is_outlier", "0", "1"), ("valid?", "✓", "✗"),
     ("ignore", "", "yes"), ("in fit", "ja", "nein"), ("bad", "False", "True")],
)  # fmt: skip
def test_rows_that_a_column_calls_unfit(read: Read, header: str, yes: str, no: str) -> None:
    reason = set_aside(read, table(f"val_loss,{header}", ["3.98", "5.71", "3.45"], [yes, no, yes]), "not used")
    assert reason.startswith("not used, as the file says: ")


@pytest.mark.parametrize(
    ("header", "good", "bad", "state"),
    [("source", "measured", "predicted", "predicted"), ("type", "run", "extrapolation", "extrapolation"), ("kind", "actual", "fit", "fit"),
     ("Type", "Measured", "Projected", "projected"), ("row type", "real", "scaling law", "scaling law"),
     ("source", "", "predicted", "predicted"),
     ("is_final", "True", "False", "not final"), ("progress", "100%", "40%", "unfinished"), ("% done", "100", "40", "unfinished"),
     ("progress", "1.0", "0.4", "unfinished"), ("done", "100%", "40 %", "unfinished")],
)  # fmt: skip
def test_rows_that_are_no_measurement_or_no_end(read: Read, header: str, good: str, bad: str, state: str) -> None:
    reason = set_aside(read, table(f"val_loss,{header}", ["3.98", "5.71", "3.45"], [good, bad, good]), state)
    assert reason.lower().startswith(f"run state: {state}")


@pytest.mark.parametrize(("said", "header"), side_by_side(
    [("b (running)", "running"), ("b (diverged)", "diverged"), ("b [crashed]", "crashed"), ("b - failed", "failed"), ("b (OOM)", "oom"),
     ("b (predicted)", "predicted"), ("b (extrapolated)", "extrapolated"), ("b ❌", "failed"), ("b (not converged)", "not converged"),
     ("Chinchilla fit", "fit"), ("b-crashed", "crashed"), ("b_FAILED", "failed"), ("❌ b", "failed"),
     ("b (crashed at step 300)", "crashed")],
    ["run", "model"],
))  # fmt: skip
def test_names_that_say_how_a_run_ended(read: Read, said: tuple[str, str], header: str) -> None:
    name, state = said
    text = table("val_loss", ["3.98", "5.71", "3.45"]).replace("run,", f"{header},").replace("\nb,", f"\n{name},")
    assert set_aside(read, text, state).startswith("run state: ")


@pytest.mark.parametrize(
    "name",
    [
        "7B (active)",
        "b-run",
        "model (training)",
        "b (1 epoch)",
        "not-diverged",
        "b-live",
        "outfit",
        "b (dense)",
        "done-b",
    ],
)
def test_other_names_say_nothing(read: Read, name: str) -> None:
    assert len(read(table("val_loss", ["3.98", "5.71", "3.45"]).replace("\nb,", f"\n{name},"))) == 3


@pytest.mark.parametrize(
    "cells",
    [["interpolation", "extrapolation"], ["train", "fit"], ["c4", "pile"], ["dense", "moe"], ["estimated", "reported"]],
)
def test_other_kinds_of_rows_say_nothing(read: Read, cells: list[str]) -> None:
    assert len(read(table("val_loss,type", ["3.98", "5.71", "3.45"], [cells[0], cells[1], cells[0]]))) == 3


def test_a_curve_is_as_far_as_its_furthest_row(read: Read) -> None:
    rows = [
        f"{r},20M,{s},{s}M,{4 - s / 1e3},{s / last:.0%},{s == last}\n"
        for r, last in (("a", 400), ("b", 800))
        for s in range(100, 500, 100)
    ]
    runs = read("run,params,step,tokens,val_loss,progress,is_final\n" + "".join(rows))
    assert runs.kept["run"].tolist() == ["a"]
    assert runs.history is not None
    assert len(runs.history) == 4
    assert runs.reasons == {"run state: unfinished (50 %)": 1}


def resumed(again: str, first: int = 300, step: int = 1) -> str:
    """A run up to 300M tokens, one of another name from `first` on up to 400M, and a run of its own."""
    rows = [f"a,20M,{k},{k}M,{4.6 - k / 1e3}\n" for k in (100, 200, 300)]
    rows += [f"{again},20M,{k if step else k - first + 10},{k}M,{4.38 - k / 1e3:.2f}\n" for k in (first, 350, 400)]
    rows += [f"b,40M,{k},{2 * k}M,{4.1 - k / 1e3}\n" for k in (100, 200, 300, 400)]
    return "run,params,step,tokens,val_loss\n" + "".join(rows)


AGAIN = ["a-resume", "a_resumed", "a (cont.)", "a-restart-2", "a resumed", "a.cont", "a (resumed from step 300)"]


@pytest.mark.parametrize(
    ("again", "place", "header"), side_by_side(AGAIN * 2, [(300, 1), (250, 1), (310, 0)], ["run", "model"])
)
def test_a_run_resumed_under_another_name_is_one_run(
    read: Read, again: str, place: tuple[int, int], header: str
) -> None:
    first, step = place
    runs = read(resumed(again, first, step).replace("run,", f"{header},"))
    assert runs.kept["tokens"].tolist() == [4e8, 8e8]
    assert runs.kept["loss"].tolist() == pytest.approx([3.98, 3.7])
    assert any("read as one run" in note for note in runs.notes)


def test_a_run_that_only_sounds_resumed_is_its_own(read: Read) -> None:
    from_the_start = resumed("a-resume", 50)
    assert len(read(from_the_start)) == 3
    assert any("named as resumed" in note for note in read(from_the_start).notes)
    other_size = resumed("a-resume").replace("a-resume,20M", "a-resume,30M")
    assert len(read(other_size)) == 3
    assert len(read(resumed("a-control"))) == 3


@pytest.mark.parametrize(
    ("header", "val", "train"),
    [
        ("is_validation", "True", "False"),
        ("is_val", "1", "0"),
        ("Is eval?", "yes", "no"),
        ("is_train", "False", "True"),
        ("held_out", "✓", "✗"),
    ],
)
def test_a_yes_under_is_validation_is_a_split(read: Read, header: str, val: str, train: str) -> None:
    rows = [
        f"{r},{n}M,{20 * n}M,{loss},{f}\n"
        for r, n, t, v in zip("abc", (20, 40, 80), TRAIN, HELD_OUT, strict=True)
        for loss, f in ((t, train), (v, val))
    ]
    runs = read(f"run,params,tokens,loss,{header}\n" + "".join(rows))
    assert runs.kept["loss"].tolist() == HELD_OUT
    assert len(runs.set_aside) == 3
