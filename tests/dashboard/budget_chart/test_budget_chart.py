"""What the chart is handed is checked in sentences, and its modules hold together as one."""

from __future__ import annotations

import json
import math
import re
import tomllib
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from dashboard import budget_chart as package
from dashboard.budget_chart import PayloadError, bundle, committed_budget, declared
from dashboard.budget_chart.payload import PARTS, clean

FOLDER = Path(package.__file__).parent
REPOSITORY = Path(__file__).resolve().parents[3]


def payload(**changes):
    """A small payload that is right, with parts of it changed; `panel` changes parts of its one panel."""
    grid = np.linspace(18, 26, 9)
    value = 10 ** (0.5 * grid)
    panel = {
        "key": "params",
        "label": "Parameters",
        "scale": "log",
        "format": "count",
        "value": value,
        "low": value / 2,
        "high": value * 2,
        **changes.pop("panel", {}),
    }
    return {"grid": grid, "budget": 23.76, "largest": 22.1, "sentence": "Train {params}.", "panels": [panel], **changes}


def test_numpy_goes_in_and_plain_json_comes_out():
    out = clean(payload())
    assert json.loads(json.dumps(out, allow_nan=False)) == out
    assert out["budget_unit"] == {"label": "FLOP", "per_flop": 1.0, "format": "flop"}
    assert out["panels"][0]["points"] is None


def test_what_is_not_finite_becomes_null():
    value = np.array([1, np.nan, np.inf, 4, 5, 6, 7, 8, 9.0])
    out = clean(payload(panel={"value": value, "low": None, "high": None}, largest=math.nan))
    assert out["panels"][0]["value"][:4] == [1.0, None, None, 4.0]
    assert out["panels"][0]["low"] == [None] * 9
    assert out["largest"] is None


def test_a_budget_off_the_grid_is_brought_to_its_end():
    assert clean(payload(budget=40))["budget"] == 26.0
    assert clean(payload(budget=1))["budget"] == 18.0


def test_a_note_is_an_extra_without_numbers():
    out = clean(payload(panel={"extras": [{"label": "as published", "value": None}]}))
    assert out["panels"][0]["extras"][0]["value"] is None


def points(**changes):
    return {"x": [19.0, 20.0], "y": [1.0, 2.0], "name": ["a", "b"], **changes}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"grid": [18.0]}, "two or more increasing"),
        ({"grid": [18.0, 18.0]}, "two or more increasing"),
        ({"grid": [18.0, math.nan]}, "two or more increasing"),
        ({"budget": None}, "budget is a number; None came"),
        ({"budget": math.inf}, "budget is a finite number"),
        ({"panels": []}, "one or more panels"),
        ({"panels": "loss"}, "panels is a list; str came"),
        ({"panels": [payload()["panels"][0]] * 2}, "keys of their own"),
        ({"level": 95}, "between 0 and 1; 95"),
        ({"sentence": "Train {parameters}."}, "may name .*params.range; parameters|; parameters came"),
        ({"takes": [{"label": "x", "per_flop": 0, "format": "money"}]}, "above zero; 0"),
        ({"budget_unit": {"label": "FLOP", "per_flop": 1, "format": "bytes"}}, "one of count, flop.*'bytes' came"),
        ({"panel": {"key": "Params 1"}}, "lower-case word"),
        ({"panel": {"key": "budget"}}, "other than budget"),
        ({"panel": {"scale": "log10"}}, "scale of panel params is linear or log"),
        ({"panel": {"format": None}}, "format of panel params is one of"),
        ({"panel": {"weight": -1}}, "weight of panel params"),
        ({"panel": {"value": [1.0]}}, "value of panel params needs 9 numbers.*; 1 came"),
        ({"panel": {"value": "many"}}, "value of panel params is a list of numbers"),
        ({"panel": {"value": np.ones((9, 2))}}, r"shape \(9, 2\)"),
        ({"panel": {"low": np.zeros(9)}}, "log scale and needs numbers above zero"),
        ({"panel": {"low": np.full(9, 5.0), "high": np.full(9, 4.0)}}, "low is above high in row 0: 5 and 4"),
        ({"panel": {"points": points(name=["a"])}}, "columns of one length"),
        ({"panel": {"floor": {"value": math.nan}}}, "floor of panel params is a finite number"),
    ],
)
def test_a_wrong_payload_is_answered_in_one_sentence(changes, sentence):
    with pytest.raises(PayloadError, match=sentence) as caught:
        clean(payload(**changes))
    assert str(caught.value).endswith((".", "came", "4"))


