"""What a name says of a run: gpt-125M-bs256, 1.3B_params_26B_tokens, curve_N1.2e7_D3e8, Qwen3-30B-A3B."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from data.cells.digits import INSIDE, plain_number
from data.splits.corpora import CORPORA, PARTS, PLACES

_FACTOR = {"k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_DIGITS = r"[0-9]+(?:\.[0-9]+)?"
_NUMBER = rf"({_DIGITS}(?:[eE][+-]?[0-9]+)?)"
_EDGE = r"(?:^|(?<=[^A-Za-z0-9.]))"
_END = r"(?=$|[^A-Za-z0-9.]|\.[^0-9])"
_LARGE = rf"({_DIGITS}[eE][+]?[0-9]+|[0-9]{{5,}})()"  # N12 may be layers

#: A key and its number in one word, bs256, lr=3e-4; '' is a key whose number is left alone.
_KEYED: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("params", re.compile(rf"{_EDGE}(?:N|n_?params?|params?|size)={_NUMBER}([KkMmBb])?{_END}")),
    ("tokens", re.compile(rf"{_EDGE}(?:D|n_?tokens?|tokens?|toks?)={_NUMBER}([KkMmBbTt])?{_END}")),
    ("params", re.compile(rf"{_EDGE}N_?{_NUMBER}([KkMmBb]){_END}")),
    ("params", re.compile(rf"{_EDGE}N_?{_LARGE}{_END}")),
    ("params", re.compile(rf"{_EDGE}n[=_-]?{_NUMBER}([KMB]){_END}")),
    ("tokens", re.compile(rf"{_EDGE}D_?{_NUMBER}([KkMmBbTt]){_END}")),
    ("tokens", re.compile(rf"{_EDGE}D_?{_LARGE}{_END}")),
    ("tokens", re.compile(rf"{_EDGE}d[=_-]?{_NUMBER}([MBT]){_END}")),
    ("flops", re.compile(rf"{_EDGE}(?:C|flops?)[=_-]?({_DIGITS}[eE][+]?[0-9]+)(){_END}")),
    ("batch_sequences", re.compile(rf"{_EDGE}(?:bs|bsz|gbs|batch(?:_?size)?)[=_-]?([0-9]+)([Kk])?{_END}")),
    ("lr", re.compile(rf"{_EDGE}lr[=_-]?{_NUMBER}(){_END}")),
    ("seq_len", re.compile(rf"{_EDGE}(?:seq(?:_?len)?|ctx)[=_-]?([0-9]+)([Kk])?{_END}")),
    ("seed", re.compile(rf"{_EDGE}seed[=_-]?([0-9]+)(){_END}")),
    ("", re.compile(rf"{_EDGE}(?:bs|bsz|gbs|mbs|batch|ctx|seq|wd|vocab|warmup|steps?|iters?)=?{_NUMBER}([KkMmBb])?{_END}")),
)  # fmt: skip
_BOTH = re.compile(rf"{_EDGE}N-{_NUMBER}([KkMmBb])?[-_]D-{_NUMBER}([KkMmBbTt])?{_END}")

#: Sizes that families of models come in. Texts are cut at round numbers: 10B, 100B, 350B.
_USUAL = (
    *(1e6 * m for m in (1, 3, 8, 14, 19, 25, 28, 31, 33, 60, 70, 85, 110, 124, 125, 130, 135, 150, 160, 170, 180, 190, 220, 250, 260, 300)),
    *(1e6 * m for m in (345, 350, 355, 360, 370, 400, 410, 500, 530, 560, 600, 700, 760, 770, 774, 780)),
    *(1e9 * b for b in (1.1, 1.3, 1.4, 1.5, 1.6, 1.7, 2.6, 2.7, 2.8, 3, 4, 6, 6.7, 6.9, 7, 8, 9, 12, 13, 14, 27, 30, 32, 34, 65, 70)),
)  # fmt: skip
_NEAR = 0.01
_VOCABULARY = 1e6  # fewer tokens in a name are those of a vocabulary: tok32k

_CUT = re.compile(r"(?<![0-9][eE])[^A-Za-z0-9.×*]+|(?<=[0-9][eE])[^A-Za-z0-9.×*+-]+")
_SIZE = re.compile(rf"{_NUMBER}([KkMmBbTt])?")
_INSIDE = re.compile(INSIDE)  # 2b8
_FUSED = re.compile(rf"{_NUMBER}([KkMmBbTt])?(T|[A-Za-z]{{3,}})")
_LED = re.compile(rf"([A-Za-z]{{3,}}){_NUMBER}([KkMmBbTt])?")
_ACTIVE = re.compile(rf"[Aa]({_DIGITS})([MmBb])")
_MIXED = re.compile(rf"[0-9]+[xX×*]{_DIGITS}[KkMmBbTt]?|{_DIGITS}[KkMmBbTt][xX×*]{_DIGITS}[KkMmBbTt]?")
_EXPERTS = re.compile(r"[0-9]{1,4}[Ee](?:xperts?)?")
_WORDS = {
    **dict.fromkeys(("tok", "toks", "token", "tokens"), "tokens"),
    **dict.fromkeys(("param", "params", "parameter", "parameters", "size"), "params"),
    **dict.fromkeys(("active", "activated"), "params_active"),
    "total": "params_total",
    **dict.fromkeys((
        "step", "steps", "iter", "iters", "iteration", "iterations", "update", "updates", "sample", "samples", "seq", "seqs",
        "sequence", "sequences", "example", "examples", "doc", "docs", "documents", "word", "words", "char", "chars", "byte", "bytes",
        "row", "rows", "batch", "bs", "bsz", "gbs", "mbs", "vocab", "ctx", "context", "warmup", "flop", "flops", "images", "pairs",
        "emb", "embed", "embedding", "embeddings", "nonemb", "budget", "every", "interval", "decay", "ckpt", "checkpoint", "unique",
    ), ""),
}  # fmt: skip
#: Words that number what follows them: run 2b, fig 3b.
_LABELS = frozenset((
    "run", "runs", "exp", "experiment", "trial", "job", "try", "attempt", "part", "stage", "phase", "fold", "fig", "figure", "table",
    "appendix", "sec", "section", "version", "config", "cfg", "ablation", "variant", "group", "round", "task", "arm", "case", "set",
))  # fmt: skip
#: What has a size of its own.
_SIZED = frozenset(
    ("data", "dataset", "corpus", "hidden", "block", "step", "effect", "cache", "shard", "window", "head", "buffer")
)


@dataclass(frozen=True)
class _Word:
    """A word that says what the number beside it counts: a column, "" for what is neither parameters nor tokens."""

    column: str
    text: str


@dataclass(frozen=True)
class _Amount:
    """A number, its suffix in lower case, and the column that its own word or sign names; None where none does."""

    value: float
    suffix: str
    text: str
    column: str | None = None


def pairs(name: str) -> bool:
    """Whether a name holds a size with its unit for a decimal sign (2b8-55b): such names give the size, then the tokens."""
    return any(_INSIDE.fullmatch(piece) for piece in _CUT.split(name[:200]))


_APART = 10.0  # tokens per parameter: sizes nearer to each other may be those of two models
_SEVERAL = re.compile(
    r"(?<![a-z])(?:moe|switch|teacher|student|distil\w*|kd|draft|target|merged?|upcycl\w*|grow\w*|expand\w*|proxy|ema|from|to|vs)(?![a-z])"
)


def size_then_tokens(names: Iterable[str]) -> bool:
    """Whether each of several names holds two sizes side by side, the first the model's by far: llama-60M-1.2B, llama-130M-2.6B."""
    found = set()
    for name in names:
        elements = _without_texts(_elements(_keyed(name[:200])[1]))[0]
        sized = [i for i, e in enumerate(elements) if _sized(e) and isinstance(e, _Amount) and e.suffix != "k"]
        if len(sized) != 2 or sized[1] != sized[0] + 1 or _MIXTURE in elements or _SEVERAL.search(name.lower()):
            return False
        said = facts([name], paired=True)
        if not {"params", "tokens"} <= said.keys() or said["tokens"][0] < _APART * said["params"][0]:
            return False
        if {"params", "tokens"} & facts([name]).keys():
            return False  # a word says one of them
        found.add((said["params"][0], said["tokens"][0]))
    return len(found) > 1


