"""`python -m data.probe.trainer SPEC FOLDER`: make one run, or go on with it."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import traceback
from dataclasses import replace
from pathlib import Path

from data.errors import DataError
from data.probe.folder import BusyError, Folder, Status
from data.probe.process import Process
from data.probe.spec import spec
from data.probe.trainer.device import device, repeatable
from data.probe.trainer.run import make

BUSY = 3  # the exit code where another process makes the run
GO_ON = 75  # the exit code of a run that was asked to stop and goes on from its checkpoint (EX_TEMPFAIL of sysexits.h)


def main() -> int:
    """Exit codes: 0 done, 1 the run ended otherwise (with the sentence), 2 wrong use, 3 another process makes it, 75 it stopped
    on request and goes on from its checkpoint.
    """
    parser = argparse.ArgumentParser(prog="python -m data.probe.trainer", description=__doc__)
    parser.add_argument("spec", help="a JSON file of the spec's fields, or the JSON itself")
    parser.add_argument("folder", type=Path, help="where the run is kept")
    parser.add_argument("--device", default="", help="cpu, cuda, cuda:1")
    given = parser.parse_args()
    try:
        said = given.spec if given.spec.lstrip().startswith("{") else Path(given.spec).read_text(encoding="utf-8")
        folder = Folder(given.folder)
        folder.declare(spec(json.loads(said)))
        with folder.taken():
            status = _made(folder, given.device)
    except BusyError as error:
        print(error, file=sys.stderr)
        return BUSY
    except (DataError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{status.state}: step {status.step} of {status.steps}. {status.sentence}".strip())
    return {"done": 0, "queued": GO_ON}.get(status.state, 1)


def _made(folder: Folder, asked: str) -> Status:
    """Make the run; whatever goes wrong with it is its status, in a sentence."""
    try:
        with repeatable():
            return make(folder, device(asked), process=str(Process.this()))
    except (MemoryError, RuntimeError) as error:
        short = isinstance(error, MemoryError) or "out of memory" in str(error).lower()
        said = "There was not enough memory: take a smaller batch or model." if short else f"{error}"
        traceback.print_exc()
    except OSError as error:
        said = f"Its folder could not be written: {error.strerror or error}."
    except DataError as error:
        said = str(error)
    status = replace(_known(folder), state="failed", sentence=said.splitlines()[0][:500], process="")
    with contextlib.suppress(OSError):
        folder.say(status)
    return status


def _known(folder: Folder) -> Status:
    try:
        return folder.status
    except DataError:
        return Status("failed")


if __name__ == "__main__":
    sys.exit(main())
