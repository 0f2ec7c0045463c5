"""Whether a table was read as its right answer says: what came out, what was asked, and what is wrong in silence."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from data import DataError, MappingNeeded, NothingKept, Question, Runs, read_runs

#: From best to worst. Only the first two are what a case may come to. "Column missed": what is there is right, but a column
#: of the file that is wanted was not recognised, and nobody was asked.
KINDS = (
    "right",
    "asked",
    "set aside wrongly",
    "refused",
    "asked needlessly",
    "column missed",
    "cannot be answered",
    "traceback",
    "WRONG IN SILENCE",
)

TEXT = ("seed", "run", "group", "family")
NEAR = 1e-3
NEAR_LOSS = 2e-4
ROUNDS = 6


@dataclass(frozen=True)
class Verdict:
    """What became of a table: one of `KINDS`, and the sentence that says how."""

    kind: str
    why: str = ""
    asked: tuple[str, ...] = ()

    @property
    def passes(self) -> bool:
        return self.kind in ("right", "asked")


def judge(path: Path, answer: Mapping[str, Any]) -> Verdict:
    """The verdict on what `read_runs` makes of a file or folder, asked questions answered as the answer says.

    `answer` has `runs`, `set_aside` (fewest and most rows), `columns` in canonical units, and may have `reasons`,
    `if_present`, `either`, `never`, `history`, `asks`, `may_ask` ("*" for anything), `given` and `outcome` ("refused or asked").
    """
    given: dict[str, Any] = {}
    asked: list[str] = []
    for _ in range(ROUNDS):
        try:
            runs = read_runs(path, **given)
        except MappingNeeded as error:
            if answer.get("outcome"):
                return Verdict("asked", asked=tuple(q.key for q in error.questions))
            new = [q for q in error.questions if q.needed and q.key not in asked]
            if not new:
                return Verdict(
                    "cannot be answered", f"asked again after {', '.join(asked) or 'nothing'}: {error}", tuple(asked)
                )
            for question in new:
                asked.append(question.key)
                if not _allowed(question.key, answer):
                    return Verdict("asked needlessly", f"{question.key}: {question.text}", tuple(asked))
                if question.key not in answer.get("given", {}):
                    return Verdict("asked needlessly", f"{question.key}, to which there is no answer", tuple(asked))
                _take(given, question, answer["given"][question.key])
            continue
        except NothingKept as error:
            return Verdict("set aside wrongly", f"nothing kept: {error.runs.reasons}", tuple(asked))
        except DataError as error:
            if answer.get("outcome"):
                return Verdict("right", str(error))
            kind = "cannot be answered" if given else "refused"
            return Verdict(kind, f"{error} (given {given})" if given else str(error), tuple(asked))
        except TypeError as error:
            if given and "keyword" in str(error):
                return Verdict("cannot be answered", f"{error} (given {given})", tuple(asked))
            return Verdict("traceback", traceback.format_exc(limit=-3), tuple(asked))
        except Exception:
            return Verdict("traceback", traceback.format_exc(limit=-3), tuple(asked))
        return _compared(runs, answer, tuple(asked))
    return Verdict("cannot be answered", f"still asking after {ROUNDS} rounds: {asked}", tuple(asked))


def _allowed(key: str, answer: Mapping[str, Any]) -> bool:
    allowed = answer.get("may_ask", ())
    return "*" in allowed or key in allowed or any(key in must.split("|") for must in answer.get("asks", ()))


def _plain(text: object) -> str:
    return re.sub(r"[\W_]+", "", str(text)).casefold()


def _take(given: dict[str, Any], question: Question, value: Any) -> None:
    """Put one answer where `read_runs` takes it, as one of the question's options where one says the same."""
    if isinstance(value, str) and question.options:
        alike = [o for o in question.options if o == value] or [
            o for o in question.options if _plain(o) == _plain(value)
        ]
        alike = alike or [o for o in question.options if _plain(value) in _plain(o)]
        value = alike[0] if alike else value
    group, dot, name = question.key.partition(".")
    if dot:
        given.setdefault(group, {})[name] = value
    else:
        given[group] = value