_SHORTEST = 32  # tokens of a sequence that a name may say; ctx2 and seq_3 count files
_MIXTURE = "×"
_GONE = " keyed "  # what stands in place of a key and its number, so that what is around them does not run together
_Element = _Word | _Amount | str  # a str is anything else
_Said = tuple[str, float, str]


def facts(parts: Sequence[str], paired: bool = False) -> dict[str, tuple[float, str]]:
    """What the parts of a path say: value and text by column. A thing that they say twice over, differently, is left out.

    The word beside a number decides what it counts. A size behind the name of a text is the text's, and a guess at the tokens
    where the model's size is said too; one behind from, at or anneal is a place in training. Of numbers without a word, a
    single one in millions or billions is the model's size, and one in trillions beside it its tokens; 8x7B says neither what
    a mixture holds nor what it computes with. Fewer than a million tokens are a vocabulary's.
    `paired` says that names beside these ones give the size, then the tokens, as 2b8-55b does.
    """
    found: dict[str, dict[float, str]] = {}
    sizes: dict[float, str] = {}
    long: dict[float, str] = {}
    texts: dict[float, str] = {}
    mixed = doubtful = False
    for part in parts:
        said, text = _keyed(part[:200])
        elements, of_texts = _without_texts(_elements(text))
        texts |= of_texts
        mixed = mixed or _MIXTURE in elements
        claimed, left, doubt = _claimed(elements)
        doubtful = doubtful or doubt
        for column, value, words in (*said, *claimed):
            if column:
                found.setdefault(column, {}).setdefault(value, words)
        for amount in left:
            if amount.suffix in ("m", "b"):
                sizes.setdefault(amount.value, amount.text)
            elif amount.suffix == "t":
                long.setdefault(amount.value, amount.text)
    counts = {"params", "params_total", "params_active"} & found.keys()
    paired = paired or any(map(pairs, parts))
    if paired and len(sizes) in (2, 3) and not (doubtful or counts or mixed or "tokens" in found):
        model, data, *unique = sizes.items()
        if data[0] > model[0] and all(data[0] > u[0] for u in unique):
            found["params"], found["tokens"] = dict([model]), dict([data])
    if len(sizes) == 1 and not doubtful:
        if counts == {"params_active"}:
            found["params_total"] = sizes
        elif not counts and not mixed:
            found["params"] = sizes
    if len(long) == 1 and len(sizes) < 2 and "tokens" not in found and {"params", "params_total"} & found.keys():
        found["tokens"] = long
    elif len(texts) == 1 and "tokens" not in found and {"params", "params_total"} & found.keys():
        found["tokens"] = texts
    one = {c: next(iter(seen.items())) for c, seen in found.items() if len(seen) == 1}
    if "tokens" in one and one["tokens"][0] < _VOCABULARY:
        del one["tokens"]
    return one


