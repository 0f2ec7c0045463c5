"""Text that a spreadsheet shows and never runs, and the same text as it was meant (OWASP, CSV injection)."""

from __future__ import annotations

import re

# A cell begins at the start of the text, and after what other spreadsheets take for the end of one. It is run when it
# begins with one of these signs, wide forms included, behind spaces or not; a tab or line break in front hides the sign.
_RUN = r"(?=[^\S\t\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])"
_LIVE = re.compile(rf"(^|[;\t\r\n])('*){_RUN}")
_DEFUSED = re.compile(rf"(^|[;\t\r\n])'('*){_RUN}")


def defused(text: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would run; `as_meant` takes it away again."""
    return _LIVE.sub(r"\1'\2", text)


def as_meant(text: str) -> str:
    """The text without the apostrophes that `defused` put there; `as_meant(defused(text)) == text` for any text."""
    return _DEFUSED.sub(r"\1\2", text) if "'" in text else text
