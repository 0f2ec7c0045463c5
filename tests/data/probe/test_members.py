"""Two sweeps that share a run: it is made once, and each of them has it, whoever reads, cancels or deletes."""

from __future__ import annotations

import json
import shutil
from collections import Counter

import pytest

from data import read_runs
from data.errors import DataError
from data.probe import members
from data.probe.folder import Status
from data.probe.found import probes_of, run_folders, sweeps
from data.probe.queue.local import LocalQueue
from data.probe.queue.shared import by_sweep, left_to_others
from data.probe.queue.store import Store
from data.probe.slurm import submit
from data.probe.sweep import sweep
from data.schema import NothingKept
from data.sources import Place, all_sources
from tests.dashboard.probe.fake import measured, stands, status

SMALL = {"tokens": 2e4, "seq_len": 64, "eval_tokens": 2048}
FIRST, LATER = {**SMALL, "width": [8, 16]}, {**SMALL, "width": [16, 24]}
SHARED = sweep({**SMALL, "width": 16})[0].key


@pytest.fixture
def store(tmp_path):
    """A queue whose first sweep is done, and whose later one shares a run with it and has another of its own, which is done."""
    made = Store(tmp_path / "out")
    stands(made, "first", FIRST, ["done", "done"])
    submitted(made)
    return made


def submitted(store, name="later", values=LATER):
    """Submit a sweep; its runs that wait are done at once."""
    specs = sweep(values)
    store.submit(name, specs)
    for spec in specs:
        if (job := store.find(spec.key)).state == "queued":
            measured(store.folder(job), spec)
            store.folder(job).say(status(spec, "done"))
            assert store.assign(f"cpu {spec.key}").key == spec.key
            store.ended(spec.key, "done")


def states(store, name):
    return [job.state for job in store.jobs(name)]


def test_every_reader_of_a_sweep_has_the_run_that_it_shares(store):
    assert [job.attempts for job in store.jobs()] == [1, 1, 1]
    assert sorted(len(list((store.root / name).glob("*/spec.json"))) for name in ("first", "later")) == [1, 2]
    for name in ("first", "later"):
        runs = read_runs(store.root / name)
        assert (len(runs), set(runs.kept["group"])) == (2, {name})
        assert len(store.jobs(name)) == 2
    (source,) = [one for one in all_sources(Place(probes=(store.root,))) if one.title == "later"]
    assert source.sentence == "2 runs trained here: 2 done."
    assert len(source.read({}).runs) == 2
    assert len(read_runs(store.root)) == 3  # a folder of sweeps has each run once
    assert len(read_runs([store.root / "first", store.root / "later"])) == 3


def test_the_version_of_a_source_changes_with_the_run_that_it_shares(store):
    (source,) = [one for one in all_sources(Place(probes=(store.root,))) if one.title == "later"]
    before = source.version
    store.folder(store.find(SHARED)).append({"step": 900, "tokens": 1e9, "loss": 1.0})
    assert source.version != before


def test_a_sweep_all_of_whose_runs_another_has_is_a_sweep(store):
    store.submit("all", sweep({**SMALL, "width": 16}))
    assert (store.root / "all").is_dir()
    assert "all" in [one.name for one in sweeps(store.root)]
    assert len(read_runs(store.root / "all")) == 1


def test_the_queue_is_rebuilt_with_what_sweeps_share(store):
    for left in store.root.glob("queue.sqlite*"):
        left.unlink()
    assert store.rebuild() == 3
    assert [len(store.jobs(name)) for name in ("first", "later")] == [2, 2]


def test_deleting_a_sweep_hands_its_shared_run_to_the_other(store):
    store.forget("first")
    shutil.rmtree(store.root / "first")
    job = store.find(SHARED)
    assert (job.sweep, job.state, job.attempts) == ("later", "done", 1)
    assert len(read_runs(store.root / "later")) == 2
    assert len(store.jobs()) == 2
    submitted(store)
    assert [one.attempts for one in store.jobs()] == [1, 1]  # nothing is made again


def test_deleting_the_sweep_that_shares_leaves_the_run_where_it_lies(store):
    store.forget("later")
    shutil.rmtree(store.root / "later")
    assert len(read_runs(store.root / "first")) == 2
    assert {job.sweep for job in store.jobs()} == {"first"}


