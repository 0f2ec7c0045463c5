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


@pytest.mark.parametrize(
    ("text", "column"),
    [
        (sized("params", "1e8", "2e8", "4e16", "4e8"), "params"),
        (fed("tokens", "1e9", "2e9", "4e18", "4e9"), "tokens"),
        (fed("flops", "1e18", "2e18", "4e33", "4e18"), "tokens"),  # which follow from them
    ],
)
def test_more_than_any_run_has_sets_a_row_aside(read: Read, text: str, column: str) -> None:
    runs = read(text)
    assert [r.split(" is above")[0] for r in runs.reasons] == [column]
    assert len(runs) == 3


def test_most_cells_without_a_unit_are_asked_about(read: Read) -> None:
    text = sized("params", "100", "200", "400", "1.4B")
    assert asked(read, text) == {"units.params": "1e+06"}
    assert read(text, units={"params": 1e6}).kept["params"].tolist() == pytest.approx([100e6, 200e6, 400e6, 1.4e9])


def test_a_batch_of_unknown_unit_is_left_out_with_a_word(read: Read) -> None:
    runs = read(beside("batch_tokens", "1M", "2M", "512"))
    assert math.isnan(runs.kept["batch"].iloc[2])
    assert any("512 without a unit" in note for note in runs.notes)


# --- another decimal sign ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells",
    [
        ("3.912", '"3,512"', "3.125", "3.025"),
        ("3.91", '"3,512"', "3.12", "3.02"),
        ("3.91", '"3,51"', "3.12", '"3,02"'),
        ('"3,912"', "3.51", '"3,125"', "3.02"),
        ("**3.912**", '"**3,512**"', "3.125", "3.025"),
        ("3.912 ± 0.01", '"3,512 ± 0,01"', "3.125 ± 0.01", "3.025 ± 0.01"),
    ],
)
def test_losses_of_another_decimal_sign_are_read_by_it(read: Read, cells: tuple[str, ...]) -> None:
    rows = "".join(f"{n}e8,2e9,{c}\n" for n, c in zip((1, 2, 4, 8), cells, strict=True))
    runs = read("params,tokens,loss\n" + rows)
    assert runs.kept["loss"].tolist() == pytest.approx([3.912, 3.512, 3.125, 3.025], abs=6e-3)
    assert not len(runs.set_aside)


@pytest.mark.parametrize("cells", [("3,912", "3.512", "3,125"), ("3,91", "3.512", "3,12"), ("3.912", "3,512", "3.125")])
def test_semicolons_and_mixed_signs(read: Read, cells: tuple[str, ...]) -> None:
    rows = "".join(f"{n}e8;2e9;{c}\n" for n, c in zip((1, 2, 4), cells, strict=True))
    assert read("params;tokens;loss\n" + rows).kept["loss"].tolist() == pytest.approx([3.912, 3.512, 3.125], abs=6e-3)


def test_losses_that_are_all_of_another_sign_are_asked_about(read: Read) -> None:
    rows = '"100,451,200",2e9,"3,912"\n"200,451,200",4e9,"3,512"\n"70,451,200",8e9,"3,125"\n'
    assert asked(read, "params,tokens,loss\n" + rows) == {"units.loss": "0.001"}
    runs = read("params,tokens,loss\n" + rows, units={"loss": 1e-3})
    assert runs.kept["loss"].tolist() == pytest.approx([3.912, 3.512, 3.125])
    perplexity = read("params,tokens,ppl\n" + rows)  # one in thousands is that of a run that has hardly begun
    assert perplexity.kept["loss"].tolist() == pytest.approx([math.log(v) for v in (3912, 3512, 3125)])


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (("2.5", "3,125", "8.5"), "tokens may be 3125 or 3.125"),
        (("2.125", "3,125", "8.500"), "tokens may be 3125 or 3.125"),
    ],
)
def test_a_count_of_two_readings_sets_its_row_aside(read: Read, cells: tuple[str, ...], reason: str) -> None:
    rows = "".join(f"{n}e8;{c};{3.9 - n / 10:.1f}\n" for n, c in zip((1, 2, 4), cells, strict=True))
    runs = read("params;tokens (B);loss\n" + rows)
    assert runs.reasons == {reason: 1}
    assert runs.kept["tokens"].max() < 1e10


