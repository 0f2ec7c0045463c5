"""`python -m data.probe.trainer SPEC FOLDER`: make one run, or go on with it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from data.errors import DataError
from data.probe.folder import Folder
from data.probe.spec import spec
from data.probe.trainer.device import device, repeatable
from data.probe.trainer.run import make


def main() -> int:
    """Exit codes: 0 done, 1 the run ended otherwise (with the sentence), 2 wrong use."""
    parser = argparse.ArgumentParser(prog="python -m data.probe.trainer", description=__doc__)
    parser.add_argument("spec", help="a JSON file of the spec's fields, or the JSON itself")
    parser.add_argument("folder", type=Path, help="where the run is kept")
    parser.add_argument("--device", default="", help="cpu, cuda, cuda:1")
    given = parser.parse_args()
    try:
        said = given.spec if given.spec.lstrip().startswith("{") else Path(given.spec).read_text(encoding="utf-8")
        folder = Folder(given.folder)
        folder.declare(spec(json.loads(said)))
        with repeatable():
            status = make(folder, device(given.device))
    except (DataError, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{status.state}: step {status.step} of {status.steps}. {status.sentence}".strip())
    return 0 if status.state == "done" else 1


if __name__ == "__main__":
    sys.exit(main())
