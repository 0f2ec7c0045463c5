"""The grammar of one number without marks around it: 125M, 1.3B, 2.5e19, 300 B, 1,234,567, 2,1E+14 and 11%."""

from __future__ import annotations

import math
import re

#: What a number may carry behind it, as a power of ten. "m" is million: nobody writes a model's size in thousandths.
SUFFIXES = {
    "k": 3, "thousand": 3, "thousands": 3,
    "millionen": 6, "milliard": 9, "milliards": 9, "milliarde": 9, "milliarden": 9, "mrd": 9, "md": 9, "mds": 9, "mln": 6, "bln": 9,
    "m": 6, "mm": 6, "mn": 6, "mio": 6, "million": 6, "millions": 6,
    "b": 9, "bn": 9, "g": 9, "billion": 9, "billions": 9,
    "kt": 3, "mt": 6, "bt": 9, "gt": 9, "tt": 12,  # 20BT: billions of tokens
    "t": 12, "tn": 12, "trillion": 12, "trillions": 12,
    "millones": 6, "mil millones": 9, "miles de millones": 9, "milioni": 6, "miliardi": 9, "milhoes": 6, "milhões": 6,
    "тыс": 3, "млн": 6, "млрд": 9, "трлн": 12,
    "万": 4, "萬": 4, "十万": 5, "百万": 6, "千万": 7, "亿": 8, "億": 8, "十亿": 9, "十億": 9, "百亿": 10, "百億": 10, "千亿": 11,
    "千億": 11, "万亿": 12, "만": 4, "억": 8,
    "lakh": 5, "lakhs": 5, "crore": 7, "crores": 7,
    "p": 15, "peta": 15, "exa": 18, "z": 21, "zetta": 21,
}  # fmt: skip

EAST = "万萬亿億十百千만억"  # what East Asian numbers are counted in
_WORDS = r"(?:tokens?|toks?|params?|parameters?|flops?|nats?|steps?|sequences?|seqs?)"
_FORM = re.compile(
    rf"""[~≈]?\s*
    (?P<sign>[+-]?)\s*
    (?:(?P<mantissa>[0-9][0-9.,'_]*|[.,][0-9]+)(?:[eE](?P<exp>[+-]?[0-9]+))?
       (?:\s*[x×*·]\s*10\s*(?:(?:\^|\*\*)\s*|(?=[+-]))(?P<power>[+-]?[0-9]+))?
     | 10\s*(?:\^|\*\*)\s*(?P<bare>[+-]?[0-9]+)
     | 2\s*(?:\^|\*\*)\s*(?P<two>[+-]?[0-9]{{1,2}}))
    \s*(?P<percent>%)?
    \s*(?P<suffix>(?:(?:miles\ de\ |mil\ )?[a-zõ]+?|[a-zõ]{{3,12}}?\.|[а-я]{{3,4}}\.?|[{EAST}]{{1,2}}))??\s*(?P<word>{_WORDS})?""",
    re.VERBOSE | re.IGNORECASE,
)
#: Digits grouped by threes, by decimal sign. No group begins with a zero: 0,125 is an eighth in every file.
_GROUPS = {
    ".": re.compile(r"(?:[1-9][0-9]{0,2}(,[0-9]{3})+|[1-9][0-9]?(,[0-9]{2})+,[0-9]{3})(\.[0-9]*)?$"),
    ",": re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})+(,[0-9]*)?$"),
}
_DECIMAL_UNDERSCORE = re.compile(r"0_[0-9]+|[1-9][0-9]*_[0-9]{1,2}")
#: A decimal sign that names cannot hold, written as a p or as the unit itself: 1p3B is 1.3 billion, 2b8 is 2.8 billion.
INSIDE = r"([0-9]{1,3})(?:[pP]([0-9]{1,3})([kKmMbBtT])|([kKmMbBtT])([0-9]{1,2}))"
_INSIDE = re.compile(INSIDE)
#: A count in two units, each ten thousand times the next: 1億2500万 is 125 million.
_TWO_UNITS = re.compile(r"([0-9]{1,4})\s*([億亿억兆])\s*([0-9]{1,4})\s*([万萬만億亿])(?:\s*(?:个|個|개)?)")
_SPACED_GROUPS = re.compile(r"(?<=[0-9]) (?=[0-9]{3}(?![0-9]))")
_SPACED_POWER = re.compile(r"(?<=[0-9]) (?=[eE][+-]?[0-9]{1,2}$)")  # 4.47 e8
_SPACES = {
    0x00A0: " ",
    0x202F: " ",
    0x2009: " ",
    0x2212: "-",
    0x2019: "'",
}  # no-break, narrow and thin space; the minus sign
_LEAST_OF_TWO = 4  # the least power of two that is read
_LONGEST = 60  # no number is written in more characters than this