ANY = [
    None, True, 5, 1.5, "18", "x", b"x", 1j, 10**400, math.nan, [], [1], [None], [[1, 2]], [(1,)], [("a", 1)], {}, {"a": 1},
    object(), np.array([1, 2]), np.float64(20.0), np.True_,
]  # fmt: skip
PLACES = {
    declared.Payload: ({}, lambda x: payload(**x)),
    declared.Panel: ({}, lambda x: payload(panel=x)),
    declared.Points: (points(), lambda x: payload(panel={"points": x})),
    declared.Floor: ({"value": 1.0}, lambda x: payload(panel={"floor": x})),
    declared.ShadeKey: ({"label": "a", "low": 1, "high": 2, "format": "count"}, lambda x: payload(panel={"shade_key": x})),
    declared.Labelled: ({"label": "a"}, lambda x: payload(panel={"extras": [x], "wide": x, "other": x})),
    declared.Named: ({"key": "a", "format": "count"}, lambda x: payload(numbers=[x])),
    declared.Region: ({"label": "a", "from": 19}, lambda x: payload(regions=[x])),
    declared.Saying: ({"sentence": "a", "from": 19}, lambda x: payload(sayings=[x])),
    declared.BudgetUnit: ({"label": "a"}, lambda x: payload(budget_unit=x)),
    declared.Take: ({"label": "a", "per_flop": 1, "format": "money"}, lambda x: payload(takes=[x])),
    declared.Options: (
        {"label": "a", "at": "a", "options": [{"key": "a", "label": "b"}]}, lambda x: payload(choice=x),
    ),
    declared.Option: (
        {"key": "a", "label": "b"}, lambda x: payload(choice={"label": "a", "at": "a", "options": [x]}),
    ),
}  # fmt: skip


def test_anything_is_drawn_or_answered_in_one_sentence():
    given = [(x, repr(x)) for x in ANY]
    for kind, (right, put) in PLACES.items():
        clean(put(right))
        given += [
            (put({**right, f.name: x}), f"{kind.__name__}.{f.name}: {x!r:.40}") for f in fields(kind) for x in ANY
        ]
    for x in ANY:
        parts = [{"key": "a", "label": "b", "parts": {name: x}} for name in PARTS]
        given += [(payload(choice={"label": "a", "at": "a", "options": [p]}), f"part {p!r:.80}") for p in parts]
    said = []
    for one, case in given:
        try:
            out = clean(one)
        except PayloadError as e:
            said.append((str(e), case))
        except Exception as e:
            raise AssertionError(case) from e
        else:
            json.dumps(out, allow_nan=False)
    assert len(said) > len(given) / 2
    assert not [case for sentence, case in said if len(sentence) > 400 or not sentence.endswith(".")]
    with pytest.raises(PayloadError, match="The payload should be an object; None came"):
        clean(None)


