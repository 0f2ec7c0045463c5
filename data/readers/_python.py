"""Dictionaries as Python prints them, taken apart without being run: {'lr': 3e-4, 'resume': None, 'loss': nan}."""

from __future__ import annotations

import re
from typing import Any

_DEEPEST = 12
_LONGEST = 100_000  # characters of one dictionary
_MOST = 20_000  # values in one dictionary

_SPACE = re.compile(r"\s*")
_TEXT = re.compile(r"[rbuf]{0,2}(?:'((?:[^'\\\n]|\\.)*)'|\"((?:[^\"\\\n]|\\.)*)\")", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.])")
_WORD = re.compile(r"[+-]?[A-Za-z_][A-Za-z0-9_.]*")
_KEYWORD = re.compile(r"[A-Za-z_]\w{0,100}\s*=(?!=)")
_WORDS = {"None": None, "null": None, "True": True, "true": True, "False": False, "false": False}
_ENDLESS = {"nan": "NaN", "inf": "Infinity", "infinity": "Infinity"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\n": ""}
_ESCAPED = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|(.))")
_CLOSES = {"{": "}", "[": "]", "(": ")"}
_TAKEN_OUT = re.compile(
    r"(?:.*\.)?(?:tensor|array|float(?:16|32|64)?|bfloat16|u?int(?:8|16|32|64)?|Decimal|bool_?|str_?|Path|PosixPath)"
)


class NotPythonError(ValueError):
    """The text is no dictionary that Python prints."""


def dictionary(text: str, start: int = 0) -> tuple[dict[str, Any], int]:
    """The dictionary that begins at `start` and the position behind it.

    NaN and Infinity come out as text, to be told from None; numbers of NumPy and PyTorch as the number inside.
    Raises `NotPythonError` for anything else, and for what is larger or deeper than a run's settings are.
    """
    if text[start : start + 1] != "{":
        raise NotPythonError
    value, end = _Reader(text[start : start + _LONGEST]).value(0, 0)
    if not isinstance(value, dict):
        raise NotPythonError
    return value, start + end


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.count = 0

    def skip(self, at: int) -> int:
        found = _SPACE.match(self.text, at)
        return found.end() if found else at

    def value(self, at: int, depth: int) -> tuple[Any, int]:
        """The value that begins at or behind `at`, and the position behind it."""
        self.count += 1
        if depth > _DEEPEST or self.count > _MOST:
            raise NotPythonError
        at = self.skip(at)
        sign = self.text[at : at + 1]
        if sign in _CLOSES:
            return self.several(at, depth)
        if found := _TEXT.match(self.text, at):
            inside = found[1] if found[1] is not None else found[2]
            return _ESCAPED.sub(_unescaped, inside), found.end()
        if found := _NUMBER.match(self.text, at):
            return _as_number(found[0]), found.end()
        if found := _WORD.match(self.text, at):
            return self.word(found, depth)
        raise NotPythonError

    def word(self, found: re.Match[str], depth: int) -> tuple[Any, int]:
        word, end = found[0], found.end()
        if word in _WORDS:
            return _WORDS[word], end
        bare = word.lstrip("+-").rsplit(".", 1)[-1].lower()
        if bare in _ENDLESS and self.text[end : end + 1] != "(":
            return ("-" if word[0] == "-" and bare != "nan" else "") + _ENDLESS[bare], end
        if self.text[end : end + 1] != "(":
            raise NotPythonError
        inside, end = self.several(end, depth)
        return inside[0] if _TAKEN_OUT.fullmatch(word) and inside else word, end

    def several(self, at: int, depth: int) -> tuple[Any, int]:
        """What stands between brackets: a dictionary where names stand before its values, else a list."""
        close = _CLOSES[self.text[at]]
        names = close == "}"
        listed: list[Any] = []
        named: dict[str, Any] = {}
        at = self.skip(at + 1)
        while self.text[at : at + 1] != close:
            keyword = _KEYWORD.match(self.text, at) if close == ")" else None
            value, at = self.value(keyword.end() if keyword else at, depth + 1)
            at = self.skip(at)
            if names and self.text[at : at + 1] == ":":
                if isinstance(value, (dict, list)):
                    raise NotPythonError
                inner, at = self.value(at + 1, depth + 1)
                named[str(value)] = inner
                at = self.skip(at)
            elif not keyword:
                listed.append(value)
            if self.text[at : at + 1] == ",":
                at = self.skip(at + 1)
            elif self.text[at : at + 1] != close:
                raise NotPythonError
        if names and listed and named:
            raise NotPythonError
        return (named if names and not listed else listed), at + 1


def _unescaped(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    return chr(int(code, 16)) if code else _ESCAPES.get(found[4], found[4])


def _as_number(text: str) -> Any:
    plain = text.replace("_", "")
    if re.fullmatch(r"[+-]?[0-9]{1,300}", plain):
        return int(plain)
    value = float(plain)
    return value if abs(value) != float("inf") else text
