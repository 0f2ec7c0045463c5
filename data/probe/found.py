"""What lies in folders of probes, read again only where a file has changed: which runs there are, how they stand, what they measured."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from data.errors import DataError
from data.probe import members
from data.probe.folder import LOG, SPEC, STATUS, Folder, Status, standing
from data.probe.log import Log, read_log
from data.probe.spec import Spec

MOST_HELD = 30_000  # files of which the contents are kept in memory
DEEPEST = 4  # levels of folders that sweeps are looked for in
MOST_RUNS = 10_000  # in one folder of sweeps, as many as a sweep may have

_KEY = re.compile(r"[0-9a-f]{16}")  # a run's folder has its key as its name; other names are a person's

T = TypeVar("T")
Signature = tuple[int, int, int]
Rows = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class Probe:
    """One run's folder as it was found: what it is, how it stands and what it measured; `fault` where that cannot be read.

    `sweep` is the sweep that it was looked for in, which may share it with the one that it lies in. Nothing is measured by a run with
    something `wrong`.
    """

    folder: Folder
    what: Spec | None
    status: Status
    fault: str = ""
    sweep: str = ""

    @property
    def log(self) -> Log:
        """Its log, as it stands there."""
        path = self.folder.path / LOG
        return _once(path, lambda: read_log(path)) or Log(path)

    @property
    def rows(self) -> Rows:
        """A row for each evaluation so far, in order, with its finite numbers; none of a run with something `wrong`."""
        return () if self.wrong else self.log.usable

    @property
    def wrong(self) -> str:
        """Why nothing in its folder may be taken for its measurements, as a sentence with what to do; '' for nothing."""
        if self.fault:
            return self.fault
        log = self.log
        if log.fault:
            return f"{log.fault} {self._anew}"
        if log.back:
            return f"{log.path} has step {log.back[1]:,} after step {log.back[0]:,}: it was changed since. {self._anew}"
        ended = self.status.step if self.status.state == "done" else 0
        if ended and log.last != ended:
            more = f" ({log.passed})" if log.unread else ""
            return (
                f"{log.path} ends at step {log.last:,} and the run at step {ended:,}: it is damaged{more}. {self._anew}"
            )
        return ""

    @property
    def damaged(self) -> bool:
        """Whether it is known what the run is, and what it measured is of no use: it can be made anew."""
        return not self.fault and bool(self.wrong)

    @property
    def notice(self) -> str:
        """What is to be said of its folder, as a sentence; '' for nothing."""
        return self.wrong or (f"Its log is damaged: {self.log.passed}." if self.log.unread else "")

    @property
    def _anew(self) -> str:
        return f"Make it again with --retry, or Resume on the Probe page; or remove {self.folder.path}."

    @property
    def name(self) -> str:
        """What it is called: by its own name, else by what it is, so that the same run has the same name everywhere."""
        what = self.what
        if what is None:
            return self.folder.path.name
        tail = self.folder.path.name[:4]
        return (
            what.name
            or f"w{what.width}-d{what.depth}-{_short(what.tokens)}-b{what.batch}-lr{what.rate:.2g}-s{what.seed}-{tail}"
        )


def is_run(path: Path) -> bool:
    """Whether a folder is a run's."""
    return (path / SPEC).is_file()


def run_folders(path: Path) -> list[Path]:
    """The runs' folders of a path, in order of name: itself, those of a sweep, or those of a folder of sweeps. None where it has none.

    What a sweep lists and nobody has is named where it would lie, and so is a list that cannot be read: `probe` says what is wrong.
    """
    if is_run(path):
        return [path.resolve() if path.is_symlink() else path]  # whoever names a link means what it leads to
    runs = _of_sweep(path) or list(dict.fromkeys(run for sweep in _inside(path) for run in _of_sweep(sweep)))
    return runs[:MOST_RUNS]


def keys(sweep: Path) -> tuple[str, ...]:
    """The keys that a sweep's file lists; none where it cannot be read."""
    found = _listed(sweep)
    return () if isinstance(found, str) else found


def names_of_sweeps(root: Path) -> list[str]:
    """The folders under a root that list their runs, in order of name."""
    return [one.name for one in _inside(root) if (one / members.FILE).is_file()]


def unread_lists(root: Path, but: str) -> list[str]:
    """What is wrong with the lists of sweeps under a root that cannot be read, a sentence each, of all but one sweep."""
    each = [_listed(one) for one in _inside(root) if one.name != but]
    return [one for one in each if isinstance(one, str)]


def _listed(sweep: Path) -> tuple[str, ...] | str:
    return _once(sweep / members.FILE, lambda: _or_fault(lambda: members.listed(sweep))) or ()


def _of_sweep(sweep: Path) -> list[Path]:
    """The runs that lie in a sweep and those that it lists."""
    own = [one for one in _inside(sweep) if is_run(one)]
    there = {one.name for one in own}
    if lacking := [key for key in keys(sweep) if key not in there]:
        called = {what.key for one in own if (what := probe(one).what)}  # folders that somebody gave other names
        beside = _inside(sweep.resolve().parent)
        own += [
            next((one / key for one in beside if is_run(one / key) and not (one / key).is_symlink()), sweep / key)
            for key in lacking
            if key not in called
        ]
    damaged = [sweep / members.FILE] if isinstance(_listed(sweep), str) else []
    return sorted(own, key=lambda one: one.name) + damaged


