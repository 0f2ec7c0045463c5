"""Text as byte pairs: a small vocabulary trained on the folder's own text. It needs the package `tokenizers`.

The corpora of a mixture share one vocabulary, trained on all that is trained on in any of them.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from data.errors import DataError
from data.probe.corpora import _cache
from data.probe.corpora._documents import Documents, documents, whole_path
from data.probe.corpora._stored import Stored, kept_tokens
from data.probe.spec import Spec

title = "a folder of text, as byte pairs of a vocabulary trained on it (`vocab`, else 1,024)"
example = "bpe:FOLDER"

VOCAB = 1024  # where a spec says none
BYTES = 256
END = "<|endoftext|>"  # token 0, after each document
_MOST_TRAINED = 2**26  # bytes that the vocabulary is trained on
_SHARE = 2**10  # documents that are tokenised at once


def settled(rest: str) -> str:
    """The whole path."""
    return whole_path(rest, "bpe")


def make(asked: Mapping[int, str], spec: Spec) -> dict[int, Stored]:
    """The folders' files in one vocabulary. Raises DataError where `tokenizers` is missing or the text is too small for it."""
    if importlib.util.find_spec("tokenizers") is None:
        raise DataError(
            "Byte pairs need the package tokenizers: pip install -e '.[probe]', or take text: in place of bpe:."
        )
    vocab = spec.vocab or VOCAB
    if vocab <= BYTES:
        raise DataError(
            f"A vocabulary of byte pairs is larger than {BYTES}; {vocab} came. For bytes take text: in place of bpe:."
        )
    paths = {lane: settled(rest) for lane, rest in asked.items()}
    found = {path: _texts(path) for path in sorted(set(paths.values()))}
    of_all = blake2b("".join(sorted({one.digest for one in found.values()})).encode(), digest_size=8).hexdigest()
    key = f"bpe-{vocab}-{of_all}"
    file = _cache.kept(key, lambda folder: _train(list(found.values()), vocab, folder)) / "tokenizer.json"
    return {lane: _tokenised(f"bpe:{path}", found[path], file, key, vocab) for lane, path in paths.items()}


def _texts(path: str) -> Documents:
    found = documents(Path(path))
    try:
        b"\n".join([*found.train, *found.held]).decode()
    except UnicodeDecodeError:
        raise DataError(f"{path} has text that is not UTF-8; byte pairs need UTF-8, text: takes any.") from None
    return found


def _train(found: list[Documents], vocab: int, folder: Path) -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_some(found), trainer)
    if (made := tokenizer.get_vocab_size()) < vocab:
        raise DataError(
            f"The text gives {made:,} byte pairs, and {vocab:,} were asked for; take vocab {made} at most, or more text."
        )
    tokenizer.save(str(folder / "tokenizer.json"))


def _some(found: list[Documents]) -> Iterator[str]:
    """What is trained on, from each folder its share of as much as the vocabulary is made of."""
    size = sum(len(text) for one in found for text in one.train)
    for one in found:
        left = _MOST_TRAINED * sum(map(len, one.train)) / size
        for text in one.train:
            if left <= 0:
                break
            left -= len(text)
            yield text.decode(errors="replace")


def _tokenised(name: str, found: Documents, file: Path, key: str, vocab: int) -> Stored:
    def joined() -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(file))
        kind = np.uint16 if vocab <= 2**16 else np.uint32
        train, held = (_encoded(tokenizer, texts, kind) for texts in (found.train, found.held))
        return train, held, {"bytes": sum(len(one) + 1 for one in found.held)}

    digest = f"{key}-{found.digest}"
    train, held, about = kept_tokens(digest, joined)
    return Stored(name, train, held, vocab, vocab, f"byte pairs {key}", digest, about["bytes"] / max(1, about["held"]))


def _encoded(tokenizer: Any, texts: list[bytes], kind: type) -> np.ndarray:
    out: list[np.ndarray] = []
    for first in range(0, len(texts), _SHARE):
        some = [text.decode(errors="replace") for text in texts[first : first + _SHARE]]
        out += [np.array([*one.ids, 0], kind) for one in tokenizer.encode_batch(some)]
    return np.concatenate(out) if out else np.empty(0, kind)
