"""Documents of a workspace that could not be read and were kept under another name, until its page has said so."""

from __future__ import annotations

from pathlib import Path

MOST = 100  # workspaces for which sentences wait

_waiting: dict[Path, list[str]] = {}


def note(path: Path, kept: Path) -> None:
    """A document that could not be read is kept under another name."""
    while len(_waiting) >= MOST:
        _waiting.pop(next(iter(_waiting)), None)
    _waiting.setdefault(path.parent, []).append(
        f"{path.name} of this workspace could not be read, so what it held is as at first. It is kept beside it as {kept.name}."
    )


def told(folder: Path) -> list[str]:
    """The sentences about a workspace's folder that nobody has been told."""
    return _waiting.pop(folder, [])
