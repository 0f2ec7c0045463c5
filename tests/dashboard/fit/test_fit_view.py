"""The Fit page, opened without a browser: every law on bundled runs, its settings, its refusals, what it gives away."""

from __future__ import annotations

import math
from dataclasses import replace
from html import unescape
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import downloads, numbers
from dashboard.charts import forest, residuals
from dashboard.fit import repeat_code
from dashboard.fit import tabs as fit_tabs
from dashboard.fit import words as fit_words
from dashboard.fit.settings import DEFAULTS, FitSettings, read_settings
from dashboard.symbols import symbol
from dashboard.workspace import store as workspace
from data.library import bundled, load
from data.sources.upload import Upload
from fitting import FitError, all_laws, fit, load_fit

APP = Path(__file__).resolve().parents[3] / "dashboard" / "app.py"
QUICK = {"resamples": 500}
FEW = b"run,params,tokens,loss\na,1e6,1e8,3.1\nb,2e6,1e8,3.0\nc,3e6,3e8,2.7\nd,4e6,1e9,2.5\n"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens the Fit page on a set of runs with these fit settings: the page and its workspace."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(source="bundled:probe-isoflop", upload=None, query=None, **settings):
        space = workspace.new()
        if upload:
            source = workspace.keep(space, *upload).source
        values = {"source": source} | ({f"fit:{source}": settings} if settings else {})
        workspace.change(space, "settings", values)
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.query_params["w"] = space.id
        for name, value in (query or {}).items():
            at.query_params[name] = value
        at.switch_page("views/fit.py")
        return at.run(), space

    return open_page


def html(at) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def opened(at, tab):
    """The page with this tab open."""
    at.session_state["tab"] = tab
    at.run()
    assert not at.exception
    return at


def kept(space, source="bundled:probe-isoflop"):
    return workspace.values(space).get(f"fit:{source}")


def one(query, name):
    value = query.get(name)
    return value[0] if isinstance(value, list) else value


# A broken power is slow where no break is; its form along tokens stands for those along size and compute.
# A law of own columns is not on the page.
LAWS = [k for k, law in all_laws().items() if k not in ("broken-params", "broken-compute") and not law.own_columns]
# The families are two tables of the ladder's kind, for the Compare page.
SETS = [e.key for e in bundled() if e.key != "simulated-families"]
# Each law on two sets in turn, so that each set has several laws, and the one law that a ladder of batches carries on that.
PAIRS = [(SETS[(n - i) % len(SETS)], law) for i, law in enumerate(LAWS) for n in (0, 1)]
PAIRS.append(("probe-batch-ladder", "kaplan-tokens"))


@pytest.mark.parametrize(("name", "key"), PAIRS)
def test_every_law_and_every_bundled_set(page, fit_once, name, key):
    at, _ = page(f"bundled:{name}", law=key, **QUICK)
    assert not at.exception
    said = html(at)
    assert "Something went wrong" not in said
    refused = ""
    try:
        f = fit_once(load(name), key, resamples=500)
    except FitError as error:
        refused = str(error)
    if refused:
        assert refused in unescape(said)
        return
    assert fit_words.answer(f) in said
    assert all(v.title in said for v in f.verdicts)
    assert len(at.get("plotly_chart")) == 1
    assert len(at.get("download_button")) == 5
    opened(at, "Constants")
    assert at.latex[0].value.strip("$\n ") == f.law.latex
    assert len(at.get("plotly_chart")) == 1 + len(forest.drawn(f))
    for pub in f.law.published:
        assert pub.paper in html(at)
    opened(at, "Residuals")
    assert len(at.get("plotly_chart")) == 1 + len(residuals.inputs(load(name), f))


