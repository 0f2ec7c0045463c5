"""Folders of runs and a queue's file as trainers leave them, without a trainer."""

from __future__ import annotations

import time

from data.probe.folder import Folder, Status
from data.probe.process import Process
from data.probe.queue.store import Store
from data.probe.spec import Spec
from data.probe.sweep import sweep

FOUR = {"design": "grid", "width": [8, 16], "tokens": [2e4, 4e4], "seq_len": 64, "eval_tokens": 2048}
STEPS = 100


def loss_of(spec: Spec) -> float:
    """A law's loss of a run."""
    return round(1.08 + 90 / spec.counts.nonembed**0.6 + 900 / spec.tokens**0.75, 4)


def measured(folder: Folder, spec: Spec, share: float = 1.0) -> None:
    """A log with an evaluation at each tenth of a run, as far as this share of it."""
    for k in range(1, int(10 * share) + 1):
        tokens = spec.tokens * k / 10
        folder.append(
            {"step": 10 * k, "tokens": int(tokens), "loss": loss_of(spec.with_(tokens=tokens)), "step_seconds": 0.5}
        )


def status(spec: Spec, state: str, sentence: str = "", share: float = 1.0, process: str = "") -> Status:
    """How such a run stands."""
    now = time.time()
    return Status(state, sentence, int(STEPS * share), STEPS, int(share * spec.tokens), now, now - 5, process, "cpu")


def stands(store: Store, name: str, values: dict, states: list[str], sentence: str = "") -> list[str]:
    """A sweep whose runs stand so, in order; returns their keys. What runs is made by the process that asks."""
    specs = sweep(values)
    store.submit(name, specs)
    for spec, state in zip(specs, states, strict=True):
        if state == "queued":
            continue
        folder, share = store.folder(store.find(spec.key)), 1.0 if state == "done" else 0.4
        process = str(Process.this()) if state == "running" else ""
        measured(folder, spec, share)
        assert store.assign(f"cpu {spec.key}").key == spec.key
        folder.say(status(spec, state, sentence, share, process))
        if state == "running":
            store.runs_as(spec.key, process)
        else:
            store.ended(spec.key, state, sentence)
    return [spec.key for spec in specs]
