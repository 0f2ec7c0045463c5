"""Whatever happens to a run, nothing of it is lost, its status says what happened, and it goes on to the same end."""

from __future__ import annotations

import contextlib
import errno
import os
import random
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.probe import folder as folders  # noqa: E402
from data.probe.folder import CHECKPOINT, LATE_ELSEWHERE, LATE_HERE, Folder, Status, now  # noqa: E402
from data.probe.process import Process, boot  # noqa: E402
from data.probe.spec import spec  # noqa: E402
from data.probe.trainer import __main__ as command  # noqa: E402
from data.probe.trainer import checkpoint, step  # noqa: E402
from tests.benchmarks.probe_kills import declared, differences, killed  # noqa: E402
from tests.data.probe.trainer.forked import Forked, remade  # noqa: E402

SHORT = {"tokens": 2e4, "evals": 5, "averages": [0.2]}


def test_killed_at_random_moments_it_ends_the_same_bit_for_bit(tmp_path):
    fields = {"tokens": 1.2e5, "evals": 12}
    whole, parts = declared(tmp_path / "whole", **fields), declared(tmp_path / "parts", **fields)
    assert remade(whole) == 0
    stood = killed(parts, random.Random(0), 3, start=Forked)
    steps = Folder(whole).status.steps
    assert any(0 < at < steps for at in stood), stood
    assert differences(whole, parts) == []
    assert Folder(parts).status.state == "done"


@contextlib.contextmanager
def read_only(folder):
    """A folder that this process may not write to, also where it is root's."""
    if os.geteuid() == 0:
        folder.chmod(0o755)
        for above in [folder, *folder.parents[:3]]:
            above.chmod(0o755)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        folder.chmod(0o555)
        try:
            yield
        finally:
            folder.chmod(0o755)


def full(after):
    """A write of a kind of file that fails with a full disk from the n-th on."""
    real, left = folders.write_whole, [after]

    def write(path, content):
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(path, content)

    return write


def test_a_full_disk_stops_a_run_that_goes_on_when_there_is_room(tmp_path, monkeypatch):
    whole = declared(tmp_path / "whole", **SHORT)
    assert remade(whole) == 0
    real = Folder.append

    def torn(self, row):
        if row["step"] > 10:
            with (self.path / "log.jsonl").open("ab") as out:
                out.write(b'{"step": 11, "lo')
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(self, row)

    cases = {
        "checkpoint": (checkpoint, "write_whole", full(2)),
        "log": (Folder, "append", torn),
        "everything": (folders, "write_whole", full(4)),
    }
    for name, (where, what, fails) in cases.items():
        folder = declared(tmp_path / name, **SHORT)
        with monkeypatch.context() as patched:
            patched.setattr(where, what, fails)
            assert remade(folder, "--keep-every", "0") == 1, name
        if name != "everything":  # where there is no room for a status either it says that it runs, and is lost
            status = Folder(folder).status
            assert status.state == "failed", name
            assert status.sentence == (
                "Its folder could not be written: No space left on device. It goes on from its checkpoint."
            )
        assert remade(folder) == 0, name
        assert differences(whole, folder) == [], name


def test_whatever_goes_wrong_is_one_sentence(tmp_path, monkeypatch, capfd):
    done = declared(tmp_path / "done", **SHORT)
    assert remade(done) == 0
    good = (done / CHECKPOINT).read_bytes()

    def memory(*_):
        return torch.empty(1 << 46)

    def cuda(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    torn = [("torn", good[: int(len(good) * share)]) for share in (0.0, 0.1, 0.5, 0.9, 0.999)]
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 255
    cases = [
        *((name, {}, content, None, "is no checkpoint") for name, content in [*torn, ("torn", bytes(flipped))]),
        ("other", {"seed": 9}, good, None, "is another run's checkpoint"),
        ("memory", {}, None, memory, "There was not enough memory"),
        ("cuda", {}, None, cuda, "There was not enough memory"),
        ("corpus", {"corpus": "nowhere"}, None, None, "is no corpus"),
    ]
    for i, (name, fields, content, fails, sentence) in enumerate(cases):
        folder = declared(tmp_path / f"{name}{i}", **SHORT, **fields)
        if content is not None:
            (folder / CHECKPOINT).write_bytes(content)
        with monkeypatch.context() as patched:
            if fails is not None:
                patched.setattr(step, "losses", fails)
            assert remade(folder) == 1, name
        status = Folder(folder).status
        assert status.state == "failed", name
        assert sentence in status.sentence, (name, status.sentence)
        assert "\n" not in status.sentence
        assert status.process == ""
    folder = declared(tmp_path / "readonly", **SHORT)
    with read_only(folder):
        assert remade(folder) == 2
    said = capfd.readouterr()
    assert "Traceback" not in said.out + said.err
    assert "Permission denied" in said.err


def test_a_folder_has_one_trainer(tmp_path, capsys):
    folder = declared(tmp_path / "run", **SHORT)
    with Folder(folder).taken():
        assert remade(folder) == command.BUSY
    assert "Another process makes the run" in capsys.readouterr().err
    assert Folder(folder).status == Status("queued")


def test_what_a_dead_process_left_half_written_is_removed(tmp_path):
    old, new = tmp_path / ".old.part", tmp_path / ".new.part"
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (now() - 3600, now() - 3600))
    with Folder(tmp_path).taken():
        assert [old.exists(), new.exists()] == [False, True]


def test_a_run_is_lost_whose_process_is_gone_and_that_is_silent(tmp_path):
    own = Process.this()
    gone = str(replace(own, began=own.began - 60))
    far = str(replace(own, boot="another machine"))
    cases = [
        ("running", str(own), 1e6, "running"),
        ("running", gone, LATE_HERE / 2, "running"),
        ("running", gone, LATE_HERE * 2, "lost"),
        ("running", far, LATE_ELSEWHERE / 2, "running"),
        ("running", far, LATE_ELSEWHERE * 2, "lost"),
        ("running", "", LATE_ELSEWHERE * 2, "lost"),
        ("done", gone, 1e6, "done"),
        ("queued", "", 1e6, "queued"),
    ]
    assert own.boot == boot()
    for state, process, silent, found in cases:
        Folder(tmp_path).say(Status(state, process=process, heartbeat=now() - silent, step=3))
        stands = Folder(tmp_path).standing
        assert (stands.state, stands.step) == (found, 3), (state, process, silent)
        assert (stands.sentence != "") == (found == "lost")


def test_keys_of_older_runs_are_what_they_were():
    """Worked out before later fields were there: folders of that time are found again by them."""
    assert spec({}).key == "da9427bfc2a19f55"
    assert spec({"width": 32}).key == "422f17f59be8d626"
    assert spec({"micro": 4}).key != spec({}).key == spec({"trunk": "0123456789abcdef"}).key
