"""No person meets a word of `tests/words.txt`: not in a sentence of the code, the terminal's help, an export or a page."""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from dashboard import cli
from dashboard.fit.tabs import TABS
from dashboard.frame import PAGES
from dashboard.workspace import store as workspace
from data.library import bundled
from fitting import fit, plan
from fitting.export import fit_to_json, fit_to_latex, fit_to_python, residuals_to_csv
from fitting.export.latex import plan_to_latex

ROOT = Path(__file__).parents[1]
APP = ROOT / "dashboard" / "app.py"
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)  # of JavaScript
#: A place and what a person reads there.
Said = tuple[str, str]


@cache
def banned() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is banned in any sentence, and what only as a whole label."""
    lines = [line.strip() for line in (ROOT / "tests" / "words.txt").read_text("utf-8").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    labels = [re.escape(line[1:].strip()) for line in lines if line.startswith("=")]
    phrases = [re.escape(line).replace(r"\ ", r"\s+") for line in lines if not line.startswith("=")]
    return (
        re.compile(rf"(?<!\w)(?:{'|'.join(phrases)})(?!\w)", re.IGNORECASE),
        re.compile(rf"\W*(?:{'|'.join(labels)})[.:?]?\s*", re.IGNORECASE),
    )


def found(said: Iterable[Said]) -> list[str]:
    """Each banned word with its place and the sentence it is in."""
    phrase, label = banned()
    out = []
    for place, text in said:
        hit = phrase.search(text) or label.fullmatch(text)
        if hit is not None:
            out.append(f"{place}: {hit.group().strip()!r} in {text.strip()[:120]!r}")
    return out


def written(path: Path) -> Iterator[Said]:
    """The strings of a source file that may be sentences or labels: those with a space, but for docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    parts = {id(v) for n in nodes if isinstance(n, ast.JoinedStr) for v in n.values}
    docs = {
        id(n.body[0].value)
        for n in nodes
        if isinstance(n, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and n.body
        and isinstance(n.body[0], ast.Expr)
    }
    for node in nodes:
        if id(node) in parts | docs:
            continue
        if isinstance(node, ast.JoinedStr):
            text = "".join(v.value if isinstance(v, ast.Constant) else "{}" for v in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        else:
            continue
        if " " in text.strip():
            yield f"{path.relative_to(ROOT)}:{node.lineno}", text


def test_the_list_finds_what_it_names() -> None:
    for text, expected in {
        "Runs that may share their  Luck": True, "a stroke of pluck": False, "Start from": True, "Runs that start from zero": False,
        "**Take it away**": True, "what the law leaves\nover": True, "Whole run": True, "the tokens of the whole run": False,
        "refits to data drawn anew": True, "at most 3 devices": False,
    }.items():  # fmt: skip
        assert bool(found([("here", text)])) == expected, text


def test_no_sentence_of_the_code_has_one() -> None:
    said = [
        one
        for room in ("dashboard", "fitting", "data")
        for path in (ROOT / room).rglob("*.py")
        for one in written(path)
    ]
    assert len(said) > 3000
    scripts = [(path.name, COMMENT.sub("", path.read_text("utf-8"))) for path in (ROOT / "dashboard").rglob("*.js")]
    sets = [(path.name, path.read_text("utf-8")) for path in (ROOT / "data").rglob("*.toml")]
    assert found([*said, *scripts, *sets]) == []


def test_no_help_of_the_terminal_has_one() -> None:
    group = cli.group
    context = click.Context(group, info_name="isoflop")
    said = [("isoflop", group.get_help(context))]
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        text = command.get_help(
            click.Context(command, info_name=name, parent=context, terminal_width=500, max_content_width=500)
        )
        said.append((name, text))
    assert len(said) > 8
    assert found(said) == []


@pytest.fixture(scope="module")
def first() -> Any:
    """The first bundled set."""
    return bundled()[0]


def test_no_export_has_one(first: Any) -> None:
    runs = first.load()
    f = fit(runs, resamples=100)
    exports = {
        "LaTeX": fit_to_latex(f), "Python": fit_to_python(f), "JSON": fit_to_json(f), "CSV": residuals_to_csv(f, runs),
        "plan": plan_to_latex(f, plan(f, flops=1e22)), "text": repr(f),
    }  # fmt: skip
    assert found(exports.items()) == []
    assert [name for name, text in exports.items() if "chosen by you" in text] == [], "nobody has chosen"


def strings(x: Any) -> Iterator[str]:
    """The strings of nested plain values, as a browser shows them: each between its tags by itself, and whole."""
    if isinstance(x, str):
        shown = html.unescape(re.sub(r"<style>.*?</style>", "", x, flags=re.DOTALL).replace("\\", ""))
        yield from (piece for piece in re.split(r"<[^>]*>", shown) if piece.strip())
        yield re.sub(r"<[^>]*>", " ", shown)
    elif isinstance(x, dict):
        for value in x.values():
            yield from strings(value)
    elif isinstance(x, list):
        for value in x:
            yield from strings(value)


def shown(at: AppTest, place: str) -> Iterator[Said]:
    """All words of a page: sentences, labels, helps, options and what figures hold."""
    assert not at.exception, place
    for element in at.main:
        proto = getattr(element, "proto", None)
        if proto is not None:
            yield from ((place, text) for text in strings(MessageToDict(proto)))


def test_no_page_of_the_first_bundled_set_has_one(first: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    space = workspace.new()
    source = f"bundled:{first.key}"
    workspace.change(space, "prepared", {"source": source, f"fit:{source}": {"resamples": 500}})
    at = AppTest.from_file(str(APP), default_timeout=120)
    at.query_params["w"] = space.id
    said = list(shown(at.run(), "runs"))
    for name in (name for name, *_ in PAGES if name != "runs"):
        if name == "plan":
            at.session_state["plan_hours_open"] = at.session_state["plan_life_open"] = True
        said += shown(at.switch_page(f"views/{name}.py").run(), name)
        for tab in [*TABS][1:] if name == "fit" else ():
            at.session_state["tab"] = tab
            said += shown(at.run(), f"fit, {tab}")
    assert {"Export", "Budget unit"} <= {text for _, text in said}, "the pages were read"
    assert [place for place, text in said if "Something went wrong" in text] == []
    assert found(dict.fromkeys(said)) == []
    assert [place for place, text in said if "chosen by you" in text] == [], "nobody has chosen"
