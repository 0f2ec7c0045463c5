"""A workspace keeps what it is given, whatever the names, the order and the number of hands."""

import json
import os
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboard.workspace import store as workspace
from dashboard.workspace.store import Workspace, WorkspaceError
from data import plain

HOSTILE = [
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "/absolute",
    "con",
    "a\0b",
    "<img src=x onerror=alert(1)>.csv",
    "**bold**[link](javascript:x)",
    "\u202egpj.exe",
    "\ud800",
    "x" * 10_000,
    "",
    " ",
    ".",
]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def space() -> Workspace:
    return workspace.new()


def inside(home: Path) -> set[str]:
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()} if home.exists() else set()


def test_looking_leaves_nothing_behind(space: Workspace, own_home: Path) -> None:
    assert workspace.values(space) == {}
    assert workspace.uploads(space) == ()
    assert workspace.history(space) == workspace.History(None, None)
    assert workspace.undo(space) is None
    assert not own_home.exists()
    assert workspace.find(space.id) is None


def test_an_id_is_128_random_bits_and_nothing_else_is_an_id(space: Workspace) -> None:
    workspace.change(space, "choose", {"source": "bundled:probe-isoflop"})
    found = workspace.find(space.id)
    assert found is not None
    assert found.folder == space.folder
    assert len({workspace.new().id for _ in range(100)}) == 100
    for wrong in ["", "..", space.id.upper() + "x", space.id[:-1], space.id + "/", f"../{space.id}", space.id + "\n"]:
        assert workspace.find(wrong) is None


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_only_the_owner_may_enter(space: Workspace, own_home: Path) -> None:
    upload = workspace.keep(space, "runs.csv", b"loss\n1\n")
    for folder in (own_home, space.folder, space.folder / "uploads"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((space.folder / "uploads" / upload.sha256).stat().st_mode) == 0o600


def test_a_linked_folder_is_not_a_workspace(tmp_path: Path, space: Workspace) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    space.folder.parent.mkdir(parents=True)
    space.folder.symlink_to(elsewhere)
    assert workspace.find(space.id) is None


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_only_ever_text(name: str, space: Workspace, own_home: Path) -> None:
    upload = workspace.keep(space, name, b"bytes")
    assert inside(own_home) == {
        f"workspaces/{space.id}/{rest}" for rest in (".lock", "uploads.json", f"uploads/{upload.sha256}")
    }
    assert workspace.content(space, upload.sha256) == b"bytes"
    shown = workspace.uploads(space)[0].name
    assert 0 < len(shown) <= 120
    assert "/" not in shown
    assert "\\" not in shown
    shown.encode("utf-8")
    assert shown.isprintable()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.text(alphabet=st.characters(), max_size=60), content=st.binary(max_size=64))
def test_any_name_and_bytes_come_back(name: str, content: bytes, own_home: Path) -> None:
    space = workspace.new()
    upload = workspace.keep(space, name, content)
    again = workspace.find(space.id)
    assert again is not None
    assert workspace.uploads(again) == (upload,)
    assert workspace.content(again, upload.sha256) == content
    assert all(path.startswith("workspaces/") for path in inside(own_home))


def test_the_same_bytes_are_kept_once_under_the_newest_name(space: Workspace) -> None:
    workspace.keep(space, "a.csv", b"one")
    workspace.keep(space, "b.csv", b"two")
    workspace.keep(space, "renamed.csv", b"one")
    assert [held.name for held in workspace.uploads(space)] == ["b.csv", "renamed.csv"]


def test_what_reads_a_workspace_is_built_once(space: Workspace) -> None:
    """A reader of plain values is kept for good: one built at each look at a workspace would fill the server's memory."""
    held = workspace.keep(space, "runs.csv", b"1")
    workspace.take_out(space, held.sha256)
    built = plain._adapter.cache_info().misses
    for _ in range(3):
        assert workspace.uploads(space) == ()
        assert workspace.taken_out(space) == (held,)
        workspace.history(space)
    assert plain._adapter.cache_info().misses == built


def test_a_digest_cannot_lead_out_of_the_folder(space: Workspace) -> None:
    workspace.keep(space, "a.csv", b"one")
    for wrong in ["../settings.json", "0" * 64, "", "../../../../etc/passwd"]:
        with pytest.raises(WorkspaceError, match="upload it again"):
            workspace.content(space, wrong)
    workspace.remove(space, "../uploads.json")
    assert len(workspace.uploads(space)) == 1


def test_a_full_workspace_says_how_much_room_is_left(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "QUOTA", 3_000_000)
    first = workspace.keep(space, "a.csv", bytes(2_000_000))
    with pytest.raises(WorkspaceError, match=r"b.csv has 2 MB .* room for 1 MB of 3 MB"):
        workspace.keep(space, "b.csv", b"1" * 2_000_000)
    assert len(workspace.uploads(space)) == 1
    workspace.remove(space, first.sha256)
    workspace.keep(space, "b.csv", b"1" * 2_000_000)


