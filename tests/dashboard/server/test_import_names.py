"""Other files called data.py, fitting.py or dashboard.py: the command minds none of them, and an import says which is in the way."""

import os
import signal
import socket
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

import isoflop
from dashboard.server import launch

ROOT = Path(isoflop.HERE)
NAMES = ("data", "fitting", "dashboard")


@pytest.fixture
def beside(tmp_path: Path) -> Path:
    """A folder with a file of each of our names, each of which ends the program that imports it."""
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(f"raise SystemExit('the {name}.py of somebody else')\n")
    return tmp_path


def _environment(**also: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([".", str(ROOT), str(ROOT / "dashboard" / "entry")]), **also}


def test_the_command_minds_no_file_of_our_names(beside: Path) -> None:
    entry = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]["isoflop"]
    module, function = entry.split(":")
    as_installed = f"import sys; from {module} import {function}; sys.exit({function}())"
    table = ROOT / "data" / "published" / "probe_isoflop.csv"
    said = subprocess.run(
        [sys.executable, "-c", as_installed, "fit", str(table), "--resamples", "0", "--json", "-"],
        cwd=beside, env=_environment(), capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert '"law"' in said.stdout


def test_the_page_minds_no_file_of_our_names(beside: Path) -> None:
    """The page itself is run by the server in a thread of its own, with the folder of its script on the path."""
    port = launch.free_port(0, 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "isoflop", "--no-browser", "--port", str(port)],
        cwd=beside, env=_environment(ISOFLOP_HOME=str(beside / "home")),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        for _ in range(1200):
            with socket.socket() as probe:
                if process.poll() is not None or probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        shown = _drawn(port)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()
    assert "somebody else" not in said
    assert "Traceback" not in said
    assert b"Runs" in shown
    assert b"Something went wrong" not in shown


def _drawn(port: int) -> bytes:
    """All that the server sends to a browser that opens the page, until its script has ended."""
    ask, heard = BackMsg(), b""
    ask.rerun_script.query_string = ""
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream", subprotocols=[Subprotocol("streamlit")], max_size=None
    ) as page:
        page.send(ask.SerializeToString())
        for _ in range(500):
            sent = page.recv(timeout=60)
            assert isinstance(sent, bytes)
            heard += sent
            if ForwardMsg.FromString(sent).WhichOneof("type") == "script_finished":
                return heard
    raise AssertionError("the page never ended")


def test_an_import_says_which_file_hides_ours(tmp_path: Path) -> None:
    for k, where in enumerate(("data.py", "data/__init__.py", "data/notes.txt")):
        other = tmp_path / str(k) / where
        other.parent.mkdir(parents=True)
        other.write_text("")
        said = subprocess.run(
            [sys.executable, "-c", "import fitting"],
            cwd=tmp_path / str(k), env=_environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if where.endswith(".txt"):  # a folder without files of Python hides nothing
            assert said.returncode == 0, said.stderr
        else:
            assert f"Isoflop's package data is hidden by another of that name: {other}." in said.stderr
            assert "environment of its own" in said.stderr