def test_a_number_is_neither_text_nor_a_truth_value():
    wrong = (True, np.True_, "18", "0.9", b"18", [18], np.array([18.0]), 10**400)
    for x in wrong:
        for changes in (
            {"budget": x}, {"level": x}, {"largest": x}, {"panel": {"weight": x}}, {"panel": {"floor": {"value": x}}},
            {"grid": [x, 19.0]}, {"panel": {"value": [x] * 9}}, {"wait": [x] * 9},
            {"takes": [{"per_flop": 1, "format": "money", "counts": [(x, 8)]}]},
        ):  # fmt: skip
            with pytest.raises(PayloadError):
                clean(payload(**changes))
    for x in (20, 20.0, np.int64(20), np.float32(20.0), np.float64(20.0), np.array(20.0)):
        out = clean(payload(budget=x, largest=x, level=0.5 + 0 * x))
        assert (out["budget"], out["largest"], out["level"]) == (20.0, 20.0, 0.5), repr(x)


def test_committed_budget_is_none_before_the_first_release():
    assert committed_budget("never drawn") is None


def test_every_module_is_in_the_bundle_and_in_the_wheel():
    modules = {path.name for path in FOLDER.glob("*.js")}
    assert modules == set(package._MODULES)
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    assert "budget_chart/*" in settings["tool"]["setuptools"]["package-data"]["dashboard"]


def test_the_bundle_is_one_module_with_one_export():
    text = bundle()
    assert not re.search(r"^import ", text, re.MULTILINE)
    assert len(re.findall(r"^export ", text, re.MULTILINE)) == 1
    names = re.findall(r"^(?:async )?(?:function|const|let|class) +([A-Za-z]+)", text, re.MULTILINE)
    assert len(names) == len(set(names)), "two modules give one name to two things"


def test_the_modules_set_text_and_never_markup_and_ask_nobody():
    text = bundle() + (FOLDER / "chart.css").read_text(encoding="utf-8")
    for word in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "fetch(",
        "@import",
        "url(http",
    ):
        assert word not in text
    assert set(re.findall(r"https?://[^\s\"']+", text)) == {"http://www.w3.org/2000/svg"}


FLOP = {"label": "FLOP", "per_flop": 1, "format": "flop"}
PF_DAYS = {"label": "PF-days", "per_flop": 1 / 8.64e19, "format": "ratio"}
DOLLARS = {"label": "", "per_flop": 2 / 3600 / 4e14, "format": "money"}
TIME = {"label": "on 256 H100", "per_flop": 1 / (256 * 4e14), "format": "duration"}


@pytest.mark.parametrize(
    ("text", "unit", "flop"),
    [
        ("5.76e23", FLOP, 5.76e23),
        ("5.76e23 FLOP", FLOP, 5.76e23),
        (" 5.76E+23 flops ", FLOP, 5.76e23),
        ("5,76e23", FLOP, 5.76e23),
        ("10^23", FLOP, 1e23),
        ("5.76 x 10^23 FLOP", FLOP, 5.76e23),
        ("5.76×10^23", FLOP, 5.76e23),
        ("576 ZFLOP", FLOP, 5.76e23),
        ("10 PF-days", FLOP, 8.64e20),
        ("1,000 petaflop/s-days", FLOP, 8.64e22),
        ("10", PF_DAYS, 8.64e20),
        ("6.67 k PF-days", PF_DAYS, 6.67e3 * 8.64e19),
        ("5.76e23", PF_DAYS, 5.76e23),
        ("$0.9 M", DOLLARS, 0.9e6 * 3600 / 2 * 4e14),
        ("900 k", DOLLARS, 0.9e6 * 3600 / 2 * 4e14),
        ("$900,000", DOLLARS, 0.9e6 * 3600 / 2 * 4e14),
        ("11 days", TIME, 11 * 86400 * 256 * 4e14),
        ("3 hours on 256 H100", TIME, 3 * 3600 * 256 * 4e14),
    ],
)
def test_a_typed_budget(run_js, text, unit, flop):
    read = run_js("([text, unit]) => parseBudget(text, unit, [18, 26], String)", [text, unit])
    assert read == {"budget": pytest.approx(math.log10(flop), abs=1e-9)}


