"""Headers of a loss that say how its numbers stand in a cell, in LaTeX's ways, and letters that count something else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs
from data.errors import ReadError
from data.headers.names import loss_name, named
from data.headers.parts import header as parts

Read = Callable[..., Runs]
HEAD = "| run | params | tokens | {} |\n|---|---|---|---|\n| a | 125M | 2.5B | {} |\n| b | 350M | 7B | {} |\n| c | 760M | 15.2B | {} |\n"


def test_a_spread_or_a_change_behind_each_number_is_no_other_quantity(read: Read) -> None:
    errors = [0.01, 0.02, 0.01]
    for header, cells, stated in (
        ("Loss: mean (std) over 3 seeds", ("3.45 (0.01)", "3.05 (0.02)", "2.82 (0.01)"), errors),
        ("val loss (mean ± 95% CI)", ("3.45 ± 0.01", "3.05 ± 0.02", "2.82 ± 0.01"), errors),
        ("mean loss ± 95% CI (3 seeds)", ("3.45 ± 0.01", "3.05 ± 0.02", "2.82 ± 0.01"), errors),
        ("val_loss [mean +/- s.e.]", ("3.45 ± 0.01", "3.05 ± 0.02", "2.82 ± 0.01"), errors),
        ("loss (Δ vs prev)", ("3.45 (—)", "3.05 (-0.40)", "2.82 (-0.23)"), None),
        ("loss (vs. baseline)", ("3.45 (+0.01)", "3.05 (-0.40)", "2.82 (-0.23)"), None),
    ):
        runs = read(HEAD.format(header, *cells), "runs.md")
        assert runs.kept["loss"].tolist() == [3.45, 3.05, 2.82], header
        within = 1.959964 if "95%" in header else 1.0
        found = (runs.kept["loss_error"] * within).tolist() if stated else "loss_error" not in runs.kept
        assert found == (pytest.approx(stated, rel=1e-6) if stated else True), header
    ppl = read(HEAD.format("test ppl (mean ± 95% CI)", "31.5 ± 0.3", "21.1 ± 0.2", "16.8 ± 0.2"), "runs.md")
    assert ppl.kept["loss"].tolist() == pytest.approx([3.449988, 3.049273, 2.821379], abs=1e-6)


def test_changes_alone_are_no_losses(read: Read) -> None:
    for header in ("loss (Δ vs prev)", "Δ loss", "loss (delta)", "val loss (std)"):
        with pytest.raises(MappingNeeded) as caught:
            read(HEAD.format(header, "0.40", "0.35", "0.23"), "runs.md")
        assert [q.key for q in caught.value.questions] == ["columns.loss"], header


def test_a_loss_in_the_ways_of_latex(read: Read) -> None:
    for header in (
        r"{$\mathcal{L}_{\text{val}}$ (nats)}",
        r"\thead{Val\\loss}",
        r"\makecell[c]{Val \\ loss}",
        r"\begin{tabular}[c]{@{}c@{}}Val\\ loss\end{tabular}",
        r"$\mathcal{L}_\mathrm{val}$ [nats]",
    ):
        text = f"run & \\thead{{Params\\\\(M)}} & \\makecell{{Tokens\\\\[2pt] (B)}} & {header} \\\\\n\\midrule\n"
        text += "a & 125 & 2.5 & 3.45 \\\\\nb & 350 & 7 & 3.05 \\\\\n"
        for whole in (text, "\\begin{tabular}{lrrr}\n" + text + "\\end{tabular}\n"):
            runs = read(whole, "runs.tex")
            assert (runs.kept["params"].tolist(), runs.kept["tokens"].tolist()) == ([125e6, 350e6], [2.5e9, 7e9]), (
                header
            )
            assert runs.kept["loss"].tolist() == [3.45, 3.05], header


def test_letters_behind_a_number_sign_count_layers_and_heads() -> None:
    assert (named("#L")[0][0], named("#H")[0][0], loss_name("#L")) == ("layers", "heads", None)


def test_millions_of_tokens_a_step_are_the_batch(read: Read) -> None:
    for header, cells in (
        ("Mtok/step", ("0.5", "0.5", "1")),
        ("M tokens per step", ("0.5", "0.5", "1")),
        ("ktok/step", ("500", "500", "1000")),
    ):
        text = f"run,params,{header},steps,loss\na,125M,{cells[0]},5000,3.45\nb,350M,{cells[1]},14000,3.05\nc,1.3B,{cells[2]},26000,2.66\n"
        runs = read(text)
        assert runs.kept["batch"].tolist() == [5e5, 5e5, 1e6], header
        assert runs.kept["tokens"].tolist() == [2.5e9, 7e9, 26e9], header


def test_a_line_of_sums_above_a_table_is_none_of_its_names(read: Read) -> None:
    edged = "| # | val_loss | params | tokens | status |\n|---|---|---|---|---|\n"
    edged += "| 1 | 6.9074 | 12.6M | 31M | keep |\n| 2 | 6.8893 | 12.6M | 33M | keep |\n"
    bare = "\n".join(line.strip("| ") for line in edged.splitlines()) + "\n"
    above = (
        "**Runs:** 2 | **Kept:** 2 | **Discarded:** 0 | **Crashed:** 0\n**Best:** val_loss: 6.8893 nats (#2, -0.26%)\n"
    )
    for table in (edged, bare):
        for text in (
            f"# Dashboard\n\n{above}\n{table}",
            f"Runs: 2 | Kept: 2\n\n{table}",
            f"Runs: 2 | Kept: 2 | Best: 6.88\n\nText.\n\n{table}",
        ):
            runs = read(text, "runs.md")
            assert runs.kept["loss"].tolist() == [6.9074, 6.8893], text
            assert runs.kept["tokens"].tolist() == [31e6, 33e6], text


def test_a_size_below_another_word_is_the_size_of_that(read: Read) -> None:
    text = "Model     Params    Training    Batch     Validation\n                    tokens      size      loss\n"
    text += "small     125M      2.5B        0.5M      3.45\nmed       350M      7B          0.5M      3.05\n"
    text += "xl        1.3B      26B         1M        2.66\n"
    runs = read(text, "runs.txt")
    assert (runs.kept["params"].tolist(), runs.kept["batch"].tolist()) == ([125e6, 350e6, 1.3e9], [5e5, 5e5, 1e6])
    assert (runs.kept["tokens"].tolist(), runs.kept["loss"].tolist()) == ([2.5e9, 7e9, 26e9], [3.45, 3.05, 2.66])


def test_a_grid_whose_corner_names_its_rows_has_sizes_along(read: Read) -> None:
    tokens = "| Tokens | 125M | 350M | 1.3B |\n|---|---|---|---|\n| 2.5B | 3.45 | 3.28 | 3.17 |\n| 7B | 3.25 | 3.05 | 2.92 |\n"
    kept = read(tokens + "| 26B | 3.09 | 2.85 | 2.66 |\n", "runs.md").kept
    assert kept["params"].tolist() == [125e6, 350e6, 1.3e9] * 3
    assert (kept["tokens"].tolist()[::3], kept["loss"].tolist()[:3]) == ([2.5e9, 7e9, 26e9], [3.45, 3.28, 3.17])
    budgets = "| FLOPs | 46K | 105K | 164K |\n|---|---|---|---|\n| 1e12 | 4.425 | 4.418 | 4.711 |\n| 3e12 | 4.227 | 3.953 | 3.926 |\n"
    kept = read(budgets + "| 1e13 | 4.1 | 3.792 | 3.688 |\n", "runs.md").kept
    assert kept["params"].tolist() == [46e3, 105e3, 164e3] * 3
    assert kept["flops"].tolist()[::3] == [1e12, 3e12, 1e13]
    data = budgets.replace("46K", "4B").replace("105K", "8B").replace("164K", "16B").replace("e12", "e18")
    assert read(data + "| 1e19 | 4.1 | 3.792 | 3.688 |\n", "runs.md").kept["tokens"].tolist() == [4e9, 8e9, 16e9] * 3
    with pytest.raises(ReadError, match="does not say"):
        read(data.replace("e18", "e20") + "| 9e20 | 4.1 | 3.792 | 3.688 |\n", "runs.md")


def test_prints_of_data_table_and_a_pasted_page_with_units_apart(read: Read) -> None:
    printed = "     run   params  tokens val_loss\n   <char>    <num>   <num>    <num>\n1:  small 1.25e+08 2.50e+09     3.45\n"
    pasted = "Params Tokens Batch Loss\n125 M 2.5 B 0.5 M 3.45\n350 M 7 B 0.5 M 3.05\n"
    for text in (printed + "2:    med 3.50e+08 7.00e+09     3.05\n", pasted):
        kept = read(text, "runs.txt").kept
        assert (kept["params"].tolist(), kept["tokens"].tolist()) == ([125e6, 350e6], [2.5e9, 7e9]), text
        assert kept["loss"].tolist() == [3.45, 3.05], text


def test_a_small_k_before_a_word_is_a_thousand() -> None:
    for header, column, scale in (
        ("kTokens", "tokens", 1e3), ("kTok", "tokens", 1e3), ("kToks", "tokens", 1e3), ("kParams", "params", 1e3),
        ("ktokens", "tokens", 1e3), ("KTok", "tokens", 1e3), ("MTokens", "tokens", 1e6), ("kIters", "steps", 1e3),
    ):  # fmt: skip
        assert [c for c, _ in named(header)][:1] == [column], header
        assert parts(header).scale == scale, header
