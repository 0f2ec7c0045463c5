"""Which process is meant: a number alone comes again; with the moment it began and the boot of its machine it does not."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import psutil

SLACK = 0.1  # seconds by which two readings of when a process began may differ


@cache
def boot() -> str:
    """What tells this boot of this machine from any other."""
    known = Path("/proc/sys/kernel/random/boot_id")
    return known.read_text().strip() if known.exists() else f"{psutil.boot_time():.0f}"


@cache
def host() -> str:
    """What this machine is called among others; '' where it has no name of its own."""
    name = "".join(socket.gethostname().split())
    return "" if name.partition(".")[0] in ("", "localhost") else name


@dataclass(frozen=True)
class Process:
    """A process of this machine: its number, when it began in seconds after the boot, so that no set clock moves it, and which.

    `host` tells a machine that was started again from another one; '' where none is known.
    """

    pid: int
    began: float
    boot: str
    host: str = ""

    def __str__(self) -> str:
        return f"{self.pid} {self.began:.2f} {self.boot} {self.host}".strip()

    @classmethod
    def this(cls) -> Self:
        """The one that asks."""
        found = cls.of(os.getpid())
        assert found is not None
        return found

    @classmethod
    def of(cls, pid: int) -> Self | None:
        """The one that has this number now; None where none has."""
        try:
            return cls(pid, psutil.Process(pid).create_time() - psutil.boot_time(), boot(), host())
        except (psutil.Error, ValueError, OverflowError):  # a file may name any number
            return None

    @classmethod
    def read(cls, text: str) -> Self | None:
        """The one that a text names; None for one that names none."""
        try:
            pid, began, at, *where = text.split()
            return cls(int(pid), float(began), at, where[0] if where else "")
        except ValueError:
            return None

    @property
    def born(self) -> float:
        """When it began, seconds since 1970 by the clock of this boot."""
        return self.began + psutil.boot_time()

    @property
    def alive(self) -> bool:
        """Whether it still runs: not another of its number, nor one that ended and was not waited for."""
        now = self.of(self.pid)
        if now is None or now.boot != self.boot or abs(now.began - self.began) > SLACK:
            return False
        try:
            return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False