@pytest.mark.parametrize(
    "cells",
    [
        ("2", "5", "4,000"),
        ("70.5", "410.5", "12,000"),
        ("500", "1,200", "90,000"),
        ("62.6", "91.5", "33,200"),
        ("28.3", "4,125", "33,205"),
    ],
)
def test_thousands_stay_thousands(read: Read, cells: tuple[str, ...]) -> None:
    rows = "".join(f'{n}e8,"{c}",{3.9 - n / 10:.1f}\n' for n, c in zip((1, 2, 4), cells, strict=True))
    runs = read("params,tokens (M),loss\n" + rows)
    assert runs.kept["tokens"].tolist() == pytest.approx([float(c.replace(",", "")) * 1e6 for c in cells])


def test_perplexities_that_fall_from_thousands_stay(read: Read) -> None:
    rows = "".join(f'{s},"{p}"\n' for s, p in ((1, "45,231.2"), (2, "1,125"), (3, "120.5"), (4, "20.3"), (5, "15.2")))
    runs = read("step,ppl\n" + rows)
    assert runs.history is not None
    assert runs.history["loss"].tolist() == pytest.approx([math.log(v) for v in (45231.2, 1125, 120.5, 20.3, 15.2)])


def test_a_table_on_its_side_tells_its_sign_by_its_losses(read: Read) -> None:
    text = (
        "\\begin{tabular}{lrr}\n & run 1 & run 2 \\\\\n"
        "n\\_params & $\\sim$387,912,485 & $\\sim$218,215,867 \\\\\n"
        "tokens (M) & 8,120 & 4,200 \\\\\nbits per token & 4.038 & 4.414 \\\\\n\\end{tabular}\n"
    )
    runs = read(text, "table.tex")
    assert runs.kept["tokens"].tolist() == [8.12e9, 4.2e9]
    assert runs.kept["loss"].tolist() == pytest.approx([4.038 * math.log(2), 4.414 * math.log(2)])


# --- the loss's own unit ----------------------------------------------------------------------------------------------


def lossy(header: str, *cells: object) -> str:
    return f"params,tokens,{header}\n" + "".join(f"{i + 1}e8,{i + 1}e9,{c}\n" for i, c in enumerate(cells))


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("loss (%)", (391, 352, 312)),
        ("loss (%)", ("391%", "352%", "312%")),
        ("loss_pct", (391, 352, 312)),
        ("loss", ("391%", "352%", "312%")),
        ("loss (x10)", (39.1, 35.2, 31.2)),
        ("Loss (×10)", (39.1, 35.2, 31.2)),
        ("loss (×10)", (0.391, 0.352, 0.312)),
        ("loss x 100", (391, 352, 312)),
        ("loss * 100", (391, 352, 312)),
        ("loss x1000", (3910, 3520, 3120)),
        ("100 x loss", (391, 352, 312)),
        ("1e3 * val loss", (3910, 3520, 3120)),
        ("loss (1e-3)", (3910, 3520, 3120)),
        ("loss (×10⁻³)", (3910, 3520, 3120)),
        ("loss [10^-2]", (391, 352, 312)),
        ("loss (millinats)", (3910, 3520, 3120)),
        ("val_loss_x100", (391, 352, 312)),
        ("loss (in units of 1e-2)", (391, 352, 312)),
        ("loss (log10)", [math.log10(v) for v in (3.91, 3.52, 3.12)]),
        ("loss [ln]", [math.log(v) for v in (3.91, 3.52, 3.12)]),
        ("exp(loss)", [math.exp(v) for v in (3.91, 3.52, 3.12)]),
        ("exp(val loss)", [math.exp(v) for v in (3.91, 3.52, 3.12)]),
        ("loss / 10", (0.391, 0.352, 0.312)),
        ("log10 loss", [math.log10(v) for v in (3.91, 3.52, 3.12)]),
        ("ln(loss)", [math.log(v) for v in (3.91, 3.52, 3.12)]),
        ("log2 val_loss", [math.log2(v) for v in (3.91, 3.52, 3.12)]),
        ("log(loss)", [math.log(v) for v in (3.91, 3.52, 3.12)]),
        ("log loss", (3.91, 3.52, 3.12)),
        ("log_loss", (3.91, 3.52, 3.12)),
    ],
)
def test_a_factor_or_logarithm_of_the_loss_is_undone(read: Read, header: str, cells: tuple[object, ...]) -> None:
    runs = read(lossy(header, *cells))
    assert runs.kept["loss"].tolist() == pytest.approx([3.91, 3.52, 3.12])


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("loss (%)", (3.91, 3.52, 3.12)),
        ("loss (x10)", (3.91, 3.52, 3.12)),
        ("loss (1e-3)", (3.91, 3.52, 3.12)),
        ("log(loss)", (0.59, 0.55, 0.49)),
        ("log val loss", (1.36, 1.25, 1.14)),
        ("log10 loss", (3.91, 3.52, 3.12)),
    ],
)
def test_a_factor_that_the_values_do_not_bear_out_is_asked_about(
    read: Read, header: str, cells: tuple[float, ...]
) -> None:
    text = lossy(header, *cells)
    assert list(asked(read, text)) == ["units.loss"]
    assert read(text, units={"loss": 1}).kept["loss"].tolist() == pytest.approx(cells)


