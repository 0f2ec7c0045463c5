"""Taking off what Markdown, LaTeX, HTML and a spreadsheet's habits put around a word or a number: **3.24**, \\textbf{3.24}."""

from __future__ import annotations

import html
import re
from functools import lru_cache

LONGEST = 300  # characters of a cell that is looked at: a link's address may be long, what stands under it is not
_DEEPEST = 8  # commands inside each other

#: Marks that stand on both sides, longest first.
_PAIRS = ("***", "___", "**", "__", "~~", "==", "``", "*", "_", "`", "~", '"')
_WRAPS = (
    "textbf|textit|textsl|textsc|textrm|textsf|texttt|textnormal|text|emph|underline|uline|uuline|mathbf|mathit|mathrm"
    "|mathcal|mathsf|mathtt|mathbb|boldsymbol|bm|hl|st|sout|mbox|hbox|fbox|makecell|num|ensuremath|best|second|operatorname"
    "|unit|si|thead|shortstack|bfseries|scriptsize|footnotesize|small|tnote"
)
_GONE = (
    "cellcolor|rowcolor|color|phantom|hphantom|vphantom|hspace|vspace|ding|footnote|footnotemark|cite|citep|citet|label"
    "|rule|raisebox|includegraphics"
)
_ONE = re.compile(rf"\\(?:{_WRAPS})\*?\s*(?:\[[^\[\]{{}}]*\]\s*)?\{{([^{{}}]*)\}}")
_NONE = re.compile(rf"\\(?:{_GONE})\*?\s*(?:\[[^\[\]{{}}]*\]\s*)?(?:\{{[^{{}}]*\}})?")
_QUANTITY = re.compile(r"\\(?:SI|qty)\s*(?:\[[^\[\]{}]*\]\s*)?\{([^{}]*)\}\s*\{([^{}]*)\}")
_COLOURED = re.compile(r"\\(?:textcolor|colorbox)\s*(?:\[[^\[\]{}]*\]\s*)?\{[^{}]*\}\s*\{([^{}]*)\}")
_SPANNING = re.compile(r"\\multi(?:row|column)\s*(?:\[[^\[\]{}]*\]\s*)?\{[^{}]*\}\s*(?:\[[^\[\]{}]*\]\s*)?\{[^{}]*\}\s*"
                       r"(?:\[[^\[\]{}]*\]\s*)?\{([^{}]*)\}")  # fmt: skip
