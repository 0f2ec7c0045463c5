"""Tables of steps to a target: their columns under the names people use, their groups, and what is refused."""

from __future__ import annotations

import pandas as pd
import pytest

from data.errors import ReadError
from data.readers import read_table
from data.steps.tables import holds_steps, steps_table
from tests.data.cases import side_by_side


def table(text: str):
    return read_table(text.encode(), "steps.csv")


@pytest.mark.parametrize(
    ("header", "counted"),
    side_by_side(
        ["steps_to_target", "Steps to loss 3.2", "iterations-until-target", "train_steps_to_target"],
        [("batch_sequences", "sequences"), ("batch_tokens", "tokens")],
    ),
)
def test_columns_are_recognised(header, counted):
    batch, unit = counted
    read = steps_table(table(f"{batch},{header}\n64,5000\n128,2600\n256,1400\n"))
    assert read.unit == unit
    assert list(read.frame["batch"]) == [64, 128, 256]
    assert list(read.frame["steps"]) == [5000, 2600, 1400]
    assert read.by == ()
    assert set(read.frame["group"]) == {""}


BESIDE_TARGET = ("target_loss", "target", "Loss target", "threshold", "loss_threshold", "target_val_loss", "val_loss_target",
                 "Target loss (nats)", "goal", "loss to reach")  # fmt: skip
BARE_STEPS = (("steps", 1), ("Iterations", 1), ("n_steps", 1), ("training steps", 1), ("updates", 1), ("steps (k)", 1e3),
              ("steps_needed", 1), ("optimizer_steps", 1))  # fmt: skip


def test_steps_beside_a_target_loss_are_steps_to_it():
    """No measured loss, but a batch, the loss aimed at and steps: what else such a table says tells groups apart as ever."""
    for goal, (steps, each), (more, cell) in side_by_side(BESIDE_TARGET, BARE_STEPS, (("", ""), ("seq_len,", "1024,"))):
        head = f"dataset,batch_size,{more}{goal},{steps}\n"
        rows = [(d, b, s) for d, times in (("C4", 1), ("Code", 2)) for b, s in ((32, 30e3), (64, 16e3), (128, 9e3))
                for s in (times * s,)]  # fmt: skip
        text = head + "\n".join(f"{d},{b},{cell}3.2,{s / each:g}" for d, b, s in rows)
        own = table(text)
        assert holds_steps(own), head
        read = steps_table(own)
        assert read.by == ("dataset",), head
        assert read.frame["batch"].tolist() == [32, 64, 128, 32, 64, 128], head
        assert read.frame["steps"].tolist() == pytest.approx([s for _, _, s in rows]), head
    two = "batch_size,target_loss,steps\n" + "\n".join(f"{b},{t},{int(t * 9e4 / b)}" for t in (3, 2) for b in (32, 64))
    assert steps_table(table(two)).by == ("target_loss",)
    assert steps_table(table(two)).frame["group"].tolist() == ["3", "3", "2", "2"]


def test_steps_are_not_to_a_target_where_a_loss_was_measured_or_no_target_is_a_number():
    for text in (
        "batch_size,target_loss,steps,loss\n32,3.2,9000,3.21\n64,3.2,5000,3.19\n",
        "batch_size,target_loss,steps,val_ppl\n32,3.2,9000,24\n64,3.2,5000,25\n",
        "batch_size,target,steps\n32,text,9000\n64,code,5000\n",
        "target_loss,steps\n3.2,9000\n3.1,15000\n",
        "batch_size,steps\n32,9000\n64,5000\n",
        "batch_size,target_loss,steps,warmup_steps,total_steps\n32,3.2,1,1,9000\n64,3.2,1,1,5000\n",
    ):
        assert not holds_steps(table(text)), text


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


B, S_MIN, B_CRIT = (16, 64, 256, 1024, 4096), 1000, 300


def taken(b, s_min=S_MIN):
    return s_min * (1 + B_CRIT / b)


@pytest.mark.parametrize(("batch", "taking"), side_by_side(
    [
        ("batch_tokens (M)", 1e6, "tokens"),
        ("batch_size (k tokens)", 1e3, "tokens"),
        ("Batch size [Mtok]", 1e6, "tokens"),
        ("batch_tokens / 1e6", 1e6, "tokens"),
        ("batch_size_tokens_k", 1e3, "tokens"),
        ("batch_ktokens", 1e3, "tokens"),
        ("batch_size (k)", 1e3, "tokens"),
        ("batch_tokens", 1.0, "tokens"),
    ],
    [
        ("steps_to_target (k)", 1e3), ("steps_to_target_k", 1e3), ("Steps to loss 3.2 [thousands]", 1e3),
        ("steps_to_target (x1000)", 1e3), ("ksteps_to_target", 1e3), ("steps_to_target", 1.0),
    ],
))  # fmt: skip
def test_units_in_headers_are_read(batch, taking):
    (header, times, unit), (steps, each) = batch, taking
    rows = "\n".join(f"{16 * 2**k},{taken(b) / each:.9g}" for k, b in enumerate(B))
    read = steps_table(table(f"{header},{steps}\n{rows}\n"))
    assert read.unit == unit
    assert read.frame["batch"].tolist() == pytest.approx([times * 16 * 2**k for k in range(len(B))])
    assert read.frame["steps"].tolist() == pytest.approx([taken(b) for b in B])


