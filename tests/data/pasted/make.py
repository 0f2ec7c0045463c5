"""Write the pasted tables and their right answers anew: `python -m tests.data.pasted.make`.

Each case is a small function that says what a person would hand over and what a careful expert would read in it.
`tables/` and `answers.json` are what these functions give for the seed in `world`; both are kept, and a test compares.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from tests.data.pasted import notebooks, papers, sheets, trackers  # noqa: F401  (their cases register)
from tests.data.pasted.world import CASES

HERE = Path(__file__).parent
TABLES = HERE / "tables"
ANSWERS = HERE / "answers.json"


def made() -> tuple[dict[str, bytes], dict[str, dict[str, Any]]]:
    """Every file by its path below `tables/`, and every answer by its case."""
    files: dict[str, bytes] = {}
    answers: dict[str, dict[str, Any]] = {}
    for name, case in CASES.items():
        some, answers[name] = case.made()
        assert not files.keys() & some.keys(), name
        files |= some
    return files, answers


def main() -> None:
    files, answers = made()
    shutil.rmtree(TABLES, ignore_errors=True)
    for path, content in files.items():
        where = TABLES / path
        where.parent.mkdir(parents=True, exist_ok=True)
        where.write_bytes(content)
    ANSWERS.write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{len(answers)} cases, {len(files)} files")


if __name__ == "__main__":
    main()
