"""Decimal commas in cells of text are weighed alike whatever file the cells stand in; and losses whose base is said."""

import io
import json
import math
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from data import read_runs
from data.errors import MappingNeeded
from data.schema import Runs

Rows = list[list[object]]


def _each_way(tmp_path: Path, rows: Rows) -> dict[str, Runs]:
    """The same cells read from a workbook, JSON, a data frame, Markdown and text between semicolons."""
    header, *body = rows
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    (tmp_path / "t.json").write_text(json.dumps([dict(zip(map(str, header), row, strict=True)) for row in body]))
    out = io.StringIO()
    print("|" + "|".join(map(str, header)) + "|\n|" + "---|" * len(header), file=out)
    for row in body:
        print("|" + "|".join(map(str, row)) + "|", file=out)
    (tmp_path / "t.md").write_text(out.getvalue())
    (tmp_path / "t.csv").write_text("\n".join(";".join(map(str, row)) for row in rows))
    frame = pd.DataFrame(body, columns=[str(h) for h in header])
    frame.to_parquet(tmp_path / "t.parquet")
    read = {kind: read_runs(tmp_path / f"t.{kind}") for kind in ("xlsx", "json", "md", "csv", "parquet")}
    return {**read, "frame": read_runs(frame)}


def test_the_comma_that_one_column_shows_counts_for_the_others_in_every_kind_of_file(tmp_path: Path) -> None:
    for tokens, unit in (("5,662", " (B)"), ("5,662×10^9", ""), ("5,662e9", "")):
        end = tokens.removeprefix("5,662")
        rows: Rows = [["params", f"tokens{unit}", "val loss"]]
        rows += [["25000000", f"5,662{end}", "2,7720"], ["45000000", f"3,806{end}", "2,3565"]]
        rows += [["363700000", f"7,880{end}", "3,0638"]]
        for kind, runs in _each_way(tmp_path, rows).items():
            assert runs.kept["tokens"].tolist() == pytest.approx([5.662e9, 3.806e9, 7.88e9]), (kind, tokens)
            assert runs.kept["loss"].tolist() == [2.772, 2.3565, 3.0638], (kind, tokens)


def test_a_perplexity_of_thousands_with_three_digits_behind_the_comma_is_one_of_tens(tmp_path: Path) -> None:
    rows: Rows = [["params", "tokens", "val ppl"], ["25000000", "5000000000", "14,786"], ["45000000", "3e10", "11,925"]]
    rows += [["363700000", "2e9", "29,836"]]
    right = [math.log(p) for p in (14.786, 11.925, 29.836)]
    for kind, runs in _each_way(tmp_path, rows).items():
        assert runs.kept["loss"].tolist() == pytest.approx(right), kind
        assert runs.kept["tokens"].tolist() == [5e9, 3e10, 2e9], kind


def test_thousands_in_text_beside_numbers_with_points_stay_thousands(tmp_path: Path) -> None:
    rows: Rows = [["params", "steps", "tokens", "val loss"], ["25,123,000", "5,662", 5e9, 2.772]]
    rows += [["45,200,000", "3,806", 3e10, 2.3565], ["363,700,000", "7,880", 2e9, 3.0638]]
    for kind, runs in _each_way(tmp_path, rows).items():
        assert runs.kept["params"].tolist() == [25123000, 45200000, 363700000], kind
        assert runs.kept["steps"].tolist() == [5662, 3806, 7880], kind


def test_a_loss_to_the_base_of_two_is_in_bits(tmp_path: Path) -> None:
    body = "25000000,500000000,6.0\n25000000,1000000000,5.7\n124000000,2500000000,4.9\n"
    names = ["loss (base 2)", "loss base 2", "loss_base2", "loss in base 2", '"CE loss, base-2"', "loss (log base 2)"]
    for name in [*names, "val_loss_base_2", "cross-entropy [base-2]", "base2 loss", "NLL (base two)"]:
        (tmp_path / "t.csv").write_text(f"N,tokens,{name}\n{body}")
        assert read_runs(tmp_path / "t.csv").kept["loss"][0] == pytest.approx(6 * math.log(2)), name
    for name in ["loss (base e)", "base model loss"]:
        (tmp_path / "t.csv").write_text(f"N,tokens,{name}\n{body}")
        assert read_runs(tmp_path / "t.csv").kept["loss"][0] == 6.0, name
    (tmp_path / "t.csv").write_text(f'N,tokens,"loss, log2"\n{body}')
    with pytest.raises(MappingNeeded):
        read_runs(tmp_path / "t.csv")


def test_amounts_of_data_in_words_and_products(tmp_path: Path) -> None:
    for cell, right in (
        ("20BT", 20e9), ("20 BT", 20e9), ("4 × 5B", 20e9), ("4x5B", 20e9), ("5B x4", 20e9), ("5B × 4", 20e9), ("2 * 1.5T", 3e12),
        ("500MT", 5e8), ("10 x 2.5B tokens", 25e9),
    ):  # fmt: skip
        (tmp_path / "t.csv").write_text(f"params,tokens,loss\n350M (dense),{cell},3.1\n125M,10B,3.4\n1.3B,40B,2.9\n")
        kept = read_runs(tmp_path / "t.csv").kept
        assert kept["tokens"].tolist() == [right, 10e9, 40e9], cell
        assert kept["params"].tolist() == [350e6, 125e6, 1.3e9], cell
    for params, tokens in (
        ("8x7B", "10B"),
        ("4 × 5B", "10B"),
        ("125M", "5B+"),
        ("125M", "5B (4 ep)"),
        ("1.3B (MoE)", "10B"),
    ):
        (tmp_path / "t.csv").write_text(f"params,tokens,loss\n{params},{tokens},3.1\n125M,10B,3.4\n1.3B,40B,2.9\n")
        runs = read_runs(tmp_path / "t.csv")
        assert len(runs.kept) == 2, (params, tokens)
        why = "tokens is a bound and not a number" if tokens.endswith("+") else "is not a number"
        assert why in runs.set_aside["reason"].iloc[0], (params, tokens)