def test_batches_too_small_for_tokens_are_asked_about():
    with pytest.raises(ReadError, match=r"In which unit is 'batch_tokens'.*Say it in the header"):
        steps_table(table("batch_tokens,steps_to_target\n0.25,500\n.5,300\n1,200\n"))


def test_the_batch_of_a_step_is_worked_out_from_its_parts():
    text = "micro_batch_size,gradient_accumulation_steps,num_gpus,steps_to_target\n" + "\n".join(
        f"2,{a},8,{taken(16 * a):.6f}" for a in (1, 4, 16, 64)
    )
    read = steps_table(table(text))
    assert read.frame["batch"].tolist() == [16, 64, 256, 1024]
    assert "num_gpus" in read.notes[""][0]


def test_of_several_learning_rates_the_best_counts_and_that_is_said():
    """S_min is 1,000 at the best rate of each batch; pooled with a rate that takes half as long again it came to 1,361."""
    rows = [(b, r, taken(b) * w) for b in B for r, w in ((1e-3, 1.5), (2e-3, 1.0), (4e-3, 2.2))]
    read = steps_table(table("batch_size,lr,steps_to_target\n" + "\n".join(f"{b},{r},{s:.6f}" for b, r, s in rows)))
    assert read.frame["steps"].tolist() == pytest.approx([taken(b) for b in B])
    assert read.notes[""][0] == "Of several learning rates at a batch the best counts; 10 rows at others are left out."
    edge = steps_table(table("batch_size,lr,steps_to_target\n" + "\n".join(f"{b},{r},{s:.6f}" for b, r, s in rows[1:])))
    assert "At batch 16 the best learning rate is the lowest tried" in edge.notes[""][1]


TUNED = ("eta", "adam_lr", "lr_mult", "learning rate multiplier", "step_size", "muon lr", "lr_scale", "stepsize", "Peak LR", "η",
         "embed_lr", "optim.lr", "lr multiplier", "LR×", "base learning rate", "learning_rate")  # fmt: skip


def test_of_anything_tuned_the_best_counts_whatever_its_header():
    """Steps are 1.5 and 2.2 times the best's at other values, at two seeds .9 and 1/.9 of theirs, and a text says as much as a number."""
    for header, names in side_by_side(TUNED, (("1e-3", "2e-3", "4e-3"), ("0.5x", "1x", "2x"))):
        rows = [f"{b},{r},{k},{taken(b) * w * luck:.6f}" for b in B for r, w in zip(names, (1.5, 1.0, 2.2), strict=True)
                for k, luck in enumerate((0.9, 1 / 0.9))]  # fmt: skip
        read = steps_table(table(f"batch_size,{header},seed,steps_to_target\n" + "\n".join(rows)))
        case = f"{header} {names}"
        assert read.by == (), case
        assert read.frame["batch"].tolist() == [b for b in B for _ in range(2)], case
        assert read.frame["steps"].tolist() == pytest.approx([taken(b) * k for b in B for k in (0.9, 1 / 0.9)]), case
        (said,) = [n for n in read.notes[""] if n.startswith("Of several ")]
        assert said.endswith("at a batch the best counts; 20 rows at others are left out."), case
        assert "learning rates" in said or repr(header) in said, case


def test_of_two_tuned_columns_the_best_pair_counts():
    rows = [f"{b},{r},{m},{taken(b) * w * v:.6f}" for b in B for r, w in ((1, 1.5), (2, 1), (4, 2))
            for m, v in ((0.1, 1.0), (0.2, 1.4))]  # fmt: skip
    read = steps_table(table("batch_size,adam_lr,muon_lr,steps_to_target\n" + "\n".join(rows)))
    assert read.frame["steps"].tolist() == pytest.approx([taken(b) for b in B])
    assert "Of several values of 'adam_lr' and 'muon_lr' at a batch" in read.notes[""][0]
    assert read.notes[""][1].startswith("At batch 16, 64, 256, 1024, 4096 the best 'muon_lr' is the lowest tried")


def test_a_time_left_is_no_rate():
    rows = [f"{b},{e},{taken(b) * (1 + 0.01 * e):.6f}" for b in B for e in (0, 1)]
    read = steps_table(table("batch_size,ETA,steps_to_target\n" + "\n".join(rows)))
    assert len(read.frame) == 2 * len(B)


