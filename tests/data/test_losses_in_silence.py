"""Losses that once were read wrong without a word: two in one cell, units beside them, arms beside each other."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

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


@pytest.mark.parametrize("form", ["{} ({})", "{} / {}", "{}/{}", "{} [{}]", "{} | {}", "**{}** ({})", "**{} / {}**"])
@pytest.mark.parametrize(
    ("header", "one", "two"),
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
        ("Loss (train / val)", TRAIN, VAL),
        ("loss: train, val", TRAIN, VAL),
        ("Val loss (train)", VAL, TRAIN),
        ("val/train loss (nats)", VAL, TRAIN),
        ("train loss (eval loss)", TRAIN, VAL),
        ("training & validation loss", TRAIN, VAL),
    ],
)
def test_of_two_numbers_in_a_cell_the_loss_is_taken(
    read: Read, header: str, form: str, one: tuple[str, ...], two: tuple[str, ...]
) -> None:
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
