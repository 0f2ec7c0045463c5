"""A workspace is a private folder with a person's uploads and settings: nothing is lost, and changes can be undone.

    <ISOFLOP_HOME>/workspaces/<id>/     the id is 128 random bits and stands in the page's address
        uploads/<sha256>                the bytes of a file as it came; its name appears in uploads.json only
        uploads.json                    [{"sha256", "name", "size", "number"}], oldest first, also of those taken out
        probes/<sweep>/<run>            what was trained here, as data.probe.folder says; queue.sqlite beside the sweeps
        slurm/<sweep>/<run>             what Slurm was given, likewise; settings.json in a sweep is what its runs are given
        settings.json                   {"values", "past", "future"}: plain values and the steps to undo and redo

A folder is made by the first write, so that looking around leaves nothing behind. Values are plain JSON; None takes a
value away. Every change is made under the folder's lock from what is on disk at that moment: two tabs cannot undo each
other by accident.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from dashboard.workspace.documents import fresh, seen, text_of
from dashboard.workspace.files import one_writer, private_folder, write_whole
from data.home import home as home
from data.plain import Count, With, each_usable, read_or
from data.sources import name_of
from data.sources.upload import upload_key

QUOTA = 1_000_000_000  # bytes of uploads in one workspace; chosen: five files at the upload limit
STEPS = 200  # undo steps kept
HISTORY_BYTES = 4_000_000  # and the room they may take on disk
TAKEN_OUT = "taken out"  # the setting that lists uploads which undo brings back
IDENTITY = re.compile(r"[0-9a-f]{32}")
SHA256 = re.compile(r"[0-9a-f]{64}")

Values = dict[str, Any]
DIGESTS = Annotated[list[str], each_usable(str)]


class WorkspaceError(ValueError):
    """A sentence for the person at the page."""


@dataclass(frozen=True)
class Workspace:
    """A folder that may not exist yet, and the id that names it in the page's address."""

    id: str
    folder: Path

    @property
    def exists(self) -> bool:
        return self.folder.is_dir()


@dataclass(frozen=True)
class Upload:
    """A file as it came: the digest of its bytes, the name it had (for display only), its size in bytes.

    `number` tells files of one name apart, in the order in which they came; a file keeps it.
    """

    sha256: Annotated[str, With(pattern=f"^{SHA256.pattern}$")]
    name: str
    size: Count
    number: Count = 1

    @property
    def title(self) -> str:
        """What it is called beside the others: `runs.csv`, `runs.csv (2)`."""
        return self.name if self.number == 1 else f"{self.name} ({self.number})"

    @property
    def source(self) -> str:
        """How settings refer to it."""
        return upload_key(self.sha256)


HELD: Any = Annotated[list[Upload], each_usable(Upload)]


@dataclass(frozen=True)
class Step:
    """A change, in words, with what was set before and after."""

    what: str
    before: Values
    after: Values


@dataclass
class Settings:
    """Plain values by name, and the steps to undo and redo, the next one last."""

    values: Values = field(default_factory=dict)
    past: Annotated[list[Step], each_usable(Step)] = field(default_factory=list)
    future: Annotated[list[Step], each_usable(Step)] = field(default_factory=list)


@dataclass(frozen=True)
class History:
    """What undo and redo would do, in words; None where there is nothing to undo or redo."""

    undo: str | None
    redo: str | None


def probes(space: Workspace) -> Path:
    """The folder of the sweeps that are trained for a workspace, and of their queue."""
    return space.folder / "probes"


# --- finding one -----------------------------------------------------------------------------------------------------


def new() -> Workspace:
    """A workspace with a fresh id; its folder comes with the first write."""
    return at(secrets.token_hex(16))


def find(identity: str) -> Workspace | None:
    """The workspace of that id, or None when the text is no id or no such folder is on this machine."""
    if not IDENTITY.fullmatch(identity):
        return None
    space = at(identity)
    return space if space.exists and not space.folder.is_symlink() else None


def at(identity: str) -> Workspace:
    """The workspace of an id that is known to be one, whether or not its folder exists."""
    return Workspace(identity, home() / "workspaces" / identity)


# --- uploads ---------------------------------------------------------------------------------------------------------


