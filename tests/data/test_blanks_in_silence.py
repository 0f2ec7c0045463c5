"""A cell that says nothing is taken for nothing: no factor of 1, no mark of all rows, no split of all rows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import Runs

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


@pytest.mark.parametrize("cell", ["", "-", "?", "n/a", "auto"])
@pytest.mark.parametrize("blank", ["grad_accum", "gpus"])
@pytest.mark.parametrize(("base", "answers"), [("micro_batch", {}), ("batch_size", {"batch": "device"})])
def test_a_factor_of_the_batch_that_is_not_said_is_not_one(
    read: Read, base: str, answers: dict[str, str], blank: str, cell: str
) -> None:
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
