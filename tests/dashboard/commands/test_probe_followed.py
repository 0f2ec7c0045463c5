"""`isoflop probe` while runs are made: followed, left, stopped, held and made again."""

from __future__ import annotations

import importlib.util
import json
import sys
import time

import pytest
from click.testing import CliRunner

from dashboard.commands import probe
from data.errors import DataError
from data.probe.folder import Folder
from data.probe.queue.local import LocalQueue
from data.probe.queue.store import Store
from data.probe.submitter import Standing
from data.probe.sweep import sweep
from tests.dashboard.probe.fake import stands

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="runs are trained with torch")
TINY = {"width": [8, 12, 16, 20], "tokens": 2e4, "seq_len": 64, "eval_tokens": 1024, "evals": 2}
LONGER = {"width": 8, "tokens": 3e5, "seq_len": 64, "eval_tokens": 1024, "evals": 4}


@pytest.fixture
def asked(tmp_path):
    def ask(values, *options, name="sweep"):
        (tmp_path / f"{name}.json").write_text(json.dumps(values))
        given = [str(tmp_path / f"{name}.json"), "--out", str(tmp_path / "out"), *options]
        return CliRunner().invoke(probe.command, given)

    return ask


class Scripted:
    """A queue whose runs stand so, look after look."""

    look_every = 0.0

    def __init__(self, tmp_path, *looks, held=""):
        self.looks, self.root, self.held = list(looks), tmp_path, held

    def tend(self, keys=()):
        return self.held

    def states(self):
        now = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        return [
            Standing(str(i), "s", Folder(self.root), state.strip("!"), stopping=state.endswith("!"))
            for i, state in enumerate(now)
        ]


def test_the_bar_says_stopping_until_cancelled_runs_have_ended(tmp_path, capsys):
    looks = [("running", "done"), ("running!", "done"), ("running!", "done"), ("cancelled", "done")]
    probe._follow(Scripted(tmp_path, *looks), {"0", "1"})
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "ended" not in line] == ["Runs", "Stopping", "Runs"]
    assert [line for line in said if "ended" in line] == ["1 of 2 runs ended", "2 of 2 runs ended"]
    probe._follow(Scripted(tmp_path, ("running!", "queued"), ("done", "done")), {"0", "1"})  # another is to come
    assert capsys.readouterr().out.splitlines() == ["Runs", "0 of 2 runs ended", "2 of 2 runs ended"]


def test_runs_that_the_queue_has_no_more_are_no_success(tmp_path):
    with pytest.raises(DataError, match=r"1 run is in the queue no more.*The same command"):
        probe._follow(Scripted(tmp_path, ("running", "done"), ("done",)), {"0", "1"})
    with pytest.raises(DataError, match=r"2 runs are in the queue no more"):
        probe._refuse_missing(2)


@needs_torch
def test_a_queue_that_is_lost_on_the_way_is_made_again_and_the_sweep_goes_on(asked, tmp_path, monkeypatch):
    store, patience, lost = Store(tmp_path / "out"), time.sleep, []

    def look(seconds):
        if not lost and any(job.state == "running" for job in store.jobs()):
            for left in store.root.glob("queue.sqlite*"):
                lost.append(left.unlink())
        patience(seconds)

    monkeypatch.setattr(time, "sleep", look)
    done = asked({**LONGER, "tokens": [3e5, 2e4]})
    assert lost
    assert done.exit_code == 0, done.output
    assert [job.state for job in store.jobs()] == ["done"] * 2


def test_a_sweep_that_is_held_is_said_whatever_else_its_queue_makes(tmp_path, monkeypatch):
    with pytest.raises(DataError, match=r"They fail\. `--retry` makes those that failed again"):
        probe._follow(Scripted(tmp_path, ("failed", "queued"), held="They fail."), {"0", "1"})
    monkeypatch.setattr("data.probe.queue.local.ensure_served", lambda root, **how: None)
    store = Store(tmp_path / "out")
    stands(store, "typo", TINY, ["failed", "failed", "failed", "queued"], "No.")
    store.hold("typo", "They fail.")
    stands(store, "busy", {**TINY, "width": [32, 64]}, ["running", "queued"])
    queue = LocalQueue(store.root)
    assert queue.tend({job.key for job in store.jobs("typo")}) == "They fail."
    assert queue.tend({job.key for job in store.jobs("busy")}) == ""
    assert queue.tend() == ""