def size_of_a_text(name: str) -> tuple[float, str] | None:
    """The one size that stands behind the name of a text, and both as they stand; None where none or several do."""
    _, texts = _without_texts(_elements(_keyed(name[:200])[1]))
    return next(iter(texts.items())) if len(texts) == 1 else None


def like_models(sizes: Iterable[float]) -> bool:
    """Whether sizes behind the names of texts are such as families of models have: two or more, and most, of the usual ones."""
    different = {size for size in sizes if size == size}
    usual = sum(any(abs(size / known - 1) < _NEAR for known in _USUAL) for size in different)
    return usual >= 2 and 2 * usual > len(different)


def of_a_text(said: str) -> bool:
    """Whether what was read off a name stands behind the name of a text there."""
    return said.split()[:1] != [] and said.split()[0].lower() in CORPORA


def _keyed(text: str) -> tuple[list[_Said], str]:
    """What keys say that are one word with their number, and the text without them."""
    said: list[_Said] = []
    if both := _BOTH.search(text):
        said += [("params", _value(both[1], both[2]), both[0]), ("tokens", _value(both[3], both[4]), both[0])]
        text = _BOTH.sub(_GONE, text)
    for column, pattern in _KEYED:
        k = 1024.0 if column == "seq_len" else 1e3  # as `data.units.factors` reads the k of a length
        found = [(column, _value(m[1], m[2], k), m[0]) for m in pattern.finditer(text)]
        said += [f for f in found if column != "seq_len" or f[1] >= _SHORTEST]
        text = pattern.sub(_GONE, text)
    return said, text


