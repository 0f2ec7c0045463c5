"""Tables as people paste and export them, each read as its right answer says, or asked about and right after the answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from tests.data.judge import judge
from tests.data.pasted.make import ANSWERS, TABLES, made

CASES: dict[str, dict[str, Any]] = json.loads(ANSWERS.read_text("utf-8"))
EACH = [
    (name, path)
    for name, case in CASES.items()
    for path in (case["path"] if isinstance(case["path"], list) else [case["path"]])
]


@pytest.mark.parametrize(("name", "path"), EACH, ids=[f"{name}-{path}" for name, path in EACH])
def test_a_pasted_table_is_read_as_a_person_reads_it(name: str, path: str) -> None:
    verdict = judge(TABLES / path, CASES[name])
    assert verdict.passes, f"{verdict.kind} ({CASES[name]['what']}) asked {verdict.asked}: {verdict.why}"


def test_the_kept_tables_are_what_their_builders_give() -> None:
    files, answers = made()
    assert json.loads(json.dumps(answers)) == CASES
    assert {str(p.relative_to(TABLES).as_posix()) for p in TABLES.rglob("*") if p.is_file()} == files.keys()
    for path, content in files.items():
        if path.endswith(".xlsx"):  # a zip carries the clock
            continue
        assert (TABLES / path).read_bytes() == content, path


def test_the_kept_workbooks_hold_what_their_builders_give(tmp_path: Path) -> None:
    for path, content in made()[0].items():
        if not path.endswith(".xlsx"):
            continue
        (tmp_path / path).write_bytes(content)
        new, kept = openpyxl.load_workbook(tmp_path / path), openpyxl.load_workbook(TABLES / path)
        assert new.sheetnames == kept.sheetnames
        for one, other in zip(new, kept, strict=True):
            assert list(one.values) == list(other.values)