def _compared(runs: Runs, answer: Mapping[str, Any], asked: tuple[str, ...]) -> Verdict:
    """The verdict on runs that were read without a further question."""
    if answer.get("outcome"):
        return Verdict("WRONG IN SILENCE", f"read as {runs!r} where nobody can know", asked)
    for must in answer.get("asks", ()):
        if not any(key in asked for key in must.split("|")):
            return Verdict("WRONG IN SILENCE", f"{must} was not asked; read as {runs!r}", asked)
    wrong = _differences(runs, answer)
    if wrong:
        short = len(runs.kept) < answer["runs"] and not _unexplained(runs, answer)
        missed = all(sentence.startswith("no column ") for sentence in wrong)
        short = short or all(re.match(r"\d+ set aside", sentence) for sentence in wrong)
        kind = "set aside wrongly" if short else "column missed" if missed else "WRONG IN SILENCE"
        return Verdict(kind, "; ".join(wrong[:4]), asked)
    return Verdict("asked" if asked else "right", asked=asked)


def _unexplained(runs: Runs, answer: Mapping[str, Any]) -> bool:
    """Whether a kept row is no row of the answer, or a row of the answer is neither kept nor set aside."""
    kept, wanted = len(runs.kept), answer["runs"]
    extra = _unmatched(runs.kept, answer["columns"], kept)
    return bool(extra) or kept + len(runs.set_aside) < wanted


def _differences(runs: Runs, answer: Mapping[str, Any]) -> list[str]:
    kept, wrong = runs.kept, []
    if len(kept) != answer["runs"]:
        wrong.append(f"{len(kept)} runs kept, not {answer['runs']} (set aside: {runs.reasons})")
    low, high = answer.get("set_aside", (0, 0))
    if not low <= len(runs.set_aside) <= high:
        wrong.append(f"{len(runs.set_aside)} set aside, not {low} to {high}: {runs.reasons}")
    for words, count in answer.get("reasons", {}).items():
        found = sum(bool(re.search(words, str(r), re.IGNORECASE)) for r in runs.set_aside.get("reason", ()))
        if found < count:
            wrong.append(f"no reason like '{words}': {runs.reasons}")
    wrong += [f"no column {name}" for name in answer["columns"] if name not in kept]
    there = {name: values for name, values in answer.get("if_present", {}).items() if name in kept}
    columns = {name: values for name, values in {**answer["columns"], **there}.items() if name in kept}
    if len(kept) == answer["runs"]:
        for name, values in columns.items():
            if _unmatched(kept, {name: values}, len(kept)):
                wrong.append(f"{name} {_shown(kept[name])}, not {_shown(pd.Series(values))}")
        if not wrong and _unmatched(kept, columns, len(kept)):
            wrong.append("every column is right, but not row by row")
    else:
        bad = _unmatched(kept, columns, len(kept))
        if bad:
            wrong.append(f"{len(bad)} kept rows are none of the answer's, such as {kept.iloc[bad[0]].to_dict()}")
    for name, counts in answer.get("either", {}).items():
        if name in kept and not any(c in kept and np.allclose(kept[name], kept[c]) for c in counts):
            wrong.append(f"{name} is none of {counts}: {_shown(kept[name])}")
    for name, values in answer.get("never", {}).items():
        if name in kept and np.isin(pd.to_numeric(kept[name], errors="coerce"), values).any():
            wrong.append(f"{name} is {_shown(kept[name])}")
    if "history" in answer:
        wrong += _history(runs, answer["history"])
    return wrong


def _history(runs: Runs, wanted: list[int] | None) -> list[str]:
    held = None if runs.history is None else len(runs.history)
    if wanted is None:
        return [] if held is None else [f"a history of {held} rows where there is none"]
    if held is None or not wanted[0] <= held <= wanted[1]:
        return [f"a history of {held} rows, not {wanted[0]} to {wanted[1]}"]
    return []


def _unmatched(kept: pd.DataFrame, columns: Mapping[str, list[Any]], most: int) -> list[int]:
    """The kept rows, by position, that are no row of the answer; each row of the answer answers for one."""
    names = [name for name in columns if name in kept]
    if not names:
        return list(range(most))
    free = list(range(len(columns[names[0]])))
    lost = []
    for i in range(len(kept)):
        for j in free:
            if all(_same(name, kept[name].iloc[i], columns[name][j]) for name in names):
                free.remove(j)
                break
        else:
            lost.append(i)
    return lost


def _same(name: str, got: Any, wanted: Any) -> bool:
    if name in TEXT:
        return _text(got) == _text(wanted)
    try:
        return bool(abs(float(got) - wanted) <= (NEAR_LOSS if name == "loss" else NEAR) * abs(wanted))
    except (TypeError, ValueError):
        return False


def _text(value: Any) -> str:
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value).strip()


def _shown(values: pd.Series) -> str:
    some = [f"{v:.5g}" if isinstance(v, (int, float)) else str(v) for v in values.head(3)]
    return ", ".join(some) + (" ..." if len(values) > 3 else "")