def keep(space: Workspace, name: str, content: bytes) -> Upload:
    """Store a file's bytes at once and return what to call it; raises WorkspaceError when the workspace is full."""
    upload = Upload(hashlib.sha256(content).hexdigest(), plain_name(name), len(content))
    with one_writer(private_folder(space.folder)):
        listed = _listed(space)
        others = [held for held in listed if held.sha256 != upload.sha256]
        upload = replace(upload, number=_number(upload, listed))
        if upload.size > QUOTA - sum(held.size for held in others):  # those taken out make room first
            gone = {held.sha256 for held in others} & set(_out(_settings(space).values))
            _delete(space, gone)
            others = [held for held in others if held.sha256 not in gone]
        room = QUOTA - sum(held.size for held in others)
        if upload.size > room:
            raise WorkspaceError(
                f"{upload.name} has {upload.size / 1e6:,.0f} MB and this workspace has room for {room / 1e6:,.0f} MB "
                f"of {QUOTA / 1e6:,.0f} MB; remove a file you no longer need, or open Isoflop without an address."
            )
        stored = private_folder(space.folder / "uploads") / upload.sha256
        if not stored.exists():
            write_whole(stored, content, private=True)
        _write_uploads(space, [*others, upload])
    return upload


def uploads(space: Workspace) -> tuple[Upload, ...]:
    """The files held, oldest first, without those taken out."""
    listed = _shown(space)
    out = _out(values(space)) if listed else ()
    return tuple(held for held in listed if held.sha256 not in out)


def taken_out(space: Workspace) -> tuple[Upload, ...]:
    """The files taken out that undo brings back."""
    out = _out(values(space))
    return tuple(held for held in _shown(space) if held.sha256 in out)


def _out(said: Values) -> list[str]:
    """Which uploads these settings take out; what is no digest there takes out none."""
    found: list[str] = read_or([], DIGESTS, said.get(TAKEN_OUT))
    return found


def _listed(space: Workspace) -> list[Upload]:
    """All uploads, also those taken out, for who has the folder's lock."""
    found: list[Upload] = fresh(space.folder / "uploads.json", HELD, [])
    return found


def _shown(space: Workspace) -> list[Upload]:
    found: list[Upload] = seen(space.folder / "uploads.json", HELD, [])
    return found


def _number(upload: Upload, listed: list[Upload]) -> int:
    """The number of an upload among those of its name: the one it has, else the first that none has."""
    namesakes = {held.number: held.sha256 for held in listed if held.name == upload.name}
    free = next(k for k in range(1, len(namesakes) + 2) if k not in namesakes)
    return next((number for number, sha256 in namesakes.items() if sha256 == upload.sha256), free)


def content(space: Workspace, sha256: str) -> bytes:
    """The bytes of an upload; raises WorkspaceError when the workspace does not hold it."""
    stored = space.folder / "uploads" / sha256
    if not SHA256.fullmatch(sha256) or not stored.is_file():
        raise WorkspaceError("This file is no longer in the workspace; upload it again.")
    return stored.read_bytes()


def take_out(space: Workspace, sha256: str) -> None:
    """Take an upload out of what is there, as one step of undo. The file itself goes once no step brings it back."""
    name = next((held.name for held in uploads(space) if held.sha256 == sha256), None)
    if name is None:
        return
    change(space, f"remove {name}", lambda now: {TAKEN_OUT: [*_out(now), sha256]})
    with one_writer(space.folder):
        held = _settings(space)
        steps = [*held.past, *held.future]
        ends = ([set(_out(side)) for side in (step.before, step.after)] for step in steps)
        known = {sha256 for before, after in ends for sha256 in before ^ after}
        _delete(space, {one.sha256 for one in _listed(space)} & set(_out(held.values)) - known)


def put_back(now: Values, sha256: str) -> Values:
    """The values with which an upload that was taken out is there again; none where it was not."""
    out = _out(now)
    return {TAKEN_OUT: [one for one in out if one != sha256] or None} if sha256 in out else {}


def remove(space: Workspace, sha256: str) -> None:
    """Delete an upload for good, with every setting and step of undo that is about it."""
    with one_writer(private_folder(space.folder)):
        _delete(space, {sha256})


