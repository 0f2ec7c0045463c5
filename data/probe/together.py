"""Which runs can be made at once in one process, and how many of them where that is faster."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from data.plain import plain
from data.probe.spec import Spec

#: What may differ between runs that are made at once: each has its own weights, text and rate.
OWN = {
    "seed": 0, "lr": 1.0, "schedule": "constant", "warmup": 0.0, "decay": 0.0, "final": 0.0, "warmup_tokens": 0.0, "clip": 1.0,
    "keep": (), "trunk": "", "trunk_tokens": 0.0, "name": "",
}  # fmt: skip


def alike(spec: Spec) -> str:
    """What runs that can be made at once have in common, as 16 digits."""
    held = replace(spec, **OWN)  # type: ignore[arg-type]
    return hashlib.sha256(json.dumps(plain(held), sort_keys=True).encode()).hexdigest()[:16]
