"""Every page over tables that lack something: each is a page or a sentence with a way on, never an inner error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.charts import marks, plane
from dashboard.workspace import store as workspace

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
MANY = "more runs than are drawn as shapes"
INSIDE = "Something went wrong inside"
OTHER = "bundled:simulated-families"


def table(count: int, *columns: str) -> str:
    """Runs of Chinchilla's law with noise, as CSV with these columns."""
    rng = np.random.default_rng(1)
    n = np.exp(rng.uniform(np.log(1e7), np.log(1e9), count))
    d = np.exp(rng.uniform(np.log(1e9), np.log(1e11), count))
    loss = (1.8 + 480 / n**0.35 + 2085 / d**0.37) * np.exp(0.01 * rng.standard_normal(count))
    known = {"params": n, "tokens": d, "flops": 6 * n * d, "loss": loss, "other_loss": 1.1 * loss}
    rows = zip(*(known[c] for c in columns), strict=True)
    return "\n".join(
        [",".join(("run", *columns)), *(f"r{i}," + ",".join(map(repr, map(float, r))) for i, r in enumerate(rows))]
    )


TABLES = {
    "size alone": table(12, "params", "loss"),
    "tokens alone": table(12, "tokens", "loss"),
    "compute alone": table(12, "flops", "loss"),
    "the loss alone": table(12, "loss"),
    "three runs": table(3, "params", "tokens", "loss"),
    "two losses, none chosen": table(12, "params", "tokens", "loss", "other_loss").replace(",loss", ",c4_loss"),
    MANY: table(30, "params", "tokens", "loss"),
    "steps to a loss": "batch_size,steps_to_target\n" + "\n".join(f"{b},{900 + 300_000 // b}" for b in (64, 256, 1024, 4096)),
    "one loss for all": "run,params,tokens,loss\n" + "\n".join(f"r{i},{10 + i}e6,{i + 1}e9,2.5" for i in range(14)),
}  # fmt: skip


@pytest.fixture
def page(tmp_path, monkeypatch):
    """A function that opens a page on an uploaded table."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))

    def open_page(name: str, text: str, excluded: Sequence[str] = ()) -> AppTest:
        space = workspace.new()
        kept = workspace.keep(space, "runs.csv", text.encode())
        few = {f"fit:{source}": {"resamples": 500} for source in (kept.source, OTHER)}
        workspace.change(space, "settings", {"source": kept.source, **few})
        if excluded:
            workspace.change(space, "exclude runs", {f"excluded:{kept.source}": list(excluded)})
        at = AppTest.from_file(str(APP), default_timeout=120)
        at.query_params["w"] = space.id
        return at.switch_page(f"views/{name}.py").run()

    return open_page


def said(at: AppTest) -> str:
    return " ".join(e.proto.body for e in at.get("html"))


def links(at: AppTest) -> list[str]:
    return [e.proto.label for e in at.get("page_link")]


def each_page(at: AppTest, *names: str) -> Iterator[str]:
    """The pages of these names in one session, the first of them open already."""
    for k, name in enumerate(names):
        if k:
            at.switch_page(f"views/{name}.py").run()
        yield name


@pytest.mark.parametrize("kind", TABLES)
def test_no_table_leads_to_an_inner_error(page, kind, monkeypatch):
    if kind == MANY:
        monkeypatch.setattr(plane, "MANY", 20)
        monkeypatch.setattr(marks, "MANY", 20)
    at = page("runs", TABLES[kind])
    for name in each_page(at, "runs", "fit", "plan", "batch", "compare"):
        assert not at.exception, name
        assert INSIDE not in said(at), name
        assert "iso-answer" in said(at) or "iso-trouble" in said(at) or at.get("bidi_component"), name


def test_a_law_that_cannot_be_planned_with_says_so_and_leads_to_the_fit(page):
    at = page("plan", TABLES["tokens alone"])
    assert "it cannot split a budget" in said(at)
    assert links(at) == ["Choose another law on the Fit page"]


def test_an_open_question_leads_to_where_it_is_answered(page):
    for name in ("fit", "plan", "compare"):
        at = page(name, TABLES["two losses, none chosen"])
        assert "Which column holds the loss" in said(at)
        assert links(at) == ["Answer this on the Runs page"]


def test_runs_of_which_only_the_loss_is_known_ask_what_they_were(page):
    at = page("runs", TABLES["the loss alone"])
    assert "No column of this table was taken for one of them" in said(at)
    assert not at.get("plotly_chart")
    assert not page("fit", TABLES["the loss alone"]).get("plotly_chart")


# --- a page that declines keeps every way on ----------------------------------------------------------------------------

DECLINED = {
    "no loss": ("run,params,tokens\na,1e7,1e9\nb,2e7,2e9\n", "Look at the data"),
    "a question": (table(12, "params", "tokens", "loss", "other_loss").replace(",loss", ",c4_loss"), "Answer this"),
    "one run": (table(1, "params", "tokens", "loss"), ""),
    "all set aside": (table(12, "params", "tokens", "loss"), "Look at the data"),
    "no row can be used": ("run,params,tokens,loss\na,1e7,1e9,-1\nb,2e7,2e9,nan\n", "Look at the data"),
    "no table": ("\x00\x01\x02", "Look at the data"),
}
SETS_ASIDE = [f"r{i}" for i in range(12)]


@pytest.mark.parametrize("kind", DECLINED)
def test_a_page_that_declines_keeps_the_data_menu_the_upload_and_undo(page, kind):
    text, link = DECLINED[kind]
    at = page("fit", text, excluded=SETS_ASIDE if kind == "all set aside" else [])
    for name in each_page(at, "fit", "plan", "batch", "compare"):
        assert not at.exception, name
        assert INSIDE not in said(at), name
        assert at.selectbox(key="chosen").value.startswith("upload:"), name
        assert len(at.get("file_uploader")) == 1, name
        assert [b.label for b in at.button if b.key in ("undo", "redo")] == ["Undo", "Redo"], name
        assert [b.key for b in at.button].count("undo") == 1, name
        assert links(at), f"{name}: a page that declines leads somewhere"
        if link:
            assert links(at) == [f"{link} on the Runs page"], name


@pytest.mark.parametrize("name", ["fit", "plan", "batch", "compare"])
def test_a_page_that_declines_is_left_by_its_own_menu_and_undo(page, name):
    at = page(name, DECLINED["one run"][0])
    declined = said(at)
    at.selectbox(key="chosen").select(OTHER).run()
    assert not at.exception
    assert "runs.csv" not in said(at)
    at.button(key="undo").click().run()
    assert not at.exception
    assert said(at) == declined
