"""Units people count in: the factor behind a unit's text, and what values of a column are plausible.

A unit means what its column says: m is a million of parameters and a minute of time, E is 1e18 of FLOPs. So every
factor is read under a dimension, and every column of the runs table has one.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

PF_DAY = 8.64e19  # FLOP: 1e15 per second for 86,400 seconds

#: What a column counts, which decides how the text of a unit is read.
DIMENSION: dict[str, str] = {
    **dict.fromkeys(
        (
            "params", "params_total", "params_nonembed", "params_active", "params_logged", "tokens", "unique_tokens",
            "batch", "batch_sequences", "batch_device", "steps", "total_steps", "warmup_steps", "samples", "unique_samples", "vocab",
        ),
        "count",
    ),
    # Never millions of these: G behind GPUs is the word's own letter.
    **dict.fromkeys(
        (
            "tokens_per_param", "epochs", "layers", "width", "heads", "head_dim", "ffn", "experts", "top_k", "devices",
            "grad_accum", "data_parallel",
        ),
        "few",
    ),
    "seq_len": "length",
    "flops": "compute",
    "flops_per_token": "compute",
    "lr": "rate",
    "weight_decay": "rate",
    "wall_seconds": "time",
    "loss": "loss",
}  # fmt: skip

#: The least and the largest value that a run's column plausibly holds, in its own unit. Chosen wide: the smallest language
#: models trained have hundreds of parameters, and nothing yet built comes near the upper ends.
PLAUSIBLE: dict[str, tuple[float, float]] = {
    "params": (200, 1e15),
    "params_total": (200, 1e15),
    "params_nonembed": (100, 1e15),
    "params_active": (100, 1e15),
    "tokens": (1e3, 1e17),
    "unique_tokens": (1e2, 1e17),
    "flops": (1e7, 1e31),
    "flops_per_token": (1e3, 1e17),
    "batch": (2, 1e10),
    "batch_sequences": (1, 1e8),
    "batch_device": (1, 1e7),
    "seq_len": (2, 1e8),
    "steps": (1, 1e9),
    "total_steps": (1, 1e9),
    "lr": (1e-9, 1.0),  # of Adam and its kind: above one only where it is relative to another
    "wall_seconds": (0, 1e10),
}
PASSES = (1e-4, 1e6)  # tokens per parameter: from a large model's first steps to a toy's long run
AGREES = 2.5  # decades by which logged FLOPs may differ from 6 N D before a unit is doubted: counts differ by far less

#: The factors to choose from, by dimension, with how a menu calls them.
MENU: dict[str, dict[float, str]] = {
    "count": {1.0: "as they stand", 1e3: "thousands", 1e6: "millions", 1e9: "billions", 1e12: "trillions"},
    "length": {1.0: "as they stand", 1024.0: "in 1,024"},
    "compute": {
        1.0: "FLOP", 1e9: "GFLOP (1e9)", 1e12: "TFLOP (1e12)", 1e15: "PFLOP (1e15)", 1e18: "EFLOP (1e18)",
        1e21: "ZFLOP (1e21)", PF_DAY: "PF-days (8.64e19)",
    },
    "few": {1.0: "as they stand", 1e3: "thousands"},
    "rate": {1.0: "as they stand", 1e-3: "in 1e-3", 1e-4: "in 1e-4", 1e-5: "in 1e-5", 1e-6: "in 1e-6"},
    "loss": {
        1.0: "as they stand", 0.1: "ten times the loss", 1e-2: "a hundred times the loss", 1e-3: "a thousand times the loss",
        10.0: "a tenth of the loss", 100.0: "a hundredth of the loss", 1e3: "a thousandth of the loss",
    },
    "time": {1.0: "seconds", 1e-3: "milliseconds", 60.0: "minutes", 3600.0: "hours", 86400.0: "days"},
}  # fmt: skip

_COUNTS = {
    "k": 1e3, "thousand": 1e3, "thousands": 1e3, "thsd": 1e3, "tsd": 1e3, "kilo": 1e3,
    "m": 1e6, "mm": 1e6, "mil": 1e6, "mill": 1e6, "mio": 1e6, "mn": 1e6, "mln": 1e6, "million": 1e6, "millions": 1e6, "mega": 1e6,
    "b": 1e9, "bn": 1e9, "bln": 1e9, "bil": 1e9, "g": 1e9, "billion": 1e9, "billions": 1e9, "giga": 1e9, "mrd": 1e9, "md": 1e9, "mds": 1e9,
    "milliard": 1e9,
    "milliards": 1e9, "milliarde": 1e9, "milliarden": 1e9, "millionen": 1e6,
    "t": 1e12, "tn": 1e12, "trn": 1e12, "tln": 1e12, "tril": 1e12, "trillion": 1e12, "trillions": 1e12, "tera": 1e12,
    "milliardo": 1e9, "miliardi": 1e9, "milioni": 1e6, "millon": 1e6, "millones": 1e6, "milhoes": 1e6, "bilhoes": 1e9,
    "miles": 1e3, "mil millones": 1e9, "miles de millones": 1e9, "billones": 1e12, "miljoen": 1e6, "miljard": 1e9,
    "tausend": 1e3, "mille milliards": 1e12, "milliers": 1e3, "billionen": 1e12,
    "тыс": 1e3, "тысяч": 1e3, "тысячи": 1e3, "млн": 1e6, "миллион": 1e6, "миллионы": 1e6, "миллионов": 1e6,
    "миллионах": 1e6, "тысячах": 1e3, "миллиардах": 1e9,
    "млрд": 1e9, "миллиард": 1e9, "миллиарды": 1e9, "миллиардов": 1e9, "трлн": 1e12, "триллионов": 1e12,
    "lakh": 1e5, "lakhs": 1e5, "lac": 1e5, "lacs": 1e5, "crore": 1e7, "crores": 1e7, "लाख": 1e5, "करोड़": 1e7,
    "만": 1e4, "억": 1e8, "十万": 1e5,
    "万": 1e4, "萬": 1e4, "百万": 1e6, "千万": 1e7, "亿": 1e8, "億": 1e8, "十亿": 1e9, "十億": 1e9, "万亿": 1e12,
}  # fmt: skip
#: Of rates, where case counts: nobody writes a rate in millions, and M is none of its units.
_RATES = {
    "m": 1e-3,
    "milli": 1e-3,
    "u": 1e-6,
    "\u00b5": 1e-6,
    "\u03bc": 1e-6,
    "micro": 1e-6,
    "%": 1e-2,
    "percent": 1e-2,
}
_PREFIX = {"": 1.0, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18, "z": 1e21, "y": 1e24,
           "kilo": 1e3, "mega": 1e6, "giga": 1e9, "tera": 1e12, "peta": 1e15, "exa": 1e18, "zetta": 1e21, "yotta": 1e24}  # fmt: skip
_TIMES = {
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86400.0),
}
_LETTERS = "kilo|mega|giga|tera|peta|exa|zetta|yotta|[kmgtpezy]"
FLOPS = re.compile(rf"\b({_LETTERS})?[ -]?flops?\b")
PF_DAYS = re.compile(r"\b(?:pf|pflops?|petaflops?)\s*(?:[/-]?\s*s(?:econds?)?)?\s*[- /]*days?\b")
_POWER = re.compile(r"(?:in |x|×|\*|of )*\s*(?:1e|10\^|10\*\*|e)\s*\(?([+-]?[0-9]{1,2})\)?")
_COUNTED = r"(?:tokens?|toks?|params?|parameters?|weights?|steps?|iters?|iterations?|sequences?|seqs?|samples?|examples?|units?|of)"
#: What stands in the cells was divided by a power of a thousand: (x1000), (x 1,000,000), (1000s).
THOUSANDS = re.compile(r"[x×*] ?(1(?:[, ]?000)+)|(1(?:[, ]?000)+)s")
_FUSED = re.compile(rf"({'|'.join(sorted(_COUNTS, key=len, reverse=True))}){_COUNTED}")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_WIDE = str.maketrans("（）［］｛｝【】，：", "()[]{}[],:")  # signs as wide as a Chinese character
_RAISED = re.compile(r"\^?\{?([⁻⁺]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)\}?")


def plain_powers(text: str) -> str:
    """The text with powers written one way: 10¹⁸ and 10^{18} and 10\\textsuperscript{18} become 10^18."""
    text = text.translate(_WIDE).replace("\\^{}", "^")  # as pandas escapes it for LaTeX
    text = _RAISED.sub(lambda m: "^" + m[1].translate(_SUPERSCRIPT), text)
    return re.sub(r"\^\{\s*([+-]?[0-9]+)\s*\}", r"^\1", text.replace("\u2212", "-"))


def power_of_ten(text: str) -> float | None:
    """The factor in a text such as 1e18, x10^-4 or e9; None where it is none."""
    found = _POWER.fullmatch(text.strip())
    return float(f"1e{found[1]}") if found else None


def factor(text: str, dimension: str) -> float | None:
    """The factor that the text of a unit stands for in a column of this dimension, or None where it says none.

    1e18, ZFLOP, P and PF-days of compute; M, mln, Gtok, 1e9 and "billions of tokens" of counts; h and minutes of time;
    1e-4, m and % of a rate; 1,024 for the k of a sequence's length; thousands of layers and devices, which nobody counts in millions.
    """
    return _factor(text, dimension) if len(text) <= _KEPT else _factor.__wrapped__(text, dimension)


_KEPT = 200  # characters of a text whose factor is kept


@lru_cache(maxsize=20_000)
def _factor(text: str, dimension: str) -> float | None:
    low = " ".join(_plain(plain_powers(text)).lower().replace("_", " ").split()).removeprefix("in ")
    low = re.sub(r"^(?:en|em|in|v|в) (?=\D{3})", "", low).strip(" .:,")
    if not low or len(low) > 60:
        return None
    if dimension == "compute":
        return _compute(low)
    power = power_of_ten(re.sub(rf"\b{_COUNTED}\b", " ", low))
    if power is not None:
        return power
    if dimension == "time":
        return _TIMES.get(re.sub(r"\b(wall|clock|time|gpu)\b", " ", low).strip()) if "gpu" not in low else None
    if dimension == "rate":
        return _RATES.get(text.strip())
    if dimension == "few":
        return 1e3 if _COUNTS.get(low) == 1e3 else None
    if dimension == "length":  # 2k tokens of a sequence are 2,048
        found = factor(text, "count")
        return 1024.0 if found == 1e3 else found
    if dimension == "count":
        if thousands := THOUSANDS.fullmatch(low):
            return float(10 ** re.sub("[^0-9]", "", thousands[1] or thousands[2]).count("0"))
        fused = _FUSED.fullmatch(low.replace(" ", "")) if " " not in low or len(low) < 12 else None
        if fused:
            return _COUNTS[fused[1]]
        return _COUNTS.get(re.sub(rf"\b{_COUNTED}\b", " ", low).strip(" /"))
    return None


def _plain(text: str) -> str:
    """The text without accents, which tell no units apart: milhões is milhoes; letters of other alphabets stay."""
    if text.isascii():
        return text
    return "".join(unicodedata.normalize("NFD", c)[0] if c in _ACCENTED else c for c in text)


_ACCENTED = frozenset("áàâãäåéèêëíìîïóòôõöúùûüñçÁÀÂÃÄÅÉÈÊËÍÌÎÏÓÒÔÕÖÚÙÛÜÑÇ")


def _compute(low: str) -> float | None:
    if PF_DAYS.fullmatch(low) or low in ("pfd", "pf d"):
        return PF_DAY
    bare = re.sub(r"\b(training|train|compute|total|of)\b", " ", low).strip()
    flop = FLOPS.fullmatch(bare)
    if flop:
        return _PREFIX[flop[1] or ""]
    power = power_of_ten(re.sub(r"\bflops?\b", " ", bare))
    if power is not None:
        return power
    letter = re.fullmatch(rf"({_LETTERS})f?", bare)
    if letter:
        return _PREFIX[letter[1]]
    return _COUNTS.get(bare)
