"""Taking a column's header apart: the words people wrote, the unit in brackets, the factor in front of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

_FACTORS = {
    "k": 1e3, "thousand": 1e3, "thousands": 1e3,
    "m": 1e6, "mm": 1e6, "mil": 1e6, "mio": 1e6, "mn": 1e6, "million": 1e6, "millions": 1e6, "mega": 1e6,
    "b": 1e9, "bn": 1e9, "g": 1e9, "billion": 1e9, "billions": 1e9, "giga": 1e9,
    "t": 1e12, "tn": 1e12, "trillion": 1e12, "trillions": 1e12, "tera": 1e12,
}  # fmt: skip
_PREFIX = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24,
           "mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21}  # fmt: skip
PF_DAY = 8.64e19  # FLOP: 1e15 per second for 86 400 seconds

_POWER = re.compile(r"(?:in |x|×|\*|of )*\s*(?:1e\+?|10\^|10\*\*|e)\s*([0-9]{1,2})\b")
_FLOPS = re.compile(r"\b(k|m|g|t|p|e|z|y|mega|giga|tera|peta|exa|zetta)?[ -]?flops?\b")
_PF_DAYS = re.compile(r"\b(?:pf|pflops?|petaflops?)\s*(?:/?\s*s(?:econds?)?)?\s*[- /]*days?\b")


@dataclass(frozen=True)
class Header:
    """A header taken apart: `words` in lower case without unit or path, `path` with them, `scale` the unit's factor.

    `unit` is what the header says of the unit in words of its own: "", "nats", "bits", "perplexity", "bits per byte".
    """

    raw: str
    words: str
    path: str
    scale: float = 1.0
    unit: str = ""
    said: str = ""  # the text that gave the scale, for the explanation
    tails: tuple[tuple[str, float], ...] = ()  # the words of a nested name's last parts, each with how far they say it


#: Folders that trackers put metrics and settings in; the name that counts stands behind them.
PATH_HEADS = frozenset((
    "config", "configs", "cfg", "args", "hparams", "hyperparameters", "hyperparams", "settings", "params", "params_config",
    "summary", "summaries", "metrics", "metric", "stats", "total_stats", "perf", "throughput", "run", "data", "model",
    "trainer", "training", "train", "optim", "optimizer", "opt", "arch", "architecture", "network", "transformer", "hp",
    "hps", "setup", "final", "result", "results", "info", "meta", "metadata",
))  # fmt: skip


@lru_cache(maxsize=20_000)
def header(raw: str) -> Header:
    """The header taken apart; never raises."""
    text = raw.strip().strip("\"'`*$#").replace("\u2212", "-")[:300]
    if re.fullmatch(r"[A-Z](_[A-Za-z0-9]+)?", text):  # single letters keep their case: N, D and C mean what papers say
        return Header(raw, text, text)
    scale, said, last = 1.0, "", ""
    inside = re.findall(r"[(\[{]([^()\[\]{}]*)[)\]}]", text)
    outside = re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", " ", text) if inside else text
    extra = []
    for part in inside:
        factor = factor_of(part)
        if factor is not None:
            scale, said = scale * factor, part.strip()
        else:
            extra.append(part)
    words = _words(" ".join([outside, *extra]))
    flop = _FLOPS.search(words)
    if _PF_DAYS.search(words):
        scale, said = PF_DAY, "PF-days"
        words = _PF_DAYS.sub("flops", words)
    elif flop and flop[1] and scale == 1.0:
        scale, said = _PREFIX[flop[1]], flop[0]
        words = words.replace(flop[0], "flops", 1)
    elif scale == 1.0:
        scale, said, words = _trailing_factor(words)
        last = said
    single = outside.strip()
    if re.fullmatch(r"[A-Z]", single):
        words = single
    unit = _unit(_words(text))
    parts = [p.strip() for p in _FOLDERS.split(outside.strip()) if p.strip()]
    if len(parts) < 2:
        return Header(raw, words, words, scale, unit, said)

    def behind(i: int) -> str:
        tail = _words(" ".join([*parts[i:], *extra])).removesuffix(f" {last}" if last else "")
        return _FLOPS.sub("flops", tail) if "flops" in words else tail

    known = parts[0].lower() in PATH_HEADS
    return Header(raw, behind(1) if known else words, words, scale, unit, said, _tails(parts, behind))


#: Between the parts of a nested name: `config/lr`, `config.lr`, `config:lr`, `config__lr`.
_FOLDERS = re.compile(r"[/.:]+|(?<=[A-Za-z0-9])__(?=[A-Za-z])")
#: Folders whose tokens, steps and rates are not those of the training run.
_OTHERS = frozenset((
    "eval", "evals", "evaluation", "val", "valid", "validation", "dev", "test", "target", "goal", "min", "minimum", "std",
    "err", "error", "delta", "lower", "upper", "init", "initial",
))  # fmt: skip
#: What stands below the line of a ratio, as in ms/step.
_PER = re.compile(r"s|secs?|seconds?|ms|h|hours?|days?|step|iter|iteration|update|token|tok|param|parameter|batch|epoch|seq"
                  r"|sequence|sample|example|byte|gpu|tpu|device|layer|head|run|word")  # fmt: skip
_TAIL = 0.7  # how far a name says what it means behind a folder that nobody knows


def _tails(parts: list[str], behind: Callable[[int], str]) -> tuple[tuple[str, float], ...]:
    """The words of a nested name without its first parts, the longest tail first, and how far each says what it means."""
    out = [(behind(0), 1.0)]
    for i in range(1, min(len(parts), 8)):
        heads = [p.lower() for p in parts[:i]]
        unknown = [h for h in heads if h not in PATH_HEADS]
        ratio = i == len(parts) - 1 and (len(parts[i]) == 1 or _PER.fullmatch(parts[i].lower()))
        if any(h in _OTHERS for h in heads) or (unknown and ratio):
            break
        out.append((behind(i), _TAIL if unknown else 1.0))
    return tuple(out)


def factor_of(text: str) -> float | None:
    """The factor that the text of a unit stands for (1e18, B, millions, ZFLOP, PF-days), or None."""
    low = " ".join(text.lower().replace("_", " ").split()).removeprefix("in ").strip()
    low = re.sub(r"\b(tokens?|toks?|params?|parameters?|of)\b", " ", low).strip()
    if low in _FACTORS:
        return _FACTORS[low]
    if _PF_DAYS.fullmatch(low):
        return PF_DAY
    flop = _FLOPS.fullmatch(low)
    if flop:
        return _PREFIX[flop[1] or ""]
    power = _POWER.fullmatch(low.removesuffix("flops").removesuffix("flop").strip())
    if power:
        return float(f"1e{power[1]}")
    return None


def _trailing_factor(words: str) -> tuple[float, str, str]:
    """A factor written as the last word: tokens_b, n_params_millions, flops_1e18."""
    head, _, last = words.rpartition(" ")
    power = _POWER.fullmatch(last)
    if head and power:
        return float(f"1e{power[1]}"), last, head
    about_counts = re.search(r"\b(params?|parameters?|tokens?|toks?|size|flops?|N|D|n|d)\b", head)
    if about_counts and last in _FACTORS:
        return _FACTORS[last], last, head
    return 1.0, "", words


def _words(text: str) -> str:
    """The text in lower-case words: CrossEntropyLoss -> cross entropy loss, n_params -> n params."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z]{2})(?=[A-Z]{2,})", " ", text)
    text = text.lower().replace("#", " number ").replace("%", " percent ").replace("/", " / ")
    text = re.sub(r"[^a-z0-9/+*^]+", " ", text)
    return " ".join(text.split())


def _unit(words: str) -> str:
    if re.search(r"\b(ppl|perplexity|perplexities)\b", words):
        return "perplexity"
    if re.search(r"\b(bpb|bits? (per|/) ?byte|bits? / byte)\b", words):
        return "bits per byte"
    if re.search(r"\b(bits? (per|/) (token|tok)|bpt|bits)\b", words):
        return "bits"
    return "nats" if re.search(r"\bnats?\b", words) else ""
