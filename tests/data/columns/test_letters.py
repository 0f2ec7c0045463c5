"""Batch and steps under the letters that papers give them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]


def table(header: str, batch: int, steps: tuple[int, int, int] = (1000, 2000, 5000)) -> str:
    rows = zip(("20M", "50M", "125M"), (batch, batch, 2 * batch), steps, (4.5, 4.0, 3.5), strict=True)
    return header + "\n" + "".join(f"{n},{b},{s},{loss}\n" for n, b, s, loss in rows)


def test_b_beside_s_is_the_batch(read: Read) -> None:
    for header in ("N,B,S,L", "N,B,S,loss", "params,B,S,val_loss"):
        runs = read(table(header, 262144))
        assert runs.kept["tokens"].tolist() == [262144 * 1000, 262144 * 2000, 524288 * 5000], header
        assert [(q.key, q.needed) for q in runs.questions] == [("columns.batch", False)], header
        few = read(table(header, 256))
        assert few.kept["batch_sequences"].tolist() == [256, 256, 512], header
        assert few.kept["steps"].tolist() == [1000, 2000, 5000], header
        assert "tokens" not in few.kept, header
    none = read(table("N,B,S,L", 262144), columns={"batch": None})
    assert "tokens" not in none.kept


def test_s_of_powers_of_two_is_steps_or_a_length(read: Read) -> None:
    text = table("N,B,S,loss", 32, (1024, 2048, 1024))
    with pytest.raises(MappingNeeded) as e:
        read(text)
    assert [q.key for q in e.value.questions] == ["columns.steps"]
    assert read(text, columns={"steps": "S"}).kept["steps"].tolist() == [1024, 2048, 1024]
    lengths = read(text, columns={"steps": None, "seq_len": "S"})
    assert lengths.kept["seq_len"].tolist() == [1024, 2048, 1024]


def test_b_without_s_is_no_batch_in_silence(read: Read) -> None:
    runs = read("N,B,L\n20M,256,4.5\n50M,256,4.0\n125M,512,3.5\n")
    assert [q.key for q in runs.questions] == ["columns.batch"]
    billions = read("N,B,S,L\n20M,1.5,1000,4.5\n50M,2.5,2000,4.0\n125M,3.5,5000,3.5\n")
    assert not {"batch", "batch_sequences"} & set(billions.kept)