def test_a_tab_draws_when_it_is_open_and_costs_nothing_else(page, monkeypatch):
    drawn = []
    for file in fit_tabs.TABS.values():
        module = import_module(f"dashboard.fit.tabs.{file}")
        monkeypatch.setattr(module, "panel", lambda fit, runs, file=file: drawn.append(file))
    at, _ = page(**QUICK)
    assert [t.label for t in at.tabs] == list(fit_tabs.TABS)
    for tab in fit_tabs.TABS:
        at.session_state["tab"] = tab
        at.run()
    assert drawn == [next(iter(fit_tabs.TABS.values())), *fit_tabs.TABS.values()]
    at.selectbox(key="fit_delta").select(1e-2).run()
    assert drawn[-1] == list(fit_tabs.TABS.values())[-1]


def test_the_address_opens_a_tab_and_a_stale_one_opens_the_first(page):
    at, _ = page(query={"tab": "Residuals"}, **QUICK)
    assert "a trend shows what the fit misses" in html(at)
    assert "Diagnostics" not in html(at)
    at, _ = page(query={"tab": "<b>Nothing"}, **QUICK)
    assert not at.exception
    assert "Diagnostics" in html(at)


def test_a_law_of_more_than_size_and_data_opens_every_tab(page):
    """Repeated data: no one curve along compute, so the runs alone; nothing else may assume size and data either."""
    rng = np.random.default_rng(3)
    n, d = (a.ravel() for a in np.meshgrid(np.geomspace(1e7, 1e9, 6), np.geomspace(1e9, 1e11, 5)))
    unique = d / rng.choice([1, 4, 40], n.size)
    law = all_laws()["data-constrained"]
    loss = law({"params": n, "tokens": d, "unique_tokens": unique}, law.published[0].values)
    rows = [
        "run,params,tokens,unique_tokens,loss",
        *(f"r{i},{n[i]},{d[i]},{unique[i]},{loss[i]}" for i in range(n.size)),
    ]
    at, _ = page(upload=("repeats.csv", "\n".join(rows).encode()), **QUICK)
    at.selectbox(key="fit_law").select("data-constrained").run()
    assert not at.exception
    assert "Something went wrong" not in html(at)
    for tab in fit_tabs.TABS:
        opened(at, tab)
        assert "Something went wrong" not in html(at), tab


def test_an_open_tab_is_still_open_after_another_page(page):
    at, _ = page(**QUICK)
    opened(at, "Constants")
    at.switch_page("views/runs.py").run()
    at.switch_page("views/fit.py").run()
    assert "The constants" in html(at)


def test_the_sentence_follows_the_fit():
    f = fit(load("simulated-ladder"), "chinchilla")
    said = fit_words.answer(f)
    assert said == (
        "Loss falls as <em>N<sup>−0.35</sup></em> and <em>D<sup>−0.36</sup></em> to a floor of <em>1.82</em>. "
        "All 13 checks pass."
    )
    assert "exponent of N 0.32–0.38" in fit_words.under(f)
    kaplan = fit(load("cerebras-gpt"), "kaplan-params", resamples=100)
    assert fit_words.answer(kaplan).startswith("Loss falls as <em>N<sup>−0.104</sup></em>. ")
    unseen = fit(load("cerebras-gpt"), "compute-floor", resamples=100)
    assert "with no floor identified by these runs. But" in fit_words.answer(unseen)
    assert fit_words.exponents(all_laws()["kaplan"]) == {"alpha_N": "params", "alpha_D": "tokens"}
    assert fit_words.exponents(all_laws()["compute-floor"]) == {"gamma": "flops"}


