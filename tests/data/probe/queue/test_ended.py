"""A command of the user's own when a sweep has ended: its words, once, also of what ended while no queue was there."""

from __future__ import annotations

import json
import sys

import pytest

from data.errors import DataError
from data.probe.queue import ended
from data.probe.queue.ended import choose
from data.probe.queue.store import Store
from data.probe.sweep import sweep

WRITE = "import sys, os; open(sys.argv[1], 'a').write(os.environ['ISOFLOP_SWEEP'] + '|' + sys.argv[2] + chr(10))"


@pytest.fixture(autouse=True)
def own_home(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))


def tell(store):
    ended.tell(store.root, store.jobs(), store.held())


def told():
    """Waits for what was started."""
    for child in ended._started:
        child.wait(20)


def test_the_command_is_run_once_a_sweep_with_a_sentence_and_no_shell(tmp_path):
    store, said = Store(tmp_path / "q"), tmp_path / "said $(rm -rf x); y"
    store.submit("first", sweep({"width": [8, 16]}))
    store.submit("second", sweep({"width": 24}))
    choose(store.root, [sys.executable, "-c", WRITE, str(said)])
    tell(store)
    for job in store.jobs("first"):
        assert store.assign("cpu 0").key == job.key
        store.ended(job.key, "done")
        tell(store)
    job = store.assign("cpu 0")
    store.ended(job.key, "failed", "No.")
    tell(store)
    tell(store)
    told()
    assert sorted(said.read_text().splitlines()) == [
        "first|first has ended: all 2 runs are done.",
        "second|second has ended: 1 failed.",
    ]
    choose(store.root, ["/no/such/command"])
    store.retry([job.key])
    tell(store)
    store.hold("second", "It fails.")
    tell(store)
    assert "/no/such/command could not be run" in (store.root / "on_end.log").read_text()
    (store.root / "open.json").write_text("{")
    for odd in ("[" * 100_000, json.dumps([1, {"a": 2}]), json.dumps(["echo", "a\0b"]), '["echo", "\\ud800"]'):
        ended.command_of(store.root).write_text(odd)
        (store.root / "open.json").write_text(json.dumps(["second"]))
        tell(store)


def test_a_folder_that_came_from_elsewhere_runs_nothing(tmp_path):
    store = Store(tmp_path / "q")
    store.submit("first", sweep({"width": 8}))
    (store.root / "on_end.json").write_text(json.dumps([sys.executable, "-c", WRITE, str(tmp_path / "ran")]))
    tell(store)
    store.ended(store.assign("cpu 0").key, "done")
    tell(store)
    told()
    assert not (tmp_path / "ran").exists()


def test_of_a_run_that_two_sweeps_share_both_are_told(tmp_path):
    store, said = Store(tmp_path / "q"), tmp_path / "said"
    store.submit("first", sweep({"width": 8}))
    store.submit("later", sweep({"width": 8}))
    choose(store.root, [sys.executable, "-c", WRITE, str(said)])
    tell(store)
    assert json.loads((store.root / "open.json").read_text()) == ["first", "later"]
    job = store.assign("cpu 0")
    store.ended(job.key, "done")
    tell(store)
    told()
    assert sorted(said.read_text().splitlines()) == [
        "first|first has ended: 1 done.",
        "later|later has ended: 1 done.",
    ]


def test_a_sweep_is_forgotten_unless_it_runs(tmp_path):
    store = Store(tmp_path)
    store.submit("first", sweep({"width": [8, 16]}))
    job = store.assign("cpu 0")
    with pytest.raises(DataError, match="is at work"):
        store.forget("first")
    store.ended(job.key, "failed", "No.")
    store.forget("first")
    assert store.jobs() == []