def _elements(text: str) -> list[_Element]:
    """The words and numbers of a name in order; `_MIXTURE` for 8x7B and the like."""
    out: list[_Element] = []
    times = False
    for piece in filter(None, (p.strip(".") for p in _CUT.split(text))):
        before = out[-1] if out else None
        factor, times = times, False
        word = _WORDS.get(piece.lower())
        if piece.lower() == "of":
            continue
        if piece in ("x", "×", "*") and isinstance(before, _Amount):
            out[-1], times = _MIXTURE, True
        elif _MIXED.fullmatch(piece) or "moe" in piece.lower() or (_EXPERTS.fullmatch(piece) and _sized(before)):
            out.append(_MIXTURE)
        elif word in ("params", "tokens") and isinstance(before, _Word) and before.column not in ("params", "tokens"):
            continue  # batch size, active params, unique tokens
        elif word is not None:
            sizes = isinstance(before, str) and before.lower() in _SIZED and piece.lower() == "size"
            out.append(_Word("" if sizes else word, piece))
        elif (active := _ACTIVE.fullmatch(piece)) and isinstance(before, _Amount) and _sized(before):
            out[-1] = _Amount(before.value, before.suffix, before.text, "params_total")
            out.append(_Amount(_value(active[1], active[2]), "", piece, "params_active"))
        elif inside := _INSIDE.fullmatch(piece):
            labels = isinstance(before, str) and before.lower() in _LABELS
            suffix = (inside[3] or inside[4]).lower()
            out.append(piece if labels else _Amount(plain_number(piece), suffix, piece))
        elif size := _SIZE.fullmatch(piece):
            suffix = (size[2] or "").lower()
            labels = isinstance(before, str) and before.lower() in _LABELS
            if factor:  # the second of 8 x 7B
                continue
            out.append(piece if labels and size[2] in ("b", "m") else _Amount(_value(size[1], size[2]), suffix, piece))
        elif (fused := _FUSED.fullmatch(piece)) and (fused[3] == "T" or fused[3].lower() in _WORDS):
            column = "tokens" if fused[3] == "T" else _WORDS[fused[3].lower()]
            if fused[3] == "T" and not fused[2]:
                out.append(_Amount(_value(fused[1], "t"), "t", piece))
            else:
                out.append(_Amount(_value(fused[1], fused[2]), "", piece, column))
        elif (led := _LED.fullmatch(piece)) and led[1].lower() in _WORDS:
            out.append(_Amount(_value(led[2], led[3]), "", piece, _WORDS[led[1].lower()]))
        else:
            out.append(piece)
    return [e.text if isinstance(e, _Amount) and _is_index(out, i) else e for i, e in enumerate(out)]


def _without_texts(elements: Sequence[_Element]) -> tuple[list[_Element], dict[float, str]]:
    """The elements without sizes of texts (fineweb-edu-10B) and of places in training (stop-at-2B), and the texts' sizes."""
    out: list[_Element] = []
    texts: dict[float, str] = {}
    for i, here in enumerate(elements):
        words = [e.text if isinstance(e, _Word) else e for e in out if not isinstance(e, _Amount)]
        before = out[-1] if out else None
        if isinstance(here, _Amount) and here.suffix and here.column is None and before is not None and words:
            text = _text_before(out)
            behind = elements[i + 1] if i + 1 < len(elements) else None
            claimed = isinstance(behind, _Word) and behind.column in ("params", "params_total", "params_active")
            if text and not claimed:
                texts[here.value] = f"{text} {here.text}"
                out.append(here.text)
                continue
            if not isinstance(before, _Amount) and words[-1].lower() in PLACES:
                if isinstance(before, _Word):
                    out[-1] = before.text
                out.append(here.text)
                continue
        out.append(here)
    return out, texts


