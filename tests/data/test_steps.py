"""Tables of steps to a target: their columns under the names people use, their groups, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from data.errors import ReadError
from data.readers import read_table
from data.steps import holds_steps, steps_table


def table(text: str):
    return read_table(text.encode(), "steps.csv")


@pytest.mark.parametrize(
    "header", ["steps_to_target", "Steps to loss 3.2", "iterations-until-target", "train_steps_to_target"]
)
@pytest.mark.parametrize(("batch", "unit"), [("batch_sequences", "sequences"), ("batch_tokens", "tokens")])
def test_columns_are_recognised(header, batch, unit):
    read = steps_table(table(f"{batch},{header}\n64,5000\n128,2600\n256,1400\n"))
    assert read.unit == unit
    assert list(read.frame["batch"]) == [64, 128, 256]
    assert list(read.frame["steps"]) == [5000, 2600, 1400]
    assert read.by == ()
    assert set(read.frame["group"]) == {""}


def test_groups_go_by_model_and_target():
    rows = [(m, t, b, 1000 // b) for m in ("10M", "20M") for t in (3.0, 2.5) for b in (1, 2, 4)]
    text = "params,target_loss,batch_size,steps_to_target\n" + "\n".join(",".join(map(str, r)) for r in rows)
    read = steps_table(table(text))
    assert read.by == ("params", "target_loss")
    assert list(dict.fromkeys(read.frame["group"])) == ["10M, 3.0", "10M, 2.5", "20M, 3.0", "20M, 2.5"]
    assert read.sizes["20M, 2.5"] == 2e7
    assert steps_table(table(text), by="target_loss").by == ("target_loss",)


def test_a_target_for_each_model_adds_nothing_to_its_name(dataset):
    read = steps_table(read_table(dataset("zhang_cbs_steps_to_target.csv").read_bytes(), "zhang.csv"))
    assert list(dict.fromkeys(read.frame["group"])) == ["85M", "151M", "302M", "604M", "1.2B"]
    assert read.sizes == {"85M": 85e6, "151M": 151e6, "302M": 302e6, "604M": 604e6, "1.2B": 1.2e9}
    assert len(read.frame) == 45


def test_batches_are_counted_in_the_other_unit_where_a_sequence_is_known(dataset):
    """A sequence's length stands in a column, or follows from batches in both units; without it nothing is converted."""
    zhang = steps_table(read_table(dataset("zhang_cbs_steps_to_target.csv").read_bytes(), "zhang.csv"))
    assert zhang.seq_len == 512
    tokens = zhang.counted_in("tokens")
    assert tokens.unit == "tokens"
    assert list(tokens.frame["batch"]) == [512 * b for b in zhang.frame["batch"]]
    assert tokens.counted_in("sequences").frame["batch"].tolist() == zhang.frame["batch"].tolist()
    both = steps_table(table("batch_sequences,batch_tokens,steps_to_target\n64,8192,5000\n128,16384,2600\n"))
    assert (both.unit, both.seq_len) == ("sequences", 128)
    mixed = steps_table(table("batch_sequences,batch_tokens,steps_to_target\n64,8192,5000\n128,8192,2600\n"))
    assert mixed.counted_in("tokens") is mixed


def test_rows_without_numbers_are_left_out():
    read = steps_table(table("batch_size,steps_to_target\n64,5000\n128,never\n256,\n512,0\n1024,300\n"))
    assert list(read.frame["batch"]) == [64, 1024]


def test_refusals_are_sentences():
    assert not holds_steps(table("params,tokens,loss\n1,2,3\n4,5,6\n"))
    with pytest.raises(ReadError, match="no column of steps to a target"):
        steps_table(table("params,tokens,loss\n1,2,3\n4,5,6\n"))
    with pytest.raises(ReadError, match="no column of batch sizes"):
        steps_table(table("colour,steps_to_target\nred,2\nblue,5\n"))
    with pytest.raises(ReadError, match="no column 'shape'"):
        steps_table(table("batch_size,steps_to_target\n1,2\n4,5\n"), by="shape")


def test_a_frame_is_not_changed():
    frame = pd.DataFrame({"batch_size": [1, 2], "steps_to_target": [9, 5]})
    before = frame.copy()
    from data.read import from_frame

    steps_table(from_frame(frame, "frame"))
    pd.testing.assert_frame_equal(frame, before)
