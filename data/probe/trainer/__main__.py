"""`python -m data.probe.trainer SPEC FOLDER`: make one run, or go on with it; `--stack FOLDER...` makes several of one shape at once.

Under `torchrun` the processes that it starts make the run together.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import traceback
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from data.errors import DataError
from data.probe.exits import BUSY, GO_ON
from data.probe.folder import ENDED, BusyError, Folder, Status, now
from data.probe.process import Process
from data.probe.spec import spec
from data.probe.trainer.device import Device, device, repeatable
from data.probe.trainer.distributed import Ranks, is_of_a_lost_rank, ranks
from data.probe.trainer.run import KEEP_EVERY, make_all
from data.probe.written import MOST_BYTES, parsed


def main() -> int:
    """Exit codes: 0 done, 1 a run ended otherwise (with the sentence), 2 wrong use, 3 another process makes it, 75 one stopped
    on request and goes on from its checkpoint.
    """
    parser = argparse.ArgumentParser(prog="python -m data.probe.trainer", description=__doc__)
    parser.add_argument("spec", nargs="?", help="a JSON file of the spec's fields, or the JSON itself")
    parser.add_argument("folder", nargs="?", type=Path, help="where the run is kept")
    parser.add_argument("--stack", nargs="+", type=Path, default=[], help="folders of runs of one shape, made at once")
    parser.add_argument("--device", default="", help="cpu, cuda, cuda:1")
    parser.add_argument("--keep-every", type=float, default=KEEP_EVERY, help="seconds from checkpoint to checkpoint")
    given = parser.parse_args()
    if bool(given.stack) == bool(given.folder):
        parser.error("give a spec and a folder, or --stack and the folders of declared runs")
    try:
        where = device(given.device)
        folders = [Folder(path) for path in given.stack or [given.folder]]
        with ranks(where.torch) as together, contextlib.ExitStack() as held:
            if together.first and given.folder:
                folders[0].declare(spec(_said(given.spec)))
            together.told("", where.torch)  # the others begin when there is a folder
            free = [f for f in folders if not together.first or _taken(f, held)]
            if not free:
                return BUSY
            statuses = _made(free, given, where, together)
            if together.first:
                for status in statuses:
                    print(f"{status.state}: step {status.step} of {status.steps}. {status.sentence}".strip())
    except (DataError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    states = {status.state for status in statuses}
    return GO_ON if "queued" in states else 0 if states == {"done"} else 1


def _said(given: str) -> Any:
    """The values of a spec, given as JSON or as the path of a file of it. Raises DataError."""
    if given.lstrip().startswith("{"):
        return parsed(given.encode(errors="replace"), "What was given", "spec")
    try:
        with Path(given).open("rb") as file:
            return parsed(file.read(MOST_BYTES + 1), given, "spec")
    except (OSError, ValueError) as error:  # a path with a NUL in it
        raise DataError(f"{given[:200]} cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _taken(folder: Folder, held: contextlib.ExitStack) -> bool:
    """Whether the folder is ours to make the run in, until the end."""
    try:
        held.enter_context(folder.taken())
    except BusyError as error:
        print(error, file=sys.stderr)
        return False
    return True


def _made(folders: Sequence[Folder], given: argparse.Namespace, where: Device, together: Ranks) -> list[Status]:
    """Make runs; whatever goes wrong with them is their status, in a sentence."""
    this, onward = Process.this(), False  # and whether to say what a run does next
    process = str(this)
    try:
        if together.first:
            for folder in folders:
                folder.say(replace(_known(folder), state="running", sentence="", process=process, heartbeat=now()))
        with repeatable():
            return make_all(
                folders, where, process=process, keep_every=given.keep_every, ranks=together, born=this.born
            )
    except (MemoryError, RuntimeError) as error:
        said, onward = _sentence(error), is_of_a_lost_rank(error)
        _note(folders[0], together)
    except OSError as error:
        said = f"Its folder could not be written: {error.strerror or error}."
        onward = True
    except DataError as error:
        said = str(error)
    out = []
    for folder in folders:
        status = _known(folder)
        if status.state not in ENDED:
            status = replace(status, state="failed", sentence=said.splitlines()[0][:500], process="")
            if onward:
                status = replace(status, sentence=f"{status.sentence} {_capital(folder.goes_on)}.")
            with contextlib.suppress(OSError):
                if together.first:
                    folder.say(status)
        out.append(status)
    return out


def _sentence(error: MemoryError | RuntimeError) -> str:
    said = str(error) or type(error).__name__
    if isinstance(error, MemoryError) or any(sign in said.lower() for sign in ("out of memory", "allocate memory")):
        return "There was not enough memory: take a smaller model, or fewer sequences at once (micro)."
    if is_of_a_lost_rank(error):
        return "Another of its processes ended."
    return said


def _capital(clause: str) -> str:
    return f"{clause[:1].upper()}{clause[1:]}"


def _note(folder: Folder, together: Ranks) -> None:
    """Leave where it went wrong in the folder, for whoever looks for the fault."""
    with contextlib.suppress(OSError):
        (folder.path / f"error-{together.rank}.txt").write_text(traceback.format_exc(), encoding="utf-8")


def _known(folder: Folder) -> Status:
    try:
        return folder.status
    except DataError:
        return Status("queued")


if __name__ == "__main__":
    sys.exit(main())
