"""A count that is zero in every row was not tracked: the next column that says the tokens is used."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from data import Runs

Read = Callable[..., Runs]

#: Columns beside a counter of zeros, and the tokens that follow from them (None: nothing says them).
BESIDE: dict[str, tuple[dict[str, list[float]], list[float] | None]] = {
    "flops": ({"total_flos": [6e17, 24e17]}, [1e9, 2e9]),
    "another count": ({"tokens": [1e9, 2e9]}, [1e9, 2e9]),
    "steps and batch": ({"steps": [1000, 2000], "batch_size_tokens": [1e6, 1e6]}, [1e9, 2e9]),
    "nothing": ({}, None),
}


def test_a_counter_of_zeros_is_passed_over(read: Read) -> None:
    for header in ("num_input_tokens_seen", "train/num_input_tokens_seen", "tokens", "tokens (B)"):
        for case, (beside, tokens) in BESIDE.items():
            if header.startswith("tokens") and case in ("nothing", "another count"):
                continue
            columns = {"run": ["a", "b"], header: [0, 0], "params": [1e8, 2e8], "loss": [3.2, 3.0], **beside}
            rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            text = "\n".join([",".join(columns), *(",".join(map(str, row.values())) for row in rows)])
            for name, content in (("a.csv", text), ("a.json", json.dumps(rows))):
                runs = read(content, name)
                assert runs.kept["run"].tolist() == ["a", "b"], (header, case, name)
                assert any("was not tracked" in note and header in note for note in runs.notes), (header, case, name)
                found = runs.kept["tokens"].tolist() if "tokens" in runs.kept else None
                assert found == (pytest.approx(tokens) if tokens else None), (header, case, name)


def test_a_counter_that_is_zero_in_some_rows_is_used(read: Read) -> None:
    runs = read("run,num_input_tokens_seen,params,loss\na,0,1e8,3.2\nb,2e9,2e8,3.0\n")
    assert runs.kept["tokens"].tolist() == [2e9]
    assert runs.reasons == {"tokens is zero": 1}


def test_a_size_of_zero_gives_way_to_another(read: Read) -> None:
    runs = read("run,n_params,total_params,tokens,loss\na,0,1e8,2e9,3.2\nb,0,2e8,2e9,3.0\n")
    assert runs.kept["params"].tolist() == [1e8, 2e8]