def test_errors_are_in_the_unit_of_their_loss(read: Read) -> None:
    runs = read(lossy("loss (x100)", "390 ± 1", "350 ± 2", "320 ± 1"))
    assert runs.kept["loss_error"].tolist() == pytest.approx([0.01, 0.02, 0.01])
    runs = read(lossy("log10 loss", "0.59 ± 0.001", "0.55 ± 0.001"))
    assert runs.kept["loss_error"].iloc[0] == pytest.approx(10**0.59 * math.log(10) * 0.001)


@pytest.mark.parametrize("cells", [(0.0043, 0.0039, 0.0035), (0.043, 0.039, 0.035)])
def test_losses_far_below_those_of_text_are_asked_about(read: Read, cells: tuple[float, ...]) -> None:
    text = lossy("val_loss", *cells)
    assert asked(read, text) == {"units.loss": ""}
    for answer in ({"units": {"loss": 1.0}}, {"loss_unit": "nats"}):
        assert read(text, **answer).kept["loss"].tolist() == list(cells)
    assert read(text, units={"loss": 100}).kept["loss"].tolist() == pytest.approx([100 * c for c in cells])
    assert read(lossy("loss (nats/token)", *cells)).kept["loss"].tolist() == list(cells)


@pytest.mark.parametrize(
    ("header", "per"),
    [
        ("word-level ppl", "word"),
        ("ppl per word", "word"),
        ("word_perplexity", "word"),
        ("wikitext/word_perplexity", "word"),
        ("ppl/word", "word"),
        ("byte_perplexity", "byte"),
        ("char-level perplexity", "character"),
        ("perplexity (per byte)", "byte"),
        ("ppl (word level)", "word"),
    ],
)
def test_a_perplexity_of_words_is_not_one_of_tokens(read: Read, header: str, per: str) -> None:
    text = lossy(header, 40, 35, 30)
    with pytest.raises(MappingNeeded, match=f"how many {per}s does a token have"):
        read(text)
    runs = read(text, bytes_per_token=0.75)
    assert runs.kept["loss"].tolist() == pytest.approx([0.75 * math.log(v) for v in (40, 35, 30)])


@pytest.mark.parametrize(
    "header", ["loss per word", "word-level loss", "nll/char", "loss per byte", "byte-level val loss"]
)
def test_a_loss_of_words_is_not_one_of_tokens(read: Read, header: str) -> None:
    assert list(asked(read, lossy(header, 1.4, 1.2, 1.1))) == ["bytes_per_token"]
    assert read(lossy(header, 1.4, 1.2), bytes_per_token=2).kept["loss"].tolist() == pytest.approx([2.8, 2.4])


@pytest.mark.parametrize(
    "header", ["token ppl", "ppl", "per-token loss", "byte-level BPE loss", "loss (word tokenizer)"]
)
def test_what_a_model_reads_in_does_not_unit_its_loss(read: Read, header: str) -> None:
    assert len(read(lossy(header, 4.0, 3.5, 3.2))) == 3


# --- logarithms -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "base"),
    [
        ("log10 N", 10),
        ("log10(params)", 10),
        ("log10_params", 10),
        ("lg N", 10),
        ("log₁₀(N)", 10),
        ("log_10(N)", 10),
        ("log2 params", 2),
        ("ln N", math.e),
        ("ln(params)", math.e),
        ("log(params)", 10),
        ("log N", math.e),
        ("log_params", 10),
        ("logN", 10),
        ("params (log10)", 10),
        ("N (log)", 10),
        ("params_log10", 10),
        ("n_params [ln]", math.e),
        ("log10 of parameters", 10),
    ],
)
def test_logarithms_of_sizes_are_undone(read: Read, header: str, base: float) -> None:
    cells = [round(math.log(n) / math.log(base), 4) for n in (1e8, 2e8, 4e8)]
    assert read(sized(header, *cells)).kept["params"].tolist() == pytest.approx([base**c for c in cells])


