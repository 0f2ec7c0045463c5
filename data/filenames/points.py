"""Sizes in names whose decimal point became another sign, as file names and trackers' groups have it: pythia-1-4b, 0_5B, 1p4b, 1,4B.

A number before a size may as well be a version (llama-3-8b), a seed or a run's own number. Which it is follows from the word
before it and from the other names; where it does not, both readings are given.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

_SURE = re.compile(r"(?<![A-Za-z0-9.])([0-9]{1,3})[pP]([0-9]{1,2}[KkMmBbTt])(?![A-Za-z0-9])")
_EDGE = r"(?<![A-Za-z0-9.])(?<![0-9][eE][-+])"  # the 4 of 3e-4 is no size's
_END = r"(?![A-Za-z0-9.])"
_SIZE = re.compile(rf"{_EDGE}(?:(?P<whole>0|[1-9][0-9]{{0,2}})[-_,](?P<rest>[0-9][MmBbTt])"
                   rf"|(?P<digit>[0-9])[-_,](?P<two>[0-9]{{2}}[MmBbTt])){_END}")  # fmt: skip
_COMMA = re.compile(rf"{_EDGE}(?<![0-9],)(0|[1-9][0-9]{{0,2}}),([0-9]{{1,3}}[KkMmBbTt]){_END}")
_PLAIN = re.compile(rf"{_EDGE}[0-9]{{1,4}}(?:\.[0-9]+)?[KkMmBb]{_END}")
_NUMBERED = re.compile(rf"{_EDGE}(?P<whole>[0-9]{{1,3}})[-_][0-9]{{3,4}}[KkMmBbTt]{_END}")
_WORD = re.compile(r"([A-Za-z]*)((?:[-_ ]?[0-9]{1,2}){0,3})[-_ /=]*$")

#: Families and the versions that they have come in.
_VERSIONS = {
    family: frozenset(versions.split())
    for family, versions in {
        "gpt": "2 3 3.5 4", "llama": "1 2 3 3.1 3.2 3.3 4", "qwen": "1 1.5 2 2.5 3 3.5", "gemma": "1 1.1 2 3 4", "phi": "1 1.5 2 3 3.5 4",
        "olmo": "1 2 3", "falcon": "1 2 3", "stablelm": "1 2 3", "yi": "1 1.5", "deepseek": "1 2 2.5 3", "internlm": "1 2 2.5 3",
        "baichuan": "1 2", "glm": "2 3 4", "chatglm": "1 2 3", "granite": "1 2 3 3.1 3.2 3.3 4", "smollm": "1 2 3", "minicpm": "1 2 3 4",
        "nemotron": "1 2 3 4", "palm": "1 2", "v": "1 2 3 4 5 6 7 8 9", "ver": "1 2 3 4 5 6 7 8 9", "version": "1 2 3 4 5 6 7 8 9",
        "gen": "1 2 3 4 5 6 7 8 9",
    }.items()
}  # fmt: skip
#: Families without versions, and words that a size alone can follow.
_UNVERSIONED = frozenset((
    "pythia", "opt", "bloom", "neo", "neox", "galactica", "mpt", "redpajama", "incite", "chinchilla", "gopher",
    "params", "param", "size", "tokens", "parameters", "cerebras",
))  # fmt: skip
#: Words whose own the number behind them is: a setting, a place along a run.
_SETTINGS = frozenset((
    "seed", "s", "bs", "bsz", "gbs", "mbs", "batch", "lr", "wd", "layer", "layers", "l", "depth", "width", "dim", "h",
    "head", "heads", "seq", "ctx", "len", "step", "steps", "iter", "iters", "epoch", "epochs", "ep", "ckpt",
    "checkpoint", "warmup", "rank", "fold", "rep", "repeat", "moe", "experts", "expert", "topk", "k", "accum", "gpu",
    "gpus", "tp", "pp", "dp",
))  # fmt: skip


@dataclass(frozen=True)
class Pointed:
    """Names with the decimal points of their sizes put back: `texts` by name as they are taken, `others` by the other reading.

    They are the same where nothing is open.
    """

    texts: dict[str, str]
    others: dict[str, str]

    @property
    def open(self) -> bool:
        """Whether some name may be read two ways."""
        return self.texts != self.others


@dataclass(frozen=True)
class _Found:
    """A number and the size behind it in a name: 1 and 4b, the word before them, and where they stand."""

    name: str
    at: int
    word: str
    family: str  # all that stands before, without numbers
    whole: str
    rest: str
    before: str  # what numbers stand before both, as the 3 of llama-3-1-8b


def pointed(names: Iterable[str], commas: bool = False) -> Pointed:
    """The names read with and without decimal points in the sizes that they hold; `commas` says that their file's sign is one."""
    plain = {name: _SURE.sub(r"\1.\2", _COMMA.sub(r"\1.\2", name) if commas else name) for name in names}
    groups: dict[str, list[_Found]] = {}
    for name, text in plain.items():
        for m in _SIZE.finditer(text):
            found = _found(name, text, m)
            groups.setdefault(found.family, []).append(found)
    texts, others = dict(plain), dict(plain)
    for family, members in groups.items():
        for f, verdict in _verdicts(family, members, list(plain.values())).items():
            if verdict != "apart":
                texts[f.name] = _put(texts[f.name], f)
            if verdict == "point":
                others[f.name] = _put(others[f.name], f)
    return Pointed(texts, others)


