"""Every CSV there is, split line by line as spreadsheets split them: no cell of it is run, and no row is lost."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from data import read_runs
from data.cells.spreadsheet import as_meant
from fitting import compare_families, fit, plan
from fitting.batch import critical_batch, fit_trajectory, from_paper, noise_scale, rate_laws, whole_run
from fitting.batch.trajectory import KAPLAN
from fitting.export import critical_batch as batch_export
from fitting.export import noise_scale as noise_export
from fitting.export import plan_to_csv, residuals_to_csv, summary_to_csv
from fitting.export import rate_laws as rates_export
from fitting.export import trajectory as trajectory_export
from fitting.export.csv_text import comments, csv_text

TABLE = "a,=1+1,b.csv"
RUN = "x,=cmd|' /C calc'!A0,y"
NAMES = (
    RUN, "=1+1", "a;=1+1;b", "-2+3", "@SUM(A1)", "+1", "#1", "run #7", 'say "=1"', "'=1", "\uff1d1", "a, b", "| =1", "plain", "=#,;",
)  # fmt: skip


def runs():
    """Runs of a known law whose names, groups, families and columns are out to do harm; one row is set aside."""
    rng = np.random.default_rng(0)
    count = 2 * len(NAMES)
    size, data = np.exp(rng.uniform(16, 21, count)), np.exp(rng.uniform(20, 25, count))
    frame = pd.DataFrame(
        {
            "run": [f"{name}{k}" if k else name for k in range(2) for name in NAMES],
            "group": [NAMES[i % 3] for i in range(count)],
            "family": [("=A#,1", "@B;=2")[i % 2] for i in range(count)],
            "params": size,
            "tokens": data,
            "loss": (1.8 + 480 / size**0.35 + 2085 / data**0.37) * np.exp(0.003 * rng.standard_normal(count)),
            "=note,#": [NAMES[-1 - i % len(NAMES)] for i in range(count)],
            "shift": rng.standard_normal(count),
        }
    )
    frame.loc[3, "loss"] = np.nan
    return read_runs(frame, name=TABLE)


@pytest.fixture(scope="module")
def written() -> dict[str, str]:
    """The text of every CSV export, by name."""
    table = runs()
    one = fit(table, "chinchilla", exclude=[RUN, "#1"], resamples=30)
    target = plan(one, flops=1e21)
    rng = np.random.default_rng(1)
    batches = 2.0 ** np.arange(6, 15)
    sweep = {
        name: critical_batch(batches, 1000 * (1 + 900 / batches) * np.exp(0.05 * rng.standard_normal(9)), resamples=30)
        for name in NAMES
    }
    steps = [300.0 * 2**i for i in range(8)]
    curves = [
        {"run": f"{NAMES[k]}{n:g}", "params": n, "batch": b, "step": s, "loss": v}
        for n in (3e6, 3e7)
        for k, b in enumerate((1e5, 4e5, 1.6e6, 6.4e6))
        for s, v in zip(steps, KAPLAN.curve(n, b, steps).value, strict=True)
    ]
    grid = [
        {"params": n, "tokens": d, "lr": 1e-3 * 2.0**i, "batch": 1e5 * 2.0**j, "loss": 3 - n / 1e10 - d / 1e12 + 0.01 * (i * i + j * j)}
        for n in (1e8, 3e8, 1e9) for d in (1e9, 1e10, 1e11) for i in range(-2, 3) for j in range(-2, 3)
    ]  # fmt: skip
    small, big = (1 + 3 / b + 0.1 * rng.standard_normal(200) for b in (4, 32))
    return {
        "runs": residuals_to_csv(one, table),
        "parameters": summary_to_csv(one),
        "plan": plan_to_csv(one, target, whole_run(target, from_paper("steplaw_batch"), from_paper("steplaw_lr"))),
        "families": compare_families(table, "family", resamples=30).to_csv(),
        "batch": batch_export.to_csv(sweep, "tokens", 256, 0.2),
        "whole run": trajectory_export.to_csv(fit_trajectory(pd.DataFrame(curves), after=0, resamples=10)),
        "rates": rates_export.to_csv(rate_laws(pd.DataFrame(grid), resamples=30)),
        "noise": noise_export.to_csv(noise_scale(small, big, 4, 32, np.arange(1.0, 201.0))),
    }


EXPORTS = ("runs", "parameters", "plan", "families", "batch", "whole run", "rates", "noise")


def is_run(cell: str) -> bool:
    """Whether a spreadsheet would take the cell for a formula: it begins like one and is no number."""
    if not cell.strip().startswith(("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")) and cell[:1] not in (
        "\t",
        "\r",
        "\n",
    ):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False


def test_each_export_is_there(written):
    assert tuple(written) == EXPORTS


@pytest.mark.parametrize("export", EXPORTS)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_of_any_line_is_run(written, export, separator):
    text = written[export]
    assert text.endswith("\n")
    for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=separator == ","):
        assert [cell for cell in row if is_run(cell)] == []


@pytest.mark.parametrize("export", EXPORTS)
def test_a_comment_is_one_cell(written, export):
    lines = [line for line in written[export].splitlines() if line.startswith("#")]
    for line in lines:
        for separator in ",;\t|":
            assert next(csv.reader([line], delimiter=separator)) == [line]
    if export in ("runs", "parameters", "plan", "families"):
        said = dict(line[2:].split(": ", 1) for line in lines)
        assert json.loads(said["table"]) == TABLE


@pytest.mark.parametrize("export", EXPORTS)
def test_who_skips_comments_loses_nothing(written, export):
    text = written[export]
    rows = [r for r in csv.reader(io.StringIO(text, newline="")) if r and not r[0].startswith("# ")]
    whole = pd.read_csv(io.StringIO(text), comment="#", keep_default_na=False)
    assert [list(whole.columns), *whole.astype(str).to_numpy().tolist()][0] == rows[0]
    assert len(whole) == len(rows) - 1
    by_line = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(list(csv.reader(by_line))) == len(rows)
    assert len({len(row) for row in rows}) == 1


def test_runs_come_back_as_they_were(written, tmp_path):
    (tmp_path / "out.csv").write_text(written["runs"], encoding="utf-8")
    before, back = runs(), read_runs(tmp_path / "out.csv")
    assert back.digest == before.digest
    assert set(back.set_aside["run"]) == set(before.set_aside["run"])
    for column in ("run", "group", "family", "=note,#"):
        assert list(back.kept[column]) == list(before.kept[column]), column
    assert np.array_equal(back.kept["shift"], before.kept["shift"])


def test_names_are_in_the_export_once_read_as_meant(written):
    table = pd.read_csv(io.StringIO(written["batch"]), comment="#", keep_default_na=False)
    assert [as_meant(name) for name in table["group"]] == list(NAMES)


def test_numbers_stay_numbers_and_nothing_is_nothing():
    table = pd.DataFrame(
        {
            "a": [-1.5, np.nan, np.inf],
            "b": [1, 2, 3],
            "c": [True, False, True],
            "d": ["x", None, "-1"],
            "e": [np.float64(-2.0), -3, "=x"],
            "f": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    assert csv_text(table).splitlines() == [
        "a,b,c,d,e,f",
        "-1.5,1,True,x,-2.0,1",
        ",2,False,,-3,",
        "inf,3,True,'-1,'=x,3",
    ]
    plain = table[["a", "b", "c", "f"]]
    assert csv_text(plain) == plain.to_csv(index=False, lineterminator="\n")


def test_comments_say_nested_values_on_lines_of_their_own():
    about = {"a": {"b": 0.5, "c,d": ["x,y", 1], "e": []}, "f": [{"g": "h;i|j"}], "k": "=1\n+2"}
    assert list(comments(about)) == [
        "# a.b: 0.5",
        '# a.c\\u002cd: "x\\u002cy" 1',
        "# a.e: []",
        '# f.0.g: "h\\u003bi\\u007cj"',
        '# k: "=1\\n+2"',
    ]
