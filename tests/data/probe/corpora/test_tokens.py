"""Token files and byte pairs: tokens are those that were written, and files that are none are told in a sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from data.errors import DataError
from data.probe.corpora import bin as token_files
from data.probe.corpora import bpe
from data.probe.corpus import corpora, corpus
from data.probe.spec import spec

TOKENS = np.random.default_rng(0).integers(0, 500, 5000)


def header(count, version=1):
    return np.array([20240520, version, count, *[0] * 253], "<i4").tobytes()


def plain(tokens):
    return np.asarray(tokens, "<u2").tobytes()


def all_of(stream):
    return np.concatenate(stream.parts).tolist()


def test_tokens_are_those_of_the_files(tmp_path):
    at = tmp_path / "train.bin"
    at.write_bytes(plain(TOKENS))
    text = corpus(spec({"corpus": f"bin:{at}", "vocab": 512}))
    assert (text.vocab, text.needed) == (512, int(TOKENS.max()) + 1)
    assert all_of(text.trained) + all_of(text.held) == TOKENS.tolist()
    assert len(text.held) == 250
    np.testing.assert_array_equal(text.train(np.array([3, 0]), 128), [TOKENS[384:513], TOKENS[:129]])
    (tmp_path / "val.bin").write_bytes(plain(TOKENS[:600]))
    (tmp_path / "meta.json").write_text(json.dumps({"vocab_size": 600}))
    both = corpus(spec({"corpus": f"bin:{tmp_path}"}))
    assert (all_of(both.trained), all_of(both.held), both.vocab) == (TOKENS.tolist(), TOKENS[:600].tolist(), 600)
    assert both.digest != text.digest
    with pytest.raises(DataError, match=r"All that is held out of .* stands in what is trained on"):
        both.held_sequences(128)


def test_files_with_a_header_are_those_of_gpt2(tmp_path):
    (tmp_path / "fineweb_train_000001.bin").write_bytes(header(3000) + plain(TOKENS[:3000]))
    (tmp_path / "fineweb_train_000002.bin").write_bytes(header(1500) + plain(TOKENS[3000:4500]))
    (tmp_path / "fineweb_val_000000.bin").write_bytes(header(500) + plain(TOKENS[4500:]))
    text = corpus(spec({"corpus": f"bin:{tmp_path}"}))
    assert (text.vocab, len(text.trained), len(text.held)) == (50257, 4500, 500)
    assert text.sequences(128) == 2999 // 128 + 1499 // 128  # none goes from one file into the next
    np.testing.assert_array_equal(text.train(np.array([23]), 128)[0], TOKENS[3000:3129])
    assert text.held_sequences(128) == 3


@pytest.mark.parametrize(
    ("dtype", "vocab", "bits"),
    [("<u4", 500, 32), ("<i4", 2, 32), (">u4", 500, 32), ("<u4", 200_000, 32), ("<u8", 500, 64), ("<i8", 200_000, 64)],
)
def test_tokens_of_more_than_16_bits_are_refused(tmp_path, dtype, vocab, bits):
    at = tmp_path / "train.bin"
    np.random.default_rng(0).integers(0, vocab, 5000).astype(dtype).tofile(at)
    with pytest.raises(DataError, match=rf"train\.bin has tokens of {bits} bits.*Write it anew as numpy's uint16"):
        corpus(spec({"corpus": f"bin:{at}", "vocab": 512}))


@pytest.mark.parametrize(
    "tokens",
    [
        np.zeros(100),
        np.ones(100),
        np.arange(100) % 3,
        TOKENS % 5,
        TOKENS * (np.arange(5000) % 7 == 0),
        np.repeat(TOKENS, 2),
        [5, 0] * 3,
    ],
)
def test_tokens_of_16_bits_are_read_however_few_there_are_of_them(tmp_path, tokens):
    at = tmp_path / "train.bin"
    at.write_bytes(plain(tokens))
    assert corpus(spec({"corpus": f"bin:{at}", "vocab": 512})).needed == max(tokens) + 1


def test_files_that_are_no_tokens_are_said(tmp_path):
    cases = {
        "odd.bin": (b"abc", "has 3 bytes; a token file has two for each token"),
        "empty.bin": (b"", "has 0 bytes"),
        "torn.bin": (header(10) + plain(range(9)), "says it has 10 tokens and has 9; copy it again"),
        "negative.bin": (header(-1), "says it has -1 tokens and has 0"),
        "newer.bin": (header(4, 7) + plain(range(4)), "has version 7 of its header; version 1 is read"),
        "model.bin": (b"PK\x03\x04" + b"0" * 100, "holds weights or an archive"),
        "unsaid.bin": (
            plain(range(300)),
            "does not say its vocabulary; give vocab (its largest token is 299, so 300 at least)",
        ),
    }
    for name, (content, sentence) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError) as said:
            corpus(spec({"corpus": f"bin:{tmp_path / name}"}))
        assert sentence in str(said.value), name
    (tmp_path / "none").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.bin").symlink_to(tmp_path / "unsaid.bin")
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "a.bin").write_bytes(plain(range(300)))
    for name, sentence in (("none", "has no .bin files"), ("gone", "is missing"), ("out", "a link that leads out of")):
        with pytest.raises(DataError, match=sentence):
            corpus(spec({"corpus": f"bin:{tmp_path / name}"}))
    for said in ("[]", "{", '{"vocab_size": -1}', '{"vocab_size": true}', '{"vocab_size": 1e3}'):
        (tmp_path / "meta" / "meta.json").write_text(said)
        with pytest.raises(DataError, match="should say vocab_size, a whole number"):
            corpus(spec({"corpus": f"bin:{tmp_path / 'meta'}"}))
    (tmp_path / "meta" / "meta.json").write_text('{"vocab_size": 100}')
    with pytest.raises(DataError, match="has tokens up to 299, beyond a vocabulary of 100"):
        corpus(spec({"corpus": f"bin:{tmp_path / 'meta'}"}))


def test_a_file_is_looked_through_once(tmp_path, monkeypatch):
    at = tmp_path / "a.bin"
    at.write_bytes(plain(TOKENS))
    named = spec({"corpus": f"bin:{at}", "vocab": 512})
    first = corpus(named).digest
    monkeypatch.setattr(token_files, "_CHUNK", 0)  # would be an error if it were looked at again
    assert corpus(named).digest == first
    monkeypatch.undo()
    assert corpus(named).digest == first


def test_byte_pairs_are_the_text_and_the_same_wherever_they_are_made(tmp_path, write, home, monkeypatch):
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed (it comes with the probe extra)")
    a, b = write(tmp_path / "a", 30, 0), write(tmp_path / "b", 30, 1)
    (a / "umlaut").write_text("Grüße 漢字 \U0001f600 " * 9)
    text = corpus(spec({"corpus": f"bpe:{a}", "vocab": 400}))
    tokenizer = tokenizers.Tokenizer.from_file(str(next((home / "corpora").glob("bpe-*/tokenizer.json"))))
    documents = {path.read_text() for path in a.iterdir()}
    read = []
    for stream in (text.trained, text.held):
        (tokens,) = stream.parts
        ends = np.flatnonzero(tokens == 0)
        read += [tokenizer.decode(part[part > 0]) for part in np.split(tokens, ends)[:-1]]
    assert set(read) == documents
    assert text.vocab == 400 == tokenizer.get_vocab_size()
    held = int((text.held.parts[0] == 0).sum())
    assert text.bytes_per_token == sum(len(one.encode()) + 1 for one in read[-held:]) / len(text.held)
    (tmp_path / "line").mkdir()
    (tmp_path / "line" / "a").write_text("ä漢😀" * 3000)  # one line, which is cut between its characters
    assert corpus(spec({"corpus": f"bpe:{tmp_path / 'line'}", "vocab": 257})).bytes_per_token
    monkeypatch.setenv("ISOFLOP_HOME", str(tmp_path / "elsewhere"))
    again = corpus(spec({"corpus": f"bpe:{a}", "vocab": 400}))
    assert all_of(again.trained) == all_of(text.trained)
    pools = spec({"vocab": 300, "pools": [{"corpus": f"bpe:{path}", "share": 0.5} for path in (a, b)]})
    one, other = corpora(pools)
    assert one.alphabet == other.alphabet != text.alphabet
    assert one.digest != other.digest


def test_what_byte_pairs_need_is_said(tmp_path, write, monkeypatch):
    pytest.importorskip("tokenizers", reason="tokenizers is not installed (it comes with the probe extra)")
    folder = write(tmp_path / "a", 5)
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "a").write_bytes("Grüße".encode("latin-1"))
    for fields, sentence in (
        ({"corpus": f"bpe:{folder}", "vocab": 256}, "larger than 256; 256 came. For bytes take text:"),
        ({"corpus": f"bpe:{folder}", "vocab": 60000}, "byte pairs, and 60,000 were asked for; take vocab"),
        ({"corpus": f"bpe:{tmp_path / 'latin'}"}, "has text that is not UTF-8"),
    ):
        with pytest.raises(DataError) as said:
            corpus(spec(fields))
        assert sentence in str(said.value), fields
    monkeypatch.setattr(bpe.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(DataError, match=r"need the package tokenizers: pip install -e '\.\[probe\]'"):
        corpus(spec({"corpus": f"bpe:{folder}"}))