def _delete(space: Workspace, gone: set[str]) -> None:
    """Delete uploads; a step of undo that is about them alone goes with them, since nothing would be seen of it."""
    gone = {sha256 for sha256 in gone if SHA256.fullmatch(sha256)}
    if not gone:
        return
    _write_uploads(space, [held for held in _listed(space) if held.sha256 not in gone])
    for sha256 in gone:
        (space.folder / "uploads" / sha256).unlink(missing_ok=True)
    held = _settings(space)
    for steps in (held.past, held.future):
        left = [Step(step.what, _without(step.before, gone), _without(step.after, gone)) for step in steps]
        steps[:] = [step for step in left if step.before != step.after]
    held.values = _without(held.values, gone)
    _write_settings(space, held, {})


def _without(said: Values, gone: set[str]) -> Values:
    """Settings without what they say of uploads."""
    sources = {upload_key(sha256) for sha256 in gone}
    out = {name: value for name, value in said.items() if name_of(name) not in sources}
    if out.get("source") in sources:
        out["source"] = None
    if TAKEN_OUT in out:
        out[TAKEN_OUT] = [one for one in _out(out) if one not in gone] or None
    return out


def plain_name(name: str) -> str:
    """A file's name fit for display: its last part, without control or direction characters, at most 120 long."""
    last = re.split(r"[/\\]", name.encode("utf-8", "replace").decode("utf-8"))[-1]
    shown = "".join(sign for sign in last if unicodedata.category(sign) not in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
    return shown.strip()[:120] or "unnamed file"


def _write_uploads(space: Workspace, held: list[Upload]) -> None:
    write_whole(space.folder / "uploads.json", text_of([asdict(item) for item in held]), private=True)


# --- settings, with undo and redo ------------------------------------------------------------------------------------


def values(space: Workspace) -> Values:
    """Every setting by name, shared by all who ask and not to be changed."""
    return seen(space.folder / "settings.json", Settings, {}).values


def history(space: Workspace) -> History:
    """What undo and redo would do."""
    held = seen(space.folder / "settings.json", Settings, {})
    return History(*(steps[-1].what if steps else None for steps in (held.past, held.future)))


def change(space: Workspace, what: str, to: Values | Callable[[Values], Values]) -> Values:
    """Set values, or those that `to` returns for the values on disk, as one step that undo calls `what`.

    Returns every setting. A change that changes nothing leaves no step.
    """
    with one_writer(private_folder(space.folder)):
        held = _settings(space)
        wanted = json.loads(text_of(to(dict(held.values)) if callable(to) else to))
        before = {name: held.values.get(name) for name in wanted}
        if before != wanted:
            held.past.append(Step(what, before, wanted))
            held.future = []
            _write_settings(space, held, wanted)
    return held.values


def remember(space: Workspace, wanted: Values) -> None:
    """Set values that are no step of undo: what moves under the hand all the time, such as a budget being dragged."""
    with one_writer(private_folder(space.folder)):
        held = _settings(space)
        plain = json.loads(text_of(wanted))
        if any(held.values.get(name) != value for name, value in plain.items()):
            _write_settings(space, held, plain)


def undo(space: Workspace) -> str | None:
    """Take back the last step and return what it was."""
    return _step(space, lambda held: (held.past, held.future), lambda step: step.before)


def redo(space: Workspace) -> str | None:
    """Make the step that was last undone again and return what it was."""
    return _step(space, lambda held: (held.future, held.past), lambda step: step.after)


def _step(
    space: Workspace, ways: Callable[[Settings], tuple[list[Step], list[Step]]], side: Callable[[Step], Values]
) -> str | None:
    if not space.exists:
        return None
    with one_writer(space.folder):
        held = _settings(space)
        take, give = ways(held)
        if not take:
            return None
        give.append(step := take.pop())
        _write_settings(space, held, side(step))
        return step.what


def _settings(space: Workspace) -> Settings:
    return fresh(space.folder / "settings.json", Settings, {})


def _write_settings(space: Workspace, held: Settings, wanted: Mapping[str, Any]) -> None:
    merged = {**held.values, **wanted}
    held.values = {name: value for name, value in merged.items() if value is not None}
    held.past = held.past[-STEPS:]
    while len(text := text_of(asdict(held))) > HISTORY_BYTES and len(held.past) > 1:
        held.past = held.past[len(held.past) // 2 :]
    write_whole(space.folder / "settings.json", text, private=True)
