"""Whatever stands in a workspace's files, the page reads what makes sense of it and goes on."""

from __future__ import annotations

import json
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dashboard import state
from dashboard.runs.answers import Answers, said_of_columns
from dashboard.workspace import store as workspace
from dashboard.workspace.store import TAKEN_OUT, Workspace
from data.errors import DataError
from data.read import from_frame
from data.reading import ANSWERS, read_upload
from data.schema import HELD_OUT

ODD: list[Any] = [5, True, None, 0.5, "x", [], [1], [[]], {}, {"a": 1}, {"a": None}, {"a": ["b"]}, [None, "x"]]
RUNS = pd.DataFrame({"params": [1e7, 2e7, 4e7], "tokens": [1e9, 2e9, 4e9], "loss": [4.0, 3.6, 3.3]})


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path))
    return workspace.new()


def put(space: Workspace, name: str, text: str) -> None:
    (space.folder / name).write_text(text)


def set_value(space: Workspace, name: str, value: Any) -> None:
    """A value of any kind on disk, in what is set and in a step of undo."""
    step = {"what": "one", "before": {name: value}, "after": {name: value}}
    put(space, "settings.json", json.dumps({"values": {name: value}, "past": [step], "future": [step]}))


def test_what_is_taken_out_may_be_anything(space):
    first, second = workspace.keep(space, "a.csv", b"a"), workspace.keep(space, "b.csv", b"b")
    for odd in [*ODD, [5, second.sha256]]:
        set_value(space, TAKEN_OUT, odd)
        out = isinstance(odd, list) and second.sha256 in odd
        assert workspace.uploads(space) == ((first,) if out else (first, second)), odd
        assert workspace.taken_out(space) == ((second,) if out else ()), odd
        workspace.take_out(space, second.sha256)
        assert workspace.uploads(space) == (first,), odd
        workspace.change(space, "back", lambda now: workspace.put_back(now, second.sha256))
        assert workspace.uploads(space) == (first, second), odd
        while workspace.undo(space):
            workspace.uploads(space)
        set_value(space, TAKEN_OUT, odd)
        third = workspace.keep(space, "c.csv", b"c")
        workspace.remove(space, third.sha256)
        assert not set(workspace.uploads(space)) - {first, second}, odd


def test_an_upload_that_makes_no_sense_takes_no_other_with_it(space):
    first, second = workspace.keep(space, "a.csv", b"a"), workspace.keep(space, "b.csv", b"b")
    file = space.folder / "uploads.json"
    whole = json.loads(file.read_bytes())
    for odd in [*ODD, whole[0] | {"size": "1"}, whole[0] | {"sha256": "../x"}, whole[0] | {"number": -1}]:
        put(space, file.name, json.dumps([odd, whole[1]]))
        assert workspace.uploads(space) == (second,), odd
    assert not list(space.folder.glob("*unreadable*"))
    assert workspace.keep(space, "a.csv", b"a") == first


def test_what_could_not_be_written_again_is_put_aside(space):
    deep = "[" * 200 + "]" * 200
    for n, odd in enumerate(("NaN", "Infinity", "-Infinity", "1e400", "-1e400", deep, "[" * 100_000, "9" * 5_000), 1):
        workspace.change(space, "one", {"a": 1})
        put(space, "settings.json", f'{{"values": {{"b": {odd}}}, "past": [], "future": []}}')
        assert workspace.values(space) == {}, odd[:20]
        assert len(list(space.folder.glob("settings.unreadable-*.json"))) == n, odd[:20]
        workspace.change(space, "two", {"a": 2})
        assert workspace.values(space) == {"a": 2}, odd[:20]
    nested = {"a": [[{"b": [1, [2.5, -1e308]]}]]}
    set_value(space, "budget", nested)
    assert workspace.values(space) == {"budget": nested}


def test_roles_and_exclusions_may_be_anything(space, monkeypatch):
    monkeypatch.setattr(state, "space", lambda: space)
    monkeypatch.setattr(state, "is_drawn", lambda: True)
    monkeypatch.setattr(state, "_write", lambda act, *given: act(space, *given))
    key = state.chosen().key
    workspace.change(space, "one", {"a": 1})
    for odd in ODD:
        set_value(space, f"roles:{key}", odd)
        assert state.roles() == {}, odd
        state.hold_out(["r1"])
        assert state.roles() == {"r1": HELD_OUT}, odd
        set_value(space, f"excluded:{key}", odd)
        before = odd if odd == ["x"] else []
        assert state.excluded() == before, odd
        state.exclude(["r1"])
        assert state.excluded() == ["r1"], odd
        set_value(space, f"answers:{key}", odd)
        assert state.answers() == {}, odd
        set_value(space, "source", odd)
        assert state.chosen().key == key, odd


def test_answers_may_be_anything():
    assert {f.name for f in fields(Answers)} == {*ANSWERS, "orientation"}
    said = {
        "columns": {"loss": "loss", "tokens": None}, "units": {"tokens": 1e9, "params": 1, "flops": "log10"},
        "states": ["crashed"], "devices": 8, "bytes_per_token": 4.2, "rows": "runs", "orientation": "rows",
    }  # fmt: skip
    assert json.dumps(said_of_columns(said)) == json.dumps(said)
    assert said_of_columns({**said, "columns": {"loss": "loss", "tokens": 5}})["columns"] == {"loss": "loss"}
    assert said_of_columns({"columns": 5, "rows": "runs", "more": 1, "devices": "8", "states": "ab"}) == {
        "rows": "runs"
    }
    table = from_frame(RUNS)
    for name in (*ANSWERS, "orientation"):
        for odd in [*ODD, math.inf, {"loss": 5}, {"loss": ["a"]}, {"tokens": True}, {"tokens": {}}, {"a": "b"}]:
            read = read_upload(table, said_of_columns({name: odd}))
            assert read.trouble is None or isinstance(read.trouble, DataError), (name, odd, read.trouble)
