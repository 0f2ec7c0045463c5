"""Which rows are one run's: kinds of tables that once merged runs, or took the rows of one for several, without a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import pytest

from data import MappingNeeded, Runs, read_runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def curves(header: str, runs: Sequence[str], places: Sequence[object]) -> str:
    """A table of curves: the loss of the i-th run at its k-th place is 4 - .1 i - .2 k."""
    rows = [
        f"{run},{place},{4 - 0.1 * i - 0.2 * k:.2f}" for i, run in enumerate(runs) for k, place in enumerate(places)
    ]
    return "\n".join([header, *rows]) + "\n"


def ends(runs: int, places: int) -> list[float]:
    """The last losses of the `curves`."""
    return [4 - 0.1 * i - 0.2 * (places - 1) for i in range(runs)]


FULL = ("S,adam", "S,muon", "M,adam", "M,muon")
PLACES = ([1, 2, 3, 4, 5], [1000, 2000, 3000, 4000], [100, 300, 1000, 3000], [100, 200, 300])


def test_two_texts_tell_curves_apart_where_neither_does_alone(read: Read) -> None:
    headers = ("model,optimizer", "model,variant", "arch,attention", "config,variant", "run,optimizer", "variant,init")
    settings = (
        FULL[:3], FULL, ("S,adam", "S,muon", "S,sgd", "M,adam", "M,muon"), ("S,adam", "S,muon", "M,adam", "L,sgd"),
        ("gpt2-small,adam", "gpt2-small,muon", "gpt2-medium,adam"), ("S,adam", "S,muon", "S,sgd", "S,lion", "M,adam"),
    )  # fmt: skip
    for header, runs, places in side_by_side(headers * 2, settings, PLACES):
        found = read(curves(f"{header},step,loss", runs, places))
        case = f"{header}: {runs} at {places}"
        assert found.kept["loss"].tolist() == pytest.approx(ends(len(runs), len(places))), case
        assert found.kept["run"].tolist() == [run.replace(",", ", ") for run in runs], case
        assert found.history is not None, case
        assert len(found.history) == len(runs) * len(places), case


def test_a_column_of_sizes_beside_the_texts_changes_nothing(read: Read) -> None:
    runs = ("S,1e6,adam", "S,1e6,muon", "M,4e6,adam", "M,4e6,muon")
    for places in PLACES:
        found = read(curves("model,params,optimizer,step,loss", runs, places))
        assert found.kept["params"].tolist() == [1e6, 1e6, 4e6, 4e6], places
        assert found.kept["loss"].tolist() == pytest.approx(ends(4, len(places))), places


def test_three_texts_tell_curves_apart(read: Read) -> None:
    runs = ("S,adam,a", "S,muon,a", "S,muon,b", "M,adam,b", "M,adam,a")
    found = read(curves("model,optimizer,variant,step,loss", runs, (100, 200, 300)))
    assert found.kept["loss"].tolist() == pytest.approx(ends(5, 3))


def test_checkpoints_as_a_person_says_are_parted_by_texts(read: Read) -> None:
    flops = "config,type,step,loss,flops\n" + "".join(
        f"{c},{t},{s},{4 - i / 10 - j / 10 - s / 1e4:.2f},{s * 3e13 / (1 + i + j):.2e}\n"
        for i, c in enumerate("MS")
        for j, t in enumerate(("baseline", "foveated"))
        for s in (100, 300, 1000)
    )
    for answers in ({}, {"rows": "checkpoints"}):
        assert read(flops, **answers).kept["loss"].tolist() == pytest.approx([3.9, 3.8, 3.8, 3.7]), answers
    assert len(read(flops, rows="runs")) == 12
    tokens = curves("model,optimizer,tokens,loss", FULL[:3], [f"{k}e8" for k in range(1, 13)])
    with pytest.raises(MappingNeeded) as caught:
        read(tokens)
    assert [q.key for q in caught.value.questions] == ["rows"]
    assert len(read(tokens, rows="checkpoints")) == 3


def test_runs_that_differ_in_texts_and_end_at_one_step_stay_runs(read: Read) -> None:
    ended = "".join(f"{run},{1000 * (1 + i // 2)},{4 - i / 10}\n" for i, run in enumerate(FULL))
    assert len(read(f"model,optimizer,step,loss\n{ended}")) == 4
    planned = curves("model,optimizer,steps,loss", FULL, (1000, 2000, 4000))
    assert len(read(planned)) == 12


def test_a_row_at_zero_tells_a_curve_from_a_sweep(read: Read) -> None:
    at = ("0", "65M", "130M", "195M", "260M", "330M", "500M")
    for header, places, last in (
        ("Training tokens", at, 5e8), ("Tokens", at, 5e8), ("Tokens (B)", (0, 0.065, 0.13, 0.195, 0.5), 5e8),
        ("tokens", (0, 1e8, 2e8), 2e8), ("Tokens seen", (0, 1e8, 2e8), 2e8), ("Tokens seen", at, 5e8),
    ):  # fmt: skip
        for sizes in (("124M",), ("124M", "60M")):
            found = read(curves(f"Params,{header},Validation loss", sizes, places))
            assert found.kept["tokens"].tolist() == [last] * len(sizes), (header, sizes)
            assert found.kept["loss"].tolist() == pytest.approx(ends(len(sizes), len(places))), (header, sizes)
            assert len(found.set_aside) == 0, (header, sizes)
    assert [q.key for q in read(curves("Params,Tokens,Loss", ("124M",), at)).questions] == ["rows"]
    assert read(curves("Params,step,Loss", ("124M",), (0, 100, 200))).questions == ()  # a counter by its name
    assert len(read(curves("Params,Tokens,Loss", ("124M",), at), rows="runs")) == 6
    with pytest.raises(MappingNeeded) as caught:
        read("params,tokens,loss\n60M,0,11\n60M,1e8,4\n60M,2e8,3.8\n9M,1e8,4.4\n9M,2e8,4.2\n9M,3e8,4.1\n")
    assert [q.key for q in caught.value.questions] == ["rows"]
    crashed = read("run,params,tokens,loss\na,60M,0,11\nb,60M,1e8,4\nc,60M,2e8,3.8\nd,60M,3e8,3.7\n")
    assert crashed.reasons == {"tokens is zero": 1}


def test_a_setting_that_differs_in_every_row_makes_each_a_run(read: Read) -> None:
    inits = ("normal", "xavier", "ortho")
    ways = list(product(("", "params,"), (True, False)))
    for header, (size, alike) in side_by_side(("variant", "run", "model", "config", "optimizer"), ways):
        rows = "".join(
            f"{v},{init if alike else init + v},{'10M,' if size else ''}{1000 * (k + 1)},{4 - k / 5 - j / 2:.2f}\n"
            for j, v in enumerate("AB")
            for k, init in enumerate(inits)
        )
        found = read(f"{header},init,{size}step,loss\n{rows}")
        assert len(found) == 6, (header, size, alike)
        assert found.history is None, (header, size, alike)


def test_one_named_run_that_is_measured_several_ways_is_asked_about(read: Read) -> None:
    table = "run,params,tokens,{h},val_loss\na,25M,0.5B,{x},4.40\na,25M,0.5B,{y},4.37\nb,50M,1B,{x},4.10\nb,50M,1B,{y},4.00\n"
    ways = (
        ("ckpt", "last", "best"), ("checkpoint", "last", "best"), ("checkpoint", "final", "averaged"), ("type", "last", "best"),
        ("step", "last", "best"), ("weights", "raw", "ema"), ("weights", "raw", "EMA 0.999"), ("model version", "raw", "swa"),
        ("kind", "no ema", "ema"), ("eval_precision", "bf16", "int8"), ("eval date", "2024-01-01", "2024-02-01"),
        ("eval_ctx", 1024, 2048), ("eval_seq_len", 1024, 2048), ("eval_stride", 256, 512), ("eval_seed", 0, 1),
        ("eval_batch_size", 8, 16), ("n_eval_tokens", "1M", "10M"), ("val context", 512, 1024), ("eval_foo", 1, 2),
        ("n_eval_things", 3, 5), ("test_variant", 0, 1),
    )  # fmt: skip
    for i, (h, x, y) in enumerate(ways):
        text = table.format(h=h, x=x, y=y)
        with pytest.raises(MappingNeeded) as caught:
            read(text)
        assert [(q.key, q.options) for q in caught.value.questions] == [("split", (str(x), str(y), "all"))], h
        if i % 5 == 0:  # what an answer does has nothing to do with the header
            assert read(text, split=str(y)).kept["loss"].tolist() == [4.37, 4.0], h
            assert len(read(text, split="all")) == 4, h
    runs = (
        ("seed", 0, 1), ("optimizer", "adam", "muon"), ("dropout", 0, 0.1), ("lr", 1e-3, 2e-3), ("warmup", 100, 200),
        ("eval_acc", 0.1, 0.2), ("trial", 1, 2), ("variant", "a", "b"), ("foo", 1, 2), ("muon", 0, 1), ("qk_norm", 0, 1), ("tied", 0, 1),
        ("mup", 0, 1), ("swiglu", 0, 1), ("nh", 8, 16), ("moe", 0, 1), ("phase", 1, 2), ("eval_interval", 100, 200),
    )  # fmt: skip
    for h, x, y in runs:
        assert len(read(table.format(h=h, x=x, y=y))) == 4, h
    seeds = "run,params,tokens,eval_ctx,seed,val_loss\n" + "".join(
        f"{r},25M,1B,{c},{s},{4 - s / 100 - c / 1e5}\n" for r, c in (("a", 512), ("b", 1024)) for s in (0, 1)
    )
    assert len(read(seeds)) == 4


def test_curves_of_raw_and_averaged_weights_are_one_runs(read: Read) -> None:
    text = curves("run,weights,step,loss", ("a,raw", "a,ema", "b,raw", "b,ema"), (100, 200, 300))
    with pytest.raises(MappingNeeded) as caught:
        read(text)
    assert [q.key for q in caught.value.questions] == ["split"]
    assert read(text, split="ema").kept["loss"].tolist() == pytest.approx([3.5, 3.3])


def test_headings_and_sheets_that_are_sizes_are_the_models(read: Read, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    sizes = {"25M": 25e6, "60M": 60e6, "1.5B": 1.5e9}
    for n in (3, 6):
        for counted in (True, False):
            head = ["Step", "Tokens", "Val loss"] if counted else ["Tokens", "Val loss"]
            text, book = "", openpyxl.Workbook()
            book.remove(book.active)
            for i, size in enumerate(sizes):
                rows = [
                    [*([1000 * k] if counted else []), 10**8 * k, round(5 - i / 2 - k / 10, 2)] for k in range(1, n + 1)
                ]
                text += f"### {size}\n\n| {' | '.join(head)} |\n{'|---' * len(head)}|\n"
                text += "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows) + "\n"
                sheet = book.create_sheet(size)
                for row in (head, *rows):
                    sheet.append(row)
            (tmp_path / "sizes.md").write_text(text)
            book.save(tmp_path / "sizes.xlsx")
            for name in ("sizes.md", "sizes.xlsx"):
                if n == 6 and not counted:
                    with pytest.raises(MappingNeeded) as caught:
                        read_runs(tmp_path / name)
                    assert [q.key for q in caught.value.questions] == ["rows"], name
                found = read_runs(tmp_path / name, rows=None if counted else "checkpoints")
                case = f"{name}: {n} rows of {head}"
                assert found.kept["run"].tolist() == list(sizes), case
                assert found.kept["params"].tolist() == list(sizes.values()), case
                assert found.kept["tokens"].tolist() == [n * 1e8] * 3, case
    batches = "".join(
        f"### {b}\n\n| Step | Val loss |\n|---|---|\n| 1000 | 4.1 |\n| 2000 | 4.0 |\n\n" for b in ("0.5M", "1M")
    )
    assert "params" not in read(batches, "batches.md").kept


def test_a_number_that_nobody_reads_parts_curves_that_begin_anew_under_it(read: Read) -> None:
    def stretches(header: str, values: tuple[object, ...], counter: str, n: int, shift: int, first: str) -> str:
        rows = (
            f"{first and 'a,'}25M,{100 * k + shift * i}M,{v},{4 - i / 10 - k / 5:.2f}\n"
            for i, v in enumerate(values)
            for k in range(1, n + 1)
        )
        return f"{first}params,{counter},{header},loss\n" + "".join(rows)

    for (header, values), n, shift, first in product(
        (("capacity factor", (1, 1.25, 2)), ("upcycled from step", (1000, 2000))), (3, 5), (0, 30), ("run,", "")
    ):
        for counter in ("tokens seen", "tokens"):
            if (n == 3 and not first) or (counter == "tokens" and not (first and shift)):
                continue  # rows as those of sweeps at several lengths
            found = read(stretches(header, values, counter, n, shift, first))
            case = f"{header}: {n} rows, {shift} M further on, {first or 'no name'}, {counter}"
            assert found.kept["loss"].tolist() == pytest.approx([4 - i / 10 - n / 5 for i in range(len(values))]), case
            assert [q.key for q in found.questions] == ["rows"], case
    for header, shift in (("attempt", 30), ("capacity factor", 500)):
        assert len(read(stretches(header, (1, 2), "tokens seen", 5, shift, "run,"))) == 1, header


def test_tokens_that_fall_back_where_no_column_counts_steps_are_read(read: Read) -> None:
    tokens = (100, 200, 300, 130, 230, 330, 160, 260, 360)
    rows = "".join(f"25M,{t}M,{4 - t / 1000}\n" for t in tokens)
    with pytest.raises(MappingNeeded):  # in no order: a log or runs
        read(f"params,tokens seen,loss\n{rows}")
