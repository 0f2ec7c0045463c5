"""Answers about several files that are read together: which file each is for, and which files each question is about."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import PurePath
from typing import Any

from data.cells.markup import words
from data.errors import DataError, MappingNeeded, Question
from data.schema import NothingKept, Runs
from data.table import Table

#: What a file can be answered for itself: questions of `data.recognise` and of what follows from it.
KEYS = (
    "columns", "units", "loss_unit", "bytes_per_token", "count", "rows", "batch", "devices", "split", "epochs", "orientation",
    "unknown_states", "tokens_from",
)  # fmt: skip
NESTED = ("columns", "units")
SHOWN = 3  # files that a sentence names

Answers = dict[str, Any]  # by key of a question: "columns.loss", "units.tokens", "loss_unit"
Outcome = Runs | DataError


def labels(paths: Sequence[str]) -> list[str]:
    """What each file is called beside the others: the fewest last parts of its path that no other has."""
    split = [PurePath(p).parts for p in paths]
    longest = max(map(len, split), default=1)
    out = [""] * len(split)
    for k in range(1, longest + 1):
        ends = ["/".join(parts[-k:]) for parts in split]
        for i, end in enumerate(ends):
            if not out[i] and (ends.count(end) == 1 or k == longest):
                out[i] = end
        if all(out):
            break
    return out


def flat(answers: Mapping[str, Any]) -> Answers:
    """Answers by the keys of their questions; what is None or empty says nothing."""
    out: Answers = {}
    for key, value in answers.items():
        if key in NESTED:
            out |= {f"{key}.{column}": v for column, v in (value or {}).items()}
        elif value is not None:
            out[key] = value
    return out


def nested(answers: Mapping[str, Any]) -> dict[str, Any]:
    """The same as arguments of `data.recognise`."""
    out: dict[str, Any] = {}
    for key, value in answers.items():
        group, _, column = key.partition(".")
        if column:
            out.setdefault(group, {})[column] = value
        else:
            out[key] = value
    return out


def own_answers(by_file: Mapping[str, Mapping[str, Any]], files: Sequence[str]) -> list[Answers]:
    """The answers for each file (n,): those under patterns that it fits, then those under its own name.

    Raises `DataError` for a name that no file or several have, and for an answer that is none.
    """
    out: list[Answers] = [{} for _ in files]
    patterns = [name for name in by_file if any(sign in name for sign in "*?") and name not in files]
    for name in [*patterns, *(n for n in by_file if n not in patterns)]:
        given = by_file[name]
        unknown = [key for key in given if key.partition(".")[0] not in KEYS]
        if unknown:
            raise DataError(f"a file can be answered {', '.join(KEYS)}; got {unknown[0]!r} for {name}.")
        said = flat({k: v for k, v in given.items() if "." not in k}) | {k: v for k, v in given.items() if "." in k}
        if name in patterns:
            meant = [i for i, file in enumerate(files) if fnmatchcase(file, name)]
        else:
            meant = [i for i, file in enumerate(files) if file == name] or [
                i for i, file in enumerate(files) if PurePath(file).name == name
            ]
            if len(meant) > 1:
                raise DataError(f"{name} is the name of {len(meant)} files; say which: {named(files, meant)}.")
        if not meant:
            raise DataError(f"no file is called {name}; there are {named(files, range(len(files)))}.")
        for i in meant:
            out[i] |= said
    return out


def shared_out(
    plain: Answers, own: list[Answers], tables: Sequence[Table], read: Callable[[Table, Answers], Outcome]
) -> list[Answers]:
    """The answers of each file (n,) when some were given without a file's name, by its own and by what it asks.

    An answer goes to the files that ask for it, or to all where none does. Raises `DataError` where it answers one file's
    question and would change another, which asked nothing: which of them it is meant for must be said.
    """
    if not plain:
        return own
    given, takers = [dict(o) for o in own], {key: set[int]() for key in plain}
    for i, table in enumerate(tables):
        open_ = {key: value for key, value in plain.items() if key not in own[i] and _is_for(key, value, table)}
        while taken := {q.key for q in _asked(read(table, given[i]))} & set(open_):
            for key in taken:
                given[i][key] = open_.pop(key)
                takers[key].add(i)
    out = [dict(g) for g in given]
    for key, value in plain.items():
        others = [i for i, table in enumerate(tables) if key not in given[i] and _is_for(key, value, table)]
        if not takers[key]:
            for i in others or [i for i in range(len(tables)) if key not in own[i]]:
                out[i][key] = value
            continue
        names = [t.label or t.name for t in tables]
        changed = [i for i in others if not _same(read(tables[i], given[i]), read(tables[i], given[i] | {key: value}))]
        if changed:
            first, said = names[min(takers[key])], f"{value:g}" if isinstance(value, float) else str(value)
            raise DataError(
                f"{key}={said} answers a question of {named(names, sorted(takers[key]))} and would change "
                f"{named(names, changed)}, where nothing is open. Say which files it is for: "
                f"by_file={{{first!r}: {{{key!r}: {value!r}}}}}, in the terminal --for {first} {key}={said}; '*' is all."
            )
    return out


def _is_for(key: str, value: Any, table: Table) -> bool:
    """Whether the answer can be about this table: a header is one that the table has."""
    if not key.startswith("columns.") or value is None:
        return True
    return any(str(value).casefold() in (h.casefold(), words(h).casefold()) or h == value for h in table.headers)


def _asked(outcome: Outcome) -> tuple[Question, ...]:
    if isinstance(outcome, NothingKept):
        return outcome.runs.questions
    return outcome.questions if isinstance(outcome, (Runs, MappingNeeded)) else ()


def _same(before: Outcome, after: Outcome) -> bool:
    """Whether a file was read alike."""
    if isinstance(before, Exception) or isinstance(after, Exception):
        return type(before) is type(after) and str(before) == str(after)
    return before.digest == after.digest and before.reasons == after.reasons


def together(asked: Iterable[tuple[str, Question]]) -> tuple[Question, ...]:
    """The questions of several files, each said once with the files that it is about."""
    groups: dict[tuple[str, ...], list[tuple[str, Question]]] = {}
    for file, q in asked:
        alike = re.sub(r"[0-9][0-9,.e+]*", "#", q.text)  # numbers are each file's own
        groups.setdefault((q.key, alike, q.guess, str(q.needed), *q.options), []).append((file, q))
    out = []
    for group in groups.values():
        files = tuple(dict.fromkeys(file for file, _ in group))
        such = "" if len({q.text for _, q in group}) == 1 else ", such as"
        first = group[0][1]
        these = named(files, range(len(files))) if len(files) <= SHOWN else f"{len(files)} files"
        out.append(replace(first, text=f"{these}{such}: {first.text}", files=files))
    return tuple(out)


def named(files: Sequence[str], which: Iterable[int]) -> str:
    """Files in a sentence, the first of them by name."""
    these = [files[i] for i in which]
    more = f" and {len(these) - SHOWN} more" if len(these) > SHOWN else ""
    return ", ".join(these[:SHOWN]) + more