_RAISED = re.compile(r"\\textsuperscript\s*\{([^{}]*)\}")
_LOWERED = re.compile(r"\\textsubscript\s*\{([^{}]*)\}")
_DECLARED = re.compile(
    r"\\(?:bfseries|itshape|bf|it|em|rm|tt|sc|small|tiny|scriptsize|footnotesize|normalsize|displaystyle|textstyle|centering"
    r"|boldmath|left|right|hline|toprule|midrule|bottomrule|relax|protect|xspace|strut|bigstrut)(?![a-zA-Z])\s*"
)
_SYMBOLS = {
    "pm": "±", "textpm": "±", "mp": "±", "times": "×", "texttimes": "×", "cdot": "·", "sim": "~", "approx": "~",
    "textasciitilde": "~", "dagger": "†", "dag": "†", "ddagger": "‡", "ddag": "‡", "star": "*", "ast": "*",
    "textasteriskcentered": "*", "bigstar": "★", "downarrow": "↓", "uparrow": "↑", "checkmark": "✓", "cmark": "✓",
    "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥", "geqslant": "≥", "lt": "<", "gt": ">", "ll": "<", "gg": ">",
    "textless": "<", "textgreater": ">", "infty": "inf", "quad": " ", "qquad": " ", "enspace": " ", "thinspace": " ",
    "textbackslash": "\\", "S": "§", "P": "¶", "percent": "%", "textpercent": "%", "alpha": "α", "beta": "β",
}  # fmt: skip
_SYMBOL = re.compile(r"\\([a-zA-Z]+)")
_ESCAPED = re.compile(r"\\([%_&#$*~`\[\]()+.!|<>{}-])")
_LATEX_SPACE = re.compile(r"\\[,;:> ]")
_TAG = re.compile(
    r"</?(?:b|strong|i|em|u|s|del|ins|strike|code|mark|span|font|small|big|tt|kbd|p|td|th|nobr|center|summary|details|h[1-6]|caption|div|a)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_SUP = re.compile(r"<sup(?:\s[^<>]*)?>([^<>]*)</sup>", re.IGNORECASE)
_SUB = re.compile(r"<sub(?:\s[^<>]*)?>([^<>]*)</sub>", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])")
_LINK = re.compile(r"\[([^\[\]]+)\]\((?:[^()]|\([^()]*\))*\)")
_REFERENCE = re.compile(r"\[([^\[\]]+)\]\[[^\[\]]*\]")
# One pair of marks around the number alone: -**3.24**, **1.3** B.
_INNER = re.compile(r"([+~≈-]?\s*)(\*{1,3}|_{1,3}|~~|`{1,2})([^*_`~]+)\2(\s*[^0-9\s].*)?")
_NAMED_EMOJI = re.compile(r"\s*:(?:[a-z]{3}[a-z0-9_+-]{0,38}|100):$")
_RAISED_DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_RAISED_RUN = re.compile(r"[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\ufe0e\ufe0f"))
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2002\u2003\u2005\u2007\u2009\u200a\u202f"), " ") | {0x2212: "-"}
#: Pictures and arrows: 🏆, ✅, ★, ↓. No unit and no currency is among them.
_PICTURE = "\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff\U0001f000-\U0001faff\U000e0020-\U000e007f"
_HEAD = re.compile(rf"(?:[{_PICTURE}]|:[a-z]{{3}}[a-z0-9_+-]{{0,38}}:)\s*")
# Footnotes: 2.6*, 2.6†, 2.6^, 2.6^a, 2.6^{*}, 2.6[1], 2.6^[1], 2.6ᵃ; and a comma or semicolon left behind.
_TAIL = re.compile(
    rf"\s*(?:\*{{1,3}}|[†‡§¶]{{1,3}}|\^(?:[*†‡§¶]{{1,3}}|[a-z])?|\^?\[\^?(?:[0-9]{{1,2}}|[a-z*†‡])\]|[ᵃᵇᶜᵈᵉ]|[,;]|[{_PICTURE}])$"
)
# A raised number is a footnote behind a measured value or a unit: 3.98^1, 20M^2; but 2.10^7 may be a power of ten.
_NOTED = re.compile(r"[0-9]\s?[kKmMbBtTgG]$|(?<!10)(?<=[0-9])[.,](?!10$)[0-9]+$")
_RAISED_NOTHING = re.compile(r"\s*\^(?:\[|$)")
_DECIMAL = re.compile(r"[.,](?!10$)[0-9]+$")
_NOTE = re.compile(r"\^\{?[0-9]{1,2}\}?$")
_CITED = re.compile(r"\[\^?(?:[0-9]{1,2}|[a-z*†‡])\]")
_FEW = re.compile(r"[*†‡§¶a-z]{1,3}")
_ORDER = re.compile(r"[0-9]\.[0-9]+|[0-9],[0-9]+")


def bare(text: str) -> str:
    """The text without commands, tags, links and pairs of marks around it; ± and brackets stay. Never raises.

    Powers of ten come out as 10^19. A text that holds an odd number of $ comes back as it is: that is a currency.
    """
    if len(text) > LONGEST:
        return text
    text = text.translate(_SPACES)
    if not text.isascii():
        text = text.translate(_INVISIBLE)
        text = _RAISED_RUN.sub(lambda m: _raised(m, m[0].translate(_RAISED_DIGITS)), text)
    if "&" in text and ";" in text:
        text = html.unescape(text).translate(_SPACES)
    if "](" in text or "![" in text:
        text = _LINK.sub(_linked, _IMAGE.sub(" ", text))
    if "][" in text:
        text = _REFERENCE.sub(_linked, text)
    if "<" in text and ">" in text:
        text = _SUB.sub(_lowered, _SUP.sub(lambda m: _raised(m, m[1]), _BREAK.sub(" ", _TAG.sub(_cut, text))))
    if "\\" in text or "$" in text or "{" in text:
        text = _latex(text)
    inner = _INNER.fullmatch(text.strip())
    return stripped(f"{inner[1]}{inner[3]}{inner[4] or ''}" if inner else text)


