"""Groups on arrays are those of a frame's own groupby, in tables of a few rows and of many."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.rows.groups import FEW, blank, different, each, kinds, numbered, only, repeats, sizes, steps, vary


def test_groups_are_those_of_a_groupby():
    rng = np.random.default_rng(7)
    for n in (1, 2, 8, FEW, FEW + 1, 3 * FEW):
        for _ in range(3):
            number = pd.Series(rng.choice([0.0, -0.0, 1.5, np.inf, np.nan], n))
            text = pd.Series(rng.choice(["", "a", "b"], n), dtype="str")
            loose = pd.Series(rng.choice(np.array(["a", 1.0, None, np.nan], dtype=object), n), dtype=object)
            frame = pd.DataFrame({"number": number, "text": text, "loose": loose})
            for by in (["number"], ["text"], ["loose"], ["number", "text"], ["text", "number", "loose"]):
                case = f"{n} rows by {by}"
                want = frame.groupby(by, dropna=False, sort=False).ngroup().to_numpy()
                got = numbered(*(frame[c] for c in by))
                first = list(dict.fromkeys(got.tolist()))
                assert first == list(range(len(first))), case
                assert set(zip(got, want, strict=True)) == set(enumerate(dict.fromkeys(want.tolist()))), case
                own = pd.Series(got)
                assert sizes(got).tolist() == own.groupby(own).size().tolist(), case
                assert repeats(pd.Series(got)) == own.duplicated().any(), case
                assert [at.tolist() for at in each(got)] == [list(at) for at in own.groupby(own).groups.values()], case
                change = number.where(np.isfinite(number), 2.0)
                want = change.groupby(got).diff().to_numpy()
                assert np.array_equal(steps(got, change.to_numpy()), want, equal_nan=True), case
                for values in (number, text, loose):
                    assert kinds(got, values).tolist() == values.groupby(got).nunique().tolist(), case
                    assert vary(got, values) == (values.groupby(got).nunique() > 1).any(), case
                    assert different(values) == values.nunique(), case
            assert blank(text).tolist() == (text == "").tolist()
            assert only(frame, blank(text)).equals(frame[text == ""])


def test_what_is_not_there_is_one_group_however_it_is_written():
    nothing = [None, np.nan, pd.NA, pd.NaT]
    for many in (3, FEW + 1):
        for one in nothing:
            for cells in ([one] * many, [one, "a"] * many, ["a", one, 1] * many):
                values, case = np.array(cells, dtype=object), f"{one!r} in {len(cells)} cells"
                of = len(set(map(str, cells)))
                for column in (values, pd.Series(values)):
                    groups = numbered(column)
                    assert groups.tolist() == [i % of for i in range(len(cells))], case
                    assert numbered(column, np.zeros(len(cells))).tolist() == groups.tolist(), case
                    assert different(column) == of - 1, case
                    assert repeats(column), case
                    together = np.zeros(len(cells), dtype=np.int64)
                    assert kinds(together, column).tolist() == [of - 1], case
                    assert vary(together, column) == (of > 2), case
    assert numbered(np.array(nothing, dtype=object)).tolist() == [0] * 4
