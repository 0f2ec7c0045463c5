"""One trouble is said once on a page, however many losses, targets or cells it is true of."""

from __future__ import annotations

import html
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.error_messages import once
from dashboard.workspace import store as workspace
from data.errors import DataError
from data.readers import read_table
from data.recognition import recognise

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
PAGES = ("runs", "fit", "plan", "batch", "compare")
# What a page says of each column or of each shape is no trouble: it stands where it belongs, as often as it is true.
BESIDE = ("iso-quiet",)


def curves(batches: int) -> bytes:
    """Training curves, each falling to the same loss, at so many batch sizes."""
    rows = ["run,params,batch,step,tokens,loss"]
    for k in range(batches):
        batch = 2 ** (16 + k)
        rows += [f"b{batch},1e8,{batch},{step},{batch * step},{2 + 40 / step:.4f}" for step in range(100, 1100, 100)]
    return "\n".join(rows).encode()


def growing() -> bytes:
    """The curve of one run whose batch grows on the way, which is no sweep of batches."""
    rows = ["run,params,step,tokens,loss"]
    rows += [f"one,1e8,{step},{step * (step + 500) * 100},{2 + 40 / step:.4f}" for step in range(100, 600, 20)]
    return "\n".join(rows).encode()


BROKEN = {
    "one run whose batch grows.csv": growing(),
    "three batch sizes.csv": curves(3),
    "five batch sizes, no gain.csv": curves(5),
    "steps at one batch.csv": b"batch_size,steps_to_target\n64,900\n64,950\n64,970\n64,930",
    "words.csv": b"run,params_total,tokens,loss\na,1e8,2e9,3\nb,big,2e9,3.1",
    "nothing kept.csv": b"run,params,tokens,loss\na,1e8,2e9,nan\nb,1e9,2e9,-1\nc,0,1e9,2",
    "no table.csv": b"\x00\x01\x02",
    "empty.csv": b"",
    "header only.csv": b"run,params,tokens,loss\n",
}


def answers(name: str, content: bytes) -> dict[str, Any]:
    """What a person who takes the first offer would answer."""
    given: dict[str, Any] = {}
    try:
        table = read_table(content, name)
    except DataError:
        return given
    for _ in range(4):
        try:
            asked = recognise(table, **given).needed
        except DataError:
            break
        for question in asked:
            group, _, column = question.key.partition(".")
            first = question.guess or next(iter(question.options), None)
            if not column:
                given[group] = 4.0 if group == "bytes_per_token" else first
            else:
                given.setdefault(group, {})[column] = float(first) if group == "units" else first  # type: ignore[arg-type]
    return given


def sentences(at: AppTest) -> list[str]:
    """Every sentence of the page's answers, troubles, remarks, captions and messages."""
    said: list[str] = []
    for kind in ("html", "caption", "markdown", "warning", "error", "info"):
        for element in at.get(kind):
            body = re.sub(r"<style>.*?</style>", "", str(element.proto.body), flags=re.DOTALL)
            for block in re.split(r"</p>|</h1>|</li>|</tr>|\n\n", body):
                if any(f'class="{name}"' in block for name in BESIDE):
                    continue
                text = html.unescape(re.sub(r"<[^>]+>", " ", block)).replace("\\", "")
                said += [s.strip() for s in re.split(r"(?<=[.!?])\s+", text) if len(s.split()) > 3]
    return said


def open_runs(name: str, content: bytes, given: dict[str, Any]) -> AppTest:
    space = workspace.new()
    kept = workspace.keep(space, name, content)
    settings = {
        "source": kept.source,
        f"fit:{kept.source}": {"resamples": 500},
        f"answers:{kept.source}": given or None,
    }
    workspace.change(space, "settings", settings)
    at = AppTest.from_file(str(APP), default_timeout=120)
    at.query_params["w"] = space.id
    return at.run()


def turn_to(at: AppTest, page: str) -> AppTest:
    return at if page == "runs" else at.switch_page(f"views/{page}.py").run()


def open_page(name: str, content: bytes, given: dict[str, Any], page: str) -> AppTest:
    return turn_to(open_runs(name, content, given), page)


def check(at: AppTest, page: str) -> None:
    assert not at.exception, page
    said = Counter(sentences(at))
    assert said, page
    assert [sentence for sentence, times in said.items() if times > 1] == [], page


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))


@pytest.mark.parametrize("name", BROKEN)
def test_no_page_says_a_sentence_twice_of_a_table_that_lacks_something(name: str) -> None:
    at = open_runs(name, BROKEN[name], answers(name, BROKEN[name]))
    for page in PAGES:
        check(turn_to(at, page), page)


FOLDER = Path(os.environ.get("ISOFLOP_DATASETS", "")) / "raw"
FILES = sorted(f.name for f in FOLDER.iterdir()) if os.environ.get("ISOFLOP_DATASETS") and FOLDER.is_dir() else [""]


@pytest.mark.parametrize("name", FILES)
def test_no_page_says_a_sentence_twice_of_a_table_as_it_was_logged(name: str, dataset: Any) -> None:
    if not name:
        pytest.skip("ISOFLOP_DATASETS is not set")
    content = dataset(f"raw/{name}").read_bytes()
    given = answers(name, content)
    for said in (given, {}) if given else ({},):  # and while the question is open
        at = open_runs(name, content, said)
        for page in PAGES:
            check(turn_to(at, page), page)


def test_a_curve_that_three_losses_refuse_alike_is_one_sentence() -> None:
    at = open_page("c.csv", growing(), {}, "batch")
    trouble = [str(e.proto.body) for e in at.get("html") if 'class="iso-trouble"' in str(e.proto.body)]
    assert len(trouble) == 1
    assert trouble[0].count("A critical batch needs") == 1
    assert once(["a", "b", "a"]) == "a b"
