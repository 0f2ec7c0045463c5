"""`isoflop compare`: the same numbers as from Python, a sentence without an output, exit codes to rely on."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from dashboard import cli
from data import read_runs
from fitting import compare_families


@pytest.fixture
def run() -> Any:
    def invoke(*args: object) -> Result:
        return CliRunner().invoke(cli.group, [str(arg) for arg in args], prog_name="isoflop")

    return invoke


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two families of twelve runs, one a tenth lower in what is above the floor."""
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e8, 1e10, 4), np.geomspace(1e9, 1e11, 3)))
    rng = np.random.default_rng(0)
    rows = []
    for name, times in (("old", 1.0), ("new\u202e", 0.9)):
        loss = (1.8 + times * (480 * n**-0.35 + 2000 * d**-0.365)) * np.exp(0.002 * rng.standard_normal(n.size))
        rows.append(pd.DataFrame({"params": n, "tokens": d, "loss": loss, "arch": name}))
    path = tmp_path_factory.mktemp("compare") / "runs.csv"
    pd.concat(rows).to_csv(path, index=False)
    return path


def test_it_gives_what_python_gives(run: Any, table: Path) -> None:
    done = run("compare", table, "--by", "arch", "--reference", "old", "--resamples", 50, "--seed", 2, "--json", "-")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    here = compare_families(read_runs(table), "arch", reference="old", resamples=50, seed=2)
    other = here.versus(here.others[0])
    assert body["versus"][0]["multiplier"]["value"] == pytest.approx(other.multiplier.value, rel=1e-12)
    assert body["versus"][0]["overall"]["low"] == pytest.approx(other.overall.low, rel=1e-12)
    assert {"tests", "families", "why", "warnings", "notes", "curves", "settings", "digest", "overlap"} <= set(body)


def test_in_words_and_as_csv(run: Any, table: Path, tmp_path: Path) -> None:
    done = run("compare", table, "--by", "arch", "--reference", "old", "--resamples", 50, "--target", "1e23")
    assert done.exit_code == 0, done.output
    assert "less compute than old" in done.stdout
    assert "At 1.0e23 FLOP" in done.stdout
    assert "\u202e" not in done.stdout, "a family's name turned the terminal's line around"
    out = tmp_path / "curve.csv"
    done = run("compare", table, "--by", "arch", "--resamples", 20, "--csv", out)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    assert {"family", "flops", "multiplier", "loss_low"} <= set(pd.read_csv(io.StringIO(out.read_text()), comment="#"))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "family could be it"),
        (("--by", "colour"), 2, "There is no column 'colour'"),
        (("--by", "arch", "--share", "all"), 2, "--share"),
        (("--by", "arch", "--delta", "-1"), 2, "delta is above 0"),
        (("--by", "arch", "--reference", "older"), 1, "no family 'older'"),
        (("--by", "arch", "--target", "1e60"), 1, "a million times the largest run"),
        (("--by", "arch", "--law", "kaplan-params"), 1, "does not say what a budget is best spent on"),
        (("--by", "run"), 1, "at least 7 runs in each family"),
    ],
)
def test_refusals(run: Any, table: Path, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = run("compare", table, "--resamples", 10, *arguments)
    assert done.exit_code == code, done.output
    # click wraps its own messages to the terminal's width, in a frame or not
    assert words.replace(" ", "") in "".join(done.output.split())
