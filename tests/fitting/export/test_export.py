"""What is taken away says the same as the page: JSON, LaTeX, Python and CSV of one fit, whatever the runs are called."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fitting import all_laws, fit, load_fit, plan
from fitting.accounting import Accounting
from fitting.batch import from_paper, whole_run
from fitting.export import plan_to_csv, plan_to_json, plan_to_latex, residuals_to_csv, summary_to_csv
from fitting.export.latex import number
from fitting.law import LOSS
from fitting.planning.on_devices import OnDevices
from fitting.solver.parametrization import coordinates
from tests.fitting.laws.plausible import plausible

LAWS = list(all_laws())
HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "<script>alert(1)</script>",
    "quote \" and '''triple''' and \"\"\"",
    "line\nbreak % x\n\\input{/etc/passwd}",
    "\r\n% E = 99.0",
    "$x$ %E #_&~^{}",
    "\\end{tabular}\\write18{id}",
    "NaN",
    "\u2028E = 5",
    "\x00null\x1b[31m",
    "{0.__class__}",
    "__import__('os').system('id')",
]
# Inputs at which the exports must agree: inside the runs and far beyond.
PROBES = {"params": [1e8, 3.3e9, 7e12], "tokens": [2e9, 1.4e12, 3e13], "flops": [1.2e19, 5.76e23, 1e28]}
PROBES["unique_tokens"] = [1e9, 1.1e11, 9e13]
PROBES |= {k: [110.0, 2e3, 9e5] for law in all_laws().values() for k in law.inputs if k not in PROBES}


def middling(law, x) -> dict[str, float]:
    """Constants for a law whose paper gives none: every term matters in the middle of the inputs."""
    if law.output != LOSS:
        return dict(zip(law.names, map(float, plausible(law, x, np.random.default_rng(3))[0]), strict=True))
    where = coordinates(law, x, np.array([3.0]))
    at = [1.7 if p.is_floor else 0.0 if i in law.places else np.log(0.3) for i, p in enumerate(law.params)]
    return dict(zip(law.names, map(float, where.natural(np.array(at))), strict=True))


@pytest.fixture(scope="module")
def fits(make_runs, scattered):
    """One noisy fit of every law, from a table whose names and columns are out to do harm."""
    out = {}
    for key, law in all_laws().items():
        x = {k: np.sort(v) for k, v in scattered(law, "small", n=51, seed=1).items()}
        values = law.published[0].values if law.published else middling(law, x)
        rng = np.random.default_rng(2)
        noise = 0.002 * rng.standard_normal(51) * (not law.frontier)
        loss = np.clip(law(x, values) * np.exp(noise), *law.output.bounds)
        names = [f"{HOSTILE[i % len(HOSTILE)]}#{i}" for i in range(51)]
        runs = make_runs(name="half \ud800 " + HOSTILE[7] + HOSTILE[6], run=names, **x, **{law.output.column: loss})
        out[key] = (fit(runs, law=key, exclude=[names[0], names[7]], resamples=60), runs)
    return out


@pytest.fixture(params=LAWS)
def one(request, fits):
    return fits[request.param]


def wanted(f) -> list[float]:
    return [float(v) for v in f.predict(**{k: PROBES[k] for k in f.law.inputs}).value]


def test_json_gives_the_same_fit(one, tmp_path):
    f, _ = one
    path = tmp_path / "fit.json"
    text = f.to_json(str(path))
    assert path.read_text("utf-8") == text
    for back in (load_fit(text), load_fit(path), load_fit(str(path))):
        assert np.array_equal(back.values, f.values)
        assert np.array_equal(back.draws, f.draws)
        assert np.array_equal(back.residuals, f.residuals)
        assert back.objective == f.objective
        assert back.settings == f.settings
        assert back.verdicts == f.verdicts
        assert back.status == f.status
        assert back.ranges == dict(f.ranges)
        assert back.accounting == f.accounting
        assert (back.law_key, back.digest, back.runs, back.table) == (f.law_key, f.digest, f.runs, f.table)
        assert wanted(back) == wanted(f)
        inputs = {k: PROBES[k][1] for k in f.law.inputs}
        assert tuple(back.predict(**inputs, of="run")) == tuple(f.predict(**inputs, of="run"))
        assert back.to_json() == text
    assert pickle.loads(pickle.dumps(f)).to_json() == text
    assert "excluded" in json.loads(text)["settings"]


def test_plan_of_a_reloaded_fit_is_the_same(fits):
    f = fits["chinchilla"][0]
    assert plan_to_json(f, plan(f, flops=1e22)) == plan_to_json(f, plan(load_fit(f.to_json()), flops=1e22))


def test_latex_holds_the_constants_in_full(one):
    """Constants are read from the `% name = value` lines; no stranger's text stands on a line of its own."""
    f, _ = one
    text = f.to_latex()
    constants = {}
    for line in text.split("\n"):
        if (m := re.fullmatch(r"% (\w+) = (\S+)", line)) and m[1] in f.law.names:
            assert m[1] not in constants
            constants[m[1]] = float(m[2])
    assert constants == f.params
    got = f.law({k: np.array(PROBES[k]) for k in f.law.inputs}, constants)
    assert np.allclose(got, wanted(f), rtol=1e-9, atol=0)
    for line in re.split(r"[\n\r\u2028\x85\x0b\x0c]", text):
        assert not re.search(r"write18|input\{|script", line) or line.startswith("% "), line
    assert text.isascii()


