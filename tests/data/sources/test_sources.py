"""Where runs come from: every kind by one type, and a new kind in one file."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType

import pandas as pd
import pytest

import data.sources
from data.read import read_runs
from data.reading import Reading
from data.sources import HeldFile, Place, RunSource, all_sources, key_of, name_of
from data.sources.upload import Upload

CSV = b"run,params,tokens,loss\na,1e8,2e9,3.1\nb,2e8,4e9,2.9\nc,4e8,8e9,2.7\n"


def held(sha: str, title: str = "runs.csv", content: bytes = CSV) -> HeldFile:
    return HeldFile(sha * 64, title, "runs.csv", len(content), lambda: content)


def test_every_source_reads_and_its_lines_give_the_same_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs.csv").write_bytes(CSV)
    for source in all_sources(Place((held("a"),))):
        read = source.read({}, source.table())
        assert read.runs is not None, source.key
        scope: dict = {}
        exec("\n".join(source.code({})), scope)
        assert scope["runs"].digest == read.runs.digest, source.key
        assert key_of(source.KIND, name_of(source.key)) == source.key


def test_the_users_own_come_first_and_titles_differ():
    listed = all_sources(Place((held("b"), held("a"))))
    assert [s.name for s in listed[:2]] == ["b" * 64, "a" * 64]
    assert [s.title for s in listed[:2]] == ["runs.csv (2)", "runs.csv"]  # the older keeps its own
    assert not any(s.mine for s in listed[2:])
    assert len({s.title for s in listed}) == len(listed)


def test_an_answer_goes_to_the_table_and_trouble_is_part_of_the_reading():
    good = Upload("a" * 64, "x", "", "x.csv", lambda: CSV.replace(b"loss", b"bpc"))
    assert good.read({}).runs is None
    assert good.read({"loss_unit": "nats"}).runs is not None
    bad = Upload("b" * 64, "x", "", "x.csv", lambda: b"hello\nworld\n")
    assert bad.read({}).trouble is not None
    with pytest.raises(FileNotFoundError, match="upload it again"):
        Upload("c" * 64, "x").table()


def test_a_new_kind_is_one_file(tmp_path, monkeypatch):
    """A folder on this machine, as a module of its own beside the others: listed, read and named without another edit."""

    @dataclass(frozen=True)
    class Folder(RunSource):
        KIND = "folder"
        mine = True

        def read(self, answers, table=None):
            return Reading(read_runs(self.name, **answers))

        def code(self, answers):
            return "from data import read_runs", f"runs = read_runs({self.name!r})"

    (tmp_path / "one.csv").write_bytes(CSV)
    (tmp_path / "folder.py").write_text("")
    module = ModuleType("data.sources.folder")
    module.found = lambda place: (Folder(str(tmp_path), tmp_path.name),)
    monkeypatch.setitem(sys.modules, "data.sources.folder", module)
    monkeypatch.setattr(data.sources, "__path__", [*data.sources.__path__, str(tmp_path)])
    (source,) = (s for s in all_sources(Place()) if s.KIND == "folder")
    assert source.key == f"folder:{tmp_path}"
    pd.testing.assert_frame_equal(source.read({}).runs.kept, read_runs(tmp_path).kept)
