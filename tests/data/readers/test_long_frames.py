"""A long table's columns that are different beside every quantity number its rows, and tell no runs apart."""

from __future__ import annotations

from collections.abc import Callable

from data import Runs

Read = Callable[..., Runs]


def long(first: str, number: str, run: str) -> str:
    """Three quantities of two runs at three steps, each row behind a number of its own."""
    rows = []
    for name, size, loss in (("gpt-25M", 25e6, 3.8), ("gpt-50M", 50e6, 3.6)):
        rows += [(100 * i, "val/loss", loss - i / 10, name) for i in (1, 2, 3)]
        rows += [(100 * i, "train/tokens", size * i, name) for i in (1, 2, 3)]
        rows += [(100 * i, "params", size, name) for i in (1, 2, 3)]
    lines = (f"{number.format(i=i, j=i + 7 * (i > 4))}{s},{t},{v:g},{r}" for i, (s, t, v, r) in enumerate(rows))
    return "\n".join([f"{first}step,tag,value,{run}", *lines])


def test_the_number_of_a_row_tells_no_runs_apart(read: Read) -> None:
    numbered = [(",", "{i},"), ("Unnamed: 0,", "{i},"), ("index,", "{j},"), ("event_id,", "e{i},"), ("", "")]
    for run in ("dir_name", "run", "log"):
        for first, number in numbered:
            runs = read(long(first, number, run))
            found = runs.kept[["params", "tokens", "loss"]].round(6).to_numpy().tolist()
            assert found == [[25e6, 75e6, 3.5], [50e6, 150e6, 3.3]], (run, first, number)
            assert runs.kept["run"].str.endswith(("gpt-25M", "gpt-50M")).all(), (run, first, number)
            assert len(runs.history) == 6, (run, first, number)  # type: ignore[arg-type]
