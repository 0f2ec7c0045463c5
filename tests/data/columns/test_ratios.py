"""Tokens from ratios of tokens to parameters, under the names that people give them."""

from pathlib import Path

import pytest

from data import read_runs
from data.errors import MappingNeeded
from data.schema import Runs


def _read(tmp_path: Path, header: str, end: str = "", **answers: object) -> Runs:
    rows = "\n".join(f"{n},{r}{end},{loss}" for n, r, loss in (("25e6", 2, 4.1), ("25e6", 1, 3.9), ("124e6", 4, 3.4)))
    (tmp_path / "t.csv").write_text(f"N,{header},val loss\n{rows}\n")
    return read_runs(tmp_path / "t.csv", **answers)  # type: ignore[arg-type]


def test_short_names_of_the_ratio_give_the_tokens(tmp_path: Path) -> None:
    names = [
        "D:N",
        "T/P",
        "T:P",
        "token-to-param ratio",
        "tok/param",
        "tok:param",
        "tokens:params",
        "data-to-model ratio",
    ]
    for name in [*names, "token/param ratio", "tokens to parameters", "tpp"]:
        assert _read(tmp_path, name).kept["tokens"].tolist() == [50e6, 25e6, 496e6], name


def test_multiples_of_the_optimal_ratio_are_asked_about(tmp_path: Path) -> None:
    for name in ("x Chinchilla", "overtraining factor", "Chinchilla multiple", "× Chinchilla"):
        for end in ("", "x"):
            with pytest.raises(MappingNeeded) as asked:
                _read(tmp_path, name, end)
            assert [(q.key, q.guess) for q in asked.value.questions] == [("units.tokens_per_param", "20")], name
            times = _read(tmp_path, name, end, units={"tokens_per_param": 20})
            assert times.kept["tokens"].tolist() == [1e9, 500e6, 9.92e9], (name, end)
            itself = _read(tmp_path, name, end, units={"tokens_per_param": 1})
            assert itself.kept["tokens"].tolist() == [50e6, 25e6, 496e6], (name, end)


def test_tokens_in_a_column_of_their_own_go_before_a_multiple(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("N,tokens,x Chinchilla,loss\n25e6,5e8,1,4\n124e6,5e9,2,3.4\n")
    assert read_runs(tmp_path / "t.csv").kept["tokens"].tolist() == [5e8, 5e9]