def _put(text: str, found: _Found) -> str:
    at = found.at + len(found.whole)
    return f"{text[:at]}.{text[at + 1 :]}"


def _found(name: str, text: str, m: re.Match[str]) -> _Found:
    head = text[: m.start()]
    last = _WORD.search(head)
    word, before = (last[1].lower(), ".".join(re.findall("[0-9]+", last[2]))) if last else ("", "")
    return _Found(
        name, m.start(), word, _family(head), m["whole"] or m["digit"], (m["rest"] or m["two"]).lower(), before
    )


def _verdicts(family: str, members: Collection[_Found], names: Collection[str]) -> dict[_Found, str]:
    """For each number before a size whether it is its whole part ("point"), something else ("apart"), or "open"."""
    words = {w for w in re.split(r"[^a-z]+", family) if w}
    known = _VERSIONS.get(next(iter(members)).word)
    if known is not None and "cerebras" not in words:
        return _of_versions(known, members, _bare(family, names))
    return dict.fromkeys(members, "point" if words & _UNVERSIONED else _of_others(family, members, names))


def _of_others(family: str, members: Collection[_Found], names: Collection[str]) -> str:
    """The verdict on the numbers behind words that name no known family, by the other names."""
    one = next(iter(members))
    if one.word in _SETTINGS and not any(m.before for m in members):
        return "apart"
    wholes, rests = {m.whole for m in members}, {m.rest for m in members}
    pairs = {(m.whole, m.rest) for m in members}
    rounded = all(len(r) == 3 and r[1] == "0" for r in rests) and "0" not in wholes  # nobody writes 1.70M
    crossed = len(wholes) > 1 and len(rests) > 1 and len(pairs) == len(wholes) * len(rests)
    if rounded or crossed or _numbered(family, wholes, names) or (len(rests) == 1 and len(wholes) > 2):
        return "apart"
    if _bare(family, names) or (wholes == {"0"} and one.word not in _INDEXED):
        return "point"
    return "open"


_INDEXED = frozenset((
    "run", "runs", "exp", "experiment", "trial", "job", "try", "attempt", "part", "stage", "model", "variant",
    "version",
))  # fmt: skip


def _of_versions(known: frozenset[str], members: Collection[_Found], bare: bool) -> dict[_Found, str]:
    """The verdict on each number behind a family's name that may be one of its versions."""
    alone = [m for m in members if not m.before]
    wholes = {m.whole for m in alone}
    sizes = bare and len(wholes) == len(alone) > 1  # gpt-125m, gpt-1-3b, gpt-2-7b: a ladder
    out = {}
    for m in members:
        if m.before:  # llama-3-1-8b, stablelm-2-1-6b
            version = f"{m.before}.{m.whole}" in known
            out[m] = "apart" if version else "point" if m.before in known else "open"
        elif m.whole == "0" or wholes.isdisjoint(known):
            out[m] = "point" if m.whole == "0" or bare else "open"
        else:
            out[m] = "open" if sizes or not wholes <= known else "apart"
    return out


def _bare(family: str, names: Collection[str]) -> bool:
    """Whether a size of the family has no number before it, so that none is in all of its names."""
    heads = (text[: m.start()] for text in names for m in _PLAIN.finditer(text))
    return any(_family(h) == family and not re.search(r"[0-9][-_ ]$", h) for h in heads)


def _numbered(family: str, wholes: set[str], names: Collection[str]) -> bool:
    """Whether one of the numbers stands before a size that it can be no part of: the 1 of a-1-160m."""
    found = ((text[: m.start()], m["whole"]) for text in names for m in _NUMBERED.finditer(text))
    return any(whole in wholes and _family(head) == family for head, whole in found)


def _family(head: str) -> str:
    """What stands before a size without its numbers."""
    return re.sub(r"[0-9]+", "", head.lower()).strip("-_ /=.")
