"""Runs that were resumed: one counter begins anew, the other goes on, and the run ends where it ended."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import MappingNeeded, Runs, read_runs

Read = Callable[..., Runs]


def log(rows: list[tuple[float, float]], names: tuple[str, ...] = ("a",)) -> str:
    body = "".join(f"{n},1e8,{s:g},{t:g},{5 - i / 10:.2f}\n" for n in names for i, (s, t) in enumerate(rows))
    return "run,params,step,tokens,loss\n" + body


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_steps_go_back_while_tokens_rise(read: Read, names: tuple[str, ...]) -> None:
    runs = read(log([(100, 1e6), (200, 2e6), (300, 3e6), (250, 4e6), (280, 5e6)], names))
    assert runs.kept["tokens"].tolist() == [5e6] * len(names)
    assert runs.kept["loss"].tolist() == [4.6] * len(names)
    assert runs.kept["flops"].tolist() == pytest.approx([6 * 1e8 * 5e6] * len(names))
    assert any(f"{2 * len(names)} rows at an earlier step" in note for note in runs.notes)


def test_a_log_without_names_is_one_run(read: Read) -> None:
    rows = [(100, 1e6), (200, 2e6), (300, 3e6), (100, 4e6), (200, 5e6)]
    runs = read("step,tokens,loss\n" + "".join(f"{s},{t:g},{5 - i / 10}\n" for i, (s, t) in enumerate(rows)), "log.csv")
    assert runs.kept[["run", "tokens", "loss"]].values.tolist() == [["log", 5e6, 4.6]]
    assert runs.history is not None
    assert len(runs.history) == 5


@pytest.mark.parametrize("names", [("a",), ("a", "b")])
def test_tokens_begin_anew_while_steps_rise(read: Read, names: tuple[str, ...]) -> None:
    runs = read(log([(100, 1e6), (200, 2e6), (300, 3e6), (400, 1e6), (500, 2e6)], names))
    assert runs.kept[["tokens", "steps", "batch"]].values.tolist() == [[5e6, 500, 1e4]] * len(names)
    assert runs.kept["flops"].tolist() == pytest.approx([6 * 1e8 * 5e6] * len(names))
    assert runs.history is not None
    assert runs.history["tokens"].tolist() == [1e6, 2e6, 3e6, 4e6, 5e6] * len(names)
    assert any(f"{2 * len(names)} rows put right" in note for note in runs.notes)


def test_both_go_back_and_the_later_row_of_a_place_counts(read: Read) -> None:
    rows = [(100, 1e6), (200, 2e6), (300, 3e6), (200, 2e6), (300, 3e6), (400, 4e6)]
    runs = read(log(rows))
    assert runs.kept[["tokens", "steps", "loss"]].values.tolist() == [[4e6, 400, 4.5]]
    assert any("2 rows repeat a place along their run" in note for note in runs.notes)
    assert not any("resume" in note for note in runs.notes)


def test_tokens_that_fall_to_no_beginning_are_said(read: Read) -> None:
    runs = read(log([(100, 1e6), (200, 2e6), (300, 3e6), (400, 2.5e6), (500, 5e6)]))
    assert any("Tokens fall 1 times while the steps rise" in note for note in runs.notes)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(6, 30),
    st.lists(st.integers(3, 28), max_size=3, unique_by=lambda b: b // 2),
    st.booleans(),
    st.sampled_from([1e4, 2**19]),
)
def test_wherever_a_counter_begins_anew(n: int, breaks: list[int], of_steps: bool, batch: float) -> None:
    steps = np.arange(1, n + 1) * 50.0
    tokens = steps * batch
    anew = tokens.copy() if not of_steps else steps.copy()
    cuts = sorted(2 * (b // 2) for b in breaks if b < n - 1)  # two rows at least between them
    for b in cuts:
        anew[b:] -= anew[b - 1]
    frame = pd.DataFrame({
        "run": "a", "params": 1e8, "step": anew if of_steps else steps, "tokens": tokens if of_steps else anew, "loss": 5 - steps / 1e4
    })  # fmt: skip
    runs = read_runs(frame)
    assert runs.kept["tokens"].tolist() == pytest.approx([tokens[-1]])
    assert runs.kept["loss"].tolist() == pytest.approx([frame["loss"].iloc[-1]])
    assert runs.kept["batch"].tolist() == pytest.approx([batch])
    assert any("as after a resume" in note for note in runs.notes) == bool(cuts)


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(8)))
def test_rows_in_no_order_are_no_resume(order: list[int]) -> None:
    steps = (np.array(order) + 1) * 100.0
    runs = read_runs(
        pd.DataFrame({"run": "a", "params": 1e8, "step": steps, "tokens": steps * 1e4, "loss": 5 - steps / 1e3})
    )
    assert runs.kept[["tokens", "steps"]].values.tolist() == [[8e6, 800]]
    assert not any("resume" in note for note in runs.notes)


def test_a_log_without_names_that_goes_back_is_one_run(read: Read) -> None:
    """Steps that were logged again after a resume are the run's, from the later row of each."""
    steps = [1000, 2000, 3000, 4000, 3000, 4000, 5000, 6000]
    many = [*range(100, 20100, 100), *range(14000, 20100, 100)]
    uneven = [*range(100, 5000, 100), *range(3050, 9000, 100)]
    cases = {
        "two rows": (steps, len(set(steps))),
        "twice": ([*steps, *steps[-2:], 7000, 8000, 9000], 9),
        "many": (many, 200),
        "to no place before, in a long log": (uneven, len(set(uneven))),
    }
    for case, (places, different) in cases.items():
        losses = [6 - i / len(places) for i in range(len(places))]
        at = list(zip(places, losses, strict=True))
        forms = {
            "log.csv": "step,loss\n" + "".join(f"{s},{v:.4f}\n" for s, v in at),
            "tokens.csv": "step,tokens,loss\n" + "".join(f"{s},{s}e5,{v:.4f}\n" for s, v in at),
            "seen.csv": "tokens_seen,loss\n" + "".join(f"{s}e5,{v:.4f}\n" for s, v in at),
            "log.jsonl": "".join(f'{{"step": {s}, "loss": {v:.4f}}}\n' for s, v in at),
        }
        for name, text in forms.items():
            runs = read(text, name)
            again = len(places) - different
            assert runs.kept["loss"].tolist() == [float(f"{losses[-1]:.4f}")], (case, name)
            assert runs.history is not None, (case, name)
            assert len(runs.history) == different, (case, name)
            said = f"{again} rows repeat a place along their run"
            assert not again or any(said in note for note in runs.notes), (case, name)
    for few in ([100, 200, 300, 200, 300, 400, 500], [100, 500, 300, 700, 900, 1200]):
        with pytest.raises(MappingNeeded) as asked:
            read("step,loss\n" + "".join(f"{s},{5 - i / 10}\n" for i, s in enumerate(few)), "log.csv")
        assert [(q.key, q.guess) for q in asked.value.questions] == [("rows", "checkpoints")], few


