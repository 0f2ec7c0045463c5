"""The only file of the page that starts, ends or deletes anything, each time after looking whether this session may.

Launching is code execution: it is open where server and browser are on this machine, and nowhere else. That is looked at here, at the
moment itself, whatever the page shows.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from dashboard import state
from dashboard.probe import cluster, corpora
from dashboard.probe import launched as launched_with
from dashboard.probe import state as probe_state
from dashboard.probe.price import limits
from dashboard.probe.settings import NAMES, ProbeSettings, is_name, settings
from dashboard.server import local
from dashboard.workspace.files import one_writer, private_folder
from data.errors import DataError
from data.plural import plural
from data.probe.queue import ended, shared
from data.probe.queue.job import Job
from data.probe.queue.launch import ensure_served
from data.probe.queue.store import FILE, Store

P = ParamSpec("P")
T = TypeVar("T")
ONLY_HERE = "Runs are launched from this machine alone, as launching is running code and there is no sign-in."


class NotAllowedError(DataError):
    """A launch from elsewhere, or one that a limit forbids."""


def why_not() -> str:
    """Why this session may not start or end anything; '' where it may."""
    why = local.why_not_local()
    return f"{ONLY_HERE} {why}" if why else ""


def here_only(act: Callable[P, T]) -> Callable[P, T]:
    """An act that raises NotAllowedError in a session that may not do it."""

    @wraps(act)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if why := why_not():
            raise NotAllowedError(why)
        return act(*args, **kwargs)

    return checked


def free_name(root: Path, design: str, taken: Iterable[str] = ()) -> str:
    """A name for a sweep of this design that no folder has."""
    held = set(taken)
    stem = design if is_name(design) else "sweep"
    return next(n for k in range(1, 10_000) if (n := f"{stem}-{k}") not in held and not (root / n).exists())


def no_name(root: Path, name: str) -> str:
    """Why a new sweep may not be called so, as a sentence; '' where it may."""
    if not is_name(name):
        held = "new is what the page calls a sweep to come. " if name.lower() == "new" else ""
        return f"{held or 'No sweep can be called so. '}{NAMES}"
    taken = (root / name).exists() or any(job.sweep == name for job in jobs(root)) or cluster.holds(name)
    return f"There is a sweep {name} already; choose another name." if taken else ""


@here_only
def launch(values: dict[str, object], name: str) -> str:
    """Queue the runs of a sweep under a name, here or on Slurm as is set; returns the sweep's name. Raises DataError."""
    asked, root = settings(), probe_state.root()
    given = cluster.given(asked) if cluster.chosen(asked) else None
    if not probe_state.torch() and not (given and given.python):
        raise NotAllowedError("Runs are trained with torch, which is not installed.")
    if why := corpora.refused(values, probe_state.allowed(asked)):
        raise NotAllowedError(why)
    specs = probe_state.laid(values)
    if isinstance(specs, DataError):
        raise specs
    if name and not is_name(name):
        raise NotAllowedError(no_name(root, name))
    private_folder(root)
    ours, theirs = {job.key for job in jobs(root)}, set(cluster.keys())
    left = [one for one in specs if one.key not in ours | theirs]
    found = probe_state.priced(left, probe_state.free_slots(asked)) if given is None else cluster.priced(left, asked)[0]
    for limit in limits(found, root, asked.most_runs, asked.most_hours, asked.keep_free):
        if limit.why:
            raise NotAllowedError(limit.why)
    with one_writer(root):
        taken = {*cluster.names(), *(job.sweep for job in jobs(root))}
        called = name or free_name(root, str(values.get("design", "grid")), taken)
        if why := no_name(root, called):
            raise NotAllowedError(why)
        known = launched()
        fresh = [one for one in specs if one.key not in known]
        if not fresh:
            raise NotAllowedError(
                "Every run of this sweep has been launched before; it stands in the sweeps that hold them."
            )
        # Those that are made already on the same side are its runs, too.
        if given is not None:
            cluster.submit(called, [one for one in specs if one.key not in ours], given)
            ended.choose(cluster.root(), words(asked.on_end))
            launched_with.remember(cluster.folder(called), found.outlook)
            return called
        Store(root).submit(called, [one for one in specs if one.key not in theirs])
        launched_with.remember(root / called, found.outlook)
    _serve(asked)
    return called