def test_sequence_lengths_and_data_sets_are_groups():
    for header, values in (("seq_len", (512, 2048)), ("dataset", ("c4", "pile"))):
        rows = [f"{v},{b},{taken(b, 1000 * (k + 1)):.6f}" for k, v in enumerate(values) for b in B]
        read = steps_table(table(f"{header},batch_size,steps_to_target\n" + "\n".join(rows)))
        assert read.by == (header,)
        assert list(dict.fromkeys(read.frame["group"])) == [str(v) for v in values]
        assert len(read.frame) == 2 * len(B)


def test_each_column_of_steps_is_a_target():
    text = "batch_size,steps_to_loss_3.2,steps_to_loss_3.0,steps_to_loss_3.0_std\n" + "\n".join(
        f"{b},{taken(b):.6f},{taken(b, 2000):.6f},5" for b in B
    )
    read = steps_table(table(text))
    assert list(dict.fromkeys(read.frame["group"])) == ["loss 3.2", "loss 3.0"]
    for group, s_min in (("loss 3.2", 1000), ("loss 3.0", 2000)):
        own = read.frame[read.frame["group"] == group]
        assert own["steps"].tolist() == pytest.approx([taken(b, s_min) for b in B])
        assert "is a target of its own" in read.notes[group][0]
    again = steps_table(table("batch_size,steps_to_target,steps_to_target_wandb\n64,500,510\n128,300,310\n"))
    assert again.frame["steps"].tolist() == [500, 300]
    assert again.notes[""] == ("'steps_to_target_wandb' is not used.",)


@pytest.mark.parametrize(
    "cell", [">2000", "> 2k", "≥2000", "2000+", "not reached", "never", "inf", "0", "", "n/a", "-", "nan", "-1", "DNF"]
)
def test_rows_that_say_no_steps_are_censored_and_counted(cell):
    rows = [f"{b},{taken(b):.6f}" for b in B] + [f"32768,{cell}", f"65536,{cell}"]
    read = steps_table(table("batch_size,steps_to_target\n" + "\n".join(rows)))
    assert read.frame["batch"].tolist() == list(B)
    (said,) = [n for n in read.notes[""] if "censored" in n]
    assert said.startswith("2 rows say no number of steps under 'steps_to_target' (batch 32768, 65536)")


def test_a_group_of_which_nothing_is_left_is_still_told_of():
    text = "model,batch_size,steps_to_target\n" + "\n".join(
        [f"a,{b},{taken(b):.6f}" for b in B] + [f"b,{b},never" for b in B]
    )
    read = steps_table(table(text))
    assert set(read.frame["group"]) == {"a"}
    assert "5 rows say no number of steps" in read.notes["b"][0]


@pytest.mark.parametrize("cell", ["30000*", "30000†", "**30000**", "30000[1]"])
def test_a_mark_at_a_number_of_steps_is_a_footnote_and_is_said(cell):
    """As in a table of runs: the number is read, and that a mark was taken off is no secret."""
    read = steps_table(table(f"batch_size,steps_to_target\n16,{cell}\n64,8000\n256,2500\n"))
    assert list(read.frame["steps"]) == [30000, 8000, 2500]
    assert read.notes[""] == (f"'steps_to_target': marks around numbers were taken off, as in {cell!r}.",)


MISSED = {
    "reached": ("False", "True"), "reached_target": ("no", "yes"), "hit_target": ("0", "1"), "Target reached?": ("N", "Y"),
    "status": ("failed", "finished"), "state": ("crashed", "finished"), "run_state": ("killed", "completed"), "censored": ("True", "False"),
    "right_censored": ("1", "0"), "converged": ("no", "yes"), "diverged": ("yes", "no"), "event_observed": ("0", "1"),
    "met_goal": ("✗", "✓"),
    "loss reached": ("not reached", "reached"), "not_reached": ("1", "0"), "capped": ("x", ""), "reached_goal": ("", "x"),
    "achieved": ("timeout", "yes"),
    "Status": ("running", "ok"), "outcome": ("did not reach", "success"), "hit_max_steps": ("true", "false"), "exit_code": ("1", "0"),
    "did_reach_target": ("", "yes"), "DNF": ("1", "0"), "reached_target_loss": ("false", "true"), "attained": ("no (budget)", "yes"),
}  # fmt: skip


