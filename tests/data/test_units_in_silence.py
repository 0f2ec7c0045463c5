"""Units in headers and cells that once gave a wrong number without a word: each read right, asked about, or set aside."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]
SIZES = ("1e8,1e9,3.9", "2e8,2e9,3.5", "4e8,4e9,3.2")


def asked(read: Read, text: str, **answers: object) -> dict[str, str]:
    with pytest.raises(MappingNeeded) as caught:
        read(text, **answers)
    return {q.key: q.guess for q in caught.value.questions}


def beside(header: str, *cells: object) -> str:
    """Three runs whose fourth column is the one in question."""
    return f"params,tokens,loss,{header}\n" + "".join(f"{r},{c}\n" for r, c in zip(SIZES, cells, strict=True))


def sized(header: str, *cells: object, tokens: str = "tokens") -> str:
    """Three runs, or more, whose first column is the one in question."""
    rows = "".join(f"{c},{i + 1}e9,{3.9 - i / 5:.1f}\n" for i, c in enumerate(cells))
    return f"{header},{tokens},loss\n{rows}"


def fed(header: str, *cells: object) -> str:
    """Runs of growing size whose second column is the one in question."""
    rows = "".join(f"{i + 1}e8,{c},{3.9 - i / 5:.1f}\n" for i, c in enumerate(cells))
    return f"params,{header},loss\n{rows}"


# --- learning rates ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("lr", ("0.3m", "0.2m", "0.1m")),
        ("lr", ("300u", "200u", "100u")),
        ("learning_rate", ("300µ", "200 µ", "100μ")),
        ("lr", ("0.03%", "0.02%", "0.01%")),
        ("lr", ("3e-4", "0.2m", "100u")),
        ("lr (1e-4)", ("3", "2", "1")),
        ("lr (1e-4)", ("3", "0.2m", "1")),
        ("lr x10^-4", ("3", "2", "1")),
        ("lr (m)", (".3", ".2", ".1")),
        ("peak LR (×10⁻⁴)", ("3", "2", "1")),
        ("lr (%)", (".03", ".02", "0.01%")),
    ],
)
def test_the_letters_of_a_rate_make_it_smaller(read: Read, header: str, cells: tuple[str, ...]) -> None:
    assert read(beside(header, *cells)).kept["lr"].tolist() == pytest.approx([3e-4, 2e-4, 1e-4])


@pytest.mark.parametrize(
    ("cells", "guess", "first"),
    [((6, 3, 2), "0.0001", 6e-4), ((300, 200, 100), "1e-06", 3e-4), ((30, 20, 10), "1e-05", 3e-4)],
)
def test_rates_above_one_are_asked_about(read: Read, cells: tuple[int, ...], guess: str, first: float) -> None:
    text = beside("lr", *cells)
    assert asked(read, text) == {"units.lr": guess}
    assert read(text, units={"lr": float(guess)}).kept["lr"].iloc[0] == pytest.approx(first)
    assert read(text, units={"lr": 1.0}).kept["lr"].tolist() == list(cells)


def test_rates_that_lost_their_minus_are_asked_about_without_a_guess(read: Read) -> None:
    assert asked(read, beside("lr", "3e4", "2e4", "1e4")) == {"units.lr": ""}
    assert asked(read, beside("lr", "3M", "2", "3")) == {"units.lr": "0.0001"}


@pytest.mark.parametrize("cells", [(0.1, 0.5, 1.0), (1.0, 1.0, 1.0), ("3e-4", "1e-9", "6e-6")])
def test_rates_up_to_one_are_rates(read: Read, cells: tuple[object, ...]) -> None:
    assert read(beside("lr", *cells)).kept["lr"].tolist() == [float(str(c)) for c in cells]


@pytest.mark.parametrize("cell", ["3e4", "3M", "20B"])
def test_one_rate_that_is_none_is_left_out_with_a_word(read: Read, cell: str) -> None:
    runs = read(beside("lr", "3e-4", cell, "1e-4"))
    assert runs.kept["lr"].tolist()[::2] == [3e-4, 1e-4]
    assert math.isnan(runs.kept["lr"].iloc[1])
    assert any(note.startswith("'lr'") and "left out" in note for note in runs.notes)


# --- a cell's own unit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "cells", "values"),
    [
        ("params (M)", ("100", "200", "1.4B"), (100e6, 200e6, 1.4e9)),
        ("params (M)", ("100M", "200M", "1.4B"), (100e6, 200e6, 1.4e9)),
        ("params (B)", ("0.1", "200M", "**1.4B**"), (100e6, 200e6, 1.4e9)),
        ("params_M", ("100", "200", "1.4 B"), (100e6, 200e6, 1.4e9)),
        ("params", ("100M", "200M", "1.25e9"), (100e6, 200e6, 1.25e9)),
        ("params", ("100M", "200M", "1250000000"), (100e6, 200e6, 1.25e9)),
    ],
)
def test_a_cell_that_names_its_unit_is_in_it(
    read: Read, header: str, cells: tuple[str, ...], values: tuple[float, ...]
) -> None:
    assert read(sized(header, *cells)).kept["params"].tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    ("header", "cells", "column", "values"),
    [
        ("tokens (B)", ("1", "2", "400M"), "tokens", (1e9, 2e9, 4e8)),
        ("tokens (M)", ("1000", "2000", "4B tokens"), "tokens", (1e9, 2e9, 4e9)),
        ("flops (1e18)", ("1", "2", "4 EFLOPs"), "flops", (1e18, 2e18, 4e18)),
        ("flops (EFLOPs)", ("1", "2", "4000 PFLOPs"), "flops", (1e18, 2e18, 4e18)),
        ("FLOPs", ("1 EFLOP", "2 EFLOP", "4e18"), "flops", (1e18, 2e18, 4e18)),
    ],
)
def test_tokens_and_compute_in_units_of_their_own(
    read: Read, header: str, cells: tuple[str, ...], column: str, values: tuple[float, ...]
) -> None:
    assert read(fed(header, *cells)).kept[column].tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    ("header", "cells", "column", "values"),
    [
        ("batch_tokens (k)", ("512", "1024", "2M"), "batch", (512e3, 1024e3, 2e6)),
        ("wall time (h)", ("1", "2", "30m"), "wall_seconds", (3600, 7200, 1800)),
        ("wall_time", ("1h", "2 hours", "30 min"), "wall_seconds", (3600, 7200, 1800)),
        ("wall time", ("3600", "7200", "30m"), "wall_seconds", (3600, 7200, 1800)),
        ("GPUs", ("8", "16", "1k"), "devices", (8, 16, 1000)),
        ("GPUs (G)", ("8", "16", "32"), "devices", (8, 16, 32)),
        ("devices (M)", ("8", "16", "32"), "devices", (8, 16, 32)),
        ("n_layers (B)", ("8", "16", "32"), "layers", (8, 16, 32)),
        ("GPUs (k)", ("1", "2", "4"), "devices", (1e3, 2e3, 4e3)),
    ],
)
def test_letters_mean_what_their_column_counts(
    read: Read, header: str, cells: tuple[str, ...], column: str, values: tuple[float, ...]
) -> None:
    assert read(beside(header, *cells)).kept[column].tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (sized("params", "100M", "200M", "1250"), "params is 1250 without a unit, where others have one"),
        (fed("tokens", "1B", "2B", "4"), "tokens is 4 without a unit, where others have one"),
        (fed("tokens", "1B", "2B", "4000"), "tokens is 4000 without a unit, where others have one"),
        (fed("FLOPs", "1 EFLOP", "2 EFLOP", "4"), "FLOP count is 4 without a unit, where others have one"),
        (sized("params (M)", "100", "200", "1250000000"), "params is 1.25e+09 under a header that says M"),
        (fed("flops (1e18)", "1", "2", "4e18"), "FLOP count is 4e+18 under a header that says 1e18"),
        (fed("tokens (B)", "1000", "2000", "1.2k"), "tokens is 1200 under a header that says B"),
    ],
)
def test_a_cell_of_unknown_unit_sets_its_row_aside(read: Read, text: str, reason: str) -> None:
    runs = read(text)
    assert runs.reasons == {reason: 1}
    assert len(runs) == 2


def test_most_cells_without_a_unit_are_asked_about(read: Read) -> None:
    text = sized("params", "100", "200", "400", "1.4B")
    assert asked(read, text) == {"units.params": "1e+06"}
    assert read(text, units={"params": 1e6}).kept["params"].tolist() == pytest.approx([100e6, 200e6, 400e6, 1.4e9])


def test_a_batch_of_unknown_unit_is_left_out_with_a_word(read: Read) -> None:
    runs = read(beside("batch_tokens", "1M", "2M", "512"))
    assert math.isnan(runs.kept["batch"].iloc[2])
    assert any("512 without a unit" in note for note in runs.notes)
