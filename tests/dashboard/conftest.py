"""Pages opened without a browser, and the chart's own JavaScript run outside one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner

from dashboard.budget_chart import bundle


@pytest.fixture(scope="session", autouse=True)
def packages_looked_through_once() -> Iterator[None]:
    """Streamlit looks for components in every installed package whenever an `AppTest` is made: once a session will do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(scope="session")
def run_js(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], Any]:
    """A function that runs a JavaScript function over the chart's modules: `run_js("data => say(data, 'count')", 7e9)`.

    The answer comes back through JSON. Skips where there is no `node`: the browser tests run the shared table too.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed; tests/browser runs the chart's modules in Chromium")
    module = tmp_path_factory.mktemp("js") / "chart.mjs"

    def run(function: str, data: Any) -> Any:
        tail = (
            'import { readFileSync } from "node:fs";\n'
            f'process.stdout.write(JSON.stringify(({function})(JSON.parse(readFileSync(0, "utf8")))));\n'
        )
        module.write_text(bundle() + tail, encoding="utf-8")
        done = subprocess.run(
            [node, str(Path(module))],
            input=json.dumps(data),
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