@needs_torch
def test_three_fast_failures_hold_a_sweep_and_retry_makes_it(asked, tmp_path, monkeypatch):
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text("raise ImportError('libcudart is missing')")
    with monkeypatch.context() as broken:
        broken.setenv("PYTHONPATH", str(tmp_path / "broken"))
        done = asked(TINY)
    store = Store(tmp_path / "out")
    assert done.exit_code == 1
    assert "3 runs in a row failed before their first step" in done.output
    assert "It said last: ImportError: libcudart is missing. `--retry` makes those that failed again" in done.output
    assert [job.state for job in store.jobs()] == ["failed"] * 3 + ["queued"]
    again = asked(TINY)
    assert "3 runs in a row failed" in again.output  # it is held until it is retried
    done = asked(TINY, "--retry")
    assert done.exit_code == 0, done.output
    assert [(job.state, job.attempts) for job in store.jobs()] == [("done", 2)] * 3 + [("done", 1)]
    assert store.held() == {}


@needs_torch
def test_ctrl_c_leaves_the_run_at_work_and_the_same_command_follows_it(asked, tmp_path, monkeypatch):
    store, patience = Store(tmp_path / "out"), time.sleep

    def once_at_work(act):
        """Have something happen at the first look at which the run is at work."""
        acts = [act]

        def look(seconds):
            (job,) = store.jobs()
            if job.state == "running" and acts:
                acts.pop()(job.key)
            else:
                patience(seconds)

        monkeypatch.setattr(time, "sleep", look)

    def ctrl_c(key):
        raise KeyboardInterrupt

    once_at_work(ctrl_c)
    left = asked(LONGER)
    assert left.exit_code == 130, left.output
    assert "The runs go on. The same command follows them again." in left.output
    assert [(job.state, job.attempts) for job in store.jobs()] == [("running", 1)]
    once_at_work(lambda key: store.cancel([key]))
    ended = asked(LONGER)
    assert ended.exit_code == 1, ended.output
    assert ended.output.index("Runs") < ended.output.index("Stopping") < ended.output.index("cancelled. Cancelled")
    assert [(job.state, job.attempts) for job in store.jobs()] == [("cancelled", 1)]
    monkeypatch.setattr(time, "sleep", patience)
    done = asked(LONGER, "--retry")
    assert done.exit_code == 0, done.output
    assert [(job.state, job.attempts) for job in store.jobs()] == [("done", 2)]


class NoTorch:
    """Whoever imports torch is told that there is none."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return


def test_without_torch_it_says_what_to_install_and_prices_all_the_same(asked, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoTorch(), *sys.meta_path])
    done = asked(TINY)
    assert done.exit_code == 1
    assert "torch, which is not installed: pip install -e '.[probe]'" in done.output
    assert not (tmp_path / "out").exists()
    priced = asked(TINY, "--dry-run", "--devices", "cpu")
    assert priced.exit_code == 0, priced.output
    printed = asked(TINY, "--print", "slurm")
    assert printed.exit_code == 0, printed.output


def test_a_sweep_that_shares_runs_is_followed_and_written_as_its_own(asked, tmp_path, monkeypatch):
    monkeypatch.setattr("data.probe.queue.local.ensure_served", lambda root, **how: None)
    monkeypatch.setattr(probe, "_has_torch", lambda: True)
    stands(Store(tmp_path / "out"), "first", TINY, ["done"] * 4)
    done = asked({**TINY, "width": [16, 20]}, "--json", "-", name="later")
    assert done.exit_code == 0, done.output
    listed = json.loads(done.stdout)  # nothing else is on standard output
    assert [(one["sweep"], one["state"]) for one in listed] == [("later", "done")] * 2
    printed = asked({**TINY, "width": [16, 24]}, "--print", "slurm", name="printed")
    (shared,) = sweep({**TINY, "width": 16})
    assert str(tmp_path / "out" / "first" / shared.key) in printed.output
    assert len(list((tmp_path / "out" / "printed").glob("*/spec.json"))) == 1


@pytest.mark.parametrize("options", [(), ("--print", "slurm")])
def test_a_folder_that_cannot_be_made_is_named(tmp_path, monkeypatch, options):
    monkeypatch.setattr(probe, "_has_torch", lambda: True)
    (tmp_path / "a.json").write_text(json.dumps(TINY))
    for where in ("/proc/x", str(tmp_path / "a.json" / "below"), str(tmp_path / ("x" * 300))):
        done = CliRunner().invoke(probe.command, [str(tmp_path / "a.json"), "--out", where, *options])
        assert done.exit_code == 1, done.output
        assert f"{where} cannot hold runs: " in done.output
