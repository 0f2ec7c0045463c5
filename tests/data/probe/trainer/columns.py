"""The columns of a run's log that data/README.md lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from data.probe.columns import listed


def documented() -> list[str]:
    """The columns of the table, as patterns: what stands in capitals is any name or number."""
    names = [one.name for one in listed()]
    assert names[:4] == ["grad_sq_small", "grad_sq_big", "batch_small", "batch_big"]
    assert len(names) == len(set(names))
    return [one.pattern for one in listed()]


def unknown(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    """The columns of these rows that are not in the table."""
    columns = documented()
    return {name for row in rows for name in row if not any(re.fullmatch(one, name) for one in columns)}
