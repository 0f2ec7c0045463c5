"""A cell that says nothing is taken for nothing: no factor of 1, no mark of all rows, no split of all rows."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from data import MappingNeeded, Runs
from data.states.exclusions import UNSAID
from tests.data.cases import side_by_side

Read = Callable[..., Runs]

PARTS = ("micro_batch", "grad_accum", "gpus", "seq_len")


def batches(base: str, blank: str, cell: str) -> str:
    rows = []
    for name, params, steps, loss in (("a", 1, 1000, 3.9), ("b", 2, 2000, 3.5), ("c", 4, 4000, 3.2)):
        own = {base: "4", "grad_accum": "8", "gpus": "8", "seq_len": "1024"}
        if name == "b":
            own[blank] = cell
        rows.append(f"{name},{params}e7,{','.join(own.values())},{steps},{loss}\n")
    return f"run,params,{base},grad_accum,gpus,seq_len,steps,loss\n" + "".join(rows)


BASES = [("micro_batch", {}), ("batch_size", {"batch": "device"})]


@pytest.mark.parametrize(
    ("cell", "factor"), side_by_side(["", "-", "?", "n/a", "auto"], list(product(BASES, ["grad_accum", "gpus"])))
)
def test_a_factor_of_the_batch_that_is_not_said_is_not_one(
    read: Read, cell: str, factor: tuple[tuple[str, dict[str, str]], str]
) -> None:
    (base, answers), blank = factor
    runs = read(batches(base, blank, cell), **answers)
    assert runs.kept["run"].tolist() == ["a", "c"]
    assert runs.kept["tokens"].tolist() == [4 * 8 * 8 * 1024 * 1000, 4 * 8 * 8 * 1024 * 4000]
    assert runs.reasons == {"no tokens": 1}
    assert any("1 row lacks a factor of the batch" in note for note in runs.notes)


@pytest.mark.parametrize("header", ["batch_size", "micro_batch"])
def test_a_factor_of_one_is_not_one_where_it_is_not_said(read: Read, header: str) -> None:
    text = f"run,params,{header},grad_accum,gpus,seq_len,steps,loss\n" + "".join(
        f"{name},{n}e7,256,{accum},1,1024,{n}000,{4 - n / 10}\n"
        for name, n, accum in (("a", 1, "1"), ("b", 2, ""), ("c", 4, "1"))
    )
    runs = read(text)
    assert runs.kept["run"].tolist() == ["a", "c"]
    assert runs.kept["tokens"].tolist() == [256 * 1024 * 1000, 256 * 1024 * 4000]


def test_a_column_of_factors_that_is_blank_throughout_is_none(read: Read) -> None:
    text = "run,params,micro_batch,grad_accum,data_parallel_size,gpus,seq_len,steps,loss\n" + "".join(
        f"{name},{n}e7,4,,,8,1024,{n}000,{4 - n / 10}\n" for name, n in (("a", 1), ("b", 2), ("c", 4))
    )
    assert read(text).kept["tokens"].tolist() == [4 * 8 * 1024 * 1000 * n for n in (1, 2, 4)]


def test_a_factor_that_a_run_logs_once_is_that_of_all_its_steps(read: Read) -> None:
    text = "run,params,micro_batch,grad_accum,gpus,seq_len,step,loss\n" + "".join(
        f"{name},{n}e7,4,{8 if s == 1 else ''},{8 if s == 1 else ''},1024,{s}00,{5 - s / 5 - n / 10}\n"
        for name, n in (("a", 1), ("b", 2), ("c", 4))
        for s in (1, 2, 3)
    )
    assert read(text).kept["tokens"].tolist() == [4 * 8 * 8 * 1024 * 300] * 3


def marked(header: str, cells: list[str]) -> str:
    rows = "".join(f"r{i},{i + 1}e7,{i + 1}e9,{3.5 - i / 10:.2f},{c}\n" for i, c in enumerate(cells))
    return f"run,params,tokens,loss,{header}\n" + rows


MARKS = [("yes", "no"), ("True", "False"), ("1", "0"), ("1.0", "0.0"), ("ja", "nein"), ("oui", "non"), ("✓", "✗"), ("✔️", "✖️"),
         ("✓", "x"), ("yes", "no (diverged)"), ("YES", "diverged"), ("yes", "no - diverged"), ("**yes**", "**no**"),
         ("used", "not used"), ("incl.", "excl.")]  # fmt: skip


@pytest.mark.parametrize(("marks", "unknown"), side_by_side(MARKS, ["?", "", "maybe", "n/a", "see notes", "-"]))
def test_a_mark_that_is_none_leaves_the_others_their_word(read: Read, marks: tuple[str, str], unknown: str) -> None:
    yes, no = marks
    runs = read(marked("used", [yes, no, yes, unknown, yes]))
    assert runs.set_aside["run"].tolist() == ["r1"]
    assert runs.reasons == {"diverged" if "diverged" in no else UNSAID: 1}
    assert any("1 row says neither yes nor no" in note for note in runs.notes)


@pytest.mark.parametrize(
    ("header", "cells"),
    [("used", ["x", "", "x", "x"]), ("used", ["✓", "", "✓", "✓"]), ("keep", ["X", "", "X", "X"]), ("excluded", ["", "x", "", ""]),
     ("excluded", ["no", "yes", "no", "?"]), ("excluded", ["", "1.0", "", ""]), ("excluded", ["", "✓", "", ""])],
)  # fmt: skip
def test_a_tick_marks_its_row(read: Read, header: str, cells: list[str]) -> None:
    runs = read(marked(header, cells))
    assert runs.set_aside["run"].tolist() == ["r1"]
    assert runs.reasons == {UNSAID: 1}


@pytest.mark.parametrize(
    ("reason", "rest"),
    side_by_side(
        ["diverged", "OOM", "loss spike at 3k", "yes (loss spike at 3k)", "yes: loss spike at 3k"], ["", "no", "-"]
    ),
)
def test_a_reason_under_excluded_marks_its_row(read: Read, reason: str, rest: str) -> None:
    runs = read(marked("excluded", [rest, reason, rest, rest]))
    assert runs.set_aside["run"].tolist() == ["r1"]
    assert runs.reasons == {reason.removeprefix("yes").strip("(): "): 1}


def test_cells_without_end_are_read_in_no_time(read: Read) -> None:
    long = "no" + " (" * 20_000 + " " * 20_000 + "x"
    assert len(read(marked("used", ["yes", long, "yes", "-" * 50_000]))) in (3, 4)


def test_words_that_mark_nothing_are_said(read: Read) -> None:
    runs = read(marked("used", ["first fit", "second fit", "first fit", "first fit"]))
    assert len(runs) == 4
    assert any("says neither yes nor no" in note for note in runs.notes)


@pytest.mark.parametrize(
    ("header", "good", "bad"), [("done", "yes", "no"), ("converged", "1", "0"), ("diverged", "no", "yes")]
)
@pytest.mark.parametrize("unknown", ["maybe", "see notes"])
def test_an_unknown_answer_leaves_the_others_theirs(read: Read, header: str, good: str, bad: str, unknown: str) -> None:
    runs = read(marked(header, [good, bad, good, unknown]))
    assert runs.set_aside["run"].tolist() == ["r1"]
    assert any(f"1 row says neither yes nor no ({unknown!r})" in note for note in runs.notes)


def by_split(header: str, word: str, named: bool = True, train: str = "Train", held: str = "Test") -> str:
    rows = []
    for i, n in enumerate((1, 2, 4, 8)):
        start = f"r{i}," if named else ""
        rows.append(f"{start}{n}e7,{n}e9,{train},{3.1 - i / 10:.2f}\n")
        rows.append(f"{start}{n}e7,{n}e9,{word if i == 2 else held},{3.3 - i / 10:.2f}\n")
    return ("run," if named else "") + f"params,tokens,{header},loss\n" + "".join(rows)


SPLITS = ["phase", "mode", "split", "stage", "dataset", "data"]


UNSAID_SPLITS = ["n/a", "?", "", "unknown", "-", "None"]


@pytest.mark.parametrize(
    ("where", "word"),
    [
        *side_by_side(list(product(SPLITS, [True, False])), UNSAID_SPLITS),
        *((("stage", True), w) for w in UNSAID_SPLITS),
    ],
)
def test_a_row_that_does_not_say_its_split_leaves_the_others_theirs(
    read: Read, where: tuple[str, bool], word: str
) -> None:
    header, named = where
    runs = read(by_split(header, word, named))
    assert runs.kept["loss"].tolist() == [3.3, 3.2, 3.0]
    silent = [r.startswith("nothing says where its loss was measured") for r in runs.set_aside["reason"]]
    assert sum(silent) == 1
    assert runs.set_aside["loss"][silent].tolist() == [3.1]
    assert len(runs.set_aside) == 5
    assert any("nothing of it" in note for note in runs.notes)


@pytest.mark.parametrize("header", ["phase", "mode", "split", "stage"])
def test_a_word_that_is_not_known_beside_train_and_test_is_asked_about(read: Read, header: str) -> None:
    text = by_split(header, "C4-100")
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [q.key for q in caught.value.questions] == ["split"]
    assert read(text, split="Test").kept["loss"].tolist() == [3.3, 3.2, 3.0]


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    ("header", "good", "bad", "reason"),
    [("state", "finished", "crashed", "run state: crashed"), ("state", "", "crashed", "run state: crashed"), ("used", "yes", "no", UNSAID),
     ("converged", "1", "0", "run state: not converged"), ("excluded", "", "diverged", "diverged"),
     ("exit_code", "0", "1", "run state: failed (exit code 1)")],
)  # fmt: skip
def test_what_the_rows_of_another_split_say_of_the_run_s_end_is_the_run_s(
    read: Read, header: str, good: str, bad: str, reason: str, named: bool
) -> None:
    rows = []
    for name, n, held, train, end in (("a", 1, 3.5, 3.4, good), ("b", 2, 9.2, 9.1, bad), ("c", 4, 3.1, 3.0, good)):
        start = f"{name}," if named else ""
        rows += [f"{start}{n}e7,{n}e9,val,{held},\n", f"{start}{n}e7,{n}e9,train,{train},{end}\n"]
    runs = read(("run," if named else "") + f"params,tokens,split,loss,{header}\n" + "".join(rows))
    assert runs.kept["loss"].tolist() == [3.5, 3.1]
    assert runs.reasons[reason] == 1


@pytest.mark.parametrize("rows", [2, 3, 4])
@pytest.mark.parametrize("header", ["epoch", "Epoch"])
def test_few_rows_along_the_epochs_of_one_setting_are_announced(read: Read, rows: int, header: str) -> None:
    text = f"params,unique_tokens,{header},loss\n" + "".join(f"1e7,1e9,{e},{4 - e / 10}\n" for e in range(1, rows + 1))
    assert len(read(text, rows="runs")) == rows
    one = read(text)
    assert [(q.key, q.guess) for q in one.questions] == [("rows", "checkpoints")]
    assert one.kept["tokens"].tolist() == [rows * 1e9]
    assert one.kept["loss"].tolist() == [pytest.approx(4 - rows / 10)]


@pytest.mark.parametrize(
    ("train", "held"),
    [("train_seed{}", "val_seed{}"), ("train (seed {})", "val (seed {})"), ("seed{}/train", "seed{}/test")],
)
def test_seeds_of_train_and_val_without_the_word_loss_are_losses_of_seeds(read: Read, train: str, held: str) -> None:
    headers = ",".join(form.format(seed) for form in (train, held) for seed in (0, 1))
    text = f"run,params,tokens,{headers}\n" + "".join(
        f"r{n},{n}e7,{n}e9,{3.1 - n / 10:.2f},{3.12 - n / 10:.2f},{3.4 - n / 10:.2f},{3.45 - n / 10:.2f}\n"
        for n in (1, 2, 4)
    )
    runs = read(text)
    assert runs.kept["loss"].tolist() == [3.3, 3.35, 3.2, 3.25, 3.0, 3.05]
    assert runs.kept["seed"].tolist() == ["0", "1"] * 3


def test_seeds_of_one_split_are_asked_about_together(read: Read) -> None:
    text = "run,params,tokens,val_seed0,val_seed1\n" + "".join(
        f"r{n},{n}e7,{n}e9,{3.4 - n / 10:.2f},{3.45 - n / 10:.2f}\n" for n in (1, 2, 4)
    )
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [(q.key, q.options) for q in caught.value.questions] == [("columns.loss", ("val",))]
    assert read(text, columns={"loss": "val"}).kept["loss"].tolist() == [3.3, 3.35, 3.2, 3.25, 3.0, 3.05]


def test_two_places_along_the_steps_of_each_size_are_announced(read: Read) -> None:
    text = "params,tokens,step,val_loss\n" + "".join(
        f"{n}e7,{s}e8,{s}00,{4 - n / 10 - s / 5:.2f}\n" for n in (1, 2, 4) for s in (1, 2)
    )
    runs = read(text)
    assert len(runs) == 6
    assert [(q.key, q.guess) for q in runs.questions] == [("rows", "runs")]
