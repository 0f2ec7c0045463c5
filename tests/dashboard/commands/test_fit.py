"""`isoflop fit` and `isoflop plan`: the same numbers as from Python, files that read back, exit codes to rely on."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from dashboard import cli
from dashboard.commands import plan as plan_command
from data import MappingNeeded, read_runs
from data.own_columns import read_columns
from fitting import FitError, all_laws, compare_laws, fit, load_fit, plan
from fitting.held_out import forecasts

PUBLISHED = Path(__file__).resolve().parents[3] / "data" / "published"
LADDER = PUBLISHED / "simulated_ladder.csv"
TWO_LOSSES = "name,N,D,c4_loss,pile_loss\na,1e6,1e9,3.1,3.2\nb,1e7,1e9,2.9,3.0\n"


@pytest.fixture
def run() -> Any:
    def invoke(*args: object) -> Result:
        return CliRunner().invoke(cli.group, [str(arg) for arg in args], prog_name="isoflop")

    return invoke


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("fit") / "fit.json"
    fit(read_runs(LADDER), "chinchilla", resamples=300).to_json(str(path))
    return path


def test_fit_gives_what_python_gives(run: Any, tmp_path: Path) -> None:
    done = run("fit", LADDER, "--law", "chinchilla", "--resamples", 200, "--seed", 3, "--delta", "0.01", "--json", "-")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    here = fit(read_runs(LADDER), "chinchilla", resamples=200, seed=3, delta=0.01)
    assert body["params"] == pytest.approx(here.params, rel=1e-12)
    assert body["intervals"]["alpha"]["low"] == pytest.approx(here.interval("alpha").low, rel=1e-12)
    assert {"objective", "status", "verdicts", "residuals", "draws", "ranges", "settings", "digest"} <= set(body)
    back = load_fit(done.stdout)
    assert np.array_equal(back.draws, here.draws)


def test_fit_weights_when_asked(run: Any, tmp_path: Path) -> None:
    table = tmp_path / "stated.csv"
    frame = read_runs(LADDER).kept[["run", "params", "tokens", "loss"]]
    errors = [0.002 * (1 + i % 7) for i in range(len(frame))]
    frame.assign(loss=[f"{x!r} ± {e:g}" for x, e in zip(frame["loss"], errors, strict=True)]).to_csv(table, index=False)
    given = ("fit", table, "--law", "chinchilla", "--resamples", 50, "--weights", "loss_error")
    done = run(*given, "--json", "-")
    assert done.exit_code == 0, done.output
    here = fit(read_runs(table), "chinchilla", resamples=50, weights="loss_error")
    assert json.loads(done.stdout)["params"] == pytest.approx(here.params, rel=1e-12)
    assert "Weights: each run counts by the error stated with its loss." in run(*given).stdout
    done = run("fit", LADDER, "--weights", "loss_error")
    assert done.exit_code == 1
    assert "states none" in done.stderr


def test_fit_calibrates_when_asked(run: Any, tmp_path: Path) -> None:
    table = tmp_path / "few.csv"
    table.write_text("\n".join(LADDER.read_text().splitlines()[:21]))
    done = run(
        "fit", table, "--law", "kaplan-tokens", "--resamples", 100, "--calibrate", "--json", tmp_path / "out.json"
    )
    assert done.exit_code == 0, done.output
    back = load_fit(tmp_path / "out.json")
    assert back.calibration is not None
    assert back.calibration.outer == 200
    assert "of 200 simulated tables" in back.settings.intervals_reason or "200" in back.settings.intervals_reason


def test_every_way_out_of_fit(run: Any, tmp_path: Path) -> None:
    out = {kind: tmp_path / f"out.{kind}" for kind in ("json", "latex", "python", "csv")}
    given = [arg for kind, path in out.items() for arg in (f"--{kind}", path)]
    names = list(read_runs(LADDER).kept["run"])
    done = run("fit", LADDER, "--resamples", 50, "--exclude", names[0], "--group", "group", *given)
    assert done.exit_code == 0, done.output
    assert done.stdout == ""
    back = load_fit(out["json"])
    assert back.settings.grouping == "group"
    assert back.settings.excluded == (names[0],)
    assert r"\begin{equation}" in out["latex"].read_text()
    module: dict[str, Any] = {}
    exec(compile(out["python"].read_text(), "law.py", "exec"), module)
    assert module["loss"](1e9, 2e10) == pytest.approx(back.predict(params=1e9, tokens=2e10).value, rel=1e-12)
    table = [line for line in out["csv"].read_text().splitlines() if not line.startswith("#")]
    assert len(table) == 1 + len(names)


def test_what_fit_writes_has_the_runs_held_out_beside_their_forecasts(run: Any, tmp_path: Path) -> None:
    whole = read_runs(LADDER)
    frame = whole.kept[["run", "params", "tokens", "loss"]][:25]
    named, marked = tmp_path / "plain.csv", tmp_path / "marked.csv"
    frame.to_csv(named, index=False)
    out = list(frame["run"][-2:])
    frame.assign(role=np.where(frame["run"].isin(out), "held out", "fitted")).to_csv(marked, index=False)
    for path, options in ((named, ("--hold-out", out[0], "--hold-out", out[1])), (marked, ())):
        to = tmp_path / "out.csv", tmp_path / "out.json"
        done = run("fit", path, "--law", "chinchilla", "--resamples", 50, *options, "--csv", to[0], "--json", to[1])
        assert done.exit_code == 0, done.output
        found, runs = load_fit(to[1]), read_runs(marked)
        apart = forecasts(found, runs)
        assert apart is not None
        rows = pd.read_csv(to[0], comment="#").set_index("run")
        assert len(rows) == 25, options
        assert list(rows.index[rows["role"] == "held out"]) == out, options
        held, fitted = rows.loc[out], rows.drop(out)
        assert not held["used"].any(), options
        assert fitted["used"].all(), options
        assert held["reason"].str.startswith("held out").all(), options
        assert fitted[["reason", "forecast", "forecast_low", "forecast_high"]].isna().all(axis=None), options
        for column, values in (
            ("forecast", apart.forecast.value), ("forecast_low", apart.forecast.low), ("forecast_high", apart.forecast.high),
            ("forecast_off", apart.off), ("residual", np.log(held["loss"] / held["predicted"])),
            ("predicted", found.predict(params=held["params"], tokens=held["tokens"]).value),
        ):  # fmt: skip
            assert np.allclose(held[column], values, rtol=1e-9), (options, column)
        said = json.loads(to[1].read_text())["held_out"]
        assert [row["run"] for row in said] == out, options
        assert [row["forecast"] for row in said] == pytest.approx(list(apart.forecast.value)), options
        again = read_runs(to[0])
        assert list(again.held_out["run"]) == out, options
        assert len(again.kept) == 25, options
    stripped = pd.read_csv(to[0], comment="#").drop(columns="role").to_csv(index=False)
    (tmp_path / "stripped.csv").write_text(stripped)
    assert len(read_runs(tmp_path / "stripped.csv").kept) == 23  # no row becomes fitted since a column is gone


def test_without_an_output_fit_says_it_in_a_table(run: Any) -> None:
    done = run("fit", LADDER, "--law", "chinchilla", "--resamples", 100)
    assert done.exit_code == 0
    for word in ("Chinchilla L(N, D), 60 runs", "alpha", "pass ", "Every check passes"):
        assert word in done.stdout


@pytest.mark.parametrize("key", list(all_laws()))
def test_every_law_by_its_key(run: Any, key: str) -> None:
    done = run("fit", LADDER, "--law", key, "--resamples", 20, "--json", "-")
    if lacks := ({"unique_tokens"} & set(all_laws()[key].inputs)) or set(all_laws()[key].own_columns):
        assert done.exit_code == 1
        assert any(re.search(f"no (?:column )?{column}", done.stderr) for column in lacks)
        return
    assert done.exit_code == 0
    assert json.loads(done.stdout)["law"] == key


def test_a_law_of_own_columns_is_fitted_as_in_python(run: Any, tmp_path: Path, dropped_in: tuple[str, ...]) -> None:
    table, out = tmp_path / "cov.csv", {way: tmp_path / f"fit.{way}" for way in ("json", "latex", "python", "csv")}
    k = np.geomspace(1, 10_000, 20)
    noise = 0.01 * np.random.default_rng(0).standard_normal(20)
    lines = [f"{int(x)},{np.exp(-2.1 * x**-0.3 + e):.9f},r{i}" for i, (x, e) in enumerate(zip(k, noise, strict=True))]
    table.write_text("\n".join(["samples,coverage,run", *lines]))
    done = run(
        "fit", table, "--law", "coverage", "--resamples", 50, "--hold-out", "r19",
        *(given for way, to in out.items() for given in (f"--{way}", to)),
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    back = load_fit(out["json"])
    here = fit(read_columns(table, ("samples", "coverage")).hold_out(["r19"]), "coverage", resamples=50)
    assert back.params == here.params
    assert back.settings.held_out == ("r19",)
    assert back.n == 19
    assert "c(k)" in out["latex"].read_text()
    assert "def coverage(samples" in out["python"].read_text()
    assert len(re.findall(r"^r\d", out["csv"].read_text(), re.MULTILINE)) == 20
    said = run("fit", table, "--law", "coverage", "--resamples", 50, "--hold-out", "r19")
    assert "1 held-out run lies" in said.stdout
    table.write_text(table.read_text().replace("samples", "tries", 1))
    asked = run("fit", table, "--law", "coverage")
    assert "Give --column samples=" in asked.stderr
    assert run("fit", table, "--law", "coverage", "--resamples", 50, "--column", "samples=tries").exit_code == 0
    table.write_text(table.read_text().replace("tries", "samples", 1))
    for wrong in (("--loss-unit", "bits"), ("--exclude", "nobody")):
        assert run("fit", table, "--law", "coverage", *wrong).exit_code == 2, wrong
    assert run("fit", table, "--law", "coverage", "--column", "coverage=loss").exit_code == 1
    assert run("fit", table, table, "--law", "coverage").exit_code == 1


def test_a_law_file_with_a_mistake_is_named_and_the_other_laws_are_fitted(run: Any, broken_law: Path) -> None:
    told = f"The law file {broken_law} could not be loaded: AttributeError, 'Param' object has no attribute 'no_such_thing'."
    done = run("fit", LADDER, "--law", "compute", "--resamples", 0)
    assert done.exit_code == 0, done.output
    assert done.stderr == f"Note: {told}\n"
    asked = run("fit", LADDER, "--law", "acc")
    assert asked.exit_code == 2
    assert told in " ".join(asked.stderr.split())
    with pytest.raises(FitError, match=r"no law called 'acc'.*could not be loaded"):
        fit(LADDER, "acc")


def test_where_no_loss_is_found_the_law_of_these_columns_is_named(
    run: Any, tmp_path: Path, dropped_in: tuple[str, ...]
) -> None:
    """Wherever a table of a law's own columns is read for a loss, the sentence says how to ask for that law."""
    told = 'run isoflop fit TABLE --law coverage in the terminal, or fit(TABLE, law="coverage") in Python'
    frame = pd.DataFrame({"Samples": [1, 10, 100], "coverage": [0.1, 0.3, 0.6]})
    frame.to_csv(tmp_path / "cov.csv", index=False)
    ways = {
        "fit": lambda: fit(frame),
        "compare_laws": lambda: compare_laws(frame),
        "read_runs": lambda: read_runs(tmp_path / "cov.csv"),
    }
    for way, ask in ways.items():
        with pytest.raises(MappingNeeded) as refused:
            ask()
        assert told in str(refused.value), way
        assert "error-rate" not in str(refused.value), way
    for given in (("fit", tmp_path / "cov.csv"), ("read", tmp_path / "cov.csv")):
        done = run(*given)
        assert done.exit_code == 1, given
        assert told in done.stderr, given
    with pytest.raises(MappingNeeded) as other:
        read_runs(frame.rename(columns={"Samples": "tries"}))
    assert "law" not in str(other.value)