def test_what_is_not_identified_has_no_number_in_the_sentence():
    """A second term that these runs do not show: neither its exponent nor an interval of it stands anywhere."""
    tokens, params = (x.ravel() for x in np.meshgrid(np.geomspace(1e9, 2e11, 4), np.geomspace(1e7, 1e10, 6)))
    loss = (1.82 + 2085 * tokens**-0.366) * np.exp(0.004 * np.random.default_rng(1).standard_normal(24))
    f = fit(pd.DataFrame({"params": params, "tokens": tokens, "loss": loss}), "chinchilla", resamples=100)
    assert {"A", "alpha"} == set(f.unidentified)
    assert "<sup>" in fit_words.answer(f)
    assert "<em>N" not in fit_words.answer(f)
    assert "; these runs do not identify the exponent of N. " in fit_words.answer(f)
    assert "exponent of N not identified" in fit_words.under(f)
    assert fit_words.said(f, "A")[1] == "not identified"
    hovers = [str(text) for trace in forest.figure(f, "alpha").data for text in trace.text or ()]
    assert any("(not identified)" in text for text in hovers)


def test_one_known_end_is_said_in_words():
    x = np.geomspace(1e8, 1e11, 25)
    loss = (1.7 + 410 * x**-0.28) * np.exp(0.004 * np.random.default_rng(0).standard_normal(25))
    frame = pd.DataFrame({"run": [f"r{i}" for i in range(25)], "tokens": x, "loss": loss})
    f = fit(frame, "broken-tokens", resamples=100)
    assert fit_words.said(f, "c0")[1] == f"at most {numbers.ratio(f.interval('c0').high)}"
    assert f"exponent of D at most {numbers.ratio(f.interval('c0').high)}" in fit_words.under(f)


def test_symbols_are_read_from_the_declaration():
    names = {p.name: symbol(p) for law in all_laws().values() for p in law.params}
    assert names["alpha"] == "<i>α</i>"
    assert names["alpha_N"] == "<i>α</i><sub>N</sub>"
    assert names["N_c"] == "<i>N</i><sub>c</sub>"
    assert names["E"] == "<i>E</i>"


def test_a_setting_is_kept_at_once_shared_and_undone(page):
    at, space = page()
    at.selectbox(key="fit_delta").select(1e-2).run()
    assert not at.exception
    assert kept(space) == {"delta": 0.01}
    assert one(at.query_params, "delta") == "0.01"
    assert "Huber 0.01" in html(at)
    at.selectbox(key="fit_law").select("compute").run()
    assert kept(space) == {"delta": 0.01, "law": "compute"}
    assert "<em>C<sup>" in html(at)
    at.selectbox(key="fit_group").select("params").run()
    at.number_input(key="fit_seed").set_value(7).run()
    at.selectbox(key="fit_resamples").select(1000).run()
    assert kept(space) == {"delta": 0.01, "law": "compute", "group": "params", "seed": 7, "resamples": 1000}
    assert "1,000 refits" in html(at)
    assert "by params" in html(at)
    for _ in range(4):
        at.button(key="undo").click().run()
    assert not at.exception
    assert kept(space) == {"delta": 0.01}
    assert at.selectbox(key="fit_law").value == "auto"
    assert at.selectbox(key="fit_group").value == ""
    assert at.number_input(key="fit_seed").value == 0
    assert "law" not in at.query_params
    at.button(key="undo").click().run()
    assert kept(space) is None
    assert at.selectbox(key="fit_delta").value == "auto"


def test_settings_survive_another_page_and_another_session(page):
    at, space = page(law="kaplan", delta=0.01, **QUICK)
    at.switch_page("views/runs.py").run()
    at.switch_page("views/fit.py").run()
    assert at.selectbox(key="fit_law").value == "kaplan"
    fresh = AppTest.from_file(str(APP), default_timeout=60)
    fresh.query_params["w"] = space.id
    fresh.switch_page("views/fit.py")
    fresh.run()
    assert fresh.selectbox(key="fit_law").value == "kaplan"
    assert fresh.selectbox(key="fit_delta").value == 0.01