def sweeps(root: Path) -> list[Path]:
    """The folders of sweeps under a root, the newest first."""
    found = [one for one in _inside(root) if (one / members.FILE).is_file() or any(is_run(run) for run in _inside(one))]
    return sorted(found, key=lambda one: (-(_signature(one) or (0, 0, 0))[0], one.name))


def below(path: Path) -> list[Path]:
    """The folders of sweeps anywhere in a folder, some levels down, in order of their paths; the path itself where it is a sweep's or
    a run's."""
    if is_run(path) or _of_sweep(path):
        return [path]
    found, level = [], [path]
    for _ in range(DEEPEST):
        inner = [one for each in level for one in _inside(each)][:MOST_RUNS]
        held = [bool(_of_sweep(one)) for one in inner]
        found += [one for one, has in zip(inner, held, strict=True) if has]
        level = [one for one, has in zip(inner, held, strict=True) if not has]
    return sorted(found)


def added(root: Path) -> str:
    """What changes when a sweep or a run is added under a root or taken away, in a glance at its folders."""
    return repr([_signature(root), *((one.name, _signature(one)) for one in _inside(root))])


def probe(path: Path, sweep: str = "") -> Probe:
    """The run in a folder, looked for in this sweep, else in the one that it lies in."""
    folder, sweep = Folder(path), sweep or path.parent.name
    if path.name == members.FILE:
        return Probe(folder, None, Status("failed"), str(_listed(path.parent)), sweep)
    if not path.exists():
        why = (
            f"{path} is missing: it was deleted, or lies in another sweep's folder, which is not here. "
            "Copy that, or submit the sweep again."
        )
        return Probe(folder, None, Status("lost"), why, sweep)
    if path.is_symlink():
        why = f"{path} is a link, and a run's folder is none. Put the folder itself there, or remove the link."
        return Probe(folder, None, Status("failed"), why, sweep)
    what = _once(path / SPEC, lambda: _or_fault(lambda: folder.spec))
    status = _once(path / STATUS, lambda: _or_fault(lambda: folder.status))
    if not isinstance(what, Spec):
        return Probe(folder, None, Status("failed"), what or f"{path / SPEC} is missing.", sweep)
    if _KEY.fullmatch(path.name) and what.key != path.name:
        why = (
            f"{path / SPEC} is of the run {what.key}, and its folder is of the run {path.name}: one of them was changed. "
            f"Remove {path} and submit the sweep again, or give the folder its run's name."
        )
        return Probe(folder, None, Status("failed"), why, sweep)
    if isinstance(status, str):
        return Probe(folder, what, Status("failed"), status, sweep)
    status = status or Status("queued")
    return Probe(folder, what, standing(status, folder.goes_on) if status.state == "running" else status, sweep=sweep)


def probes(paths: Iterable[Path]) -> list[Probe]:
    """The runs in these folders."""
    return [probe(path) for path in paths]


def probes_of(path: Path) -> list[Probe]:
    """The runs of a path, as `run_folders` has them, each with the sweep that was asked for."""
    if not is_run(path) and (own := _of_sweep(path)):
        return [probe(one, path.name or path.resolve().name) for one in own[:MOST_RUNS]]
    return probes(run_folders(path))


def states(found: Iterable[Probe]) -> Counter[str]:
    """How many runs stand how."""
    return Counter(one.status.state for one in found)


def version(paths: Iterable[Path]) -> str:
    """What changes when anything of these runs does: a file is written, a run is lost."""
    held = hashlib.sha256()
    for path in paths:
        signed = [_signature(path / name) for name in (SPEC, STATUS, LOG)]
        held.update(f"{path}\0{signed}\0{probe(path).status.state}\n".encode())
    return held.hexdigest()[:16]


def _or_fault(read: Callable[[], T]) -> T | str:
    try:
        return read()
    except DataError as error:
        return str(error)


def _inside(path: Path) -> list[Path]:
    """The folders in a folder, but for hidden ones, links and names in no UTF-8; none where it cannot be read."""
    try:
        return sorted(
            one
            for one in path.iterdir()
            if not one.name.startswith(".") and one.name.isprintable() and one.is_dir() and not one.is_symlink()
        )
    except OSError:
        return []


def _short(tokens: float) -> str:
    for least, sign in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if tokens >= least:
            return f"{tokens / least:.4g}{sign}"
    return f"{tokens:.4g}"


# --- each file once ---------------------------------------------------------------------------------------------------

_held: OrderedDict[Path, tuple[Signature, Any]] = OrderedDict()
_lock = threading.Lock()


def _signature(path: Path) -> Signature | None:
    """What tells a file from what it was before; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _once(path: Path, read: Callable[[], T]) -> T | None:
    """What `read` makes of a file, kept until the file changes; None where there is no file."""
    signed = _signature(path)
    if signed is None:
        return None
    with _lock:
        known = _held.get(path)
        if known is not None and known[0] == signed:
            _held.move_to_end(path)
            return cast(T, known[1])
    made = read()  # signed before it is read: what is written meanwhile is seen the next time
    with _lock:
        _held[path] = (signed, made)
        while len(_held) > MOST_HELD:
            _held.popitem(last=False)
    return made