@pytest.mark.parametrize(
    "text", ["", "a lot", "5.76e23 bananas", "-3e20", "1e", "e23", "0", "NaN", "Infinity", "1e999"]
)
def test_wrong_text_is_told_what_is_expected(run_js, text):
    read = run_js("([text, unit]) => parseBudget(text, unit, [18, 26], String)", [text, FLOP])
    assert "Type a budget such as 5.76e23 FLOP or 10 PF-days" in read["error"]


HOUR, DAY, PRICE = (
    1 / 3600 / 4e14,
    1 / (64 * 4e14),
    2 / 3600 / 4e14,
)  # device-hours, seconds on 64 devices, dollars of a FLOP
ALSO = {"hours": HOUR, "time": DAY, "money": PRICE}
MODES = {
    "flop": {**FLOP, "also": ALSO},
    "hours": {"label": "device-hours", "per_flop": HOUR, "format": "count", "also": ALSO},
    "time": {"label": "", "per_flop": DAY, "format": "duration", "also": ALSO},
    "money": {"label": "", "per_flop": PRICE, "format": "money", "also": ALSO},
}


def test_a_budget_is_read_in_the_unit_that_was_typed(run_js):
    """The unit of the handle is one to be read in where none is typed; no sign of another is passed over."""
    typed = [
        *((text, 1e5 / PRICE, MODES) for text in ("$100k", "$1e5", "$100,000", "$0.1 M", "100k USD", "1e5 dollars")),
        *((text, 5e4 / HOUR, MODES) for text in ("50 k device-hours", "5e4 GPU-hours", "50000 H100 hours")),
        *((text, 5e4 / HOUR, ["hours"]) for text in ("50000 hours", "5e4 h", "50 k hours")),
        *((text, 86400 / DAY, ["flop", "time", "money"]) for text in ("1 day", "24 hours", "1440 min")),
        *((text, 5.76e23, MODES) for text in ("5.76e23 FLOP", "5.76e23")),
    ]
    cases = [(text, mode, flop) for text, flop, modes in typed for mode in modes]
    show = "pairs => pairs.map(([text, unit]) => parseBudget(text, unit, [17, 26], (at) => say(10 ** at, 'flop') + ' FLOP'))"
    for (text, mode, flop), read in zip(cases, run_js(show, [[t, MODES[m]] for t, m, _ in cases]), strict=True):
        assert read == {"budget": pytest.approx(math.log10(flop), abs=1e-9)}, (text, mode)
    free = {**ALSO, "time": None, "money": None}
    wrong = [
        ("$1", "flop", ALSO, "$1 is 7.2e17 FLOP. This chart runs from 1.0e20 FLOP"),
        (
            "$5",
            "time",
            free,
            "Dollars need the price of a device-hour, which is 0 or missing. Type a budget such as 11 days,",
        ),
        ("3 days", "flop", free, "A time needs a number of devices, which is automatic here"),
        ("3 days", "hours", ALSO, "Type a budget such as 50 k device-hours, 5.76e23 FLOP or 10 PF-days."),
        ("$5 hours", "time", ALSO, "Type a budget such as 11 days,"),
        ("$5 FLOP", "money", ALSO, "Type a budget such as $0.9 M,"),
        ("3 days on 8 H100", "time", ALSO, "Type a budget such as 11 days,"),
        ("soon", "hours", ALSO, "Type a budget such as 50 k device-hours,"),
    ]
    show = show.replace("17", "20")
    answers = run_js(show, [[text, {**MODES[mode], "also": also}] for text, mode, also, _ in wrong])
    for (text, mode, _, said), read in zip(wrong, answers, strict=True):
        assert read.get("error", "").startswith(said), (text, mode, read)


SECONDS = {"label": "", "per_flop": 1, "format": "duration"}