def test_rows_that_a_column_says_did_not_reach_the_target_are_censored():
    """Steps are capped at 5000: pooled with those that reached the loss, they halve the critical batch."""
    for (header, (no, yes)), (head, steps) in side_by_side(
        list(MISSED.items()), (("steps_to_target", ""), ("steps", ",3.2"))
    ):
        rows = [f"{b},{min(taken(b), 5000):.6f}{steps},{no if taken(b) > 5000 else yes}" for b in B]
        goal = ",target_loss" if steps else ""
        read = steps_table(table(f"batch_size,{head}{goal},{header}\n" + "\n".join(rows)))
        case = f"{header}: {no!r} and {yes!r} beside {head}"
        assert (read.by, read.mixed) == ((), ()), case
        assert read.frame["batch"].tolist() == [b for b in B if taken(b) <= 5000], case
        (said,) = [n for n in read.notes[""] if "censored" in n]
        assert said.startswith("2 rows (batch 16, 64) are left out as censored at the steps given"), case


def test_of_several_rates_one_that_misses_the_target_is_no_best():
    """A rate that gave up at 10 steps is not the best, nor does what was reached tell groups apart."""
    rows = [
        f"{b},{r},{taken(b) * w if w else 10:.6f},{bool(w)}" for b in B for r, w in ((1, 0), (2, 1), (3, 1.5), (4, 0))
    ]
    read = steps_table(table("batch_size,eta,steps_to_target,target_reached\n" + "\n".join(rows)))
    assert read.frame["steps"].tolist() == pytest.approx([taken(b) for b in B])
    assert set(read.frame["group"]) == {""}


def test_flags_that_all_say_yes_or_say_nothing_of_the_target_change_nothing():
    for header, cells in (
        ("reached", ["True"] * 5), ("status", ["finished"] * 5), ("censored", [""] * 5), ("reached", [""] * 5), ("capped", ["0"] * 5),
        ("reached", ["3.21", "3.19", "3.2", "3.18", "3.2"]), ("missed", ["1", "2", "3", "0", "5"]),
    ):  # fmt: skip
        rows = [f"{b},{taken(b):.6f},{c}" for b, c in zip(B, cells, strict=True)]
        read = steps_table(table(f"batch_size,steps_to_target,{header}\n" + "\n".join(rows)))
        assert len(read.frame) == len(B), header
    strange = "\n".join(
        f"{b},{taken(b):.6f},{c}" for b, c in zip(B, ("failed", "odd", "done", "done", "done"), strict=True)
    )
    read = steps_table(table("batch_size,steps_to_target,status\n" + strange))
    assert read.frame["batch"].tolist() == list(B[1:])
    assert any("'status' says 'odd', no state that is known" in n for n in read.notes[""])


def test_rows_entered_twice_count_once_and_repeats_stay():
    rows = [f"{2**k},{steps}" for k, steps in enumerate((51234, 26120, 14377, 8120, 5000))]
    head = "batch_size,steps_to_target"
    once = steps_table(table("\n".join([head, *rows])))
    thrice = steps_table(table("\n".join([head, *rows, *rows, *rows])))
    pd.testing.assert_frame_equal(once.frame, thrice.frame)
    assert thrice.notes[""][0].startswith(
        "10 rows are identical copies of others (such as line 7 of line 2) and are set aside"
    )
    apart = steps_table(table("\n".join([head, *rows, rows[2]])))
    assert len(apart.frame) == 5
    assert apart.notes[""][0].startswith("1 row is an identical copy of another (line 7 of line 4)")
    assert once.notes[""] == ()
    for name, lines in {
        "seeds": [f"{r},{s}" for s in (0, 1) for r in rows],
        "names": [f"{r},run{k}" for k, r in enumerate(rows * 2)],
    }.items():
        column = "seed" if name == "seeds" else "name"
        read = steps_table(table("\n".join([f"{head},{column}", *lines])))
        assert len(read.frame) == 10, name
        assert len(steps_table(table("\n".join([f"{head},{column}", *lines, *lines]))).frame) == 10, name
    other = steps_table(table("\n".join([head, *rows, *(r[:-1] + "3" for r in rows)])))
    assert len(other.frame) == 10


def test_rows_held_out_are_left_out():
    """A column of roles tells no groups apart: what it holds out is in no critical batch."""
    rows = "64,5000,{0}\n128,2600,{0}\n256,1400,\n512,1200,{1}\n"
    for fitted, out in (("fitted", "held out"), ("train", "test"), ("", "holdout")):
        read = steps_table(table("batch_sequences,steps_to_target,role\n" + rows.format(fitted or "fitted", out)))
        assert list(read.frame["batch"]) == [64, 128, 256]
        assert read.by == ()
        assert any(note.startswith("1 row is held out by 'role'") for note in read.notes[""])
    other = steps_table(table("batch_sequences,steps_to_target,role\n" + rows.format("fitted", "foo")))
    assert any("'role' says 'foo'" in note for said in other.notes.values() for note in said)
    with pytest.raises(ReadError, match="'role' holds every row out, and none is left"):
        steps_table(
            table("batch_sequences,steps_to_target,role\n64,5000,holdout\n128,2600,holdout\n256,1400,holdout\n")
        )