def plain_number(text: str, decimal: str = ".") -> float:
    """The number that a text without marks stands for; NaN when it stands for none. Never raises.

    `decimal` is the file's decimal sign, which decides what 1,234 and 1.234 mean where both readings are possible.
    """
    if len(text) > _LONGEST:
        return math.nan
    # A comma left behind a cell is no decimal sign: 0.125, is an eighth.
    text = text.strip().rstrip(",;").translate(_SPACES)
    if decimal == "." and "_" not in text:
        try:
            return float(text)
        except ValueError:
            pass
    elif decimal != "." and "." not in text and "_" not in text and text.count(",") <= 1:
        try:
            return float(text.replace(",", "."))
        except ValueError:
            pass
    match = _FORM.fullmatch(_SPACED_POWER.sub("", _SPACED_GROUPS.sub("", text)))
    if not match and (inside := _INSIDE.fullmatch(text)):
        whole, part, suffix = inside[1], inside[2] or inside[5], inside[3] or inside[4]
        return plain_number(f"{whole}.{part}{suffix}")
    if not match and (pair := _TWO_UNITS.fullmatch(text)):
        above, below = (float(f"{n}e{SUFFIXES.get(unit, 12)}") for n, unit in ((pair[1], pair[2]), (pair[3], pair[4])))
        return above + below if below < 10.0 ** SUFFIXES.get(pair[2], 12) else math.nan
    if not match:
        return {"inf": math.inf, "+inf": math.inf, "infinity": math.inf, "-inf": -math.inf}.get(text.lower(), math.nan)
    suffix = (match["suffix"] or "").lower().rstrip(".")
    if suffix and suffix not in SUFFIXES:
        return math.nan
    if match["two"]:
        two = int(match["two"])
        # 2² may be a footnote's sign, and nobody writes four so
        return (
            math.nan
            if abs(two) < _LEAST_OF_TWO or suffix or match["percent"]
            else float(f"{match['sign']}1") * 2.0**two
        )
    power = int(match["exp"] or 0) + int(match["power"] or match["bare"] or 0) + SUFFIXES.get(suffix, 0)
    digits = "1" if match["bare"] else _plain(match["mantissa"], decimal, bool(match["exp"]))
    if not digits:
        return math.nan
    # Through text and not through a product with a power of ten: 2.1E+14 must be the float that 210e12 is.
    value = float(f"{match['sign']}{digits}e{power}")
    return value / 100.0 if match["percent"] else value


def _plain(digits: str, decimal: str, has_exponent: bool) -> str:
    """The digits with a point and no separators; '' when they are in no known order.

    Groups of three after a comma or point are thousands, unless that sign is the file's decimal sign. An underscore parts
    groups of three too, and stands for the decimal sign where it cannot: 1_000 is a thousand, 1_3 and 0_125 are 1.3 and .125.
    """
    digits = digits.replace("'", "")
    if "_" in digits:
        if _DECIMAL_UNDERSCORE.fullmatch(digits):
            return digits.replace("_", ".")
        if "," in digits or not _GROUPS["."].match(digits.replace("_", ",")):
            return ""
        digits = digits.replace("_", "")
    if "," in digits and "." in digits:
        sign = "," if digits.rfind(",") > digits.rfind(".") else "."
    elif "," in digits:
        grouped = digits.count(",") > 1 or (decimal == "." and not has_exponent and _GROUPS["."].match(digits))
        sign = "." if grouped else ","
    elif "." in digits:
        grouped = digits.count(".") > 1 or (decimal == "," and not has_exponent and _GROUPS[","].match(digits))
        sign = "," if grouped else "."
    else:
        return digits
    other = "," if sign == "." else "."
    if other in digits and not _GROUPS[sign].match(digits):
        return ""
    return digits.replace(other, "").replace(sign, ".")
