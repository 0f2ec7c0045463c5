"""The source of Python's standard library, without its tests: real text on any machine, as bytes.

It is that of the Python which runs, so that its digest differs from one version to another.
"""

from __future__ import annotations

import sysconfig
from collections.abc import Mapping
from pathlib import Path

from data.errors import DataError
from data.probe.corpora._documents import documents
from data.probe.corpora._stored import Stored
from data.probe.corpora.text import as_bytes
from data.probe.spec import Spec

title = "the source of Python's standard library, as bytes"
example = "python"

#: Tests, what was installed beside, and files that say how this machine's Python was built.
_APART = r"tests?|idle_test|(?:site|dist)-packages|config-.*|_sysconfigdata.*|sitecustomize\.py"


def settled(rest: str) -> str:
    """Nothing follows. Raises DataError where something does."""
    if rest:
        raise DataError(f"Nothing follows python: it is one corpus; {rest!r:.40} came.")
    return ""


def make(asked: Mapping[int, str], spec: Spec) -> dict[int, Stored]:
    """The bytes of its files."""
    for rest in asked.values():
        settled(rest)
    return dict.fromkeys(asked, as_bytes("python", documents(Path(sysconfig.get_path("stdlib")), ".py", _APART)))