def stripped(text: str) -> str:
    """The text without marks at its ends: pairs (**, _, `), footnotes, pictures, a leading apostrophe."""
    text = text.strip()
    for _ in range(12):
        before = text
        for mark in _PAIRS:
            if text.startswith(mark) and text.endswith(mark) and len(text) > 2 * len(mark):
                text = text[len(mark) : -len(mark)].strip()
                break
        else:
            if text[:1] in ("'", "’", "‘"):
                text = text[1:].removesuffix(text[0]).strip()
            text = _HEAD.sub("", text, count=1) if _HEAD.match(text) else text
            last = text[-1:]
            found = None if last.isascii() and last.isalnum() and text[-2:-1] != "^" else _TAIL.search(text)
            if found and _RAISED_NOTHING.match(found[0]) and not _DECIMAL.search(text[: found.start()]):
                found = None  # 10^[7] may be a power
            note = _NOTE.search(text) if "^" in text[-5:] else None
            if note and _NOTED.search(text[: note.start()]):
                text = text[: note.start()]
            elif found and found.start():
                text = text[: found.start()]
            elif text.endswith(":"):
                text = _NAMED_EMOJI.sub("", text).strip()
        if text == before:
            break
    return text


def _cut(found: re.Match[str]) -> str:
    """Nothing in place of a mark; a bar between digits, which would be another number without it."""
    text, i, j = found.string, found.start(), found.end()
    return "|" if i and j < len(text) and text[i - 1].isdigit() and text[j].isdigit() else ""


def _within(found: re.Match[str]) -> str:
    """What stands inside a command, with a bar where it would run into a number beside it."""
    text, inside = found.string, found[1]
    before, after = text[: found.start()][-1:], text[found.end() :][:1]
    head = "|" if inside[:1].isdigit() and before.isdigit() else ""
    return head + inside + ("|" if inside[-1:].isdigit() and after.isdigit() else "")


def _linked(found: re.Match[str]) -> str:
    """What is written over a link; behind a number that is a footnote's sign, and stays in its brackets."""
    before = found.string[: found.start()].rstrip()[-1:]
    return f"[{found[1]}]" if before.isalnum() or before in (")", "]", "%", ".", "*", "_") else found[1]


def _raised(found: re.Match[str], inside: str) -> str:
    """What is raised: a power behind a ten, a footnote behind another number, else left for what it is."""
    before, inside = found.string[: found.start()].rstrip(), inside.strip().strip("{}$")
    if re.search(r"(?<![0-9.,])10$", before):
        return "^" + inside
    if inside in ("th", "st", "nd", "rd") or (_CITED.fullmatch(inside) and before[-1:].isalnum()):
        return inside
    if _FEW.fullmatch(inside):
        return _cut(found)
    # 2²⁰ is a power and 2.61¹ a footnote: nobody raises a measured loss to a power in a table.
    written = re.search(r"[0-9.,]+\W*$", before)
    if inside.isdigit() and len(inside) == 1 and written and _ORDER.search(written[0]):
        return _cut(found)
    if inside.isdigit() and len(inside) < 3 and re.search(r"[0-9]\s?[kKmMbBtTgG]$", before):
        return _cut(found)
    return "^" + inside


def _lowered(found: re.Match[str]) -> str:
    """What is lowered behind a number: an error with its sign, or a number in brackets that may be one."""
    inside = found[1].strip()
    if inside.startswith(("±", "(", "+/-", "+-")):
        return " " + inside
    return f" ({inside})" if inside[:1].isdigit() else f"_{inside}"


_DOLLARS, _BRACES = re.compile(r"\$+"), re.compile(r"[{}]+")
_POWER_BRACES = re.compile(r"\^\s*\{\s*([^{}]*?)\s*\}")
_LOWER_BRACES = re.compile(r"_\s*\{\s*([^{}]*)\}")