def test_undo_and_redo_walk_the_steps_in_order(space: Workspace) -> None:
    workspace.change(space, "choose A", {"source": "a"})
    workspace.change(space, "exclude run-1", {"excluded:a": ["run-1"]})
    workspace.change(space, "exclude run-1", {"excluded:a": ["run-1"]})  # changes nothing, leaves no step
    workspace.change(space, "choose B", {"source": "b", "delta": 1e-2})
    assert workspace.history(space) == workspace.History("choose B", None)
    assert workspace.undo(space) == "choose B"
    assert workspace.values(space) == {"source": "a", "excluded:a": ["run-1"]}
    assert workspace.undo(space) == "exclude run-1"
    assert workspace.undo(space) == "choose A"
    assert workspace.values(space) == {}
    assert workspace.undo(space) is None
    assert [workspace.redo(space) for _ in range(4)] == ["choose A", "exclude run-1", "choose B", None]
    assert workspace.values(space) == {"source": "b", "delta": 1e-2, "excluded:a": ["run-1"]}
    workspace.undo(space)
    workspace.change(space, "choose C", {"source": "c"})
    assert workspace.history(space) == workspace.History("choose C", None)


def test_tuples_and_nones_are_plain_values(space: Workspace) -> None:
    workspace.change(space, "one", {"excluded": ("a", "b")})
    workspace.change(space, "same", {"excluded": ["a", "b"]})
    assert workspace.history(space).undo == "one"
    workspace.change(space, "clear", {"excluded": None})
    assert workspace.values(space) == {}


def test_history_stays_bounded(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "HISTORY_BYTES", 20_000)
    names = [f"run-{i}" for i in range(300)]
    for i in range(40):
        workspace.change(space, f"step {i}", {"excluded": names[i:]})
    assert (space.folder / "settings.json").stat().st_size <= 20_000
    assert workspace.values(space) == {"excluded": names[39:]}
    assert workspace.undo(space) == "step 39"


def test_two_hands_lose_nothing(space: Workspace) -> None:
    def add(name: str) -> None:
        for i in range(20):

            def grow(held: dict[str, list[str]], i: int = i) -> dict[str, list[str]]:
                return {"excluded": [*held.get("excluded", []), f"{name}{i}"]}

            workspace.change(space, f"exclude {name}{i}", grow)
            workspace.keep(space, f"{name}{i}.csv", f"{name}{i}".encode())

    hands = [threading.Thread(target=add, args=(name,)) for name in "ab"]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    expected = {f"{name}{i}" for name in "ab" for i in range(20)}
    assert set(workspace.values(space)["excluded"]) == expected
    assert {held.name for held in workspace.uploads(space)} == {f"{name}.csv" for name in expected}
    assert not list(space.folder.rglob("*.part"))


def test_a_write_that_fails_leaves_the_old_file(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.change(space, "one", {"a": 1})

    def full(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        workspace.change(space, "two", {"a": 2})
    monkeypatch.undo()
    assert json.loads((space.folder / "settings.json").read_bytes())["values"] == {"a": 1}
    assert not list(space.folder.rglob("*.part"))


def test_a_step_that_makes_no_sense_takes_no_other_with_it(space: Workspace) -> None:
    for k in range(3):
        workspace.change(space, f"step {k}", {"a": k})
    file = space.folder / "settings.json"
    held = json.loads(file.read_text())
    held["past"][1] = {"what": 5}
    file.write_text(json.dumps(held))
    assert workspace.values(space) == {"a": 2}
    assert [workspace.undo(space) for _ in range(3)] == ["step 2", "step 0", None]


@pytest.mark.parametrize("broken", [b"", b"{", b"[]", b"\xff\xfe"])
def test_an_unreadable_file_is_put_aside(broken: bytes, space: Workspace, caplog: pytest.LogCaptureFixture) -> None:
    workspace.change(space, "one", {"a": 1})
    (space.folder / "settings.json").write_bytes(broken)
    assert workspace.values(space) == {}
    (said,) = caplog.records
    assert "settings.json could not be read (" in said.getMessage()
    assert not said.exc_info, "no traceback in the terminal"
    kept = list(space.folder.glob("settings.unreadable-*.json"))
    assert [path.read_bytes() for path in kept] == [broken]
    workspace.change(space, "two", {"a": 2})
    assert workspace.values(space) == {"a": 2}


def test_what_another_process_wrote_is_read_at_once_though_nothing_else_is_read_twice(monkeypatch):
    space = workspace.new()
    workspace.change(space, "first", {"a": 1})
    time.sleep(0.06)  # longer than a tick of the kernel's clock
    assert workspace.values(space) == {"a": 1}
    file = space.folder / "settings.json"
    with monkeypatch.context() as patch:
        patch.setattr(type(file), "read_bytes", lambda path: pytest.fail(f"{path} was read again"))
        assert workspace.values(space) == {"a": 1}
    for value in range(5):  # each within the same tick as the one before
        file.with_suffix(".new").write_text(json.dumps({"values": {"a": value}}))
        file.with_suffix(".new").replace(file)
        assert workspace.values(space) == {"a": value}
    for value in range(5, 8):  # as of an archive, which gives back the time, too
        file.write_text(json.dumps({"values": {"a": value}}))
        os.utime(file, (1e9, 1e9))
        assert workspace.values(space) == {"a": value}


def test_a_damaged_file_is_put_aside_once_and_nothing_written_meanwhile_with_it():
    space = workspace.new()
    workspace.change(space, "first", {"a": 1})
    for _ in range(10):
        (space.folder / "settings.json").write_text('{"values": {' + '"a":1,' * 30_000)
        with ThreadPoolExecutor(4) as pool:
            looks = [pool.submit(workspace.values, space) for _ in range(3)]
            pool.submit(workspace.change, space, "second", {"b": 2}).result()
            assert all(look.result() in ({}, {"b": 2}) for look in looks)
        assert workspace.values(space) == {"b": 2}
