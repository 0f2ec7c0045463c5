"""Text that means itself where it is put: in a shell, in YAML, in a Kubernetes container's arguments."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable

from data.errors import DataError


def in_shell(text: str) -> str:
    """One word of bash, on one line."""
    if "\0" in text:
        raise DataError(f"{text!r} has a sign that no name of a file may have.")
    if text.isprintable():
        return shlex.quote(text)
    try:
        signs = text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{text!r} cannot be written as UTF-8; choose another folder.") from None
    return "$'" + "".join(chr(b) if 32 <= b < 127 and chr(b) not in "'\\" else f"\\{b:03o}" for b in signs) + "'"


def in_yaml(text: str) -> str:
    """A double-quoted scalar of YAML, on one line."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{text!r} cannot be written as UTF-8; choose another folder.") from None
    quoted = json.dumps(text, ensure_ascii=False)
    return "".join(
        sign if sign.isprintable() else f"\\u{ord(sign):04x}" if ord(sign) < 65536 else f"\\U{ord(sign):08x}"
        for sign in quoted
    )


def in_kubernetes(text: str) -> str:
    """An argument of a container, in YAML: Kubernetes puts variables in at $(NAME), and takes $$ for $."""
    return in_yaml(text.replace("$", "$$"))


def lines(texts: Iterable[str], indent: int = 0) -> str:
    """A line each."""
    return "\n".join(" " * indent + text for text in texts)
