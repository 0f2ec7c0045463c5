"""Runs that a table says are held out: kept, told apart, and left to no fit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from data import DataError, load, read_runs

NAMES = [f"r{i}" for i in range(12)]
LAST = NAMES[-2:]


def table(header: str, fitted: object, held: object, **more: object) -> pd.DataFrame:
    """12 runs, the last two of which stand under `held` in the column `header`."""
    rows = [
        {"run": n, "params": (i % 4 + 1) * 1e7, "tokens": (i // 4 + 1) * 1e9, "loss": 3.7 - i / 17, header: held if n in LAST else fitted}
        for i, n in enumerate(NAMES)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**more)


def test_a_column_that_says_it_plainly_holds_runs_out() -> None:
    plain = [
        ("role", "fitted", "held out"), ("Role", "", "held-out"), ("fit_role", "fit", "Holdout"), ("role", "train", "held out"),
        ("split", "fit", "holdout"), ("fit split", "fitted", "withheld"), ("set", "fitting", "held_out"),
        ("held_out", False, True), ("is held out", "no", "yes"), ("holdout", "", "x"),
        ("role", "train", "test"), ("role", "Training", "validation"), ("role", "fitted", "val"), ("fit role", "used", "eval"),
        ("role", "fit", "held-out runs"), ("Role", "the fit set", "Held out for testing"), ("role", "isoflop", "held out"),
        ("role", "in-sample", "out-of-sample"), ("role", "fit", "extrapolation"), ("role", "train", "out"),
    ]  # fmt: skip
    for header, fitted, held in plain:
        runs = read_runs(table(header, fitted, held))
        case = f"{header}: {fitted}, {held}"
        assert list(runs.held_out["run"]) == LAST, case
        assert list(runs.fitted.kept["run"]) == NAMES[:-2], case
        assert "role" not in runs.fitted.kept, case
        assert not len(runs.set_aside), case
        assert header not in runs.extras, case
        assert set(runs.kept["role"]) == {"fitted", "held out"}, case


def test_other_words_hold_nothing_out() -> None:
    """A split of losses, other roles, and words that leave it open stay what they were."""
    other = [
        ("role", "teacher", "student"), ("split", "train", "test"), ("split", "train", "held-out"), ("set", "a", "held out"),
        ("use", "fitting", "withheld"), ("role", "held out", "held out"), ("held out", 0.31, 0.32),
    ]  # fmt: skip
    for header, fitted, held in other:
        runs = read_runs(table(header, fitted, held))
        assert not len(runs.held_out), f"{header}: {fitted}, {held}"
        assert len(runs) == 12
        assert runs.fitted is runs
        if {"held out", "held-out"} & {fitted, held}:  # what could have been meant is said, and how to say it
            assert any(repr(header) in note for note in runs.notes), runs.notes
            assert fitted == held or any("Write 'held out' in the rows meant" in n for n in runs.notes), runs.notes


def test_other_words_beside_held_out_are_of_runs_fitted() -> None:
    """Designs named under role, and two runs held out among them: which words were not known is said."""
    designs = [*["isoflop"] * 6, *["ladder"] * 4, "held-out", "heldout"]
    runs = read_runs(table("role", "", "").assign(role=designs))
    assert list(runs.held_out["run"]) == LAST
    assert sum("'isoflop'" in n and "held out" in n and "all others fitted" in n for n in runs.notes) == 1
    unsure = read_runs(table("role", "", "").assign(role=[*designs[:-3], "test", *designs[-2:]]))
    assert not len(unsure.held_out)
    assert any("Write 'held out'" in n for n in unsure.notes)


def test_words_that_hold_nothing_out_are_said() -> None:
    """Fitted beside a word that may mean held out: which, and how to say so. Roles of another kind need no word."""
    named = "columns={'role': 'role'}"
    said = [
        ("role", "foo", "bar", "Write 'held out'"), ("role", "", "foo", "Write 'held out'"), ("role", "foo", "foo", "Write 'held out'"),
        ("role", "fitted", "excluded", "Write 'held out'"), ("role", "in fit", "later", "Write 'held out'"),
        ("role", "", "test", named), ("role", "train", "foo", "Write 'held out'"), ("role", "test", "foo", "Write 'held out'"),
        ("role", "test", "test", "Write 'held out'"),
        ("split", "fitted", "validation", "columns={'role': 'split'}"), ("set", "used for fitting", "other", "Write 'held out'"),
    ]  # fmt: skip
    for header, fitted, held, how in said:
        frame = table(header, fitted, held)
        runs = read_runs(frame)
        case = f"{header}: {fitted}, {held}: {runs.notes}"
        assert not len(runs.held_out), case
        notes = [n for n in runs.notes if repr(header) in n and repr(held) in n and how in n]
        assert len(notes) == 1, case
        assert not fitted or repr(fitted) in notes[0], case
        if how.startswith("columns"):  # what is said to do does it
            assert list(read_runs(frame, columns={"role": header}).held_out["run"]) == LAST, case
    many = table("role", "fitted", "x").assign(role=["fitted", *(f"{c}{'q' * 90}" for c in "abcdefghijk")])
    (note,) = (n for n in read_runs(many).notes if "'role'" in n)
    assert "and 8 more" in note
    assert len(note) < 400
    for header, one, other in [("role", "worker", "master"), ("role", "teacher", "student"), ("role", "teacher", "test"),
                               ("node role", "fitted", "test"), ("role", "fitted", "fitted"), ("role", "train", ""),
                               ("split", "val", "val"), ("set", "", "test")]:  # fmt: skip
        runs = read_runs(table(header, one, other))
        assert not any(repr(header) in note for note in runs.notes), (header, one, other, runs.notes)


def test_a_person_names_the_column() -> None:
    frame = table("phase of work", "train", "test")
    runs = read_runs(frame, columns={"role": "phase of work"})
    assert list(runs.held_out["run"]) == LAST
    with pytest.raises(DataError, match="says 'draft'"):
        read_runs(table("phase of work", "draft", "test"), columns={"role": "phase of work"})


def test_runs_are_held_out_and_fitted_again_by_name() -> None:
    runs = load("simulated-ladder")
    names = list(runs.kept["run"][:3])
    held = runs.hold_out(names)
    assert list(held.held_out["run"]) == names
    assert held.fitted.digest == runs.exclude(names).digest
    assert held.hold_out(names, held=False).digest == runs.digest
    assert list(held.hold_out(names[0], held=False).held_out["run"]) == names[1:]
    assert "(3 held out)" in repr(held)
    assert list(held.exclude(names[:1]).held_out["run"]) == names[1:]
    with pytest.raises(DataError, match="no kept run is called nobody"):
        runs.hold_out(["nobody"])


def test_runs_are_held_out_by_a_mask_over_the_kept_runs() -> None:
    runs = load("simulated-ladder")
    names, n = list(runs.kept["run"][-3:]), len(runs)
    mask = [i >= n - 3 for i in range(n)]
    turned = pd.Series(mask, index=range(n)).sample(frac=1, random_state=0)  # by its index, in whatever order
    for form in (mask, tuple(mask), np.array(mask), pd.Series(mask), turned, pd.Series(mask, dtype="boolean")):
        held = runs.hold_out(form)
        assert list(held.held_out["run"]) == names, type(form)
        assert held.hold_out(form, held=False).digest == runs.digest, type(form)
        assert runs.exclude(form).digest == runs.exclude(names).digest, type(form)
    assert not len(runs.hold_out(np.zeros(n, dtype=bool)).held_out)
    for wrong in (mask[1:], [*mask[1:], None], [*mask[1:], names[0]], pd.Series([*mask[1:], None], dtype="boolean")):
        with pytest.raises(DataError, match=f"for the {n} runs kept"):
            runs.hold_out(wrong)


def test_a_copy_of_a_fitted_run_is_a_copy_whatever_its_role() -> None:
    frame = table("role", "fitted", "held out")
    frame.loc[11, ["params", "tokens", "loss"]] = frame.loc[0, ["params", "tokens", "loss"]] = [1e7, 1e9, 3.712349]
    runs = read_runs(frame)
    assert list(runs.held_out["run"]) == ["r10"]
    assert runs.reasons == {"identical copy of another row": 1}


def test_the_checkpoints_of_a_run_held_out_go_with_it() -> None:
    curve = pd.concat(
        [table("role", "fitted", "held out").assign(step=s, loss=lambda f, s=s: f["loss"] + 1 / s) for s in (1, 2, 3)]
    )
    runs = read_runs(curve)
    assert list(runs.held_out["run"]) == LAST
    assert runs.fitted.history is not None
    assert set(runs.fitted.history["run"]) == set(NAMES[:-2])


def test_as_many_tests_as_trainings_may_be_two_losses_of_a_run() -> None:
    """Fewer than half of the rows are held out under test; as many leave it open, and it is said how to say so."""
    frame = table("role", "train", "test").assign(role=["train", "test"] * 6)
    runs = read_runs(frame)
    assert not len(runs.held_out)
    assert any("columns={'role': 'role'}" in note for note in runs.notes)
    assert len(read_runs(frame, columns={"role": "role"}).held_out) == 6
