"""How numbers are written: signs of a locale, suffixes, powers of ten; each with what its digits say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

#: The sign between thousands ('' for none) and the decimal sign.
LOCALES = {
    "native": ("", "."),
    "plain": ("", "."),
    "1,234.5": (",", "."),
    "1.234,5": (".", ","),
    "1234,5": ("", ","),
    "1\u202f234,5": ("\u202f", ","),
    "1'234.5": ("'", "."),
}
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


@dataclass(frozen=True)
class Cell:
    """A cell: its text, the number it stands for where it is nothing but a number, and whether it is bold."""

    text: str
    value: float = math.nan
    whole: bool = False
    bold: bool = False
    bare: bool = False  # nothing but a number: a format with numbers of its own holds it as one

    def around(self, before: str, after: str) -> Cell:
        """The cell with something before and after it."""
        return replace(self, text=f"{before}{self.text}{after}", bare=False) if self.text else self


def local(text: str, locale: str) -> str:
    """A number in plain writing as the locale writes it."""
    group, point = LOCALES[locale]
    return text.translate(str.maketrans({",": group, ".": point}))


def number(value: float, locale: str, places: int | None = None, *, trim: bool = False) -> Cell:
    """A number as a cell: whole ones without a decimal sign, others with some places."""
    if places is None:
        places = 0 if float(value).is_integer() else max(0, 8 - math.floor(math.log10(abs(value))))
        trim = True
    text = f"{value:,.{places}f}"
    if trim and "." in text:
        text = text.rstrip("0").rstrip(".")
    return Cell(local(text, locale), float(value), whole=float(value).is_integer() and places == 0, bare=True)


def suffixed(values: list[float], style: str, locale: str) -> tuple[list[Cell], list[float]]:
    """Values with a letter for thousands of millions and so on, three digits each; `style` holds one letter and {}."""
    letters = {"k": 1e3, "M": 1e6, "B": 1e9, "T": 1e12}
    small = "m" in style
    cells, truth = [], []
    for value in values:
        letter, unit = next((k, u) for k, u in reversed(letters.items()) if value >= u or k == "k")
        shown = float(f"{value / unit:.3g}")
        end = letter.lower() if small else letter
        text = local(f"{shown:g}", locale)
        body = style.replace("M", "?").replace("m", "?") if "M" in style or "m" in style else style.replace("B", "?")
        cells.append(Cell(body.format(text).replace("?", end, 1), shown * unit))
        truth.append(shown * unit)
    return cells, truth


def scientific(values: list[float], locale: str, style: str) -> tuple[list[Cell], list[float]]:
    """Values as mantissa and power of ten: 1.25e8, 1.25E+08 or 1.25×10⁸."""
    cells, truth = [], []
    for value in values:
        mantissa, power = f"{value:.2e}".split("e")
        written = local(mantissa, locale)
        if style == "×":
            text = f"{written}×10{str(int(power)).translate(SUPERSCRIPT)}"
        elif style == "e+":
            text = f"{written}E{power}"
        else:
            text = f"{written}e{int(power)}"
        cells.append(Cell(text, float(f"{value:.2e}"), bare=style != "×"))
        truth.append(float(f"{value:.2e}"))
    return cells, truth
