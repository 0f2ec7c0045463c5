"""What a run printed, kept in its folder: nothing is read out of it but what it said last, for a person."""

from __future__ import annotations

import contextlib
from pathlib import Path

OUTPUT = "stdout.txt"


def last_line(path: Path) -> str:
    """The last line of a file that says anything, of its last few thousand signs."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4000))
        lines = [line.strip() for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        return lines[-1][:300] if lines else ""
    return ""


def ended_how(code: int | None, last: str) -> str:
    """Why a process ended that left no word of its own, as a sentence."""
    said = f" It said last: {last}" if last else ""
    if code is not None and code < 0:
        kind = "killed; the machine may have run out of memory" if code == -9 else f"ended by signal {-code}"
        return f"Its process was {kind}.{said}"
    return f"Its process ended with code {code}.{said}"
