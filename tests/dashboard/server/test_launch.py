"""Started from any folder, the server listens on this machine only and opens with every option passed."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.server import headers, launch

TROUBLE = "[server]\naddress = '0.0.0.0'\nenableXsrfProtection = false\n[browser]\ngatherUsageStats = true\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a dashboard started in a folder whose own Streamlit settings would open it to everybody."""
    folder = tmp_path_factory.mktemp("served")
    (folder / ".streamlit").mkdir()
    (folder / ".streamlit" / "config.toml").write_text(TROUBLE)
    port = launch.free_port(0, 0)  # any: two workers that look for the first free one find the same
    process = subprocess.Popen(
        [sys.executable, "-m", "dashboard", "--no-browser", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "ISOFLOP_HOME": str(folder / "home")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        for _ in range(600):
            assert process.poll() is None, process.stdout.read() if process.stdout else ""
            if _answers("127.0.0.1", port):
                break
            time.sleep(0.05)
        else:
            pytest.fail("the server did not answer within 30 s")
        yield port
    finally:
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=20)
        finally:
            process.kill()  # one that does not stop must not outlive its test
    assert "Traceback" not in said
    assert f"Isoflop is open at http://127.0.0.1:{port}/" in said


def _answers(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def _listening() -> dict[int, set[str]]:
    """Addresses by port that some process of this machine listens on, as Linux writes them (hex)."""
    found: dict[int, set[str]] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == "0A":  # LISTEN
                address, port = local.split(":")
                found.setdefault(int(port, 16), set()).add(address)
    return found


def _own_addresses() -> set[str]:
    """Addresses of this machine that are not loopback, and one that is but is not the one served."""
    names = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the route alone names our address
            names.add(probe.getsockname()[0])
        except OSError:
            pass
    return {str(name) for name in names if not str(name).startswith("127.0.0.1")} | {"127.0.0.2", "::1"}


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads Linux's table of sockets")
def test_it_listens_on_loopback_only(served: int) -> None:
    assert _listening()[served] == {"0100007F"}  # 127.0.0.1, little-endian
    for address in _own_addresses():
        assert not _answers(address, served), f"{address} answers"


def test_options_do_not_depend_on_the_folder(served: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
    connection.request("GET", "/_stcore/host-config")
    response = connection.getresponse()
    assert response.status == 200
    response.read()
    cookie = response.getheader("Set-Cookie") or ""
    connection.request("GET", "/_stcore/health")
    health = connection.getresponse()
    health.read()
    assert "_streamlit_xsrf" in cookie + (health.getheader("Set-Cookie") or "")
    connection.close()


def test_what_keeps_it_private_holds_whatever_the_file_says(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    for text in ("", TROUBLE):
        file.write_text(text)
        options = launch.server_options(8599, file)
        assert options["server.address"] == "127.0.0.1"
        assert options["server.enableXsrfProtection"] is True
        assert options["browser.gatherUsageStats"] is False
        assert options["client.showErrorDetails"] == "none"
        assert options["server.port"] == 8599
    assert launch.server_options(8599, tmp_path / "missing.toml")["server.address"] == "127.0.0.1"


def test_the_project_file_states_the_theme_and_the_upload_limit() -> None:
    options = launch.server_options(8599)
    assert options["server.maxUploadSize"] == 200
    for side in ("light", "dark"):
        for colour in ("primaryColor", "backgroundColor", "secondaryBackgroundColor", "textColor", "borderColor"):
            assert options[f"theme.{side}.{colour}"].startswith("#")
    assert "http" not in launch.CONFIG.read_text()


def test_every_option_is_one_that_streamlit_knows() -> None:
    from streamlit import config

    assert set(launch.server_options(8599)) <= set(config.get_config_options())


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert launch.free_port(first=port) != port


def test_numeric_libraries_are_held_to_one_thread_before_numpy() -> None:
    code = (
        "import sys, os; import dashboard.cli as cli; cli.group.get_help(cli.group.make_context('isoflop', ['read', 'x']));"
        "assert 'numpy' not in sys.modules;"
        "cli.one_thread_each(); print([os.environ[n] for n in cli.one_thread_each.__globals__['THREAD_LIMITS']])"
    )
    bare = {name: value for name, value in os.environ.items() if name not in launch.THREAD_LIMITS}
    said = subprocess.run([sys.executable, "-c", code], env=bare, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "['1', '1', '1']"


def test_pages_forbid_outside_hosts_and_fetch_the_chart_early(served: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
    for path in ("/", "/plan", "/_stcore/health"):
        connection.request("GET", path)
        response = connection.getresponse()
        response.read()
        policy = response.getheader("content-security-policy") or ""
        assert "default-src 'self'" in policy
        assert "http" not in policy
        assert "*" not in policy.replace("127.0.0.1:*", "").replace("localhost:*", "")
        assert response.getheader("referrer-policy") == "no-referrer"
        assert response.getheader("x-content-type-options") == "nosniff"
        link = response.getheader("link")
        assert (link is None) == path.startswith("/_stcore")
    script = headers.early().partition(">")[0].removeprefix("<")
    connection.request("GET", script)
    found = connection.getresponse()
    assert found.status == 200
    assert "javascript" in (found.getheader("content-type") or "")
    connection.close()


@pytest.mark.parametrize("given", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_another_site_gets_no_session(served: int, given: dict[str, str]) -> None:
    """Neither a page of another origin nor a name that was pointed at this machine opens the socket."""
    socket_headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for extra, status in ((given, 403), ({"Origin": f"http://127.0.0.1:{served}"}, 101)):
        connection = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
        connection.request("GET", "/_stcore/stream", headers={**socket_headers, **extra})
        assert connection.getresponse().status == status
        connection.close()


def test_what_escapes_a_callback_is_a_sentence() -> None:
    """The page's own boundary sees the script only; the server's handler sees what a widget's callback raises."""

    def script() -> None:
        import streamlit as st

        from dashboard.server import launch

        assert launch._apologise(ZeroDivisionError("secret")) is True
        st.write("done")

    at = AppTest.from_function(script).run()
    assert not at.exception
    said = " ".join(str(element.proto.body) for element in at.get("html"))
    assert "Something went wrong inside Isoflop" in said
    assert "secret" not in said
