"""Logs, letters and headings that once gave a wrong number without a word, each with variants."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]


def test_a_bare_l_of_whole_numbers_is_no_loss(read: Read) -> None:
    tables = (
        "L,W,N,min_val\n6,384,14155776,3.9621\n12,384,28311552,3.8360\n12,768,113246208,3.7504\n",
        "Model,Layers,Dim,L,Params,Data\nA,48,1600,3,1B,50B\nB,60,2000,5,3B,100B\n",
        "L,d_model,heads,params\n6,384,6,10M\n12,768,12,85M\n24,1024,16,300M\n",
        "L,N,D\n6,14155776,1e9\n12,28311552,2e9\n",
        "L,W,N\n6,384,14155776\n12,384,28311552\n12.5,768,113246208\n",
    )
    for text in tables:
        with pytest.raises(MappingNeeded) as asked:
            read(text)
        assert {q.key for q in asked.value.questions} == {"columns.loss"}, text
    with pytest.raises(MappingNeeded) as asked:
        read(tables[0])
    assert asked.value.questions[0].guess == "min_val"
    for text in (
        "N,D,L\n1e8,2e9,2.81\n2e8,4e9,2.75\n",
        "layers,heads,N,D,L\n6,6,1e8,2e9,3\n12,12,2e8,4e9,2.75\n24,16,4e8,8e9,2.61\n",
    ):
        assert read(text).kept["loss"].tolist()[-1] in (2.75, 2.61), text


_TRAIN = "10,train,5.10,{a}\n20,train,4.80,{a}\n20,val,4.95,{b}\n30,train,4.60,{a}\n40,train,4.45,{c}\n"
_LOG = "step,split,loss,{h}\n" + _TRAIN + "40,val,4.66,{b}\n50,train,4.31,{c}\n"


def test_a_setting_that_one_split_leaves_out_tells_no_runs_apart(read: Read) -> None:
    for header, a, c in (
        ("lr", "1e-4", "3e-4"),
        ("batch_size", "32", "32"),
        ("lr", "3e-4", "3e-4"),
        ("seq_len", "512", "1024"),
    ):
        for blank in ("", "0", "nan", "-"):
            runs = read(_LOG.format(h=header, a=a, b=blank, c=c))
            assert runs.kept["loss"].tolist() == [4.66], (header, blank)
            assert runs.kept["steps"].tolist() == [40.0], (header, blank)
    runs = read("lr,split,loss,params\n1e-3,train,3.1,1e8\n2e-3,train,2.9,1e8\n,val,3.2,2e8\n,val,3.3,4e8\n")
    assert len(runs.kept) == 4  # of other sizes: other runs