@here_only
def cancel(sweep: str, keys: Sequence[str] = ()) -> None:
    """Cancel a sweep's runs, or those of these keys; those that run keep a checkpoint.

    Of a whole sweep those go on that another sweep still asks for, which is said.
    """
    if cluster.holds(sweep):
        cluster.queue(sweep).cancel(_of_slurm(sweep, keys))
        cluster.look()
        return
    store = Store(probe_state.root())
    left = {} if keys else shared.left_to_others(store.root, sweep, store.jobs(), store.given_up())
    if not keys:
        store.give_up(sweep)
    if left:
        goes, it = ("goes on", "it") if len(left) == 1 else ("go on", "them")
        names = " and ".join(sorted(set(left.values())))
        state.say(
            f"{plural(len(left), 'run')} {goes}, as {names} has {it}, too; One run cancels a run for every sweep."
        )
    if store.cancel(key for key in _keys(store, sweep, keys) if key not in left):
        _serve(settings())  # who ends their processes


@here_only
def resume(sweep: str, keys: Sequence[str] = ()) -> None:
    """Put what ended otherwise than done back in the queue, from its checkpoints, and let a held sweep go on."""
    if cluster.holds(sweep):
        cluster.queue(sweep).retry(_of_slurm(sweep, keys))
        cluster.look()
        return
    store = Store(probe_state.root())
    store.retry(_keys(store, sweep, keys))
    store.release(sweep)
    _serve(settings())


@here_only
def release(sweep: str) -> None:
    """Let a held sweep go on."""
    Store(probe_state.root()).release(sweep)
    _serve(settings())


@here_only
def wake() -> None:
    """Have the queue served again where something waits or runs and its process is gone."""
    _serve(settings())


@here_only
def clean(sweep: str) -> None:
    """Delete a sweep with everything its runs left behind, but for those of `outliving`.

    Raises DataError while one of them runs, or is Slurm's to begin, or lies on Slurm and is another sweep's, too.
    """
    on_slurm = cluster.holds(sweep)
    root = cluster.root() if on_slurm else probe_state.root()
    folder = root / sweep
    if not is_name(sweep) or folder.is_symlink() or folder.parent != root:
        raise NotAllowedError(f"{sweep!r:.80} is no sweep of this workspace.")
    if not on_slurm:
        Store(root).forget(sweep)
    elif any(one.sweep == sweep and one.state in ("queued", "running") for one in cluster.queue(sweep).states()):
        raise NotAllowedError(f"A run of {sweep} waits or is at work on Slurm; cancel it first.")
    elif others := cluster.sharing(sweep):
        raise NotAllowedError(f"Runs of {sweep} are {others[0]}'s, too; delete that first.")
    shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        raise NotAllowedError(f"{folder} could not be deleted whole; look at who owns its files.")


def outliving(sweep: str) -> dict[str, str]:
    """The runs of a sweep that stay when it is deleted, by their keys, each with another sweep that has it."""
    store = Store(probe_state.root())
    names = shared.having(store.root, store.jobs(sweep))
    return {key: next(one for one in own if one != sweep) for key, own in names.items() if len(own) > 1}


@here_only
def choose_command(text: str) -> None:
    """Have the queue run this command of the user's own when a sweep ends; '' for none. Raises DataError for one that cannot be read."""
    for root in (private_folder(probe_state.root()), cluster.root()):
        if root.is_dir():
            ended.choose(root, words(text))


def words(text: str) -> list[str]:
    """A command as its words, as a shell would part them and none does. Raises DataError."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise NotAllowedError(f"The command cannot be read: {str(error).lower()}.") from None


def jobs(root: Path) -> list[Job]:
    """The jobs of a queue that may not exist yet; looking makes none."""
    return Store(root).jobs() if _has_runs(root) else []


def launched() -> set[str]:
    """The runs that were launched before, here or on Slurm."""
    return {*(job.key for job in jobs(probe_state.root())), *cluster.keys()}


def held(root: Path) -> dict[str, str]:
    """The sweeps that are held, and why."""
    return Store(root).held() if _has_runs(root) else {}


def _has_runs(root: Path) -> bool:
    """Whether a folder has runs of a queue, even one whose file was lost: it is made again then."""
    return (root / FILE).exists() or any(root.glob("*/*/spec.json"))


def said(count: int) -> str:
    """What is said after a launch."""
    return f"{plural(count, 'run')} queued."


def _keys(store: Store, sweep: str, keys: Sequence[str]) -> list[str]:
    mine = [job.key for job in store.jobs(sweep)]
    return [key for key in mine if key in set(keys)] if keys else mine


def _of_slurm(sweep: str, keys: Sequence[str]) -> list[str]:
    return [key for key in cluster.keys(sweep) if not keys or key in keys]


def _serve(asked: ProbeSettings) -> None:
    root = probe_state.root()
    ended.choose(root, words(asked.on_end))
    ensure_served(root, cpus=asked.cores, devices=probe_state.only(asked))


def attempt(act: Callable[[], T]) -> T | None:
    """What an act gives; a refusal of ours, or of the disk, is said on the page."""
    try:
        return act()
    except (DataError, OSError) as error:
        from dashboard.error_messages import message_of

        state.say(" ".join(message_of(error)).strip())
        return None
