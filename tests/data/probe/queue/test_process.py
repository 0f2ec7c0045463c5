"""Which process is meant, whatever numbers come again."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from data.probe.process import Process


def test_a_process_is_more_than_its_number():
    own = Process.this()
    assert Process.read(str(own)).alive
    assert not Process(own.pid, own.began - 60, own.boot).alive
    assert not Process(own.pid, own.began, "another boot").alive
    assert Process.read("12") is None
    child = subprocess.Popen([sys.executable, "-c", ""])
    named = Process.of(child.pid)
    child.wait()
    assert not named.alive
    assert json.loads(json.dumps(str(own))) == str(own)
    assert os.getpid() == own.pid
