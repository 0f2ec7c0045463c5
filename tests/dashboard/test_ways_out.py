"""A field set to what no page can be made with keeps the fields, says why, and offers only what can help."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.workspace import store as workspace

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
GOOD = "run,params,tokens,loss\n" + "\n".join(
    f"r{i},{n}e6,{d}e9,{1.8 + 480 / (n * 1e6) ** 0.35 + 2085 / (d * 1e9) ** 0.37:.5f}"
    for i, (n, d) in enumerate((n, d) for n in (30, 100, 300, 900) for d in (2, 7, 30))
)
LONG = "7B " * 200


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., AppTest]:
    """A function that opens a page on these runs, with settings of the workspace; `source:` in a name is the file's."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(name: str, text: str = GOOD, settings: Mapping[str, Any] | None = None) -> AppTest:
        space = workspace.new()
        source = workspace.keep(space, "runs.csv", text.encode()).source
        given = {key.replace("source", source): value for key, value in (settings or {}).items()}
        workspace.change(space, "settings", {"source": source, f"fit:{source}": {"resamples": 500}} | given)
        at = AppTest.from_file(str(APP), default_timeout=120)
        at.query_params["w"] = space.id
        return at.switch_page(f"views/{name}.py").run()

    return open_page


def html(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def fields(at: AppTest) -> set[str]:
    return {str(w.key) for kind in ("text_input", "number_input", "selectbox") for w in at.get(kind)}


def red(at: AppTest) -> str:
    return " ".join(c.value.replace("\\", "") for c in at.caption if ":red[" in c.value)


def test_no_value_of_a_field_takes_the_plans_fields_away(page: Callable[..., AppTest]) -> None:
    at = page("plan", settings={"plan": {"critical": "number"}})
    there = fields(at)
    said = {  # what each field says of a value it cannot use
        "plan_size": ({"1e30": "at most 1e+24", "1e23": "less than one token", "0": "A size is", "words": "A size is"}),
        "plan_text": ({"nan": "Unique tokens are", "-1": "Unique tokens are", "1e30": ""}),
        "plan_critical_batch": ({"1e30": "", "words": "A batch is", "0": "A batch is"}),
        "plan_runs_batch": ({"1e-30": "A batch is", "1e30": ""}),
        "plan_loss": ({"1e30": "takes no training", "0": "A loss is"}),
    }
    for key, values in said.items():
        for value, sentence in values.items():
            at.text_input(key=key).set_value(value).run()
            assert not at.exception, (key, value)
            assert fields(at) == there, (key, value)
            assert at.text_input(key=key).value == value
            assert sentence in red(at), (key, value, red(at))
            assert at.get("bidi_component"), (key, value)
            # A plan without what was typed says so on top, where its numbers are.
            assert ("leaves out the fixed model size" in html(at)) == (value in ("1e30", "1e23") and key == "plan_size")
        at.text_input(key=key).set_value("").run()
        assert not red(at), key
    for text in at.text_input:
        assert 0 < text.proto.max_chars <= 60, f"{text.key} takes what is thrown away in silence"
    for number in at.number_input:
        assert number.proto.has_max, f"{number.key} takes what is thrown away in silence"
        assert number.proto.data_type == number.proto.FLOAT, f"{number.key} reads 1e3 as 1"


def test_a_size_that_no_longer_fits_the_budget_does_not_reach_the_loss_wanted(page: Callable[..., AppTest]) -> None:
    at = page("plan", settings={"plan": {"size": "1e30"}})
    at.text_input(key="plan_loss").set_value("2.6").run()
    assert any("It takes" in c.value for c in at.caption)
    at.text_input(key="plan_size").set_value("").run()
    assert "leaves out" not in html(at)


def test_a_target_that_declines_keeps_the_fields_that_it_was_typed_in(page: Callable[..., AppTest]) -> None:
    rows = [
        (b, s, 1.8 + 40 * (s / (1 + 300_000 / b)) ** -0.5)
        for b in (2**k for k in range(14, 22))
        for s in range(250, 5001, 250)
    ]
    text = "run,params,batch,tokens,steps,loss\n" + "".join(f"b{b},1e7,{b},{b * s},{s},{y:.5f}\n" for b, s, y in rows)
    at = page("batch", text, {"batch:source": {"targets": [1e-30]}})
    assert not at.exception
    assert "No run comes down to a loss of 1e-30" in html(at)
    assert {"batch_targets", "batch_smooth"} <= fields(at)
    assert not at.get("page_link")  # the data are not at fault
    at.text_input(key="batch_targets").set_value("").run()
    assert 'class="iso-trouble"' not in html(at)
    assert "The critical batch" in html(at)
    at.text_input(key="batch_targets").set_value("3,3.1,3.2,3.3,3.4,3.5,3.6").run()
    assert "At most 6 losses" in at.toast[0].value


# --- what is offered can help ---------------------------------------------------------------------------------------------


def test_laws_that_these_runs_cannot_carry_say_so_and_are_not_offered(page: Callable[..., AppTest]) -> None:
    alike = "run,params,tokens,loss\n" + "".join(f"r{i},{10 + i}e6,{i + 1}e9,2.5\n" for i in range(14))
    at = page("fit", alike)
    assert "no trend to fit" in html(at)
    assert not [b.label for b in at.button if b.label.startswith("Try ")]
    assert [e.proto.label for e in at.get("page_link")] == ["Look at the runs"]
    assert "Broken L(N) (all losses are the same)" in at.selectbox(key="fit_law").options
    assert [e.proto.label for e in page("plan", alike).get("page_link")] == ["Look at the data on the Runs page"]

    at = page("fit")  # twelve runs of four sizes and three amounts of tokens
    options = at.selectbox(key="fit_law").options
    assert "Broken L(N) (needs 6 sizes, there are 4)" in options
    assert "Broken L(D) (needs 6 amounts of tokens, there are 3)" in options
    assert "Chinchilla L(N, D)" in options
    at.selectbox(key="fit_law").select("broken-params").run()
    assert not at.exception
    undo = at.button(key="undo").proto.help
    assert undo.replace("\\", "") == "Undo: law: Broken L(N)"


def test_families_with_too_few_runs_are_seen_and_told_so(page: Callable[..., AppTest]) -> None:
    head, *rows = GOOD.splitlines()
    sizes = {"six each": "AAAAAABBBBBB", "seven and five": "AAAAAAABBBBB"}
    for case, names in sizes.items():
        text = "\n".join([f"{head},family", *(f"{row},{name}" for row, name in zip(rows, names, strict=True))])
        at = page("compare", text)
        assert "No column of this table names families" not in html(at), case
        assert "names <em" in html(at), case
        assert (
            f"at least 7 runs each to have laws of their own; A has {names.count('A')}, B has {names.count('B')}"
            in html(at)
        )
    at = page("compare")
    assert "No column of this table names families" in html(at)
