"""What stands on the lines of a printed table beside its cells: numbers of rows, a row of types, sums above it, a prompt."""

from __future__ import annotations

import re

RULED = "--"  # what the grid takes for a rule and leaves out in silence
LONGEST = 20_000  # characters of one line

_LABEL = re.compile(r"\s*([0-9]{1,7}):(?=\s)")
_R_TYPES = re.compile(r"\s*<[a-z0-9:, ]{2,12}>(?:\s+<[a-z0-9:, ]{2,12}>)+\s*")
_PROMPT = re.compile(r"(\s*Out ?\[[0-9 *]*\]:)(?=\s)")
_SAYS = re.compile(r"[\W_]*[A-Za-z][\w /#-]{0,40}:[\s*_]*\S.{0,80}")  # **Runs:** 2


def without_labels(lines: list[str]) -> list[str]:
    """The lines without the rows' numbers and the row of types that R's data.table prints (1:, <num>), in their places."""
    at = [(i, m) for i, line in enumerate(lines) if (m := _LABEL.match(line[:40]))]
    if len(at) < 2 or [int(m[1]) for _, m in at] != list(range(1, len(at) + 1)):
        return lines
    out = [RULED if _R_TYPES.fullmatch(line[:LONGEST]) else line for line in lines]
    for i, m in at:
        out[i] = " " * m.end() + lines[i][m.end() :]
    return out


def beside_the_table(lines: list[str], ruled: list[bool]) -> set[int]:
    """The lines with bars that belong to no table: of blocks without a rule, or above the names over a block's first one.

    They have no bar at either end where the tables' rules have, or say `Runs: 2 | Kept: 2`.
    """
    edged = all(line.strip().startswith("|") for line, rule in zip(lines, ruled, strict=True) if rule)
    out, block = set(), list[int]()
    for i in range(len(lines) + 1):
        if i < len(lines) and lines[i].strip():
            block.append(i)
            continue
        first = next((j for j in block if ruled[j]), len(lines) + 1)
        for j in block:
            text = lines[j].strip()
            if j < first - 1 and "|" in text and not (text.startswith("|") or text.endswith("|")):
                says = all(_SAYS.fullmatch(c.strip()) for c in text.split("|"))
                out |= {j} if says or edged else set()
        block = []
    return out


def without_prompt(line: str) -> str:
    found = _PROMPT.match(line)
    return " " * found.end() + line[found.end() :] if found else line