def test_latex_table_is_balanced(one):
    f, _ = one
    body = [line for line in f.to_latex().split("\n") if not line.startswith("%")]
    assert sum(line.count("{") - line.count("}") for line in body) == 0
    assert sum(line.count("$") for line in body) % 2 == 0
    assert sum(line.endswith(r"\\") for line in body) == f.law.p + 1
    for p in f.law.params:
        assert p.name in f.params
    left = f.law.latex.split("=")[0].strip()
    formula = next(line for line in body if line.lstrip().startswith((left, rf"\begin{{aligned}} {left}")))
    right = formula.split("=", 1)[1]
    assert not any(p.latex in right for p in f.law.params if p.latex.startswith("\\"))
    assert re.search(r"\d", right)


def test_latex_compiles_in_matplotlibs_eyes():
    """Rounded numbers read back as what they stand for."""
    for x, step, shown in (
        (1.8172, 0.01, "1.82"),
        (482.01, 10.0, "482"),
        (0.34781, 0.001, "0.348"),
        (6.4e13, 1e12, r"6.4 \times 10^{13}"),
        (0.0, 1.0, "0"),
        (-0.5, 0.1, "-0.5"),
        (1.234e-7, 1e-9, r"1.23 \times 10^{-7}"),
        (float("inf"), 1.0, r"\infty"),
        (float("nan"), 1.0, r"\mathrm{n/a}"),
        (0.9999, 0.01, "1.00"),
        (99999.7, 1.0, "100000"),
    ):
        assert number(x, step) == shown, x


def test_python_runs_alone(one, tmp_path):
    """In a new interpreter, in an empty folder, without any package: same loss, same best split."""
    f, _ = one
    source = f.to_python()
    assert ("RATIO_" in source) == ("def flops(" in source), "constants of a count of FLOPs that nothing uses"
    path = tmp_path / "law.py"
    path.write_text(source, encoding="utf-8", errors="surrogatepass")
    calls = list(zip(*(PROBES[k] for k in f.law.inputs), strict=True))
    tail = f"""
import json
out = {{"loss": [{f.law.output.column}(*x) for x in {calls!r}], "origin": ORIGIN, "intervals": INTERVALS_95}}
if {set(f.law.inputs) == {"params", "tokens"}!r}:
    out["best"] = best(1e22)
print(json.dumps(out))
"""
    script = tmp_path / "run.py"
    script.write_text(source + tail, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-W", "error", str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "numpy" not in source
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    out = json.loads(done.stdout)
    assert np.allclose(out["loss"], wanted(f), rtol=1e-9, atol=0)
    assert out["origin"]["digest"] == f.digest
    assert out["origin"]["settings"]["seed"] == f.settings.seed
    assert out["origin"]["settings"]["excluded"] == list(f.settings.excluded)
    assert out["intervals"].keys() == f.params.keys()
    if "best" in out:
        p = plan(f, flops=1e22)
        assert np.allclose(out["best"], [p.params.value, p.tokens.value, p.loss.value], rtol=1e-6)
        assert out["best"][2] == pytest.approx(p.loss.value, rel=1e-9)


def test_python_spends_flops_as_the_table_does(fit_of, tmp_path):
    """With a FLOP count of its own the exported planner agrees with ours."""
    count = Accounting(offset=0.3, slope=-0.08, centre=20.0)
    f = fit_of("chinchilla", accounting=count, E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
    scope: dict = {}
    exec(f.to_python(), scope)
    p = plan(f, flops=1e23)
    n, d, loss = scope["best"](1e23)
    assert (n, d) == pytest.approx((p.params.value, p.tokens.value), rel=1e-6)
    assert loss == pytest.approx(p.loss.value, rel=1e-9)
    assert scope["flops"](n, d) == pytest.approx(1e23, rel=1e-9)


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO("\n".join(x for x in text.split("\n") if not x.startswith("# ")))))


def test_csv_is_defused_and_numbers_stay_numbers(one):
    f, runs = one
    text = residuals_to_csv(f, runs.exclude(f.settings.excluded))
    rows = pd.read_csv(io.StringIO(text), comment=None, skiprows=sum(x.startswith("# ") for x in text.split("\n")))
    assert len(rows) == 51
    assert rows["used"].sum() == f.n
    output = f.law.output.column
    for column in (*f.law.inputs, output, "residual", "predicted"):
        assert pd.api.types.is_float_dtype(rows[column]), column
    used = rows[rows["used"]]
    fitted = dict(zip(f.runs, f.residuals, strict=True))
    assert np.allclose(np.sort(used["residual"]), np.sort(list(fitted.values())), rtol=1e-12)
    assert np.allclose(used["predicted"], used[output] * np.exp(-used["residual"]))
    expected = f.law({k: used[k].to_numpy() for k in f.law.inputs}, f.params)
    assert np.allclose(used["predicted"], expected, rtol=1e-10)
    for row in cells(text):
        for cell in row:
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
                float(cell)  # only a number may start so