def test_a_hand_over_that_was_cut_short_is_taken_up_by_the_folders(store):
    (store.root / "first" / SHARED).rename(store.root / "later" / SHARED)  # and then the process died
    assert store.rebuild() == 0
    assert store.find(SHARED).sweep == "later"
    assert store.folder(store.find(SHARED)).status.state == "done"


def test_nothing_is_deleted_while_the_shared_run_is_at_work(tmp_path):
    store = Store(tmp_path)
    stands(store, "first", FIRST, ["done", "running"])
    store.submit("later", sweep(LATER))
    with pytest.raises(DataError, match="is at work"):
        store.forget("first")
    store.forget("later")
    assert store.find(SHARED).state == "running"


def test_a_folder_that_somebody_deleted_is_said_and_made_again_by_who_asks(store):
    shutil.rmtree(store.root / "first")
    runs = read_runs(store.root / "later")
    assert len(runs) == 1
    assert [f"{SHARED} is missing: it was deleted, or lies in another" in why for why in runs.set_aside["reason"]] == [
        True
    ]
    assert [one.status.state for one in probes_of(store.root / "later") if one.fault] == ["lost"]
    submitted(store)
    assert store.find(SHARED).sweep == "later"
    assert len(read_runs(store.root / "later")) == 2


def test_a_sweep_moved_to_another_machine_alone_says_what_it_lacks(store, tmp_path):
    shutil.copytree(store.root / "later", tmp_path / "elsewhere" / "later")
    assert len(read_runs(tmp_path / "elsewhere" / "later")) == 1
    shutil.copytree(store.root / "first", tmp_path / "elsewhere" / "first")
    assert len(read_runs(tmp_path / "elsewhere" / "later")) == 2


def test_a_sweep_from_before_the_list_has_what_lies_in_it(store):
    for path in store.root.glob(f"*/{members.FILE}"):
        path.unlink()
    assert [len(read_runs(store.root / name)) for name in ("first", "later")] == [2, 1]
    assert [len(store.jobs(name)) for name in ("first", "later")] == [2, 1]
    submitted(store)
    assert len(read_runs(store.root / "later")) == 2


def test_a_sweep_submitted_again_with_more_runs_keeps_those_it_had(store):
    submitted(store, values={**SMALL, "width": 32})
    assert len(read_runs(store.root / "later")) == 3
    assert members.listed(store.root / "later")[0] == SHARED  # in order of submission


def test_a_run_s_folder_with_another_name_is_no_missing_run(store):
    own = next(path for path in run_folders(store.root / "later") if path.parent.name == "later")
    own.rename(own.with_name("mine"))
    assert len(read_runs(store.root / "later")) == 2
    assert not [one.fault for one in probes_of(store.root / "later") if one.fault]


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ('{"runs": ["../../../etc"]}', "a run's key has 16 digits"),
        ('{"runs": ["0123456789abcdef/.."]}', "a run's key has 16 digits"),
        ('{"runs": [16]}', "16 came"),
        ('["0123456789abcdef"]', "it should hold 'runs'"),
        ('{"runs": ["0123456789abcdef"]' + " " * members.MOST_BYTES + "}", "at most 1,000,000 are read"),
        ("[" * 50_000, "cannot be read"),
        ("\x00\xff", "cannot be read"),
    ],
)
def test_a_list_that_makes_no_sense_is_said_by_every_reader_and_never_followed(store, written, sentence):
    (store.root / "etc").mkdir()
    (store.root / "later" / members.FILE).write_text(written, encoding="latin-1")
    runs = read_runs(store.root / "later")
    assert len(runs) == 1
    assert [sentence in why for why in runs.set_aside["reason"]] == [True]
    assert len(store.jobs("later")) == 1
    with pytest.raises(DataError, match=r"Remove it and submit the sweep again"):
        store.submit("later", sweep({**SMALL, "width": 40}))
    assert len(store.jobs()) == 3  # nothing was made


def test_a_list_that_is_no_file_is_none(store):
    path = store.root / "later" / members.FILE
    path.unlink()
    path.mkdir()
    assert len(read_runs(store.root / "later")) == 1