@pytest.mark.parametrize(("text", "seconds"), [("11 days", 11 * 86400), ("36 h", 36 * 3600), ("2 years", 2 * 31557600)])
def test_a_typed_time(run_js, text, seconds):
    read = run_js("([text, unit]) => parseBudget(text, unit, [3, 9], String, 'duration')", [text, SECONDS])
    assert read == {"budget": pytest.approx(math.log10(seconds), abs=1e-9)}


@pytest.mark.parametrize("text", ["", "30", "1e6", "5e5 FLOP", "10 PF-days", "soon"])
def test_a_time_needs_its_unit(run_js, text):
    read = run_js("([text, unit]) => parseBudget(text, unit, [3, 9], String, 'duration')", [text, SECONDS])
    assert "Type a time such as 11 days" in read["error"]


def test_ticks_of_time_are_times_people_say(run_js):
    ticks = run_js("([low, high, width]) => timeTicks(low, high, width)", [math.log10(86400) - 0.1, 8.6, 500])
    assert [t["label"] for t in ticks] == ["1 day", "1 week", "1 month", "1 year", "10 years"]
    assert ticks[0]["at"] == pytest.approx(math.log10(86400))
    close = run_js("([low, high, width]) => timeTicks(low, high, width)", [5.5, 6.2, 700])
    assert len(close) >= 2
    assert all(b["at"] - a["at"] > 0.05 for a, b in pairwise(close))


def test_a_region_and_another_line_pass_and_are_checked():
    axis = {"label": "time", "unit": "", "format": "duration"}
    cleaned = clean(payload(axis=axis, handle="Time", regions=[{"from": 2.0, "label": "late"}]))
    assert cleaned["regions"] == [{"from": 2.0, "to": None, "label": "late"}]
    assert (cleaned["handle"], cleaned["axis"]["format"]) == ("Time", "duration")
    with pytest.raises(PayloadError, match="flop or duration"):
        clean(payload(axis={"format": "furlongs"}))
    with pytest.raises(PayloadError, match="region's end"):
        clean(payload(regions=[{"from": "soon"}]))
    with pytest.raises(PayloadError, match="other line"):
        clean(payload(panel={"other": {"label": "critical", "value": [1.0]}}))


def test_a_budget_off_the_chart_is_told_its_range(run_js):
    show = "([text, unit]) => parseBudget(text, unit, [18, 26], (at) => say(10 ** at, 'flop') + ' FLOP')"
    assert run_js(show, ["1e30", FLOP]) == {"error": "This chart runs from 1.0e18 FLOP to 1.0e26 FLOP."}


def test_every_budget_the_field_shows_can_be_typed_again(run_js):
    budgets = np.linspace(18, 26, 200).tolist()
    for unit in (FLOP, PF_DAYS, DOLLARS, TIME):
        function = """([budgets, unit]) => budgets.map((at) => {
            const text = budgetText({ budget_unit: unit }, at, exactText);
            return [text, parseBudget(text, unit, [18, 26], String).budget ?? null];
        })"""
        for at, (text, read) in zip(budgets, run_js(function, [budgets, unit]), strict=True):
            assert read == pytest.approx(at, abs=0.0045), text


def test_a_new_runs_interval_that_reads_as_the_laws_says_why(run_js):
    function = """ends => ends.map(([low, high, least, most]) => {
        const unit = { label: "FLOP", per_flop: 1, format: "flop" };
        const model = modelOf({ grid: [20, 21], budget: 20, largest: null, budget_unit: unit, panels: [{
            key: "loss", format: "loss", value: [2.5, 2.5], low: [low, low], high: [high, high],
            wide: { label: "a new run", low: [least, least], high: [most, most] } }] });
        return wideText(model.panels[0], textsAt(model, 20).panels[0]);
    })"""
    equal, wider, none = run_js(function, [[2.31, 2.64, 2.31, 2.64], [2.4, 2.6, 2.31, 2.64], [None, None, None, None]])
    assert equal == "a new run: 2.31\u20132.64, the same as the law's"
    assert wider == "a new run: 2.31\u20132.64"
    assert none == "a new run: \u2014"


