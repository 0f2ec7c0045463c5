"""The trainer's command in this process, and in forks of it that need not import torch again."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from data.probe.trainer import __main__ as command


def trained(*said: object) -> int:
    """The exit code of the command with these arguments, run in this process on the CPU."""
    before, sys.argv = sys.argv, ["trainer", *map(str, said), "--device", "cpu"]
    try:
        return command.main()
    finally:
        sys.argv = before


def remade(folder: Path, *more: object) -> int:
    """The same, for the run that a folder declares."""
    return trained(folder / "spec.json", folder, *more)


class Forked:
    """The command in a process of its own, with variables of its own."""

    def __init__(self, folder: Path, *more: object, **environment: str) -> None:
        self.code: int | None = None
        self.pid = os.fork()
        if not self.pid:
            code = 70
            try:
                os.environ.update(environment)
                code = remade(folder, "--keep-every", 0.05, *more)
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        """The exit code; None while it runs."""
        if self.code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if ended else None
        return self.code

    def send(self, number: int) -> None:
        """Signal it."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self.send(signal.SIGKILL)

    def wait(self) -> int:
        """The exit code, once it has ended."""
        if self.code is None:
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.code
