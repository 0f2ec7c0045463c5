"""Folders of text: what is held out is trained on nowhere, names and order of files do not count, and what is wrong is one sentence."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import DataError
from data.probe.corpora import _cache, _stream, kinds, settled
from data.probe.corpora._documents import _cut, split
from data.probe.corpora._stream import Stream, seen
from data.probe.corpus import corpora, corpus
from data.probe.feed import Feed
from data.probe.spec import spec


def windows(stream, width):
    """All runs of tokens at every place, as a set."""
    return {bytes(part[k : k + width]) for part in stream.parts for k in range(len(part) - width + 1)}


def test_what_is_held_out_is_trained_on_nowhere(tmp_path, write):
    shared = b"".join((write(tmp_path / "apart", 1, 9) / "0.txt").read_bytes() for _ in range(4))
    for name in ("plain", "copies", "shared", "one"):
        folder = write(tmp_path / name, 1 if name == "one" else 40, size=6000 if name == "one" else 600)
        for k, path in enumerate(sorted(folder.iterdir())):
            if name == "copies":
                (folder / f"copy{k}.md").write_bytes(path.read_bytes())
            if name == "shared":
                path.write_bytes(path.read_bytes() + shared)
        text = corpus(spec({"corpus": f"text:{folder}", "seq_len": 16}))
        held = text.held_out(0, text.held_sequences(16), 16).astype(np.uint8)
        trained = windows(text.trained, 17)
        assert len(held) >= 8, name
        assert not [row for row in held if row.tobytes() in trained], name
        assert (len(held) < text.held.sequences(16)) == (name == "shared"), name
        everything = b"".join(one.read_bytes() for one in folder.glob("*.txt"))
        kept = len(text.trained) + len(text.held)
        assert len(everything) < kept <= len(everything) + 100, name  # with a zero after each document
        assert len(text.held) >= 0.04 * kept, name


def test_names_and_order_of_files_do_not_count(tmp_path, write):
    one, other = write(tmp_path / "one"), tmp_path / "other"
    (other / "deep").mkdir(parents=True)
    for k, path in enumerate(sorted(one.iterdir(), reverse=True)):
        (other / ("deep" if k % 2 else ".") / f"{k:04}").write_bytes(path.read_bytes())
    (other / ".hidden").write_bytes(b"not text \0")
    (other / "inside").symlink_to(other / "0000")
    a, b = (corpus(spec({"corpus": f"text:{path}"})) for path in (one, other))
    assert a.digest == b.digest
    np.testing.assert_array_equal(a.train(np.arange(20), 128), b.train(np.arange(20), 128))
    (other / "0000").write_bytes(b"another text")
    assert corpus(spec({"corpus": f"text:{other}"})).digest != a.digest


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=3000), st.integers(1, 200))
def test_pieces_are_the_text(text, size):
    pieces = _cut(text, size)
    assert b"".join(pieces) == text
    assert all(size <= len(one) <= 2 * size + 3 for one in pieces[:-1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(0, 2), max_size=60), min_size=1, max_size=4), st.integers(1, 6), st.integers(0, 3))
def test_sequences_seen_in_training_are_found_wherever_they_stand(parts, length, held):
    streams = [Stream(tuple(np.array(p, np.uint8) for p in some)) for some in (parts[:held], parts[held:])]
    known = windows(streams[1], length + 1)
    rows = streams[0].take(np.arange(streams[0].sequences(length)), length) if streams[0].parts else []
    expected = [row.astype(np.uint8).tobytes() in known for row in rows]
    if streams[0].parts:
        with pytest.MonkeyPatch.context() as patch:  # so that there are several chunks
            patch.setattr(_stream, "_CHUNK", 8)
            assert seen(streams[0], [streams[1]], length).tolist() == expected
    naive = [p[k : k + length + 1] for p in parts[held:] for k in range(0, len(p) - length, length)]
    if streams[1].parts:
        assert streams[1].take(np.arange(len(naive)), length).tolist() == naive


def test_two_texts_at_least_are_split_and_one_is_held_out():
    for texts in ([b"a" * 300, b"b" * 5], [b"a" * 10] * 2 + [b"b"], [b"x\n" * 400]):
        found = split(list(dict.fromkeys(texts)))
        assert found.train
        assert not set(found.train) & set(found.held)


def test_pools_score_nothing_that_another_pool_is_trained_on(tmp_path, write):
    a, b = write(tmp_path / "a", 40, 1), write(tmp_path / "b", 40, 2)
    for path in a.iterdir():
        (b / f"also{path.name}").write_bytes(path.read_bytes())
    one = spec({"seq_len": 16, "pools": [{"corpus": f"text:{path}", "share": 0.5} for path in (a, b)]})
    texts = corpora(one)
    trained = windows(texts[0].trained, 17) | windows(texts[1].trained, 17)
    for text in texts:
        held = text.held_out(0, text.held_sequences(16), 16).astype(np.uint8)
        assert not [row for row in held if row.tobytes() in trained]


def test_tokens_are_made_once_and_whole(home, monkeypatch):
    made = []

    def make(folder):
        made.append(folder)
        (folder / "x").write_bytes(b"1")
        if len(made) == 1:
            raise RuntimeError("it died here")

    with pytest.raises(RuntimeError):
        _cache.kept("one", make)
    assert not list(_cache.root().iterdir())
    assert _cache.kept("one", make) == _cache.kept("one", make) == home / "corpora" / "one"
    assert len(made) == 2

    def late(folder):  # somebody else was faster
        (folder / "x").write_bytes(b"2")
        _cache.kept("two", make)

    assert (_cache.kept("two", late) / "x").read_bytes() == b"1"
    monkeypatch.setattr(_cache.Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(DataError, match=r"could not be kept in .*: No space left on device\. Make room there"):
        _cache.kept("three", make)
    assert {path.name for path in _cache.root().iterdir()} == {"one", "two"}


def test_what_a_text_cannot_be_is_said_in_a_sentence(tmp_path, write):
    good = write(tmp_path / "good")
    for name in ("empty", "blank", "binary", "out", "loop", "fifo", "short", "small", "same"):
        (tmp_path / name).mkdir()
    (tmp_path / "blank" / "a.txt").write_text(" \n")
    (tmp_path / "binary" / "a.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "out" / "a").symlink_to(good / "0.txt")
    (tmp_path / "loop" / "a").symlink_to("a")
    os.mkfifo(tmp_path / "fifo" / "a")
    (tmp_path / "short" / "a").write_text("too short")
    (tmp_path / "small" / "a").write_text("".join(f"{k} " for k in range(120)))
    (tmp_path / "same" / "a").write_text("a" * 20_000)
    cases = {
        "text:": "text: needs a path",
        f"text:{tmp_path}/none": "none cannot be read: No such file or directory",
        f"text:{tmp_path}/empty": "empty has no text in it",
        f"text:{tmp_path}/blank": "blank has no text in it",
        f"text:{tmp_path}/binary": "a.png is a binary file (it has a zero byte); take it out",
        f"text:{tmp_path}/out": "out/a is a link that leads out of",
        f"text:{tmp_path}/loop": "loop has no text in it",
        f"text:{tmp_path}/fifo": "fifo/a is no ordinary file",
        f"text:{tmp_path}/short": "has 10 tokens to train on, and a sequence has 129; add text, or take a shorter seq_len",
        f"text:{tmp_path}/small": "has 0 tokens held out, and a sequence has 129",
        f"text:{tmp_path}/same": "stands in what is trained on, too",
        f"text:{'x' * 900}": "cannot be read: File name too long",
        "python:3": "Nothing follows python",
        "/dev/null": "'/dev/null' is no corpus; there is ",
        "synthetic:-1": "the exponent of Zipf's law; '-1' came",
    }
    for name, sentence in cases.items():
        with pytest.raises(DataError) as said:
            Feed.of(spec({"corpus": name}))
        assert sentence in str(said.value), name
        assert "\n" not in str(said.value), name
    one = f"text:{good}"
    for fields, sentence in (
        ({"corpus": one, "vocab": 100}, "has tokens up to 122, beyond a vocabulary of 100; vocab is 123 at least"),
        ({"vocab": 31}, "has tokens up to 31, beyond a vocabulary of 31"),
        ({"corpus": one, "unique_tokens": 1e6}, "tokens to train on; unique_tokens 1,000,000 came"),
        ({"seq_len": 10}, "a multiple of 4 tokens long; 10 came"),
        (
            {"pools": [{"corpus": one, "share": 0.5}, {"corpus": "synthetic", "share": 0.5}]},
            "has bytes and 'synthetic' has words of the synthetic language",
        ),
    ):
        with pytest.raises(DataError) as said:
            Feed.of(spec(fields))
        assert sentence in str(said.value), fields
    assert Feed.of(spec({"corpus": one, "vocab": 123})).sources[0].text.needed == 123


def test_the_standard_library_is_text_on_any_machine():
    text = corpus(spec({"corpus": "python"}))
    assert len(text.trained) > 5e6
    assert 0.04 < len(text.held) / len(text.trained) < 0.1
    assert text.held_sequences(128) < text.held.sequences(128)  # licences and the like stand in both


def test_every_kind_is_found_and_names_mean_the_same_in_any_folder(tmp_path, monkeypatch):
    assert {"synthetic", "python", "text", "bpe", "bin"} <= set(kinds())
    assert all(one.title and one.example for one in kinds().values())
    monkeypatch.chdir(tmp_path)
    assert settled("text:books") == f"text:{tmp_path}/books"
    assert [settled(name) for name in ("synthetic", "synthetic:1.2", "python")] == [
        "synthetic",
        "synthetic:1.2",
        "python",
    ]
