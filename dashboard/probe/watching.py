"""How a sweep stands: its runs with their state, progress, loss and time left, read from their folders and the queue. No Streamlit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dashboard import numbers
from dashboard.probe.estimate import at_once, measured_start
from dashboard.probe.launched import WHOLE, launch_of
from dashboard.probe.left import goes_on_from_trunk, own, process_seconds, whole_seconds
from dashboard.probe.price import spread
from data.probe import cost
from data.probe.folder import now
from data.probe.found import Probe, probe, probes_of
from data.probe.members import FILE
from data.probe.process import Process
from data.probe.queue import shared
from data.probe.queue.job import Job
from data.probe.spec import Spec

BETWEEN = 60.0  # seconds from the last word of one run to the first of the next, on a busy machine; assumed
ACTIVE = ("queued", "running", "lost")
WORDS = {
    "queued": "Waiting",
    "running": "Running",
    "done": "Done",
    "failed": "Failed",
    "diverged": "Diverged",
    "cancelled": "Cancelled",
    "lost": "Interrupted",
}
ORDER = ("running", "queued", "lost", "failed", "diverged", "cancelled", "done")
Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Run:
    """One run: `state` as the queue and its folder say it, `progress` the share of what is its own, `left` seconds where they are known.

    `seconds` is what its process took so far (all of it, where it has ended), `expected` what was said of its own part at the launch,
    `likely` the same by its own measurements, where there are any.
    """

    key: str
    label: str
    state: str
    sentence: str
    progress: float
    left: float | None
    seconds: float
    expected: float
    slot: str
    spec: Spec
    probe: Probe
    likely: float | None = None
    mixed: bool = False  # other runs of the sweep mix the same pools in other shares
    stopping: bool = False  # it was cancelled, and has not ended yet

    @property
    def rows(self) -> Rows:
        """What was measured so far."""
        return self.probe.rows

    @property
    def losses(self) -> list[tuple[float, float]]:
        """Tokens and held-out loss, in order.

        The loss that a mixture logs is over its own mix. Of runs of several mixes it is the mean of the losses on each pool: on the same
        text for all of them.
        """
        return [
            (float(r["tokens"]), x) for r in self.rows if (x := self._loss(r)) is not None and _number(r.get("tokens"))
        ]

    @property
    def loss(self) -> float | None:
        """The last held-out loss."""
        return self.losses[-1][1] if self.losses else None

    def _loss(self, row: Mapping[str, Any]) -> float | None:
        each = self.of_pools(row) if self.mixed else [row.get("loss")]
        return sum(map(float, each)) / len(each) if each and all(map(_number, each)) else None

    def of_pools(self, row: Mapping[str, Any]) -> list[Any]:
        """The held-out loss on each pool in a row of the log."""
        return [row.get(f"loss_pool_{i}") for i in range(len(self.spec.pools))]

    @property
    def on(self) -> str:
        """Where it runs, in words."""
        return self.slot.replace("cpu ", "CPU ").replace("gpu ", "GPU ")


@dataclass(frozen=True)
class Sweep:
    """A sweep as it stands; `held` is why no more of it is started, '' where it goes on; `faults` say of runs that cannot be read.

    On a `cluster` runs that were lost stay so until they are resumed; this machine's queue takes them up again by itself. Of a sweep
    `elsewhere` its `folder` alone is known. `slots` is how many are made at once, 0 where nobody seems to make any.
    """

    name: str
    runs: tuple[Run, ...]
    held: str = ""
    slots: int = 1
    faults: tuple[str, ...] = ()
    cluster: bool = False
    folder: Path = Path()
    elsewhere: bool = False

    @cached_property
    def counts(self) -> Counter[str]:
        """How many runs stand how."""
        return Counter(run.state for run in self.runs)

    @property
    def mixed(self) -> bool:
        """Whether its runs mix the same pools in several ways, so that losses are compared over each pool alike."""
        return any(run.mixed for run in self.runs)

    @property
    def active(self) -> bool:
        """Whether something of it runs or is about to."""
        return bool(self.counts["running"] or self._to_come)

    @property
    def stopping(self) -> int:
        """Runs that were cancelled and have not ended yet, where nothing else of the sweep is at work or about to be."""
        asked = sum(run.stopping for run in self.runs)
        return 0 if self.counts["running"] - asked or self._to_come else asked

    @property
    def _to_come(self) -> int:
        """Runs that will begin by themselves."""
        if self.held or not self.slots:
            return 0
        return self.counts["queued"] + (0 if self.cluster or self.elsewhere else self.counts["lost"])

    @property
    def done(self) -> int:
        """Runs that are done."""
        return self.counts["done"]

    @property
    def progress(self) -> float:
        """The share of the work that is done, by what each run was expected to take."""
        whole = sum(run.expected for run in self.runs)
        part = sum(run.expected * (1.0 if run.state not in ACTIVE else run.progress) for run in self.runs)
        return min(1.0, part / whole) if whole else 0.0

    @property
    def left(self) -> float:
        """Seconds until the last run has ended, by how much longer or shorter than expected runs took so far."""
        pace = self.pace
        now: dict[str, float] = {}  # by process: runs that share one end together
        for run in self.runs:
            if run.state == "running" and not run.stopping:
                left = run.left if run.left is not None else run.expected * (1 - run.progress) * pace
                where = _process(run.slot) or run.key
                now[where] = max(left, now.get(where, 0.0))
        then = [run.expected * (1 - run.progress) * pace for run in self.runs if run.state in ("queued", "lost")]
        return spread([*now.values(), *then], max(self.slots, len(now)))

    @property
    def pace(self) -> float:
        """Seconds that runs took for each second that was expected, each its part of a process that several shared; 1 before any has
        measured a step."""
        took = [
            (run.seconds / at_once(run.probe), run.expected)
            for run in self.runs
            if run.state == "done" and run.seconds > 0
        ]
        going = [(run.likely, run.expected) for run in self.runs if run.likely is not None]
        pairs = took or going
        return sum(a for a, _ in pairs) / sum(b for _, b in pairs) if pairs else 1.0


def sweeps(root: Path, jobs: Sequence[Job], held: Mapping[str, str], slots: int) -> list[Sweep]:
    """Every sweep of a queue, the newest first; a run that several have stands in each."""
    each = sorted(shared.by_sweep(root, jobs).items(), key=lambda one: (-_begun(root, *one), one[0]))
    return [
        _sweep(root / name, [(job, probe(root / job.sweep / job.name)) for job in mine], held.get(name, ""), slots)
        for name, mine in each
    ]


def elsewhere(folder: Path) -> Sweep:
    """A sweep as its folder alone has it, whoever has its runs made; those that began first stand in front."""
    found = sorted(probes_of(folder), key=lambda one: (one.status.began or math.inf, one.folder.path.name))
    at_work = sum(one.status.state == "running" for one in found)
    heard = max((one.status.heartbeat for one in found), default=0.0)
    each = [(_as_job(one, place), one) for place, one in enumerate(found)]
    return replace(_sweep(folder, each, "", at_work or int(now() - heard < BETWEEN)), elsewhere=True)


def _as_job(one: Probe, place: int) -> Job:
    """A run as a queue would have it, by its own word; it runs in the process that it names."""
    path, said = one.folder.path, one.status
    process = Process.read(said.process) if said.state == "running" else None
    ended = said.heartbeat if said.state not in ACTIVE else 0.0
    return Job(
        one.what.key if one.what else path.name, path.name, path.parent.name, place, 0, said.state,
        f"process {process.pid}" if process else "", said.process, 1, said.sentence, 0.0, said.began, ended,
    )  # fmt: skip


def _begun(root: Path, name: str, jobs: Sequence[Job]) -> float:
    """When a sweep was submitted, seconds since 1970: by its own jobs, as those of others in it may be older."""
    own = [job.queued for job in jobs if job.sweep == name]
    with suppress(OSError):
        return max(own) if own else (root / name / FILE).stat().st_mtime
    return 0.0


def _sweep(folder: Path, found: Sequence[tuple[Job, Probe]], held: str, slots: int) -> Sweep:
    jobs = [job for job, _ in found]
    known = [(job, one, one.what) for job, one in found if one.what is not None]
    labels = labelled([what for *_, what in known])
    launch, keys, clock = launch_of(folder), {job.key for job in jobs}, now()
    shares = {tuple(pool.share for pool in what.pools) for *_, what in known}
    mixed = len({tuple(pool.corpus for pool in what.pools) for *_, what in known}) == 1 and len(shares) > 1
    runs = []
    for (job, one, what), label in zip(known, labels, strict=True):
        state = "lost" if job.state == "running" and one.status.state == "lost" else job.state
        state = stands(state, one)
        steps = one.status.steps or 0
        rows = one.rows
        step = max(one.status.step, int(rows[-1].get("step", 0)) if rows else 0)
        made = own(what, goes_on_from_trunk(what, keys))
        at = max(0, step - made.begin)
        progress = 1.0 if state == "done" else min(1.0, at / max(1, steps - made.begin)) if steps else 0.0
        run = Run(
            job.key, label, state, "Asked to stop." if job.stopping else one.notice or job.sentence, progress, None,
            max(0.0, job.ended - job.started) if job.ended and job.started else 0.0,
            launch.runs.get(job.key, {}).get(WHOLE) or made.seconds, job.slot, what, one,
            mixed=mixed, stopping=job.stopping,
        )  # fmt: skip
        start = measured_start(one) or launch.runs.get(job.key, {}).get("start", cost.START)
        if rows and state in ("running", "queued", "lost"):
            run = replace(run, likely=whole_seconds(one, what, made, start))
        if state == "running" and not job.stopping:
            together = sum(other.state == "running" and _process(other.slot) == _process(job.slot) for other in jobs)
            run = replace(run, left=_left(run, step, start, clock - job.started, together))
        runs.append(run)
    odd = {one.folder.path.name: one.fault for one in (*(one for _, one in found), *probes_of(folder)) if one.fault}
    place = {job.key: (-job.priority, job.place) for job in jobs}
    ordered = sorted(runs, key=lambda run: place[run.key])
    return Sweep(folder.name, tuple(ordered), held, slots, tuple(odd.values()), folder=folder)


def stands(state: str, one: Probe) -> str:
    """A run's state, whoever says it: one that is done has failed where nothing it measured counts, and can be made again."""
    return "failed" if state == "done" and one.wrong else state


