"""Pages opened without a browser, and the chart's own JavaScript run outside one."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import local_script_runner

import fitting
from dashboard.budget_chart import bundle
from data.schema import Runs


@pytest.fixture(scope="session", autouse=True)
def packages_looked_through_once() -> Iterator[None]:
    """Streamlit looks for components in every installed package whenever an `AppTest` is made: once a session will do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session", autouse=True)
def pages_waited_for() -> Iterator[None]:
    """An `AppTest` looks a thousand times a second whether its page is done, and keeps the page from running while it looks."""
    look = local_script_runner.require_widgets_deltas

    def wait(runner: local_script_runner.LocalScriptRunner, timeout: float = 3) -> None:
        thread = runner._script_thread
        if thread is not None:
            thread.join(timeout)
        look(runner, timeout if runner.script_stopped() else 0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_script_runner, "require_widgets_deltas", wait)
        yield


@pytest.fixture(scope="module")
def fit_once() -> Iterator[Callable[..., fitting.Fit]]:
    """`fitting.fit` for a module's pages and its tests alike: the same runs with the same settings are fitted once."""
    made: dict[Any, fitting.Fit | fitting.FitError] = {}
    whole, declared = fitting.fit, inspect.signature(fitting.fit)

    def fit(*given: Any, **named: Any) -> fitting.Fit:
        asked = declared.bind(*given, **named)
        asked.apply_defaults()
        runs, *settings = asked.arguments.values()
        if not isinstance(runs, Runs):
            return whole(*given, **named)
        key = runs.digest, runs.name, repr(settings)
        if key not in made:
            try:
                made[key] = whole(*given, **named)
            except fitting.FitError as refusal:
                made[key] = refusal
        found = made[key]
        if isinstance(found, fitting.FitError):
            raise found
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "fit", fit)
        yield fit


# Reads a function with its argument from each line, and writes what it returns, or what went wrong, as a line.
LISTEN = """
import { createInterface } from "node:readline";
for await (const line of createInterface({ input: process.stdin })) {
    const [work, data] = JSON.parse(line);
    let said;
    try { said = { found: eval(`(${work})`)(data) }; } catch (error) { said = { error: String(error.stack) }; }
    process.stdout.write(JSON.stringify(said) + "\\n");
}
"""


@pytest.fixture(scope="session")
def run_js(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, Any], Any]]:
    """A function that runs a JavaScript function over the chart's modules: `run_js("data => say(data, 'count')", 7e9)`.

    The answer comes back through JSON, from one `node` that serves the session. Skips where there is none: the browser tests
    run the shared table too.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; tests/browser runs the chart's modules in Chromium")
    folder = tmp_path_factory.mktemp("js")
    module, errors = folder / "chart.mjs", folder / "errors.txt"
    module.write_text(bundle() + LISTEN, encoding="utf-8")
    with (
        errors.open("w") as complaints,
        subprocess.Popen(
            [node, str(module)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, text=True, encoding="utf-8"
        ) as process,
    ):  # fmt: skip
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def run(function: str, data: Any) -> Any:
            asked.write(json.dumps([function, data]) + "\n")
            asked.flush()
            line = answers.readline()
            assert line, errors.read_text()
            said = json.loads(line)
            assert "error" not in said, said["error"]
            return said["found"]

        yield run
        asked.close()