@pytest.mark.parametrize(
    ("header", "base", "column", "sizes"),
    [
        ("ln D", math.e, "tokens", (1e9, 2e9, 4e9)),
        ("log(tokens)", 10, "tokens", (1e9, 2e9, 4e9)),
        ("log tokens", math.e, "tokens", (1e9, 2e9, 4e9)),
        ("log10 FLOPs", 10, "flops", (1e18, 2e18, 4e18)),
        ("log(C)", math.e, "flops", (1e18, 2e18, 4e18)),
        ("log2(FLOPs)", 2, "flops", (1e18, 2e18, 4e18)),
        ("log10(tokens (B))", 10, "tokens", (1e9, 2e9, 4e9)),
    ],
)
def test_logarithms_of_data_and_compute_are_undone(
    read: Read, header: str, base: float, column: str, sizes: tuple[float, ...]
) -> None:
    unit = 1e9 if "(B)" in header else 1.0
    cells = [math.log(n / unit) / math.log(base) for n in sizes]
    assert read(fed(header, *cells)).kept[column].tolist() == pytest.approx(sizes)


@pytest.mark.parametrize(("header", "base"), [("log10 lr", 10), ("log2(lr)", 2), ("ln(learning_rate)", math.e)])
def test_logarithms_of_rates_are_undone(read: Read, header: str, base: float) -> None:
    cells = [math.log(n) / math.log(base) for n in (1e-3, 5e-4, 2e-4)]
    assert read(beside(header, *cells)).kept["lr"].tolist() == pytest.approx([1e-3, 5e-4, 2e-4])


def test_a_log_that_may_have_two_bases_is_asked_about(read: Read) -> None:
    text = sized("log N", 12, 12.3, 12.6)
    assert asked(read, text) == {"units.params": "log10"}
    assert read(text, units={"params": "ln"}).kept["params"].iloc[0] == pytest.approx(math.exp(12))
    assert read(text, units={"params": "log10"}).kept["params"].iloc[0] == pytest.approx(1e12)


def test_a_log_whose_number_stands_beside_it_is_not_used(read: Read) -> None:
    runs = read("log10 N,N,tokens,loss\n8,1.1e8,1e9,3.9\n8.3,2.1e8,2e9,3.5\n8.6,4.1e8,4e9,3.2\n")
    assert runs.kept["params"].tolist() == [1.1e8, 2.1e8, 4.1e8]


@pytest.mark.parametrize("header", ["log_params", "log_every", "log_tokens", "log_steps", "login", "log/params"])
def test_what_a_run_logs_is_no_logarithm(read: Read, header: str) -> None:
    runs = read(beside(header, 1, 1, 0))
    assert runs.kept["params"].tolist() == [1e8, 2e8, 4e8]
    assert runs.kept["tokens"].tolist() == [1e9, 2e9, 4e9]


# --- units of sizes and data together ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "params", "tokens"),
    [
        (((34, 700), (70, 1400), (140, 2800)), 1e6, 1e6),
        (((34, 0.7), (70, 1.4), (140, 2.8)), 1e6, 1e9),
        (((1.3, 26), (2.7, 54), (7, 140)), 1e9, 1e9),
        (((0.034, 0.7), (0.07, 1.4), (0.14, 2.8)), 1e9, 1e9),
        (((7, 1.0), (13, 1.0), (65, 1.4)), 1e9, 1e12),
    ],
)
def test_units_of_sizes_and_tokens_are_guessed_together(
    read: Read, rows: tuple[tuple[float, float], ...], params: float, tokens: float
) -> None:
    text = "N,D,loss\n" + "".join(f"{n},{d},{3.9 - i / 5:.1f}\n" for i, (n, d) in enumerate(rows))
    assert asked(read, text) == {"units.params": f"{params:g}", "units.tokens": f"{tokens:g}"}
    assert asked(read, text, units={"params": params}) == {"units.tokens": f"{tokens:g}"}
    with pytest.raises(MappingNeeded, match="tokens per parameter"):
        read(text)
    compute = "N,D,C,loss\n" + "".join(
        f"{n},{d},{6 * n * params * d * tokens:.3g},{3.9 - i / 5:.1f}\n" for i, (n, d) in enumerate(rows)
    )
    assert asked(read, compute) == {"units.params": f"{params:g}", "units.tokens": f"{tokens:g}"}
