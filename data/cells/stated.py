"""A marked number and what stands behind it: 3.24 ± 0.01, 3.24(1), 3.24 (0.01), 3.24 [3.20, 3.28], 3.24 (12)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from data.cells.digits import SUFFIXES, plain_number
from data.cells.markup import LONGEST, bare, stripped

#: An error in brackets is at most this share of its value: a second loss, a rank or a count seldom is.
SMALL = 0.1

_DIGIT = re.compile(r"[0-9]")
# Anything but what plain names, dates and times are made of: the cheap way out for columns of text.
_UNUSUAL = re.compile(r"[^A-Za-z0-9 .:/-]|:[a-z_]+:")
_PLUS_MINUS = re.compile(r"(?<![eE])\s*(?:\+\s*/?\s*-|\+\s*/\s*\+?-)\s*(?=[0-9.,])")
_WHOLE_BRACKETS = re.compile(r"\(([^()]*±[^()]*)\)\s*(.*)")
_DIGITS_BEHIND = re.compile(r"([+-]?[0-9][0-9.,']*)\(([0-9]{1,2})\)\s*(.*)")
_GROUP = re.compile(r"(.*[^\s([])(\s*)(?:\(([^()]*)\)|\[([^\[\]]*)\])")
_TWO_SIDED = re.compile(r"(.*?)[\s^_]*\+\s*([0-9.,]+%?)[\s/_^]*-\s*([0-9.,]+%?)")
_ARROW = re.compile(r"(.*?)\s*([↓↑▲▼↘↗]\s*[+-]?[0-9.,]+\s*%?)")
#: Where on its curve a number was measured: 3.278 @ 3190, 0.4754 @ ep72, 3.1 (@ 4k steps).
_PLACE = (
    r"@\s*(?:(?:step|iter(?:ation)?|it|ep(?:och)?|s|e|t)\W{0,2})?[0-9][0-9.,]{0,12}\s*[kmb]?"
    r"\s*(?:steps?|iters?|iterations?|it|epochs?|ep|tokens?|tok|h|hours)?"
)
_AT_A_STEP = re.compile(
    rf"(.*?\S)\s*{_PLACE}\s*|(.*?\S)\s+at\s+(?:step|iter(?:ation)?|ep(?:och)?)\s+[0-9][0-9.,]{{0,12}}\s*[kmb]?\s*",
    re.IGNORECASE,
)
_SPREAD = r"(?:s\.?e\.?m?\.?|s\.?d\.?|std\.?(?: ?(?:dev|err)\.?)?|stdev|stderr|σ|err(?:or)?\.?)"
#: An error by its name: 2.913 (SE 0.01), 2.913 σ=0.01; and its name behind it: 2.913 ± 0.01 (std).
_NAMED_ERROR = re.compile(
    rf"(.*?[0-9)])[\s_,;]*[(\[]?\s*(?<![a-z]){_SPREAD}\s*[=:≈]?\s*(?:±\s*)?([0-9]*[.,]?[0-9]+(?:e-?[0-9]+)?\s*%?)\s*[)\]]?",
    re.IGNORECASE,
)
_ERROR_NAMED = re.compile(rf"(.*±\s*[0-9.,]+\s*%?)\s*[(\[]?\s*{_SPREAD}\s*[)\]]?", re.IGNORECASE)
_BELOW = re.compile(r"_\s*(?=[(\[]?\s*±)")  # 2.913_(±0.01)
#: Praise and places in plain words behind a number with places: 2.913 best, 2.913 new SOTA, 2.913 at step 9000.
_PRAISED = re.compile(
    r"([0-9]{1,3}[.,][0-9]{1,8})\s+"
    r"(?:(?:the |a )?(?:new |our )?(?:best|sota|record|lowest|winner|pb)(?: (?:so far|run|yet|loss|ever))?)\W*",
    re.IGNORECASE,
)
_PLAINLY = re.compile(r"[0-9]{1,3}[.,][0-9]{1,8} (?:at|se|sd|sem|std|stdev|stderr|err|error) .{1,30}", re.IGNORECASE)
_OF_ITS_OWN = (  # units of what is neither a size nor data nor a loss: 20 tok/param, 3 days, 8 GPUs, 24 layers
    r"(?:(?:tokens?|toks?)\s*(?:/|per)\s*(?:params?|parameters?)|tpp"
    r"|h|hrs?|hours?|days?|weeks?|min(?:ute)?s?|(?:[ah][1-9]00|gpu|tpu|v[0-9])s?|(?:[ah][1-9]00|gpu|tpu)[- ]?(?:h|hours?|days?)"
    r"|[kmgt]i?b|layers?)"
)
#: In brackets: that place, of how many runs a mean is, or an amount with a unit of its own.
_REMARK = re.compile(
    rf"{_PLACE}|n\s*=\s*[0-9]{{1,4}}|[0-9]{{1,4}}\s*(?:seeds?|runs?|trials?|replicas?|replicates?)"
    rf"|[~≈]?\s*[0-9]{{1,6}}(?:[.,][0-9]{{1,4}})?\s*{_OF_ITS_OWN}",
    re.IGNORECASE,
)
#: The same loss in another unit: 4.47 (BPB 1.79), 3.98 (53.5 ppl).
_IN_ANOTHER_UNIT = re.compile(
    r"(?:bp[bcw]|bits?(?: ?(?:/|per) ?(?:byte|char(?:acter)?|word|token))?|ppl|pplx|perplexity)\s*[:=]?\s*[0-9]{1,6}(?:[.,][0-9]{1,6})?"
    r"|[0-9]{1,6}(?:[.,][0-9]{1,6})?\s*(?:bp[bcw]|bits? ?(?:/|per) ?(?:byte|char(?:acter)?|word)|ppl|pplx|perplexity)",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(r"[+\-↓↑▲▼↘↗]\s*[0-9.,]+\s*%?|[0-9.,]+\s*%?\s*[↓↑▲▼↘↗]")
_INTERVAL = re.compile(r"(?:[0-9]{2}\s*%\s*)?(?:CI:?\s*)?([+-]?[0-9.,]+?(?:e[+-]?[0-9]+)?)\s*(?:,|;|–|—|-|to|\.\.+)\s*"
                       r"([+-]?[0-9.,]+(?:e[+-]?[0-9]+)?)", re.IGNORECASE)  # fmt: skip
_BOUND = re.compile(r"\s*[<>≤≥≲≳]\s*=?\s*[0-9.,]|\s*[0-9][0-9.,_ ]{0,20}(?:[eE]\+?[0-9]+)?\s?[A-Za-z]{0,8}\s?\+\s*$")
_FEW_DIGITS = re.compile(r"[0-9]{1,2}")
_BEST = frozenset(("best", "ours", "our", "sota", "new", "best run", "winner", "lowest", "worst", "highest", "median", "final", "last",
                   "dense", "baseline", "base"))  # fmt: skip
#: Passes over the data within a count of tokens: 15.2B (1.7 epochs). Whole ones may multiply it: 10B (4 epochs).
_PASSES = re.compile(r"[~≈<]?\s*([0-9]{1,3}(?:[.,][0-9]{1,4})?)\s*x?\s*(?:epochs?|ep|passes|pass)", re.IGNORECASE)
#: How much of the data a count of tokens stands for: 2.5B (0.3 epochs), 37.3M (whole split).
_OF_THE_DATA = re.compile(
    r"[~≈<]?\s*(?:0?[.,][0-9]{1,4}|0|1(?:[.,]0{1,3})?)\s*(?:x\s*)?(?:epochs?|ep|passes|pass)|(?:one|two|single|1st) (?:epoch|pass)"
    r"|(?:the )?(?:whole|full|entire|all)(?: of)?(?: the)? (?:train(?:ing)? )?(?:split|set|data(?: ?set)?|corpus)",
    re.IGNORECASE,
)
_TIMES = re.compile(
    rf"(?:\s*[x×*·]\s*10\s*(?:\^|\*\*)\s*[+-]?[0-9]+|\s*(?:{'|'.join(SUFFIXES)}))+(?:\s*[a-z]+)?$", re.IGNORECASE
)


@dataclass(frozen=True)
class Reading:
    """One cell: its number, the error that may be stated with it in the same unit (NaN for none), and how it is written.

    `form` is "" for nothing behind the number, "±" for an error, "digits" for 3.24(1) and "brackets" for 3.24 (0.01), which
    the whole column decides, and "else" for what is no error. `core` is the text of the number alone.
    """

    value: float
    core: str
    error: float = math.nan
    form: str = ""
    digits: int = 0  # those in brackets, as they stand there: they may be ranks


def reading(text: str, decimal: str = ".", in_all: bool = False) -> Reading | None:
    """What a cell says that is no plain number: the number under its marks, and what stands behind it. None for text.

    A bound (<3.2), a currency ($3.24) and a number in brackets alone, which may be a negative one, are text. `in_all` says that
    the column counts all passes over the data, so that whole ones in brackets do not multiply the number.
    """
    if len(text) > LONGEST or not _DIGIT.search(text):
        return None
    text = text.strip()
    if praised := _PRAISED.fullmatch(text):
        return Reading(plain_number(praised[1], decimal), praised[1])
    if text[0].isalpha() or not (_UNUSUAL.search(text) or _PLAINLY.fullmatch(text)):
        return None
    text = bare(text)
    if len(text) > 120:
        return None
    if text.startswith("="):  # a spreadsheet's formula of one number
        text = text[1:].lstrip()
    if praised := _PRAISED.fullmatch(text):
        text = praised[1]
    if "+" in text:
        text = _PLUS_MINUS.sub(" ± ", text)
    if named := _ERROR_NAMED.fullmatch(text) if "±" in text else _NAMED_ERROR.fullmatch(text):
        text = f"{named[1]} ± {named[2]}" if "±" not in named[1] else named[1]
    if "±" in text and "_" in text:
        text = _BELOW.sub(" ", text)
    value = plain_number(text, decimal)
    if not math.isnan(value):
        return Reading(value, text)
    if "±" in text:
        return _plus_minus(text, decimal)
    return _behind(text, decimal, in_all)


def counts_all(cell: str) -> bool:
    """Whether a cell counts what was seen in all passes: in brackets stands a part of one (0.3 epochs), or one and a half."""
    found = _GROUP.fullmatch(bare(cell)) if "(" in cell and len(cell) <= LONGEST else None
    passes = _PASSES.fullmatch((found[3] or "").strip()) if found else None
    return passes is not None and not plain_number(passes[1]).is_integer()


def is_bound(cell: object) -> bool:
    """Whether a cell says no more than on which side of a number its value lies: <3.2, >= 2000, 3,000+."""
    return isinstance(cell, str) and len(cell) <= LONGEST and bool(_BOUND.match(bare(cell)))


def _plus_minus(text: str, decimal: str) -> Reading | None:
    scale = ""
    around = _WHOLE_BRACKETS.fullmatch(text)
    if around:
        text, scale = around[1], around[2]
    left, _, right = text.partition("±")
    if "±" in right:
        return None
    if left.rstrip().endswith(("(", "[")) and right.rstrip().endswith((")", "]")):
        left, right = left.rstrip()[:-1], right.rstrip()[:-1]
    left, right = stripped(left), stripped(right)
    if scale:
        scale = scale if scale[:1].lower() == "e" or scale[:1] == "%" else " " + scale
        left, right = left + scale, right + scale
    elif (found := _TIMES.search(right)) and right[: found.start()] and not _TIMES.search(left) and "%" not in left:
        left += found[0]  # 1.3 ± 0.1 B: the unit behind both is that of both
    value, error = plain_number(left, decimal), plain_number(right, decimal)
    if not math.isfinite(value) or math.isnan(error):
        return None
    if _TIMES.search(left) and not _TIMES.search(right) and "%" not in right:
        return Reading(value, left, form="else")  # 1.3B ± 0.1: one parameter in ten, or a tenth of a billion?
    if "%" in right and "%" not in left:
        error *= abs(value)
    if "%" in left and "%" not in right:
        error /= 100.0  # 11 % ± 1
    return Reading(value, left, error, "±") if error >= 0 and math.isfinite(error) else None


def _behind(text: str, decimal: str, in_all: bool = False) -> Reading | None:
    """A number with something in brackets behind it, or a difference, or an error to either side."""
    if "(" in text and (found := _DIGITS_BEHIND.fullmatch(text)):
        mantissa, rest = found[1], found[3]
        digits = plain_number(mantissa, decimal)
        core = mantissa + (rest if rest[:1] in ("e", "E", "%", "") else " " + rest)
        value = plain_number(core, decimal)
        places = len(mantissa) - 1 - max(mantissa.rfind("."), mantissa.rfind(","))
        if math.isfinite(value) and digits == digits and places < len(mantissa):
            if not _has_places(mantissa, decimal):
                return Reading(value, core, form="else")
            ratio = 1.0 if digits == 0 else value / digits
            return Reading(value, core, float(f"{int(found[2])}e-{places}") * abs(ratio), "digits", int(found[2]))
    if text.endswith((")", "]")) and (found := _GROUP.fullmatch(text)):
        core = stripped(found[1])
        value = plain_number(core, decimal)
        if math.isnan(value):
            return None
        if not found[2] and core != found[1] and _FEW_DIGITS.fullmatch(found[3] or ""):
            return _behind(f"{core}({found[3]})", decimal, in_all)  # **3.24**(1)
        inside = (found[3] or found[4] or "").strip()
        passes = _PASSES.fullmatch(inside)
        if passes and math.isfinite(value) and (in_all or not plain_number(passes[1]).is_integer()):
            return Reading(value, core, form="else")
        return _in_brackets(value, core, inside, found[3] is not None, decimal)
    for form in (_ARROW, _TWO_SIDED, _AT_A_STEP):
        found = form.fullmatch(text)
        if found:
            core = stripped(found[1] or found[2])
            value = plain_number(core, decimal)
            if math.isfinite(value):
                return Reading(value, core, form="else")
    return None


def _in_brackets(value: float, core: str, inside: str, round_: bool, decimal: str) -> Reading | None:
    if _DIFFERENCE.fullmatch(inside):
        return Reading(value, core, form="else")
    inside = stripped(inside)
    if not inside or inside.lower() in _BEST or not re.search(r"\w", inside):
        return Reading(value, core)
    if not math.isfinite(value):
        return None
    if round_ and re.fullmatch(r"[0-9]*[.,][0-9]+(?:e[+-]?[0-9]+)?|[0-9]+e[+-]?[0-9]+", inside, re.IGNORECASE):
        error = plain_number(inside, decimal)
        if math.isfinite(error) and not _TIMES.search(core) and "%" not in core:
            return Reading(value, core, error, "brackets")
        return Reading(value, core, form="else")
    remark = _OF_THE_DATA.fullmatch(inside) or _REMARK.fullmatch(inside) or _IN_ANOTHER_UNIT.fullmatch(inside)
    if remark or not math.isnan(plain_number(inside, decimal)):
        return Reading(value, core, form="else")
    between = _INTERVAL.fullmatch(inside)
    if between:
        low, high = (plain_number(between[i].rstrip(".,"), decimal) for i in (1, 2))
        if low <= value <= high:
            return Reading(value, core, form="else")
    return None


def _has_places(mantissa: str, decimal: str) -> bool:
    """Whether digits stand behind a decimal sign: 3.20 has places and 1,234 has none."""
    at = max(mantissa.rfind("."), mantissa.rfind(","))
    if at < 0:
        return False
    only = mantissa.count(mantissa[at]) == 1
    return only and (mantissa[at] == decimal or len(mantissa) - 1 - at != 3)


def settled(found: Sequence[Reading], plain: int) -> tuple[dict[str, bool], Reading | None]:
    """Which forms state errors in a column of these cells beside `plain` numbers, and the first cell with something left out.

    Brackets do where at least half of the numbers have the form, each error is small beside its value, and the digits in
    them are no ranks: 1 to n in the order of the values.
    """
    forms = {"": False, "else": False, "±": True}
    for form in ("digits", "brackets"):
        some = [r for r in found if r.form == form]
        small = all(r.error <= SMALL * abs(r.value) for r in some) and any(r.error > 0 for r in some)
        forms[form] = bool(some) and 2 * len(some) >= len(found) + plain and small and not _ranks(some)
    return forms, next((r for r in found if r.form and not forms[r.form]), None)


def _ranks(some: Sequence[Reading]) -> bool:
    """Whether the digits in brackets count the values off in their order: three at least, 1 to n."""
    counts = [r.digits for r in sorted(some, key=lambda r: r.value)]
    up = list(range(1, len(counts) + 1))
    return len(counts) >= 3 and counts in (up, up[::-1])
