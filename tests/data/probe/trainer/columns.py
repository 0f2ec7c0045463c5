"""The columns of a run's log that data/README.md lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


def documented() -> list[str]:
    """The columns of the table, as patterns: what stands in capitals is any name or number."""
    text = (Path(__file__).parents[4] / "data" / "README.md").read_text(encoding="utf-8")
    table = text.partition("<!-- columns of a log -->")[2].partition("<!-- end -->")[0]
    names = [
        name
        for line in table.splitlines()
        for name in re.findall(r"`([^`]+)`", line.split("|")[1] if "|" in line else "")
    ]
    assert names[:4] == ["grad_sq_small", "grad_sq_big", "batch_small", "batch_big"]
    assert len(names) == len(set(names))
    return [re.sub("[A-Z]+", r"[a-z0-9._]+", name) for name in names]


def unknown(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The columns of these rows that are not in the table."""
    columns = documented()
    return {name for row in rows for name in row if not any(re.fullmatch(one, name) for one in columns)}
