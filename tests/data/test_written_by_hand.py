"""Curves and results as people write them down: numbers with marks, two tables of the same runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from data import MappingNeeded, Runs

Read = Callable[..., Runs]

_STEPS = (0, 500, 1000, 2000, 3000, 4000, 6000, 8000, 9000)
_LOSSES = (12.37, 5.46, 4.38, 3.9, 3.5, 3.2, 2.9, 2.7, 2.63)


def _log(header: str, cells: list[str]) -> str:
    """A curve of 2.1 million tokens a step, with a column of text beside it."""
    rows = [f"{s},{s * 2.1e6:g},{c},{x}\n" for s, c, x in zip(_STEPS, cells, _LOSSES, strict=False)]
    return f"step,tokens,{header},val loss\n" + "".join(rows)


def test_numbers_with_a_mark_name_no_runs(read: Read) -> None:
    ratios = ["0", "0.6x", "1.2x", "2.5x", "3.7x", "4.9x", "7.4x", "9.9x", "11.1x"]
    marked: list[list[str]] = [
        ratios,
        *([r.replace("x", m) for r in ratios] for m in ("×", "%", " h", " min", " tok/s")),
    ]
    marked += [
        ["-", *ratios[1:]],
        [*ratios[:5], "4.9", *ratios[6:]],
        ["0", "30 s", "10 min", *(f"{i} h" for i in range(6))],
    ]
    for header in ("D/N ratio", "speedup", "elapsed", "col"):
        for cells in marked:
            for n in (4, len(cells)):
                runs = read(_log(header, cells[:n]))
                assert len(runs.kept) == 1, (header, cells[:n])
                assert runs.kept["loss"].item() == _LOSSES[n - 1], (header, cells[:n])
                assert runs.kept["tokens"].item() == pytest.approx(_STEPS[n - 1] * 2.1e6), (header, cells[:n])


def test_names_that_begin_with_numbers_still_tell_runs_apart(read: Read) -> None:
    for header, cells in (("optimizer", "adam sgd lion"), ("variant", "v1 base 2x"), ("recipe", "2a 2b base")):
        assert len(read(_log(header, ["x", *cells.split()])).kept) >= 3, header


def test_results_beside_settings_of_the_same_runs_are_joined_by_name(read: Read) -> None:
    settings = "| Run | Layers | LR | Batch | Iterations |\n|---|---|---|---|---|\n| A1 | 6 | 1e-3 | 8 | 6k |\n| A2 | 8 | 5e-4 | 4 | 12k |\n"
    results = "| Run | Val Loss | Time (hrs) |\n|---|---|---|\n| A2 | 1.4043 | 1h 10min |\n| A1 | 1.4788 | 31min |\n"
    for text in (
        f"#### Settings\n{settings}\n#### Results\n{results}",
        f"#### Results\n{results}\n#### Settings\n{settings}",
    ):
        runs = read(text, "r.md", rows="runs")
        by_name = runs.kept.set_index("run")
        assert by_name["loss"].to_dict() == {"A1": 1.4788, "A2": 1.4043}, text
        assert by_name["steps"].to_dict() == {"A1": 6000, "A2": 12000}, text
    other = results.replace("A1", "B1")
    with pytest.raises(MappingNeeded):  # not the same runs
        read(f"#### Settings\n{settings}\n#### Results\n{other}", "r.md")
