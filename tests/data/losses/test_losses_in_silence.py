"""Losses that once were read wrong without a word: two in one cell, units beside them, arms beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from tests.data.cases import side_by_side

Read = Callable[..., Runs]
LN2 = math.log(2.0)
TRAIN, VAL = ("3.90", "3.62", "3.35"), ("3.98", "3.71", "3.45")
PPL = ("53.52", "40.85", "31.50")  # exp(VAL)
BITS = ("5.742", "5.352", "4.977")  # VAL / ln 2
BPB = ("1.3671", "1.2744", "1.1851")  # BITS / 4.2
RIGHT = [3.98, 3.71, 3.45]
SIZES = ("a,20M,400M", "b,40M,800M", "c,80M,1.6B")


def table(*columns: tuple[str, tuple[str, ...]]) -> str:
    """Three runs whose further columns are these."""
    heads = ",".join(f'"{h}"' for h, _ in columns)
    rows = zip(SIZES, *(cells for _, cells in columns), strict=True)
    return "\n".join([f"run,params,tokens,{heads}", *(",".join(row) for row in rows)]) + "\n"


def pair(header: str, form: str, one: tuple[str, ...], two: tuple[str, ...]) -> str:
    return table((header, tuple(form.format(a, b) for a, b in zip(one, two, strict=True))))


def asked(read: Read, text: str, **answers: object) -> dict[str, str]:
    with pytest.raises(MappingNeeded) as caught:
        read(text, **answers)
    return {q.key: q.guess for q in caught.value.questions}


def losses(runs: Runs) -> list[float]:
    return [float(v) for v in runs.kept["loss"]]


# --- two numbers in a cell ----------------------------------------------------------------------------------------------


FORMS = ["{} ({})", "{} / {}", "{}/{}", "{} [{}]", "{} | {}", "**{}** ({})", "**{} / {}**"]


@pytest.mark.parametrize(("said", "form"), side_by_side(
    [
        ("loss (ppl)", VAL, PPL),
        ("ppl (loss)", PPL, VAL),
        ("val loss / ppl", VAL, PPL),
        ("val loss/ppl", VAL, PPL),
        ("loss (ppl)", PPL, VAL),  # the values say that the header has them the other way round
        ("loss (bits)", VAL, BITS),
        ("val cross-entropy (perplexity)", VAL, PPL),
        ("train (val) loss", TRAIN, VAL),
        ("Loss train (val)", TRAIN, VAL),
        ("train/val loss", TRAIN, VAL),
        ("L (ppl)", VAL, PPL),
        ("Loss (train / val)", TRAIN, VAL),
        ("loss: train, val", TRAIN, VAL),
        ("Val loss (train)", VAL, TRAIN),
        ("val/train loss (nats)", VAL, TRAIN),
        ("train loss (eval loss)", TRAIN, VAL),
        ("training & validation loss", TRAIN, VAL),
    ] * 2,
    FORMS,
))  # fmt: skip
def test_of_two_numbers_in_a_cell_the_loss_is_taken(
    read: Read, said: tuple[str, tuple[str, ...], tuple[str, ...]], form: str
) -> None:
    """What a header says of two numbers does not depend on the signs between them: each header stands over two of the forms."""
    header, one, two = said
    assert losses(read(pair(header, form, one, two))) == pytest.approx(RIGHT, rel=1e-3)


def test_two_numbers_that_no_unit_explains_are_asked_about(read: Read) -> None:
    text = pair("loss (ppl)", "{} ({})", VAL, ("14", "90", "20"))
    assert "columns.loss" in asked(read, text)
    text = pair("val / test loss", "{} / {}", TRAIN, VAL)
    assert "columns.loss" in asked(read, text)


def test_an_error_in_brackets_is_no_second_loss(read: Read) -> None:
    runs = read(pair("loss (bits)", "{} ({})", BITS, ("0.02", "0.01", "0.01")))
    assert losses(runs) == pytest.approx(RIGHT, rel=1e-3)
    assert runs.kept["loss_error"].iloc[0] == pytest.approx(0.02 * LN2)
    assert losses(read(table(("loss (ppl)", PPL)))) == pytest.approx(RIGHT, rel=1e-3)


def test_one_number_where_others_are_two_is_set_aside(read: Read) -> None:
    runs = read(pair("train / val loss", "{} / {}", TRAIN, VAL) + "d,80M,1.6B,3.4\n")
    assert losses(runs) == RIGHT
    assert runs.set_aside["reason"].tolist() == ["loss is not a number ('one of two: 3.4')"]


# --- a column of units --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("header", "losses_in"), side_by_side(
    ["unit", "units", "loss unit", "loss_units", "val loss unit", "metric", "unit of loss"],
    [
        (("3.98", "3.71", "31.50"), ("nats", "nats", "ppl")),
        (("3.98", "5.352", "31.50"), ("nats/token", "bits", "perplexity")),
        (BITS, ("bits", "bits", "bits")),
        (PPL, ("PPL", "PPL", "PPL")),
        (("3.98", "5.352", "3.45"), ("nats", "bits/token", "nats per token")),
    ],
))  # fmt: skip
def test_a_column_of_units_counts_for_each_row(
    read: Read, header: str, losses_in: tuple[tuple[str, ...], tuple[str, ...]]
) -> None:
    cells, units = losses_in
    runs = read(table(("val_loss", cells), (header, units)))
    assert losses(runs) == pytest.approx(RIGHT, rel=1e-3)
    assert not len(runs.set_aside)


def test_errors_are_in_the_unit_of_their_row(read: Read) -> None:
    text = table(
        ("val_loss", ("3.98", "5.352", "31.5")), ("std", (".01", ".02", ".315")), ("unit", ("nats", "bits", "ppl"))
    )
    assert read(text).kept["loss_error"].tolist() == pytest.approx([0.01, 0.02 * LN2, 0.01])


def test_rows_of_an_unknown_unit_are_set_aside(read: Read) -> None:
    runs = read(table(("val_loss", ("3.98", "3.71", "31.5")), ("loss unit", ("nats", "acc", ""))))
    assert losses(runs) == [3.98]
    assert runs.set_aside["reason"].tolist() == [
        "loss is in a unit that is not known ('acc' under 'loss unit')",
        "loss has no unit under 'loss unit', where others have one",
    ]


def test_a_header_and_a_column_that_name_different_units_are_asked_about(read: Read) -> None:
    text = table(("val_loss (nats)", BITS), ("unit", ("bits",) * 3))
    assert asked(read, text) == {"loss_unit": "nats"}
    assert losses(read(text, loss_unit="bits")) == pytest.approx(RIGHT, rel=1e-3)


def test_units_of_bytes_ask_how_many_a_token_has_or_take_it_from_a_column(read: Read) -> None:
    mixed = ("val_loss", (BPB[0], "3.71", PPL[2])), ("unit", ("bpb", "nats", "ppl"))
    assert asked(read, table(*mixed)) == {"bytes_per_token": ""}
    assert losses(read(table(*mixed), bytes_per_token=4.2)) == pytest.approx(RIGHT, rel=1e-3)
    assert losses(read(table(*mixed, ("bytes_per_token", ("4.2", "", ""))))) == pytest.approx(RIGHT, rel=1e-3)


@pytest.mark.parametrize(
    ("loss", "beside"),
    [
        ("val_bpb", ("bytes_per_token", ("4.2", "4.2", "4.2"))),
        ("val_bpb", ("avg bytes/token", ("4.2", "4.2", "4.2"))),
        ("bpc", ("chars per token", ("4.2", "4.2", "4.2"))),
        ("bpb", ("tokens per byte", ("0.238095", "0.238095", "0.238095"))),
        ("val_bpb (4.2 bytes/token)", ("lr", ("1e-3", "1e-3", "1e-3"))),
        ("bits per byte [4.2 bytes per token]", ("lr", ("1e-3", "1e-3", "1e-3"))),
    ],
)
def test_bytes_of_a_token_are_taken_from_the_table(read: Read, loss: str, beside: tuple[str, tuple[str, ...]]) -> None:
    assert losses(read(table((loss, BPB), beside))) == pytest.approx(RIGHT, rel=1e-3)


def test_bytes_of_a_token_count_for_their_own_row(read: Read) -> None:
    text = table(("val_bpb", (BPB[0], BPB[1], BPB[2])), ("bytes_per_token", ("4.2", "2.1", "")))
    runs = read(text)
    assert losses(runs) == pytest.approx([3.98, 3.71 / 2], rel=1e-3)
    assert runs.set_aside["reason"].tolist() == ["loss has no bytes per token"]
    assert losses(read(text, bytes_per_token=4.2)) == pytest.approx(RIGHT, rel=1e-3)


def amounts(header: str, cells: tuple[str, ...], unit: str, units: tuple[str, ...]) -> str:
    rows = zip(("a,20M", "b,40M", "c,80M"), cells, units, VAL, strict=True)
    return "\n".join([f"run,params,{header},{unit},val_loss", *(",".join(r) for r in rows)]) + "\n"


@pytest.mark.parametrize("header", ["tokens", "data", "train_tokens"])
def test_amounts_in_bytes_among_tokens_are_set_aside(read: Read, header: str) -> None:
    text = amounts(header, ("400M", "3.2B", "1.6B"), f"{header} unit", ("tokens", "bytes", "tokens"))
    runs = read(text)
    assert runs.kept["tokens"].tolist() == [4e8, 1.6e9]
    assert runs.set_aside["reason"].tolist() == ["tokens is not a number ('3.2B in bytes')"]
    assert "tokens" not in read(amounts(header, ("400M", "3.2B", "1.6B"), f"{header} unit", ("bytes",) * 3)).kept


@pytest.mark.parametrize("unit", ["unit", "tokens unit", "units of tokens"])
def test_the_factor_of_each_row_stands_in_a_column(read: Read, unit: str) -> None:
    runs = read(amounts("tokens", ("0.4", "800", "1.6"), unit, ("B", "M", "billion")))
    assert runs.kept["tokens"].tolist() == [4e8, 8e8, 1.6e9]


# --- the same loss in another unit --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("val_loss", VAL), ("val_bpb", BPB)),
        (("loss", VAL), ("bpb", BPB)),
        (("eval/loss", VAL), ("eval/bits_per_byte", BPB)),
        (("val_bpc", BPB), ("val_loss", VAL)),
        (("loss (%)", ("398", "371", "345")), ("ppl", PPL)),
        (("loss (%)", ("398", "371", "345")), ("val ppl", PPL)),
        (("L", VAL), ("ppl", PPL)),
    ],
)
def test_a_copy_in_another_unit_is_no_rival(
    read: Read, one: tuple[str, tuple[str, ...]], other: tuple[str, tuple[str, ...]]
) -> None:
    assert losses(read(table(one, other))) == pytest.approx(RIGHT, rel=1e-3)


def test_bytes_of_the_same_split_give_way_to_nats_and_that_is_said(read: Read) -> None:
    for nats, other, cells in (
        ("Val loss", "Val BPB", (("3.7995", "3.7871", "3.79"), ("1.4936", "1.4887", "1.49"))),
        ("Val Loss", "Val BPC", (("3.2288", "3.0642"), ("2.4022", "2.2292"))),
        ("test loss", "test bits per byte", (("3.98",), ("1.367",))),
    ):
        text = table((nats, cells[0]), (other, cells[1])) if len(cells[0]) == 3 else ""
        text = text or f"run,params,tokens,{nats},{other}\n" + "".join(
            f"r{i},{i + 1}e8,{i + 1}e9,{a},{b}\n" for i, (a, b) in enumerate(zip(*cells, strict=True))
        )
        runs = read(text)
        assert runs.kept["loss"].tolist() == [float(c) for c in cells[0]], other
        assert any(repr(other) in note for note in runs.notes), (other, runs.notes)
    assert "columns.loss" in asked(read, table(("val_loss", VAL), ("test_bpb", BPB)))


def test_losses_of_other_data_or_splits_are_no_copies(read: Read) -> None:
    assert asked(read, table(("loss", VAL), ("val_bpb", BPB))) == {"bytes_per_token": ""}
    assert "columns.loss" in asked(read, table(("val_loss", VAL), ("pile_val_bpb", BPB)))
    assert "columns.loss" in asked(read, table(("val_loss", VAL), ("val_bpb", ("1.367", "1.30", "1.25"))))
    assert asked(read, table(("train_loss", VAL), ("val_bpb", BPB))) == {"bytes_per_token": ""}


# --- which column it is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "guess"),
    [
        ("ours val loss", "baseline val loss", "ours val loss"),
        ("baseline val loss", "our val loss", "our val loss"),
        ("loss (ours)", "loss (baseline)", "loss (ours)"),
        ("val loss", "val loss (baseline)", "val loss"),
        ("loss/ours", "loss/baseline", "loss/ours"),
        ("loss/total", "loss/ce", "loss/ce"),
        ("total_loss", "lm_loss", "lm_loss"),
        ("val_loss_ema", "val_loss", "val_loss"),
        ("eval loss (smoothed)", "eval loss", "eval loss"),
        ("loss first", "loss last", "loss last"),
        ("val_loss (first)", "val_loss (last)", "val_loss (last)"),
    ],
)
def test_two_columns_of_losses_are_asked_about(read: Read, one: str, other: str, guess: str) -> None:
    assert asked(read, table((one, TRAIN), (other, VAL))) == {"columns.loss": guess}


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("baseline loss", ("3.40", "3.40", "3.40")),  # one line for all
        ("gain over baseline loss", ("0.02", "0.03", "0.01")),
        ("loss / baseline loss", ("0.98", "0.97", "0.99")),
    ],
)
def test_what_no_run_of_a_baseline_has_is_no_rival(read: Read, header: str, cells: tuple[str, ...]) -> None:
    assert losses(read(table(("val loss", VAL), (header, cells)))) == RIGHT


def test_a_total_beside_other_terms_is_asked_about(read: Read) -> None:
    assert asked(read, table(("total_loss", VAL), ("aux_loss", ("0.02",) * 3))) == {"columns.loss": "total_loss"}
    assert losses(read(table(("total_loss", VAL)))) == RIGHT


def test_the_mean_over_training_is_not_the_loss(read: Read) -> None:
    ended = ("train_runtime", ("100.5", "200.5", "300.5"))
    assert losses(read(table(("train_loss", ("5", "4.9", "4.8")), ("loss", VAL), ended))) == RIGHT
    assert asked(read, table(("train_loss", ("5", "4.9", "4.8")), ended)) == {"columns.loss": "train_loss"}
    assert losses(read(table(("train_loss", VAL)))) == RIGHT


@pytest.mark.parametrize(
    "header", ["L_val", "$L_{val}$", r"$\mathcal{L}_\text{val}$", r"$L_{\mathrm{val}}$", 'loss {""subset"":""val""}']
)
def test_a_subscript_or_a_context_names_the_split(read: Read, header: str) -> None:
    assert losses(read(table((header, VAL)))) == RIGHT
    assert losses(read(table((header.replace("val", "train"), TRAIN), (header, VAL)))) == RIGHT


@pytest.mark.parametrize("header", ["L_min", "L_0", "L_aux", "L_inf", "L_target"])
def test_other_subscripts_name_no_loss(read: Read, header: str) -> None:
    assert losses(read(table((header, TRAIN), ("val loss", VAL)))) == RIGHT


def test_a_context_need_not_be_quoted(read: Read) -> None:
    heads = 'Run,params,tokens,loss {"subset":"train"},loss {"subset":"val"}'
    rows = zip(SIZES, TRAIN, VAL, strict=True)
    assert losses(read("\n".join([heads, *(",".join(r) for r in rows)]) + "\n")) == RIGHT


CURVE = "Wall time,Step,Value\n" + "".join(
    f"17000{i}00.5,{i}00,{v}\n" for i, v in ((1, 6.1), (2, 5.0), (3, 4.6), (4, 4.5))
)


@pytest.mark.parametrize("name", ["run-20M_eval_loss-tag.csv", "run-20M-tag-eval_loss.csv", "20M_train_loss.csv"])
def test_the_tag_in_a_file_name_says_what_a_curve_is(read: Read, name: str) -> None:
    assert losses(read(CURVE, name)) == [4.5]
    ppl = read(CURVE.replace("4.5\n", "90.017\n"), name.replace("loss", "ppl"))
    assert losses(ppl) == pytest.approx([4.5], rel=1e-3)


@pytest.mark.parametrize("name", ["run-20M-tag-lr.csv", "run-loss_test-tag-grad_norm.csv", "20M.csv"])
def test_a_curve_without_such_a_tag_is_asked_about(read: Read, name: str) -> None:
    assert asked(read, CURVE, name=name) == {"columns.loss": "Value"}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("31.5", ": diverged, or a perplexity among losses in another unit"),
        ("345", ": diverged, or a hundred or thousand times the loss among losses in another unit"),
        ("3450", ": diverged, or a hundred or thousand times the loss among losses in another unit"),
        ("1e9", " (diverged)"),
    ],
)
def test_a_loss_beyond_guessing_may_be_in_another_unit(read: Read, cell: str, said: str) -> None:
    runs = read(table(("loss", VAL)) + f"d,80M,1.6B,{cell}\n")
    assert losses(runs) == RIGHT
    assert runs.set_aside["reason"].tolist() == [f"loss is above that of guessing{said}"]


def test_the_error_of_a_prediction_is_not_that_of_the_loss(read: Read) -> None:
    head = "run,params,tokens,{}\n"
    for names, cells, stated in (
        ("Predicted loss,Actual loss,Error", ("3.44,3.45,0.3%", "3.06,3.05,0.3%"), False),
        ("Predicted loss,Actual loss,Error", ("3.44,3.45,0.01", "3.06,3.05,0.01"), False),
        ("loss (fit),val loss,error", ("3.44,3.45,0.01", "3.06,3.05,0.01"), False),
        ("val loss,error (%)", ("3.45,0.3", "3.05,0.3"), False),
        ("val loss,Error", ("3.45,0.3%", "3.05,0.3%"), False),
        ("val loss,Error", ("3.45,0.01", "3.05,0.01"), True),
        ("Predicted loss,Actual loss,std", ("3.44,3.45,0.01", "3.06,3.05,0.01"), True),
    ):
        text = head.format(names) + f"s,125M,2.5B,{cells[0]}\nm,350M,7B,{cells[1]}\n"
        runs = read(text)
        assert runs.kept["loss"].tolist() == [3.45, 3.05], names
        assert ("loss_error" in runs.kept) == stated, (names, cells)


def test_how_many_seeds_there_were_is_no_seed(read: Read) -> None:
    rows = "a,125M,2.5B,{},3.45\nb,350M,7B,{},3.05\nc,760M,15.2B,{},2.82\nd,760M,15.2B,{},2.83\n"
    for name, cells, seed in (
        ("seeds", "3331", False),
        ("n_seeds", "3333", False),
        ("# seeds", "3333", False),
        ("seed", "3333", True),
    ):
        runs = read(f"run,params,tokens,{name},loss\n" + rows.format(*cells))
        assert ("seed" in runs.kept) == seed, name
    runs = read(
        "model,params,tokens,seeds,loss\na,125M,2.5B,0,3.45\na,125M,2.5B,1,3.46\nb,350M,7B,0,3.05\nb,350M,7B,1,3.06\n"
    )
    assert runs.kept["seed"].tolist() == ["0", "1", "0", "1"]


def test_of_losses_along_training_the_last_is_the_guess(read: Read) -> None:
    for early, late in (
        ("loss_10pct", "loss_100pct"), ("val loss 25%", "val loss 100%"), ("loss (50%)", "loss"), ("loss@1000", "loss@2000"),
        ("val_loss@9k", "val_loss@10k"), ("loss @ step 500", "loss @ step 1k"),
    ):  # fmt: skip
        for first, second in ((early, late), (late, early)):
            with pytest.raises(MappingNeeded) as asked:
                read(
                    f"run,params,tokens,{first},{second}\na,20M,400M,4.1,3.98\nb,40M,800M,3.9,3.71\nc,80M,1.6B,3.7,3.45\n"
                )
            (question,) = asked.value.questions
            assert (question.guess, set(question.options)) == (late, {early, late}), (first, second)


def test_a_loss_before_the_first_step_is_no_runs_loss(read: Read) -> None:
    starts = ("val loss @0", "val loss @ 0", "val loss @step 0", "val loss (@0)", "val_loss@0 steps")
    ends: tuple[tuple[str, dict[str, object]], ...] = (
        ("best val loss", {}),
        ("final val loss", {}),
        ("val loss @2000", {"columns": {"tokens": "tokens"}}),
    )
    for start, (best, answers) in side_by_side(starts, ends):
        runs = read(
            f"run,params,tokens,{start},{best}\na,20M,400M,10.81,3.98\nb,40M,800M,10.83,3.71\nc,80M,1.6B,10.8,3.45\n",
            **answers,
        )
        assert runs.kept["loss"].tolist() == RIGHT, (start, best)