def test_fit_refuses_with_the_sentence_and_one(run: Any, tmp_path: Path) -> None:
    few = tmp_path / "few.csv"
    few.write_text("run,params,tokens,loss\n" + "".join(f"r{i},{i}e6,{i}e8,{4 - i / 10}\n" for i in range(1, 5)))
    done = run("fit", few, "--law", "chinchilla", "--json", "-")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "needs at least 7 runs" in done.stderr
    asks = tmp_path / "two.csv"
    asks.write_text(TWO_LOSSES)
    done = run("fit", asks)
    assert done.exit_code == 1
    assert "c4_loss" in done.stderr
    assert "Traceback" not in done.output


def test_the_columns_can_be_said(run: Any, tmp_path: Path) -> None:
    table = read_runs(LADDER).kept[["run", "params", "tokens", "loss"]].assign(other_loss=1.0)
    path = tmp_path / "mine.csv"
    table.rename(columns={"tokens": "D in units of mine"}).assign(**{"D in units of mine": table["tokens"] / 1e9}).to_csv(
        path, index=False
    )  # fmt: skip
    done = run(
        "fit", path, "--resamples", 20, "--json", "-", "--column", "tokens=D in units of mine",
        "--column", "loss=loss", "--unit", "tokens=1e9",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    here = fit(read_runs(LADDER), resamples=20)
    assert json.loads(done.stdout)["params"]["alpha"] == pytest.approx(here.params["alpha"], rel=1e-6)


@pytest.mark.parametrize(
    "given",
    [
        ("--law", "nope"), ("--delta", "0"), ("--delta", "nan"), ("--delta", "much"), ("--resamples", "-1"),
        ("--exclude", "nobody"), ("--group", "nothing"), ("--column", "loss"), ("--unit", "tokens=many"),
        ("--json", "/no/such/folder/fit.json"),
    ],
)  # fmt: skip
def test_wrong_use_of_fit_is_two(run: Any, given: tuple[str, ...]) -> None:
    done = run("fit", LADDER, "--resamples", 10, *given)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_least_squares_by_name(run: Any) -> None:
    done = run("fit", LADDER, "--resamples", 10, "--delta", "inf", "--json", "-")
    assert load_fit(done.stdout).settings.delta == math.inf


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        (("--flops", "5.76e23"), {"flops": 5.76e23}),
        (("--flops", "5.76e23", "--params", "7e9"), {"flops": 5.76e23, "params": 7e9}),
        (("--devices", 256, "--hours", 240), {"devices": 256, "hours": 240}),
        (
            ("--devices", 8, "--hours", 24, "--peak", "312e12", "--utilisation", 0.5),
            {"devices": 8, "hours": 24, "peak": 312e12, "utilisation": 0.5},
        ),
        (("--money", "1e6", "--price", 2), {"money": 1e6, "price": 2}),
        (("--loss", 2.1), {"loss": 2.1}),
    ],
)  # fmt: skip
def test_plan_gives_what_python_gives(
    run: Any, saved: Path, given: tuple[object, ...], asked: dict[str, float]
) -> None:
    done = run("plan", saved, *given, "--json", "-")
    assert done.exit_code == 0, done.output
    body = json.loads(done.stdout)
    here = plan(load_fit(saved), **asked)
    for name in ("flops", "params", "tokens", "tokens_per_param", "loss", "loss_run"):
        band = getattr(here, name)
        assert body[name]["value"] == pytest.approx(band.value, rel=1e-12)
        assert body[name]["low"] == pytest.approx(band.low, rel=1e-12)
    assert body["beyond"] == pytest.approx(here.beyond)
    told = run("plan", saved, *given)
    assert told.exit_code == 0
    assert "parameters" in told.stdout