def test_counters_that_begin_anew_go_on_where_the_loss_does(read: Read) -> None:
    first, on, again = (10.9, 3.9, 3.5), (3.5, 3.3, 3.1), (10.8, 3.8, 3.4)
    for begin in (0, 1):  # with and without a row at 0
        for counter, times in (("step", 1), ("tokens_seen", 524288)):
            for second, places, loss in ((on, 4, 3.1), (again, 2, 3.4)):
                rows = [
                    ("a", 124e6, 1000 * i * times, x)
                    for part in (first, second)
                    for i, x in enumerate(part)
                    if i >= begin
                ] + [("b", 350e6, 1000 * i * times, x) for i, x in ((0, 10.8), (1, 3.7), (4, 2.9)) if i >= begin]
                text = f"run,n_params,{counter},loss,batch_tokens\n" + "".join(
                    f"{r},{n:g},{s},{x},524288\n" for r, n, s, x in rows
                )
                runs = read(text)
                case = (begin, counter, second)
                assert runs.kept["loss"].tolist() == [loss, 2.9], case
                assert runs.kept["tokens"].tolist() == [places * 1000 * 524288, 4000 * 524288], case
                assert runs.kept["flops"].tolist() == pytest.approx(
                    (6 * runs.kept["params"] * runs.kept["tokens"]).tolist()
                ), case
                assert any("go" in n and "resume" in n for n in runs.notes) == (second == on), case


def test_a_loss_that_does_not_tell_is_said(read: Read) -> None:
    rows = [("a", s, x) for s, x in ((1, 4.0), (2, 3.0), (1, 3.5), (2, 2.9))] + [("b", 1, 4.0), ("b", 2, 3.2)]
    text = "run,n_params,step,loss,batch_tokens\n" + "".join(f"{r},1e8,{s}000,{x},524288\n" for r, s, x in rows)
    assert any("does not say whether training went on" in n for n in read(text).notes)