def _latex(text: str) -> str:
    if text.count("$") - text.count("\\$") & 1 or (text.count("$") & 1):
        return text
    if text.startswith("\\(") and text.endswith("\\)"):
        text = text[2:-2]
    text = text.rstrip().removesuffix("\\\\")
    for _ in range(_DEEPEST):
        before = text
        text = _QUANTITY.sub(lambda m: f"{m[1]} {m[2].replace(chr(92), '')}".strip(), text)
        text = _SPANNING.sub(_within, _COLOURED.sub(_within, text))
        text = _RAISED.sub(lambda m: _raised(m, m[1]), _LOWERED.sub(_lowered, text))
        text = _ONE.sub(_within, _NONE.sub(_cut, text))
        if text == before or "\\" not in text:
            break
    if "\\" in text:
        text = _DECLARED.sub(_cut, text)
        text = _LATEX_SPACE.sub(" ", text).replace("\\!", "")
        text = _SYMBOL.sub(lambda m: _SYMBOLS.get(m[1], m[0]), text)
        text = _ESCAPED.sub(r"\1", text)
    text = text.replace("{,}", ",").replace("{.}", ".").replace("{}", "")
    text = re.sub(r"\$\s*\^\s*\{?([^{}$]*)\}?\s*\$", lambda m: _raised(m, m[1]), text)
    text = re.sub(r"\$\s*_\s*\{([^{}$]*)\}\s*\$", _lowered, text)
    text = _DOLLARS.sub(_cut, text)
    text = _LOWER_BRACES.sub(_lowered, _POWER_BRACES.sub(r"^\1", text))
    return _BRACES.sub(_cut, text)


_EMPHASIS = re.compile(r"(?<![\w*])(\*{1,3}|~~|`{1,2})(?=[^\s*`~])([^*`~]{1,200}?)(?<=[^\s*`~])\1(?![\w*])")
_ARROWS = re.compile(rf"\s*[(\[]\s*[{_PICTURE}]\s*[)\]]|\s*[{_PICTURE}]\s*")
_LATEX_SIGNS = re.compile(r"\\[a-zA-Z%_&#$,;]|\$[^$]+\$")


@lru_cache(maxsize=20_000)
def words(text: str) -> str:
    """A header or a name without its marks: **Loss** ↓ is Loss, \\textbf{val\\_loss} is val_loss, $\\mathcal{L}$ is L.

    Underscores and single stars belong to names, and stay; a text of nothing but marks comes back as it is.
    """
    if len(text) > LONGEST or (text.isascii() and not _MAY_BE_MARKED.search(text)):
        return text
    out = text.translate(_INVISIBLE)
    if "&" in out and ";" in out:
        out = html.unescape(out).translate(_SPACES)
    if "](" in out:
        out = _LINK.sub(r"\1", _IMAGE.sub("", out))
    if "<" in out and ">" in out:
        out = _SUB.sub(_below, _SUP.sub(_above, _BREAK.sub(" ", _TAG.sub("", out))))
    if "\\\\" in out:
        out = _LINE_BREAK.sub(" ", out)
    if _LATEX_SIGNS.search(out):
        out = _latex(_LOWER_BRACES.sub(_below, out))
    if not out.isascii():
        out = _POWER_OF_TEN.sub(lambda m: "10^" + m[1].translate(_RAISED_DIGITS), out)
        out = _ARROWS.sub(" ", out)
    for _ in range(3):
        out, some = _EMPHASIS.subn(r"\2", out)
        if not some:
            break
    out = re.sub(r"(?<=[\w)])\s*[†‡§]+$", "", " ".join(out.split()))
    return out or text


_POWER_OF_TEN = re.compile(r"(?<![0-9.,])10([⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
_LINE_BREAK = re.compile(r"\\\\(?:\s*\[[^\[\]]{0,20}\])?")  # \\thead{Val\\\\loss}
_MAY_BE_MARKED = re.compile(r"[*`~\\$<&]|\]\(")


def _below(found: re.Match[str]) -> str:
    return "_" + found[1].strip()


def _above(found: re.Match[str]) -> str:
    inside = found[1].strip()
    return "" if inside.isdigit() and not found.string[: found.start()].endswith("10") else _raised(found, inside)
