"""Numbers under marks: what Markdown, LaTeX, HTML and spreadsheets put around them changes no number and makes none of text."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from data import ReadError, Runs, read_runs, read_table
from data.cells.markup import words
from data.cells.values import SUFFIXES, decimal_sign, number, numbers
from tests.soon import ends_within

Read = Callable[..., Runs]

AROUND = [
    "**{}**", "_{}_", "*{}*", "***{}***", "__{}__", "~~{}~~", "`{}`", "[{}](https://example.org/a_(b)?c=1)", "[{}][1]",
    "{} ✅", "✅ {}", "{} 🏆", "{}*", "{}**", "{}†", "{}‡", "{}^a", "{}^{{*}}", "{}[1]", "{} [a]", "{}<sup>a</sup>", "<b>{}</b>",
    "<strong>{}</strong>", '<span style="color:red">{}</span>', "{}&nbsp;", "{},", "{};", "**{}**†", "**{}** ✅", "**`{}`**",
    r"\textbf{{{}}}", r"\underline{{{}}}", r"\mathbf{{{}}}", r"$\mathbf{{{}}}$", r"\emph{{{}}}", "${}$", r"\num{{{}}}", r"{} \\",
    r"\textbf{{\underline{{{}}}}}", r"\multirow{{2}}{{*}}{{{}}}", r"\multicolumn{{1}}{{c}}{{{}}}", r"\cellcolor{{gray!20}}{}",
    r"\textcolor{{red}}{{{}}}", r"{{\bf {}}}", r"{}$^*$", r"{}$^{{\dagger}}$", r"{} $\downarrow$", "'{}", "{} ↓", "↓ {}", "{} (best)",
    "\u200b{}", "![up](a.png) {}", ":star: {}", "=={}==", '"{}"',
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("**3.24**", 3.24), ("_2.93_", 2.93), ("`3.24`", 3.24), ("[3.01](link)", 3.01), ("2.80 ✅", 2.8), ("2.6*", 2.6),
        ("3.24 ± 0.01", 3.24), ("3.24 (0.01)", 3.24), ("~1.7", 1.7), (r"\textbf{3.24}", 3.24), (r"3.24\,\pm\,0.01", 3.24),
        (r"3.24 \\", 3.24), (r"3.24 \times 10^{19}", 3.24e19), (r"$3.24 \times 10^{19}$", 3.24e19), ("10²⁰", 1e20),
        ("3.2×10¹⁸", 3.2e18), ("3.2 × 10<sup>18</sup>", 3.2e18), (r"12\,345", 12345.0), (r"11\%", 0.11), (r"1{,}234", 1234.0),
        (r"\SI{1e9}{}", 1e9), (r"\qty{3.24}{nats}", 3.24), (r"$3.24_{\pm 0.01}$", 3.24), ("3.24 [3.20, 3.28]", 3.24),
        ("**1.3B**", 1.3e9), ("**1.3** B", 1.3e9), ("**1.3**B", 1.3e9), ("-**3.24**", -3.24), ("**10**19**", 1e19),
        ("(1.3 ± 0.1)B", 1.3e9), ("1.3 ± 0.1 B", 1.3e9), ("(3.2 ± 0.1) × 10^19", 3.2e19), ("2.61¹", 2.61), (r"\sim 1.7", 1.7),
    ],
)  # fmt: skip
def test_marked_numbers(text: str, value: float) -> None:
    assert number(text) == value


@pytest.mark.parametrize(
    "text",
    ["v1.2", "gpt-3", "1.2.3", "2024-05-01", "12:30", "3/4", "1e", "**", "nan", "2²", "3^10", "$3.24", "€5", "(3.24)", "<3.2",
     ">2000", "≤ 3", "3.24°", "*3.24", "3.24 nope", "[3.20, 3.28]", "± 0.01", "3.24 ± x", "3 ± 1 ± 2", "$5 – $6", "**1** **234**",
     r"\SI{3.2}{\giga\flop}", r"$<$3.2", "&lt;3.2", "**3.24", "5 (apples)", "a (1)"],
)  # fmt: skip
def test_what_stays_text(text: str) -> None:
    assert math.isnan(number(text))
    assert math.isnan(number(f"**{text}**")) or text.startswith("*")
    assert math.isnan(number(rf"\textbf{{{text}}}")) or text.startswith("**1**")


LOCALES = {".": lambda t: t, ",": lambda t: t.replace(",", "\0").replace(".", ",").replace("\0", ".")}
WRITTEN = [("3.24", 3.24), ("0.125", 0.125), ("12,345.5", 12345.5), ("2.5e19", 2.5e19), ("-2.75", -2.75), ("7", 7.0)]


@pytest.mark.parametrize("decimal", LOCALES)
@pytest.mark.parametrize("around", AROUND)
def test_marks_compose_with_signs_and_suffixes(decimal: str, around: str) -> None:
    for (text, value), suffix in itertools.product(WRITTEN, ["", "B", " M", "k", "%", " × 10^18"]):
        if suffix and "e" in text:
            continue
        power = 18 if "10" in suffix else SUFFIXES.get(suffix.strip().lower(), 0)
        right = value / 100 if suffix == "%" else value * 10.0**power
        written = around.format(LOCALES[decimal](text) + suffix)
        assert number(written, decimal) == pytest.approx(right, rel=1e-14), written


@given(st.floats(1e-3, 1e6), st.sampled_from(AROUND), st.sampled_from(AROUND), st.sampled_from([".", ","]))
def test_marking_changes_no_number(value: float, inner: str, outer: str, decimal: str) -> None:
    text = f"{value:.5f}".replace(".", decimal)
    one = inner.format(text)
    assert number(one, decimal) == number(text, decimal)
    twice = number(outer.format(one), decimal)  # some pairs of marks cancel each other; none gives another number
    assert math.isnan(twice) or twice == number(text, decimal)


@example(":b00:0", "**{}**")
@given(st.text("abcxyz0123456789 .:/-,v", max_size=20), st.sampled_from([a for a in AROUND if a not in ("{}%",)]))
def test_marking_makes_no_number_of_text(text: str, around: str) -> None:
    if math.isnan(number(text)) and math.isnan(number(text.strip(" ,"))):
        assert math.isnan(number(around.format(text))), around.format(text)


@pytest.mark.parametrize(
    ("cells", "errors"),
    [
        (["3.24 ± 0.01", "3.1 ± 0.02"], [0.01, 0.02]), (["3.24 +/- 0.01", "3.1+-0.02"], [0.01, 0.02]),
        (["3.24±0.01e0", "3.1 (± 0.02)"], [0.01, 0.02]), (["3.24(1)", "3.10(12)"], [0.01, 0.12]), (["**3.24**(1)", "3.1(2)"], [0.01,
        0.2]),
        (["3.24 (0.01)", "3.10 (0.02)"], [0.01, 0.02]), (["3.24 ± 1%", "3.10"], [0.0324, np.nan]),
        ([r"$3.24_{\pm 0.01}$", r"\textbf{3.1} $\pm$ 0.02"], [0.01, 0.02]), (["3.24<sub>±0.01</sub>", "3.1"], [0.01, np.nan]),
        (["1.30(5)B", "2.60(5)B"], [5e7, 5e7]), (["11% ± 1%", "12% ± 2%"], [0.01, 0.02]), (["1.3 ± 0.1 B", "(2.6 ± 0.1)B"], [1e8, 1e8]),
    ],
)  # fmt: skip
def test_stated_errors(cells: list[str], errors: list[float]) -> None:
    found = numbers(pd.Series(cells, dtype=object))
    assert found.errors is not None
    np.testing.assert_allclose(found.errors, errors, rtol=1e-12)
    assert not any("left out" in note for note in found.notes)


@pytest.mark.parametrize(
    "cells",
    [
        ["3.24 (12)", "3.10 (13)"], ["3.24(1)", "3.10(2)", "3.00(3)"], ["3.24(3)", "3.10(2)", "3.00(1)"], ["3.24 (3.10)", "3.10 (3.0)"],
        ["3.24 [3.20, 3.28]", "3.10 [3.0, 3.2]"], ["3.24 (+0.02)", "3.1 (-0.01)"], ["3.24 ↓0.05", "3.10 ↓0.02"],
        ["1.3B ± 0.1", "2.6B ± 0.1"], ["3.24 (0.01)", "3.10", "3.0", "2.9"], ["3.24 (↓0.05)", "3.1 (↓0.02)"], ["324(12)", "310(11)"],
        [r"$3.24^{+0.02}_{-0.01}$", "3.1"],
    ],
)  # fmt: skip
def test_what_is_not_plainly_an_error_is_left_out_and_said(cells: list[str]) -> None:
    found = numbers(pd.Series(cells, dtype=object))
    assert not found.bad.any()
    assert found.errors is None
    assert any("left out" in note for note in found.notes)


def test_marks_are_said_once_for_a_column() -> None:
    found = numbers(pd.Series(["**3.24**", "3.1", "_3.0_"], dtype=object))
    assert found.notes == ("marks around numbers were taken off, as in '**3.24**'",)
    assert found.written == ""
    assert numbers(pd.Series(["**NaN**", "3"], dtype=object)).bad.tolist() == [False, False]


def test_the_decimal_sign_is_seen_through_marks() -> None:
    assert decimal_sign(["**3,24**", "loss"], "|") == ","
    assert decimal_sign([r"\textbf{3,24} $\pm$ 0,01"], "&") == ","
    assert decimal_sign(["**3.24**", "1,234"], "|") == "."


@pytest.mark.parametrize(
    ("header", "plain"),
    [
        ("**Loss** ↓", "Loss"), (r"\textbf{Loss}", "Loss"), (r"Loss ($\downarrow$)", "Loss"), ("$N$", "N"),
        (r"$\mathcal{L}$", "L"),
        (r"val\_loss", "val_loss"), ("`loss`", "loss"), ("[Loss](x)", "Loss"), (r"$N_{\text{params}}$", "N_params"),
        ("<b>Loss</b>", "Loss"),
        ("__index_level_0__", "__index_level_0__"), ("_step", "_step"), ("# params", "# params"), ("lr_*", "lr_*"),
        ("cost ($)", "cost ($)"),
        ("run - loss__MIN", "run - loss__MIN"), ("**", "**"), ("R²", "R²"), ("a*b*c", "a*b*c"),
    ],
)  # fmt: skip
def test_headers_without_marks(header: str, plain: str) -> None:
    assert words(header) == plain


MARKDOWN = """| **run** | params | `tokens` | **Loss** ↓ |
|---|---|---|---|
| [a](http://example.org/?a=1) | 1.3B | 2.6e10 | **3,24 ± 0,01** |
| **b** | 2.6B | 52B | 3,01±0,02 |
| c | 5B | 52B | <2,9 |
| d | 5.5B | 52B | 2,88 ± 0,03* |
"""


def test_a_marked_markdown_table(read: Read) -> None:
    runs = read(MARKDOWN.replace("1.3B", "1,3B").replace("2.6", "2,6").replace("5.5", "5,5"), "a.txt")
    assert runs.kept["run"].tolist() == ["a", "b", "d"]
    assert runs.kept["loss"].tolist() == [3.24, 3.01, 2.88]
    assert runs.kept["loss_error"].tolist() == [0.01, 0.02, 0.03]
    assert runs.kept["params"].tolist() == [1.3e9, 2.6e9, 5.5e9]
    assert list(runs.set_aside["reason"]) == ["loss is a bound and not a number ('<2,9')"]
    assert [s.how for s in runs.sources if s.column == "loss_error"] == ["stated beside the loss as ±"]


LATEX = r"""\begin{table}[t] % the runs
\centering
\begin{tabular}{l|r@{\hspace{2pt}}rr}
\toprule
Model & \textbf{Params} & $D$ (tokens) & \textbf{Loss} ($\downarrow$) \\
\midrule
a\_1 & 1.3B & $2.6 \times 10^{10}$ & 3.24 $\pm$ 0.01 \\
\textbf{b} & \num{2.6e9} & 52\,B & $\mathbf{3.01}\,\pm\,0.02$ \\ \hline
\multirow{2}{*}{c} & 5B & 52 B & 2.9 $\pm$ 0.02 \\[2pt]
 & 6B & 52 B &
   \underline{2.89} $\pm$ 0.02 \\
\bottomrule
\end{tabular}
\caption{Runs \& losses}
\end{table}
"""


@pytest.mark.parametrize("whole", [True, False])
def test_a_latex_table(read: Read, whole: bool) -> None:
    text = LATEX if whole else LATEX[LATEX.index("Model") : LATEX.index("\\bottomrule")]
    runs = read(text, "table.txt")
    first = 7 if whole else 3
    assert runs.kept["family"].tolist() == ["a_1", "b", "c", "c"]
    assert runs.kept["run"].tolist() == [f"row {first + i}" for i in range(4)]
    assert runs.kept["params"].tolist() == [1.3e9, 2.6e9, 5e9, 6e9]
    assert runs.kept["tokens"].tolist() == [2.6e10, 5.2e10, 5.2e10, 5.2e10]
    assert runs.kept["loss"].tolist() == [3.24, 3.01, 2.9, 2.89]
    assert runs.kept["loss_error"].tolist() == [0.01, 0.02, 0.02, 0.02]
    assert not len(runs.set_aside)


@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_other_text_is_no_latex(separator: str) -> None:
    text = separator.join(["path", "a&b", "loss"]) + "\n" + separator.join([r"C:\\runs & more", "x & y", "3.2"]) + "\n"
    assert read_table(text.encode(), "x.csv").headers == ("path", "a&b", "loss")


@pytest.mark.parametrize(
    ("loss", "header"),
    [
        ("loss", "loss_std"), ("loss", "loss_err"), ("val_loss", "val_loss_se"), ("loss", "± loss"), ("loss", "sem"), ("loss", "±"),
        ("loss", "stderr"), ("val_loss", "std_val_loss"), ("Validation Loss", "Validation Loss (std)"), ("loss (nats)", "loss std"),
    ],
)  # fmt: skip
def test_a_column_of_errors(read: Read, loss: str, header: str) -> None:
    runs = read(f"params,tokens,{loss},{header}\n1e8,2e9,3.2,0.01\n2e8,4e9,3.0,\n3e8,4e9,2.9,±0.02\n")
    np.testing.assert_array_equal(runs.kept["loss_error"], [0.01, np.nan, 0.02])


@pytest.mark.parametrize(
    ("loss", "header"),
    [
        ("val_loss", "train_loss_std"),
        ("loss", "grad_std"),
        ("loss", "loss_var"),
        ("loss", "loss_target"),
        ("loss", "accuracy_se"),
    ],
)
def test_a_column_that_is_no_error_of_the_loss(read: Read, loss: str, header: str) -> None:
    runs = read(f"params,tokens,{loss},{header}\n1e8,2e9,3.2,0.01\n2e8,4e9,3.0,0.02\n3e8,4e9,2.9,0.02\n")
    assert "loss_error" not in runs.kept


def test_errors_far_too_large_are_none(read: Read) -> None:
    assert "loss_error" not in read("params,tokens,loss,loss_std\n1e8,2e9,3.2,7\n2e8,4e9,3.0,8\n").kept


@pytest.mark.parametrize(
    ("header", "answers", "factor"),
    [
        ("loss", {}, lambda x: 1.0), ("loss (bits per token)", {}, lambda x: np.log(2)), ("val_ppl", {}, lambda x: 1 / x),
        ("loss", {"loss_unit": "bits per byte", "bytes_per_token": 4.0}, lambda x: 4 * np.log(2)),
    ],
)  # fmt: skip
def test_errors_take_the_unit_of_the_loss(
    read: Read, header: str, answers: dict[str, object], factor: Callable[[float], float]
) -> None:
    runs = read(f"params,tokens,{header}\n1e8,2e9,3.2 ± 0.01\n2e8,4e9,3.0 ± 0.02\n", **answers)
    right = [0.01 * factor(3.2), 0.02 * factor(3.0)]
    np.testing.assert_allclose(runs.kept["loss_error"], right, rtol=1e-12)


def test_the_digest_changes_only_where_errors_are_stated(read: Read) -> None:
    plain = "params,tokens,loss\n1e8,2e9,3.2\n2e8,4e9,3.0\n"
    bold = plain.replace("3.2", "**3.2**")
    assert read(plain).digest == read(bold).digest
    assert read(plain).digest != read(plain.replace("3.2", "3.2 ± 0.1")).digest


def test_an_answer_may_name_the_column_or_none(read: Read) -> None:
    text = "params,tokens,loss,spread,loss_std\n1e8,2e9,3.2,0.01,0.5\n2e8,4e9,3.0,0.02,0.5\n"
    assert read(text, columns={"loss_error": "spread"}).kept["loss_error"].tolist() == [0.01, 0.02]
    assert "loss_error" not in read(text, columns={"loss_error": None}).kept


def test_a_frame_of_marked_cells() -> None:
    frame = pd.DataFrame({"params": ["**1e8**", "2e8"], "tokens": [2e9, 4e9], "loss": ["`3.2`", "3.0†"]})
    assert read_runs(frame).kept["loss"].tolist() == [3.2, 3.0]


def test_a_long_column_of_marks_takes_linear_time() -> None:
    def seconds(n: int) -> float:
        cells = pd.Series(
            [f"**{i / n:.7f}** ± 0.01 [{'(' * 40}" for i in range(n // 2)]
            + [f"**{i / n:.7f}**" for i in range(n // 2)],
            dtype=object,
        )
        begin = time.perf_counter()
        numbers(cells)
        return time.perf_counter() - begin

    seconds(1000)
    assert seconds(16_000) < 30 * max(seconds(2_000), 0.02)  # eight times the cells


@given(st.text(r"*_`[](){}\$<>&;.,1 ^±+-e%", max_size=300), st.sampled_from([".", ","]))
def test_no_text_of_marks_raises_or_lingers(text: str, decimal: str) -> None:
    with ends_within(120):
        assert isinstance(number(text, decimal), float)
        assert isinstance(words(text), str)


@pytest.mark.parametrize(
    "text",
    [
        "3.24<b>1</b>",
        r"3.24\textbf{1}",
        "3.24$1$",
        "{3}24",
        r"3\footnote{a}24",
        "3<sup>a</sup>24",
        r"\textbf{3}24",
        "12:abc:34:",
    ],
)
def test_digits_on_both_sides_of_a_mark_are_not_one_number(text: str) -> None:
    assert math.isnan(number(text))


@pytest.mark.parametrize(
    "text", ["2.6[1](#note)", "2.6 [1](https://example.org)", "**2.6**[1](#n)", "2.6[1][1]", "2.6[1][ref]"]
)
def test_a_linked_footnote_is_no_digit(text: str) -> None:
    assert number(text) == 2.6 or math.isnan(number(text))


@pytest.mark.parametrize("header", ["loss ± std", "Loss (mean ± std)", "loss (±)", "loss +/- se", r"Loss ($\pm$ std)"])
def test_a_header_that_names_loss_and_error(read: Read, header: str) -> None:
    runs = read(f"params,tokens,{header}\n1e8,2e9,3.2 ± 0.01\n2e8,4e9,3.0 ± 0.02\n")
    assert runs.kept["loss"].tolist() == [3.2, 3.0]
    assert runs.kept["loss_error"].tolist() == [0.01, 0.02]


@pytest.mark.parametrize(
    "piece",
    [
        r"\begin{tabular}{", r"\begin{tabular}{l} a & b \\ ", r"\hline ", r"\caption{", r"\multirow{2}{*}{a} & b \\ ", "a & b \\\\ \n",
        "{",
        "& ",
        r"\cmidrule(lr){2-3} ", r"\begin{tabular}[", "\\\\ & ", r"\multicolumn{99}{c}{x} & y \\ ",
    ],
)  # fmt: skip
def test_hostile_latex_ends_soon(piece: str) -> None:
    text = "a & b \\\\\n1 & 2 \\\\\n" + piece * (300_000 // len(piece))
    with ends_within(1200), contextlib.suppress(ReadError):
        read_table(text.encode(), "x.txt")


def test_columns_of_the_files_own_lose_nothing_but_marks(read: Read) -> None:
    runs = read(
        "params,tokens,loss,acc,score,other\n1e8,2e9,3.2,**0.5**,0.5 ± 0.1,1 (2)\n2e8,4e9,3.0,0.6,0.6 ± 0.1,2 (3)\n",
        "x.csv",
    )
    assert runs.kept["acc"].tolist() == [0.5, 0.6]
    assert runs.kept["score"].tolist() == ["0.5 ± 0.1", "0.6 ± 0.1"]
    assert runs.kept["other"].tolist() == ["1 (2)", "2 (3)"]


def test_errors_of_other_columns_are_said_to_be_left_out(read: Read) -> None:
    runs = read("params,tokens,loss\n1.3 ± 0.1 B,2e9,3.2\n(2.6 ± 0.1)B,4e9,3.0\n")
    assert runs.kept["params"].tolist() == [1.3e9, 2.6e9]
    assert any("'params': the errors stated" in note for note in runs.notes)
