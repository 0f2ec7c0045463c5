"""`python -m data.probe.queue ROOT`: serve the queue under a folder until nothing is left to run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from data.errors import DataError
from data.probe.queue.ended import tell
from data.probe.queue.serve import AlreadyServedError, serve
from data.probe.queue.slots import slots


def main() -> int:
    """Exit codes: 0 nothing is left, 2 wrong use, 3 another process serves the queue."""
    parser = argparse.ArgumentParser(prog="python -m data.probe.queue", description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--cpus", type=int, default=1, help="runs at once on the CPU")
    parser.add_argument("--devices", default="", help="only these: cpu, 0, 1, divided by commas")
    given = parser.parse_args()
    try:
        found = slots(given.cpus, only=tuple(filter(None, given.devices.split(","))))
        serve(given.root, found, until_idle=True, watched=lambda store: tell(given.root, store.jobs(), store.held()))
    except AlreadyServedError as error:
        print(error, file=sys.stderr)
        return 3
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
