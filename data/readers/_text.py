"""From bytes to text: which encoding a text file is in, told from the bytes themselves."""

from __future__ import annotations

import codecs

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(c for c in range(32) if c not in b"\t\n\r\f\v") + b"\x7f"


def is_text(content: bytes) -> bool:
    """Whether the bytes are text in an encoding that `decode` knows."""
    return encoding(content) is not None


def encoding(content: bytes) -> str | None:
    """The name of the encoding, or None for bytes that are no text."""
    for bom, name in _BOMS:
        if content.startswith(bom):
            return name
    head = content[:65536]
    if b"\x00" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        half = len(head) // 2
        if half and odd > 0.6 * half and even < 0.05 * half:
            return "utf-16-le"
        if half and even > 0.6 * half and odd < 0.05 * half:
            return "utf-16-be"
        return None
    if len(head.translate(None, _CONTROLS)) < len(head) * 0.999:
        return None
    try:
        content.decode("utf-8")
        return "utf-8"
    except UnicodeDecodeError:
        # Text in a one-byte encoding is mostly plain letters and digits; compressed or random bytes are not.
        plain = sum(32 <= c < 127 or c in b"\t\n\r" for c in head)
        return "cp1252" if plain > 0.85 * len(head) else None


def decode(content: bytes) -> tuple[str, str]:
    """The text and a note on its encoding ('' for UTF-8). Bytes that are no text come out with replacement signs."""
    name = encoding(content) or "utf-8"
    text = content.decode(name, errors="replace").lstrip("\ufeff")
    if name.startswith("utf-8"):
        return text, ""
    shown = {"cp1252": "Latin-1 (Windows-1252)"}.get(name, name.upper())
    return text, f"Read as {shown} text."


def without_comments(text: str) -> str:
    """The text without what stands in <!-- and -->, its line ends kept; a comment that is never closed stays."""
    out, at = [], 0
    while (begin := text.find("<!--", at)) >= 0:
        end = text.find("-->", begin + 4)
        if end < 0:
            break
        out += [text[at:begin], "\n" * text.count("\n", begin, end)]
        at = end + 3
    return "".join([*out, text[at:]])