def _text_before(elements: Sequence[_Element]) -> str:
    """The name of a text that the elements end in, parts of it aside; '' where they end in none."""
    for e in reversed(elements):
        if not isinstance(e, str):
            return ""
        if e.lower() in CORPORA:
            return e
        if e.lower() not in PARTS and not (e.isdigit() and len(e) < 4):
            return ""
    return ""


def _is_index(elements: Sequence[_Element], i: int) -> bool:
    """Whether a number counts versions, as in llama 2: a small one without a suffix, and no word for steps or samples beside it."""
    here = elements[i]
    if not isinstance(here, _Amount) or here.suffix or here.column is not None or here.value >= 1e5:
        return False
    return not any(
        isinstance(e, _Word) and not e.column for e in (*elements[max(i - 1, 0) : i], *elements[i + 1 : i + 2])
    )


def _sized(element: _Element | None) -> bool:
    """Whether an element is a number with a suffix, which no word has claimed."""
    return isinstance(element, _Amount) and bool(element.suffix)


def _claimed(elements: Sequence[_Element]) -> tuple[list[_Said], list[_Amount], bool]:
    """What words say of the numbers beside them, the numbers that no word speaks for, and whether a word may mean two of them.

    A word speaks for the number before it, as in 26B tokens, or, where the name begins so, for the one behind it: tokens-26B.
    """
    said: list[_Said] = []
    left: list[_Amount] = []
    doubt = False
    at = 0
    while at < len(elements):
        here = elements[at]
        if isinstance(here, _Amount) and here.column is not None:
            said.append((here.column, here.value, here.text))
            at += 1
            continue
        chain: list[_Word | _Amount] = []
        while at < len(elements):
            here = elements[at]
            if isinstance(here, str) or (isinstance(here, _Amount) and here.column is not None):
                break
            if chain and isinstance(here, _Word) == isinstance(chain[-1], _Word):
                break
            chain.append(here)
            at += 1
        if not chain:
            at += 1
            continue
        some, rest, unsure = _chain(chain)
        said, left, doubt = said + some, left + rest, doubt or unsure
    return said, left, doubt


def _chain(chain: Sequence[_Word | _Amount]) -> tuple[list[_Said], list[_Amount], bool]:
    """What a chain of words and numbers by turns says, the numbers it leaves, and whether it may be read two ways."""
    words = [e for e in chain if isinstance(e, _Word)]
    amounts = [e for e in chain if isinstance(e, _Amount)]
    if not words:
        return [], amounts, False
    if len(words) == len(amounts):
        pairs = list(zip(words, amounts, strict=True))
    elif len(words) == 1 and len(amounts) == 2:
        return _between(words[0], *amounts)
    elif len(words) == 2 and len(amounts) == 1 and not all(w.column for w in words):
        return [], [], bool(amounts[0].suffix)  # batch 4M tokens
    else:
        return [], [], bool(amounts)
    return [(w.column, a.value, f"{a.text} {w.text}") for w, a in pairs], [], False


def _between(word: _Word, one: _Amount, other: _Amount) -> tuple[list[_Said], list[_Amount], bool]:
    """What a word between two numbers speaks for: the first, where the other can then be what the first is not."""
    follow, precede = (
        (word.column, one.value, f"{one.text} {word.text}"),
        (word.column, other.value, f"{word.text} {other.text}"),
    )
    sized = [a.suffix in ("m", "b", "t") for a in (one, other)]
    if sized[0] and not sized[1]:  # 125M-steps-20000
        return [precede], [one], False
    if sized[1] and not sized[0]:
        return [follow], [other], False
    larger = one.value > other.value
    if (word.column in ("tokens", "params_total") and larger) or (word.column == "params_active" and not larger):
        return [follow], [other], False
    if word.column == "params" and not larger:
        return [follow], [], False
    return [], [], True


def _value(number: str, suffix: str | None, k: float = 1e3) -> float:
    return float(number) * {**_FACTOR, "k": k}.get((suffix or "").lower(), 1.0)
