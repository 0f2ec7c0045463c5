"""A law of columns of its own is fitted in the terminal and in Python: the pages say how, and offer nothing that they cannot do."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.workspace import store as workspace
from fitting import Law, all_laws
from fitting.law import Output, Param, coefficient

APP = Path(__file__).parents[3] / "dashboard" / "app.py"
COVERAGE = Law(
    key="coverage",
    title="Coverage c(k)",
    formula=lambda samples, a, b: np.exp(-a * samples**-b),
    latex=r"c(k) = e^{-a\,k^{-b}}",
    inputs=("samples",),
    params=(
        Param("a", "a", "samples^b", "how many tries a problem takes", (1e-9, 1e9), anchor=coefficient("samples", "b")),
        Param("b", "b", "", "how fast more samples cover what is left", (0.01, 5.0)),
    ),
    cite="Brown et al. 2024, arXiv 2407.21787, eq. 1",
    output=Output("coverage", "Coverage", "", rises=("samples",), bounds=(1e-9, 1.0)),
)


@pytest.fixture(autouse=True)
def law(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The law, as if its file stood among the others."""
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(all_laws(), "coverage", COVERAGE)


def opened(source: str, space: workspace.Workspace) -> AppTest:
    workspace.change(space, "open it", {"source": source, f"fit:{source}": {"resamples": 500}})
    at = AppTest.from_file(str(APP), default_timeout=60)
    at.query_params["w"] = space.id
    return at.run()


def text(at: AppTest) -> str:
    assert not at.exception
    return unescape("\n".join(str(element.proto.body) for element in at.get("html")))


def test_the_menu_offers_no_law_that_no_page_fits_and_says_where_it_is_fitted():
    at = opened("bundled:simulated-ladder", workspace.new()).switch_page("views/fit.py").run()
    assert (
        "Coverage c(k) takes columns of its own, which no page reads: run isoflop fit TABLE --law coverage in the terminal."
        in text(at)
    )
    menu = next(box for box in at.selectbox if box.label == "Law")
    assert not [option for option in menu.options if "Coverage" in option]


def test_a_table_of_its_columns_is_told_where_it_is_fitted():
    space = workspace.new()
    rows = "".join(f"{k},{np.exp(-2.1 * k**-0.3):.4f}\n" for k in range(1, 20))
    at = opened(workspace.keep(space, "coverage.csv", f"samples,coverage\n{rows}".encode()).source, space)
    for page in ("runs", "fit"):
        said = text(at.switch_page(f"views/{page}.py").run())
        assert (
            "All columns of the law coverage are here, which no page fits: run isoflop fit TABLE --law coverage" in said
        ), page
    assert not [box.label for box in at.switch_page("views/runs.py").run().selectbox if "law coverage" in box.label], (
        "said once"
    )