def test_the_address_brings_settings_and_nonsense_in_it_does_nothing(page):
    at, space = page(query={"law": "kaplan-tokens", "delta": "inf", "resamples": "500"})
    assert at.selectbox(key="fit_law").value == "kaplan-tokens"
    assert kept(space) == {"law": "kaplan-tokens", "delta": "inf", "resamples": 500}
    at, space = page(query={"law": "<b>", "delta": "-1", "resamples": "1e99", "seed": "x", "group": "no such column"})
    assert not at.exception
    assert "Loss falls as" in html(at)
    assert at.selectbox(key="fit_group").value == ""
    assert at.selectbox(key="fit_law").value == "auto"


def test_least_squares_is_a_delta(page):
    at, space = page(**QUICK)
    at.selectbox(key="fit_delta").select(math.inf).run()
    assert not at.exception
    assert "least squares" in html(at)
    assert kept(space)["delta"] == "inf"


def test_a_refusal_says_why_and_offers_what_can_be_done(page):
    at, _ = page(upload=("few.csv", FEW), law="chinchilla")
    assert not at.exception
    assert "needs at least 7 runs; this table has 4" in html(at)
    assert len(at.get("plotly_chart")) == 1
    assert at.selectbox(key="fit_law").value == "chinchilla"
    ways = [b.label for b in at.button if b.label.startswith("Try ")]
    assert ways == ["Try Kaplan L(N)", "Try Kaplan L(D)"]
    next(b for b in at.button if b.label == ways[0]).click().run()
    assert not at.exception
    assert "4 runs fitted" in html(at)


def test_a_law_whose_columns_are_missing_is_shown_with_the_reason(page):
    table = b"run,params,loss\n" + b"".join(f"r{i},{10**i}000,{4 - i / 3:.3f}\n".encode() for i in range(1, 8))
    at, _ = page(upload=("sizes.csv", table), **QUICK)
    assert not at.exception
    law = at.selectbox(key="fit_law")
    assert "Chinchilla L(N, D) (the table has no tokens)" in law.options
    assert law.options[0] == "Recommended: Kaplan L(N)"
    law.select("chinchilla").run()
    assert not at.exception
    assert "needs the columns params, tokens, loss; this table has no tokens" in html(at)