def test_cancelling_a_sweep_leaves_what_another_still_asks_for(tmp_path):
    store = Store(tmp_path)
    store.submit("first", sweep(FIRST))
    store.submit("later", sweep(LATER))
    assert left_to_others(tmp_path, "first", store.jobs()) == {SHARED: "later"}
    own = next(job.key for job in store.jobs("first") if job.key != SHARED)
    store.cancel([own])
    assert states(store, "first") == ["cancelled", "queued"]
    assert left_to_others(tmp_path, "later", store.jobs()) == {}  # the first asks for nothing any more
    store.cancel(job.key for job in store.jobs("later"))
    assert Counter(states(store, "first") + states(store, "later")) == {"cancelled": 4}
    LocalQueue(tmp_path).retry([SHARED])
    assert [states(store, name)[k] for name, k in (("first", 1), ("later", 0))] == ["queued", "queued"]


def test_a_sweep_that_was_cancelled_itself_asks_for_nothing_though_it_has_runs_that_are_done(tmp_path):
    store = Store(tmp_path)
    store.submit("first", sweep(FIRST))
    store.submit("later", sweep(LATER))
    for job in store.jobs():
        if job.key != SHARED:
            store.folder(job).say(Status("done"))
    lose(store)
    assert left_to_others(tmp_path, "first", store.jobs(), store.given_up()) == {SHARED: "later"}
    store.give_up("first")
    assert left_to_others(tmp_path, "later", store.jobs(), store.given_up()) == {}
    store.release("first")
    assert left_to_others(tmp_path, "later", store.jobs(), store.given_up()) == {SHARED: "first"}


def lose(store):
    for left in store.root.glob("queue.sqlite*"):
        left.unlink()


def test_a_sweep_that_is_held_does_not_hold_what_another_asks_for(tmp_path):
    store = Store(tmp_path)
    store.submit("first", sweep(FIRST))
    store.hold("first", "It fails.")
    assert len(store.stopped(store.jobs())) == 2
    store.submit("later", sweep({**SMALL, "width": 16}))
    assert SHARED not in store.stopped(store.jobs())
    assert store.assign("cpu 0").key == SHARED
    assert store.assign("cpu 1") is None
    store.ended(SHARED, "failed", "No.")
    store.hold("later", "It fails, too.")
    LocalQueue(tmp_path).retry([SHARED, *(job.key for job in store.jobs("first"))])
    assert set(store.held()) == {"later"}  # who has all that is made again goes on
    assert [job.key for job in by_sweep(tmp_path, store.jobs())["later"]] == [SHARED]


def test_on_slurm_a_shared_run_is_submitted_once_and_both_sweeps_have_it(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(submit, "queue", list)
    monkeypatch.setattr(submit, "accounted", lambda gone: [])
    monkeypatch.setattr(submit, "most_tasks", lambda: 100)
    monkeypatch.setattr(submit, "told", lambda *command, given_to=given, given="": given_to.append(given) or "7")
    queue = submit.SlurmQueue(tmp_path)
    for one in queue.submit("first", sweep(FIRST)):
        one.folder.say(Status("done"))
    assert SHARED in [one.key for one in queue.submit("later", sweep(LATER))]
    assert [text.count(SHARED) > 0 for text in given] == [True, False]
    assert [len(run_folders(tmp_path / name)) for name in ("first", "later")] == [2, 2]
    assert members.listed(tmp_path / "later")[0] == SHARED


def test_a_list_is_written_whole_and_once(tmp_path):
    members.join(tmp_path / "a", ["0" * 16, "1" * 16])
    before = (tmp_path / "a" / members.FILE).stat()
    members.join(tmp_path / "a", ["1" * 16])
    assert (tmp_path / "a" / members.FILE).stat() == before
    assert json.loads((tmp_path / "a" / members.FILE).read_text()) == {"runs": ["0" * 16, "1" * 16]}
    assert [path.name for path in (tmp_path / "a").iterdir()] == [members.FILE]


def test_a_sweep_of_missing_runs_alone_says_so(tmp_path):
    members.join(tmp_path / "out" / "a", ["0" * 16])
    with pytest.raises(NothingKept, match="No run of a is done: 1 lost"):
        read_runs(tmp_path / "out" / "a")
