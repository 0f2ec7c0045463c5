"""NaN for a loss that was not evaluated at a step is no divergence; NaN from some row on to the end is one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from data import Runs
from data.schema import NothingKept

Read = Callable[..., Runs]
NAN = float("nan")
FALLING = [round(4 - i / 10, 1) for i in range(12)]
SOME = [v if i % 3 == 2 else NAN for i, v in enumerate(FALLING)]  # measured at every third row

#: Losses held out, losses of training, and the row whose loss is the run's (None: it diverged).
CASES: dict[str, tuple[list[float], list[float] | None, int | None]] = {
    "measured at some steps": (SOME[:11], None, 8),
    "measured at some steps, beside training": (SOME[:11], FALLING[:11], 8),
    "measured twice, beside training": ([4.0, NAN, 3.8, *[NAN] * 5], FALLING[:8], 2),
    "measured at the end": (SOME, None, 11),
    "training logged at other rows": (SOME[:11], [v if i % 2 else NAN for i, v in enumerate(FALLING[:11])], 8),
    "diverged": (FALLING[:6] + [NAN] * 5, None, None),
    "diverged at the last row": ([*FALLING[:11], NAN], None, None),
    "diverged after evaluations at some steps": (SOME[:6] + [NAN] * 6, None, None),
    "diverged, and so did training": (SOME[:6] + [NAN] * 2, FALLING[:5] + [NAN] * 3, None),
    "infinite": ([*SOME[:9], float("inf")], FALLING[:10], None),
}


def as_csv(held_out: list[float], training: list[float] | None) -> str:
    rows = [
        [100 * (i + 1), f"{i + 1}e8", "25e6", v, *([training[i]] if training else []), 3.1]
        for i, v in enumerate(held_out)
    ]
    head = ["step", "tokens", "params", "val_loss", *(["train_loss"] if training else []), "best_val_loss"]
    return "\n".join(",".join(map(str, row)) for row in [head, *rows])


def as_lines(held_out: list[float], training: list[float] | None) -> str:
    lines = []
    for i, v in enumerate(held_out):
        row = {"step": 100 * (i + 1), "tokens": 1e8 * (i + 1), "params": 25e6, "val_loss": v}
        lines.append(json.dumps(row | ({"train_loss": training[i]} if training else {})))
    return "\n".join(lines)


def test_nan_of_what_was_not_evaluated_is_no_divergence(read: Read) -> None:
    for case, (held_out, training, row) in CASES.items():
        for name, text in (("a.csv", as_csv(held_out, training)), ("a.jsonl", as_lines(held_out, training))):
            if row is None:
                with pytest.raises(NothingKept) as error:
                    read(text, name, columns={"loss": "val_loss"})
                assert list(error.value.runs.reasons) == ["loss is not finite (diverged)"], (case, name)
                continue
            runs = read(text, name, columns={"loss": "val_loss"})
            assert runs.kept["loss"].tolist() == [held_out[row]], (case, name)
            assert runs.kept["tokens"].tolist() == [(row + 1) * 1e8], (case, name)
            assert any("not evaluated there" in note for note in runs.notes), (case, name)


def test_losses_that_are_logged_in_turn_are_no_divergence(read: Read) -> None:
    head = "_step,train/loss,val/loss,train/tokens\n"
    turns = [f"{i}00,{5.4 - i / 10:.2f},NaN,{i}00000000\n{i}00,NaN,{5.5 - i / 10:.2f},NaN\n" for i in range(1, 7)]
    for text in (head + "".join(turns), (head + "".join(turns)).replace("NaN", "")):
        runs = read(text, "gpt-25M_history.csv")
        assert runs.kept[["tokens", "loss"]].to_numpy().tolist() == [[6e8, 4.9]]
        assert runs.history is not None
        assert len(runs.history) == 6
    broken = head + "".join(turns[:3]) + "400,NaN,NaN,4e8\n500,NaN,NaN,5e8\n"
    with pytest.raises(NothingKept, match="diverged"):
        read(broken, "gpt-25M_history.csv")


def test_one_run_of_several_diverged(read: Read) -> None:
    curves = {"a": SOME[:10], "b": SOME[:6] + [NAN] * 4}
    lines = [f"{run},{100 * (i + 1)},{i + 1}e8,{v}" for run, curve in curves.items() for i, v in enumerate(curve)]
    runs = read("\n".join(["run,step,tokens,val_loss", *lines]))
    assert runs.kept[["run", "loss"]].to_numpy().tolist() == [["a", 3.2]]
    assert runs.reasons == {"loss is not finite (diverged)": 1}
