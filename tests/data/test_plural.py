"""Numbers with their nouns and verbs in what is said of a file: one row is no 'rows'."""

from __future__ import annotations

import re
from collections.abc import Callable

from data import NothingKept, Runs
from data.plural import agreeing, out_of, plural

_CURVE = "step,tokens,params,val_loss\n" + "".join(f"{k}00,{k}00000000,1e8,{4 - k / 10:.1f}\n" for k in range(1, 8))

#: Tables with one thing to be said of, and the words that say it.
ONE = (
    ("run,params,tokens,loss\na,1e8,1e9,3.4\n,2e8,2e9,3.2\nc,4e8,4e9,3.0\n", "1 row has no name"),
    ("run,params,tokens,flops,loss\na,1e8,1e9,6.1e17,3.4\nb,2e8,2e9,,3.2\nc,4e8,4e9,9.7e18,3.0\n", "1 row has no FLOPs"),
    (_CURVE + "700,700000000,1e8,3.2\n", "1 row repeats a place along its run"),
    (_CURVE.replace("300000000,", ","), "1 row takes its tokens"),
    (_CURVE.replace("\n700,", "\nlast,").replace("700000000,", ","), "1 checkpoint cannot be used and is no part of its curve"),
    ("step,val_loss\n100,3.4\n200,3.2\n", "(1 earlier row is its history)"),
    ("title\nrun,params,tokens,loss\na,1e8,1e9,3.4\nb,2e8,2e9,3.2\n", "1 line before them was left out"),
)  # fmt: skip


def test_one_is_singular_and_any_other_is_not() -> None:
    assert [plural(n, "run") for n in (0, 1, 2, 1234)] == ["0 runs", "1 run", "2 runs", "1,234 runs"]
    assert [agreeing(n, "row says", "rows say") for n in (0, 1, 2000)] == ["0 rows say", "1 row says", "2,000 rows say"]


def test_a_part_of_one_takes_the_verb_of_one() -> None:
    said = [out_of(n, of, "run", "is", "are") for n, of in ((0, 1), (1, 8), (0, 8), (3, 1200))]
    assert said == ["0 of 1 run is", "1 of 8 runs is", "0 of 8 runs are", "3 of 1,200 runs are"]


def test_notes_on_one_thing_are_singular(read: Callable[..., Runs]) -> None:
    for text, words in ONE:
        try:
            said = read(text).notes
        except NothingKept as e:
            said = (str(e),)
        assert any(words in note for note in said), (words, said)
        odd = [
            n
            for n in said
            if re.search(r"(?<![0-9,.])1 (?:\w+ )?(?:rows|runs|cells|columns|checkpoints|lines|values)\b", n)
        ]
        assert not odd, (words, odd)