def test_interpolation_is_exact_on_rows_and_on_power_laws_and_keeps_gaps(run_js):
    grid = [18, 19, 19.5, 21, 22, 23]
    function = "([grid, values, log, xs]) => xs.map(sampler(grid, values, log))"
    power = [3 * 10 ** (0.46 * x) for x in grid]
    between = [18.0, 18.3, 19.2, 20.9, 23.0]
    assert run_js(function, [grid, power, True, between]) == pytest.approx([3 * 10 ** (0.46 * x) for x in between])
    gaps = [5.0, 4.0, None, 3.0, 2.5, 2.4]
    read = run_js(function, [grid, gaps, False, [18.0, 18.5, 19.0, 19.2, 20.0, 21.0, 23.0]])
    assert [v is None for v in read] == [False, False, False, True, True, False, False]
    assert read[0] == 5.0
    assert read[-1] == 2.4


def test_interpolation_never_overshoots(run_js):
    grid = list(range(8))
    values = [5.0, 5.0, 1.0, 1.0, 0.9, 3.0, 3.0, 8.0]
    xs = np.linspace(0, 7, 400).tolist()
    read = run_js("([grid, values, xs]) => xs.map(sampler(grid, values, false))", [grid, values, xs])
    for x, y in zip(xs, read, strict=True):
        left = min(int(x), 6)
        low, high = sorted(values[left : left + 2])
        assert low - 1e-12 <= y <= high + 1e-12


def test_a_smooth_law_is_read_to_five_figures_from_161_rows(run_js):
    grid = np.linspace(18, 26, 161)
    xs = np.linspace(18.003, 25.99, 300)

    def loss(x):
        return 1.82 + 482 / 10 ** (0.3478 * (0.51 * x - 1.5)) + 2085 / 10 ** (0.3658 * (0.49 * x + 0.7))

    read = run_js(
        "([grid, values, xs]) => xs.map(sampler(grid, values, false))",
        [grid.tolist(), loss(grid).tolist(), xs.tolist()],
    )
    assert read == pytest.approx(loss(xs).tolist(), rel=1e-5)


@pytest.mark.parametrize(
    ("panel", "low", "high"),
    [
        ({"scale": "log", "value": [7e9, 7e9]}, 9.34, 10.35),  # a level line has a decade around it
        ({"scale": "linear", "value": [2.0, 3.0]}, 1.94, 3.06),
        ({"scale": "linear", "value": [2.0, 3.0], "floor": {"value": 1.5}}, 1.41, 3.09),
        ({"scale": "linear", "value": [2.0, 3.0], "floor": {"value": -9.0}}, 1.94, 3.06),  # too far down to show
        ({"scale": "linear", "value": [2.0, 3.0], "points": {"y": [3.5, 90.0, None]}}, 1.91, 3.59),
        ({"scale": "linear", "value": [2.0, 3.0], "points": {"y": [3.5], "hollow": [True]}}, 1.94, 3.06),
        ({"scale": "linear", "value": [None, None]}, 0, 1),
    ],
)
def test_a_panel_shows_its_line_and_what_is_near(run_js, panel, low, high):
    assert run_js("panel => domainOf(panel)", panel) == pytest.approx([low, high], abs=0.01)


@pytest.mark.parametrize(
    ("domain", "log", "height", "expected"),
    [
        ([1.8, 3.9], False, 208, [2, 2.5, 3, 3.5]),
        ([7.8, 12.2], True, 90, [1e8, 1e10, 1e12]),
        ([5.0, 7.2], True, 90, [1e5, 1e6, 1e7]),
        ([2.05, 2.95], True, 90, [200, 500]),
    ],
)
def test_ticks_are_round_and_few(run_js, domain, log, height, expected):
    assert run_js("([d, log, h]) => yTicks(d, log, h)", [domain, log, height]) == pytest.approx(expected)