def test_a_new_runs_interval_that_is_the_laws_says_why(run: Any, saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def line() -> str:
        told = run("plan", saved, "--flops", "1e22").stdout
        return next(one for one in told.splitlines() if "loss of a new run" in one)

    assert "the same as" not in line()
    own = plan_command._table
    monkeypatch.setattr(
        plan_command, "_table", lambda found, *more: own(replace(found, loss_run=replace(found.loss)), *more)
    )
    assert line().endswith("nats per token, the same as the law's")


def test_plan_as_latex_and_csv(run: Any, saved: Path, tmp_path: Path) -> None:
    done = run("plan", saved, "--flops", "1e22", "--latex", tmp_path / "p.tex", "--csv", "-")
    assert done.exit_code == 0
    assert r"\begin{tabular}" in (tmp_path / "p.tex").read_text()
    assert "quantity,value,low,high" in done.stdout


@pytest.mark.parametrize(
    "given",
    [
        (), ("--flops", "1e22", "--loss", "2.1"), ("--money", "10"), ("--hours", "10"), ("--flops", "-1"),
        ("--flops", "a lot"), ("--flops", "1e22", "--utilisation", "1.5"),
    ],
)  # fmt: skip
def test_wrong_use_of_plan_is_two(run: Any, saved: Path, given: tuple[str, ...]) -> None:
    done = run("plan", saved, *given)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_plan_refuses_with_the_sentence_and_one(run: Any, saved: Path, tmp_path: Path) -> None:
    done = run("plan", saved, "--loss", "0.5", "--json", "-")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "No budget reaches a loss of 0.5" in done.stderr
    (tmp_path / "no.json").write_text('{"format": "other"}')
    assert run("plan", tmp_path / "no.json", "--flops", "1e22").exit_code == 1
    (tmp_path / "binary.json").write_bytes(bytes(range(256)))
    done = run("plan", tmp_path / "binary.json", "--flops", "1e22")
    assert done.exit_code == 1, done.output
    assert "Traceback" not in done.output


def test_a_name_cannot_speak_to_the_terminal(run: Any, tmp_path: Path) -> None:
    table = read_runs(LADDER).kept[["run", "params", "tokens", "loss"]].copy()
    table.loc[3, "run"], table.loc[3, "loss"] = "\x1b[31mred\x07", table["loss"][3] * 1.3
    table.to_csv(tmp_path / "t.csv", index=False)
    done = run("fit", tmp_path / "t.csv", "--resamples", 20)
    assert done.exit_code == 0
    assert "red" in done.stdout
    assert "\x1b" not in done.stdout
    assert "\x07" not in done.stdout


def test_plan_says_batch_rate_and_steps(run: Any, saved: Path) -> None:
    """By the papers asked for, or none of it; text that runs short is said."""
    told = run("plan", saved, "--flops", "1e22")
    assert "learning rate" in told.output
    assert "critical batch" in told.output
    body = json.loads(
        run("plan", saved, "--flops", "1e22", "--rule", "porian", "--critical", "none", "--json", "-").output
    )
    assert body["sources"]["optimal batch"] == "Porian et al. 2024"
    assert "critical" not in body
    assert body["batch"]["value"] == pytest.approx(0.7576 * body["params"]["value"] ** 0.703)
    assert "batch" not in json.loads(run("plan", saved, "--flops", "1e22", "--rule", "none", "--json", "-").output)
    short = run("plan", saved, "--flops", "1e22", "--unique-tokens", "1e9")
    assert "Limited to 4 epochs" in short.output


def test_plan_for_a_loss_gives_time_and_money_with_intervals(run: Any, saved: Path) -> None:
    given = ("plan", saved, "--loss", 2.1, "--devices", 512, "--price", 2)
    body = json.loads(run(*given, "--json", "-").stdout)
    flops = body["flops"]
    for name, per in (("money", 2.0), ("device_hours", 1.0), ("hours", 1 / 512)):
        ends = body[f"{name}_interval"]
        assert body[name] / per == pytest.approx(flops["value"] / (989e12 * 0.4 * 3600))
        assert ends["low"] / body[name] == pytest.approx(flops["low"] / flops["value"])
        assert ends["high"] / body[name] == pytest.approx(flops["high"] / flops["value"])
    told = {line.split("  ")[1].strip(): line for line in run(*given).stdout.splitlines() if line.startswith("  ")}
    for name in ("time", "device-hours", "money"):
        assert "–" in told[name]
    latex = run(*given, "--latex", "-").stdout
    assert all("to $" in line for line in latex.splitlines() if line.strip().startswith(("time &", "cost &")))
    rows = {line.split(",")[0]: line.split(",") for line in run(*given, "--csv", "-").stdout.splitlines()}
    assert float(rows["money"][2]) < float(rows["money"][1]) < float(rows["money"][3])
    assert "money_interval" not in json.loads(run("plan", saved, "--flops", "1e22", "--price", 2, "--json", "-").stdout)