def test_a_stranger_s_names_are_text(page):
    rows = ["run,params,tokens,loss"]
    for i in range(30):
        n, d = 10 ** (6 + i % 6), 10 ** (8 + i // 6)
        odd = 1.4 if i == 17 else 1 + 0.001 * ((7 * i) % 5)
        rows.append(f'"<img src=x onerror=alert({i})> **b** $x$",{n},{d},{(1.7 + 90 / n**0.3 + 90 / d**0.3) * odd:.5f}')
    at, _ = page(upload=("<i>my</i> **runs**.csv", "\n".join(rows).encode()), **QUICK)
    assert not at.exception
    assert "<img" not in html(at)
    assert "&lt;img src=x onerror=alert(17)&gt;" in html(at)
    assert not any("<img" in m.value for m in at.markdown)


def test_excluded_runs_are_left_out_and_said(page):
    at, space = page(**QUICK)
    workspace.change(space, "exclude", {"excluded:bundled:probe-isoflop": ["w16-d2-3.391M-b8-lr0.016-s0-4d2f"]})
    at.run()
    assert "55 runs fitted" in html(at)
    assert "<dt>Excluded by you</dt><dd>w16-d2-3.391M-b8-lr0.016-s0-4d2f</dd>" in html(at)
    assert "exclude=['w16-d2-3.391M-b8-lr0.016-s0-4d2f']" in at.code[0].value


def test_the_lines_shown_make_the_same_fit_again(page):
    at, _ = page("bundled:simulated-ladder", law="kaplan", group="group", delta=0.01, resamples=500, seed=2)
    lines: dict = {}
    exec(at.code[0].value, lines)
    expected = fit(load("simulated-ladder"), "kaplan", group="group", delta=0.01, resamples=500, seed=2)
    assert lines["f"].params == expected.params
    assert lines["f"].interval("alpha_N") == expected.interval("alpha_N")


def test_an_upload_is_read_again_by_its_name():
    mine = Upload("0" * 64, 'it\'s "mine".csv')
    f = fit(load("probe-isoflop"), resamples=20)
    text = repeat_code.python(f, mine, {"count": "params_total"}, {})
    assert f"read_runs({mine.title!r}, count='params_total')" in text
    compile(text, "again.py", "exec")


def test_weights_are_among_the_lines():
    mine = Upload("0" * 64, "mine.csv")
    runs = load("probe-isoflop")
    runs = replace(runs, kept=runs.kept.assign(loss_error=0.01))
    f = fit(runs, "chinchilla", weights="loss_error", resamples=20)
    assert "weights='loss_error'" in repeat_code.python(f, mine, {}, {"weights": "loss_error"})
    assert "weights" not in repeat_code.python(fit(runs, "chinchilla", resamples=20), mine, {}, {"weights": None})


def test_what_is_taken_away_says_the_same():
    runs = load("probe-isoflop")
    f = fit(runs, resamples=100)
    files = {file.label: file for file in downloads.of_fit(f, runs, fit_words.file_stem(f))}
    assert {file.name for file in files.values()} == {
        f"probe-isoflop-sweep-a-language-of-known-chinchilla{end}"
        for end in (".tex", ".py", ".json", "-runs.csv", "-parameters.csv")
    }
    module: dict = {}
    exec(files["Python"].make(), module)
    assert module["loss"](1e6, 1e8) == pytest.approx(f.predict(params=1e6, tokens=1e8).value, rel=1e-12)
    assert load_fit(files["JSON"].make()).params == f.params
    assert "residual" in files["Runs with residuals"].make()
    assert "alpha" in files["Parameters"].make()
    assert f"{f.params['alpha']!r}" in files["LaTeX"].make()


def test_file_names_hold_no_surprises():
    f = fit(load("probe-isoflop"), resamples=0)
    for name, stem in {
        "../../etc/passwd": "etc-passwd", "runs.csv": "runs", "<b>x</b>.csv": "b-x-b", "   ": "runs", "日本": "runs",
    }.items():  # fmt: skip
        object.__setattr__(f, "table", name)
        assert fit_words.file_stem(f) == f"{stem}-chinchilla"


def test_settings_are_read_from_anything():
    assert read_settings({}) == read_settings(None) == read_settings([1]) == DEFAULTS
    asked = FitSettings(law="kaplan", delta=math.inf, resamples=1000, group="seed", seed=5)
    assert read_settings(asked.written()) == asked
    assert read_settings({k: str(v) for k, v in asked.written().items()}) == asked
    bad = {"law": ["kaplan"], "delta": "nan", "resamples": -5, "group": 3, "seed": 1e400}
    assert read_settings(bad) == DEFAULTS
    assert DEFAULTS.written() == {}


def test_what_if_shows_the_decision_at_the_plan_s_budget(page):
    at, _ = page("bundled:simulated-ladder", **QUICK)
    opened(at, "What if")
    assert not at.exception
    assert "The best size depends most on" in html(at)
    assert len(at.get("plotly_chart")) == 4
    assert "Profile of the floor" in html(at)
    assert "profile interval of E is" in html(at)
    at, _ = page("bundled:simulated-ladder", law="kaplan-params", **QUICK)
    opened(at, "What if")
    assert not at.exception
    assert "cannot split a budget" in html(at)


def test_laws_are_compared_and_put_beside_the_papers(page):
    at, _ = page("bundled:simulated-ladder", law="chinchilla", **QUICK)
    opened(at, "Laws")
    assert not at.exception
    said = html(at)
    assert "forecasts the largest runs best" in said
    assert "Chinchilla L(N, D) (fitted)" in said
    assert "constants of Hoffmann et al. 2022" in said
    at, _ = page("bundled:cerebras-gpt", **QUICK)
    opened(at, "Laws")
    assert not at.exception
    assert "takes ten runs with known compute" in html(at)
