"""Which runs can be made at once in one process, and how many of them where that is faster."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from data.plain import plain
from data.probe.schedule import planned
from data.probe.spec import Spec

#: What may differ between runs that are made at once: each has its own weights, text and rate.
OWN = {
    "seed": 0, "lr": 1.0, "schedule": "constant", "warmup": 0.0, "decay": 0.0, "final": 0.0, "warmup_tokens": 0.0, "clip": 1.0,
    "keep": (), "trunk": "", "trunk_tokens": 0.0, "name": "",
}  # fmt: skip


#: Devices, parameters in matrices and tokens of a step up to which so many runs at once were measured to be faster.
FASTER = (
    ("cpu", 60_000, 1_024, 8),
)  # 2.3 times at 12 k and batch 4, 1.3 at 57 k and 8 [tests/benchmarks/probe_speed.py]


def alike(spec: Spec) -> str:
    """What runs that can be made at once have in common, as 16 digits: all but `OWN`, and where they are evaluated."""
    held = plain(replace(spec, **OWN))  # type: ignore[arg-type]
    told = json.dumps([held, sorted(planned(spec).evaluated)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def most(spec: Spec, device: str) -> int:
    """How many runs such as this one are best made at once on a device, by what was measured; 1 where it gains nothing."""
    size, tokens = spec.counts.nonembed + spec.counts.head, spec.batch * spec.seq_len
    return next((k for kind, n, t, k in FASTER if device.startswith(kind) and size <= n and tokens <= t), 1)
