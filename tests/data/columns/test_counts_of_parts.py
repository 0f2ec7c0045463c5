"""Parameter counts that are parts of others: embeddings in a column of their own, and totals below what they contain."""

from pathlib import Path

import pytest

from data import read_runs
from data.errors import MappingNeeded

BODY = "{0},1266767,24081147,500000000,4.1\n{0},2535000,22813718,1000000000,3.9\n{0},6000000,118000000,2500000000,3.4\n"


def _read(tmp_path: Path, text: str, **answers: object):  # type: ignore[no-untyped-def]
    (tmp_path / "t.csv").write_text(text)
    return read_runs(tmp_path / "t.csv", **answers)  # type: ignore[arg-type]


def test_embeddings_beside_the_rest_are_added_and_the_sum_is_said(tmp_path: Path) -> None:
    pairs = ["N_emb,N_ne", "embed params,block params", "embedding params,non-embedding params", "Embeddings,N_ne"]
    pairs += [
        "emb_params,transformer_params",
        "params (embedding),params (non-embedding)",
        "token embeddings,body params",
    ]
    for pair in pairs:
        for swapped in (False, True):
            rows = [line.split(",") for line in (f"name,{pair},tokens,loss\n" + BODY.format("a")).splitlines()]
            if swapped:
                rows = [[n, b, a, *rest] for n, a, b, *rest in rows]
            text = "\n".join(",".join([n if i == 0 else f"r{i}", *rest]) for i, (n, *rest) in enumerate(rows))
            runs = _read(tmp_path, text)
            assert runs.kept["params_total"].tolist() == [25347914, 25348718, 124000000], (pair, swapped)
            assert runs.kept["params_nonembed"].tolist() == [24081147, 22813718, 118000000], (pair, swapped)
            assert runs.kept["params"].tolist() == [24081147, 22813718, 118000000], (pair, swapped)
            (asked,) = [q for q in runs.questions if q.key == "count"]
            assert asked.guess == "params_nonembed", pair
            assert "added to" in asked.text, pair


def test_units_of_the_parts_count_and_a_column_of_the_total_is_taken_as_it_stands(tmp_path: Path) -> None:
    runs = _read(
        tmp_path, "Embedding (M),Transformer (M),tokens,loss\n12.5,24,5e8,4.1\n25,85,1e9,3.9\n38,302,2e9,3.4\n"
    )
    assert runs.kept["params_total"].tolist() == [36.5e6, 110e6, 340e6]
    assert runs.kept["params"].tolist() == [24e6, 85e6, 302e6]
    runs = _read(
        tmp_path,
        "embedding params (M),non-embedding params (M),total params (M),tokens,loss\n12,24,36,5e8,4.1\n25,85,111,1e9,3.9\n",
    )
    assert runs.kept["params"].tolist() == [36e6, 111e6]
    runs = _read(
        tmp_path, "N,N_emb,tokens,loss\n25266767,1081147,5e8,4.1\n42535000,2813718,1e9,3.9\n126e6,8e6,2e9,3.4\n"
    )
    assert "params_total" not in runs.kept
    assert runs.kept["params"].tolist() == [25266767, 42535000, 126e6]


def test_a_total_below_its_part_is_asked_about(tmp_path: Path) -> None:
    text = "total params,non-embedding params,tokens,loss\n" + BODY.replace("{0},", "")
    with pytest.raises(MappingNeeded, match="no less than a part"):
        _read(tmp_path, text)
    assert _read(tmp_path, text, count="params_nonembed").kept["params"].tolist() == [24081147, 22813718, 118000000]


def test_a_count_with_embeddings_stays_the_total(tmp_path: Path) -> None:
    runs = _read(tmp_path, "N_emb,N_ne,tokens,loss\n40e6,14e6,5e8,4.1\n64e6,38e6,1e9,3.9\n160e6,118e6,2e9,3.4\n")
    assert runs.kept["params"].tolist() == [40e6, 64e6, 160e6]