def _left(run: Run, step: int, start: float, ago: float, together: int) -> float:
    """Seconds until the process of so many runs has ended: by what it measured, or before that by what was said, of which so much has
    passed."""
    if run.rows and (left := process_seconds(run.probe, run.spec, step, 0.0)) is not None:
        return left
    return max(0.0, start - ago) + max(0.0, run.expected * together - start) * (1.0 - run.progress)


def _process(slot: str) -> str:
    """Where a process runs, of the place of one of its runs."""
    return slot.partition("/")[0]


def labelled(specs: Sequence[Spec]) -> list[str]:
    """What tells runs apart from each other, each in a few words: `width 16, 250 k tokens`."""
    names = [
        n
        for n in Spec.__dataclass_fields__
        if n not in ("name", "vocab", "base_width") and len({repr(getattr(s, n)) for s in specs}) > 1
    ]
    if len(specs) < 2 or not names:
        names = ["width", "tokens"]
    return [", ".join(_said(n, getattr(one, n)) for n in names) for one in specs]


def _said(name: str, value: Any) -> str:
    if name == "tokens":
        return f"{numbers.count(value)} tokens"
    if name == "parametrisation":
        return {"standard": "standard", "mup": "muP", "mup_depth": "muP with depth"}[value]
    words = {"seq_len": "length", "lr": "rate", "weight_decay": "decay", "optimiser": "", "corpus": "", "schedule": ""}
    shown = f"{value:.3g}" if isinstance(value, float) else str(value)
    return f"{words.get(name, name.replace('_', ' '))} {shown}".strip()


def size_on_disk(path: Path) -> float:
    """Bytes of everything in a folder, links not followed."""
    total = 0
    for one in path.rglob("*"):
        try:
            total += one.lstat().st_size
        except OSError:
            continue
    return float(total)


def _number(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x)