@pytest.mark.parametrize(
    "write", [summary_to_csv, lambda f: plan_to_csv(f, plan(f, flops=1e22))], ids=["summary", "plan"]
)
def test_other_tables_are_defused_too(fits, write):
    f, _ = fits["chinchilla"]
    for row in cells(write(f)):
        assert len(row) >= 4
        for cell in row:
            if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
                float(cell)


def test_negative_text_numbers_in_headers_and_cells():
    from fitting.export.csv_text import defused

    table = pd.DataFrame(
        {
            "=1+1": [-1.5, 2.0],
            "name": ["-1.5", "plain"],
            "mixed": [-3, "=x"],
            "text": pd.array(["@a", None], dtype="string"),
        }
    )
    out = defused(table)
    assert list(out.columns) == ["'=1+1", "name", "mixed", "text"]
    assert list(out["'=1+1"]) == [-1.5, 2.0]
    assert list(out["name"]) == ["'-1.5", "plain"]
    assert list(out["mixed"]) == [-3, "'=x"]
    assert out["text"].iloc[0] == "'@a"
    assert next(iter(table.columns)) == "=1+1", "the caller's table is left alone"


def test_every_export_says_how_to_repeat_it(one):
    f, runs = one
    for text in (f.to_json(), f.to_latex(), f.to_python(), residuals_to_csv(f, runs), summary_to_csv(f)):
        assert f.digest in text
        assert "delta" in text
        assert "seed" in text
        assert "excluded" in text


def test_plan_exports(fits):
    f, _ = fits["chinchilla"]
    p = plan(f, money=1e6, price=2.0, devices=256)
    body = json.loads(plan_to_json(f, p))
    assert body["params"]["value"] == p.params.value
    assert body["money"] == pytest.approx(1e6)
    assert body["hours"] * 256 == pytest.approx(body["device_hours"])
    text = plan_to_latex(f, p, None, OnDevices(p.flops.value, p.hardware, True, "H100"))
    assert re.search(r"  cost & \$\\\$[\d.]+( \\times 10\^\{\d+\})?\$ & ", text)
    assert "% money = 100000" in text or "% money = 99999" in text
    assert f"% params = {p.params.value!r}" in text
    table = {row[0]: row[1:] for row in cells(plan_to_csv(f, p))[1:]}
    assert float(table["params"][0]) == p.params.value
    assert float(table["loss"][1]) == p.loss.low


def test_plan_of_a_law_of_compute_exports(fits):
    f, _ = fits["compute-floor"]
    p = plan(f, flops=1e23)
    assert json.loads(plan_to_json(f, p))["params"] is None
    assert "loss" in plan_to_latex(f, p)
    assert "params" not in {row[0] for row in cells(plan_to_csv(f, p))}


def test_a_fit_without_resamples_exports(make_runs, noisy):
    """No intervals: null in JSON, n/a in LaTeX, None in Python."""
    f = fit(noisy, "chinchilla", resamples=0)
    back = load_fit(f.to_json())
    assert back.draws.shape == (0, 5)
    assert math.isnan(back.interval("alpha").low)
    assert "n/a" in f.to_latex()
    scope: dict = {}
    exec(f.to_python(), scope)
    assert scope["INTERVALS_95"]["alpha"] == [None, None]


def test_infinite_delta_survives(noisy):
    f = fit(noisy, "chinchilla", resamples=20, delta=float("inf"))
    assert load_fit(f.to_json()).settings.delta == float("inf")
    exec(f.to_python(), {})


def test_paths_may_be_paths(noisy, tmp_path: Path):
    f = fit(noisy, "chinchilla", resamples=5)
    f.to_json(tmp_path / "with space ü.json")
    assert np.array_equal(load_fit(tmp_path / "with space ü.json").values, f.values)


def test_what_goes_with_a_plan_is_taken_away_with_it(fits):
    """Batch, rate, steps and critical batch with their bands and sources, in each format."""
    f, _ = fits["chinchilla"]
    p = plan(f, flops=1e22)
    whole = whole_run(p, from_paper("steplaw_batch"), from_paper("steplaw_lr"), from_paper("kaplan_critical"))
    body = json.loads(plan_to_json(f, p, whole))
    assert body["batch"]["value"] == whole.batch.value
    assert body["lr"]["high"] == whole.lr.high
    assert body["sources"] == {
        "optimal batch": "Li et al. 2025 (Step Law)", "learning rate": "Li et al. 2025 (Step Law)", "critical batch": "Kaplan et al. 2020",
    }  # fmt: skip
    assert any("Laws used outside" in note for note in body["notes"])
    text = plan_to_latex(f, p, whole)
    assert f"% critical = {whole.critical.value!r}" in text
    assert "% learning rate: Li et al. 2025 (Step Law)" in text
    table = {row[0]: row[1:] for row in cells(plan_to_csv(f, p, whole))[1:]}
    assert float(table["steps"][0]) == whole.steps.value
    assert "split" not in body
