"""Recognising the columns of a file from the names people use and from what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as Pairs
from dataclasses import replace
from typing import Any

import numpy as np

from data.errors import DataError, Question
from data.headers import header as take_apart
from data.headers import scale_in
from data.logs import logged, tells_its_base
from data.lookalikes import overlooked
from data.loss_errors import error_of
from data.losses import recognise_loss
from data.mapping import Guess, Mapping
from data.markup import words
from data.names import named
from data.scales import settle
from data.schema import COLUMNS, COUNTS
from data.states import is_state
from data.table import Table, without_misfits
from data.units import DIMENSION

TAKEN = 0.6  # below this a guess is offered and not taken
_CLOSE = 0.03  # two guesses nearer than this leave a question
_ASKED = (*COUNTS, "tokens", "flops", "lr", "batch")  # columns that numbers hang on
_AS_NAMES = "sizes written as names"


@np.errstate(all="ignore")  # what overflows is looked at when rows are judged
def recognise(
    table: Table,
    *,
    columns: Pairs[str, str | None] | None = None,
    loss_unit: str | None = None,
    bytes_per_token: float | None = None,
    count: str | None = None,
    units: Pairs[str, float | str] | None = None,
    rows: str | None = None,
    history: str | None = None,
    states: Iterable[str] = (),
    batch: str | None = None,
    devices: float | None = None,
) -> Mapping:
    """The guesses and open questions for a table, given the answers so far (the keyword arguments).

    `columns` says which header a canonical column is read from, None that the file does not have it. `units` gives the
    factor of a column's unit (1e9 for tokens in billions), or the logarithm that it holds ("log10", "ln", "log2").
    `rows` says whether rows that could be either are "runs" or "checkpoints", `history` which loss of a run's checkpoints
    is its own (see `data.history.chosen_loss`), `states` which states of runs are kept all the same, `batch` what a batch
    size counts (see `data.batches`), `devices` on how many a run trained where the file does not say.
    Raises `DataError` for a header, column or answer that is not there.
    """
    table = without_misfits(table)
    answers = {c: _existing(table, c, h) for c, h in (columns or {}).items()}
    factors = dict(units or {})
    offers = _offers(table, set(answers), {h for h in answers.values() if h})
    _settle_counts(table, offers)
    unclear = _settle_batch(table, offers, batch)
    guesses: dict[str, Guess] = {}
    questions: list[Question] = []
    for column, header in answers.items():
        if header is not None:
            guesses[column] = Guess(column, header, "chosen by you", 1.0)
    used = {g.header for g in guesses.values()}
    ranked = sorted(offers.items(), key=lambda o: -o[1][0])
    for (column, header), (sure, how) in ranked:
        as_name = how.startswith(_AS_NAMES)  # such a column is the family's name too
        if column in guesses or column in answers or (header in used and not as_name) or sure < TAKEN:
            continue
        guesses[column] = Guess(column, header, how, round(sure, 2))
        used.add(header)
        rivals = [
            h for (c, h), (s, _) in ranked if c == column and h != header and abs(s - sure) < _CLOSE and h not in used
        ]
        nested = [h for h in rivals if not _told_apart(table, header, h)]
        if nested:
            text = f"Which column holds the {_words(column)}: {_listed([header, *nested])}?"
            asked = column in _ASKED  # what numbers hang on is not taken from one of two folders
            guesses[column] = replace(guesses[column], how=f"{how}; {_listed(nested)} may be it too")
            questions.append(Question(f"columns.{column}", text, (header, *nested), header, needed=asked))
        elif rivals and column in _ASKED:
            text = f"Which column holds the {_words(column)}: {_listed([header, *rivals])}?"
            questions.append(Question(f"columns.{column}", text, (header, *rivals), header, needed=False))
        if header in table.from_name and column in _ASKED:
            text = f"The {_words(column)} of {table.name}: {how}. Is that right?"
            questions.append(Question(f"columns.{column}", text, (header,), header, needed=False))
    if "total_steps" in guesses and "steps" not in guesses and "steps" not in answers:
        total = guesses.pop("total_steps")
        guesses["steps"] = Guess("steps", total.header, "name recognised (planned steps)", total.confidence)
    loss = recognise_loss(
        table, answers, loss_unit, bytes_per_token, {g.header for g in guesses.values()}, factors.pop("loss", None)
    )
    if loss.guess:
        guesses["loss"] = loss.guess
        error = (
            None
            if "loss_error" in answers
            else error_of(table, loss.guess.header, {g.header for g in guesses.values()})
        )
        if error:
            guesses["loss_error"] = error
    questions = [*loss.questions, *unclear, *questions]
    guesses, units_open = settle(table, guesses, factors)
    questions += units_open
    present = [c for c in COUNTS if c in guesses]
    if count is not None and count not in present:
        raise DataError(
            f"{table.name} has no column for {_words(count) if count in COLUMNS else count}; "
            f"it has {_listed(present) if present else 'no parameter count'}."
        )
    if len(present) > 1 and count is None:
        text = f"Which parameter count should fits use: {_listed([guesses[c].header for c in present])}?"
        questions.append(Question("count", text, tuple(present), present[0], needed=False))
    questions += overlooked(table, guesses, set(answers))
    notes = _unreadable(table, guesses, set(answers))
    if table.either_way:  # before anything else: the other answers depend on it
        text = "Is each row or each column a run? Column names stand in the first row and in the first column."
        questions = [Question("orientation", text, ("rows", "columns"), "rows")]
    ordered = {c: guesses[c] for c in COLUMNS if c in guesses}
    return Mapping(
        ordered,
        tuple(questions),
        loss.unit,
        bytes_per_token,
        count or (present or ["params"])[0],
        rows=_one_of("rows", rows or "", ("", "runs", "checkpoints")),
        history=history or "last",
        states=tuple(s.strip().lower() for s in states),
        batch="" if batch in ("tokens", "sequences") else batch or "",
        devices=devices,
        notes=tuple(notes),
    )


def _unreadable(table: Table, guesses: Pairs[str, Guess], settled: set[str]) -> list[str]:
    """A sentence for each column whose name says what numbers it holds, where few or none of its cells are numbers."""
    used = {g.header: c for c, g in guesses.items()}
    out = []
    for header in table.headers:
        column = used.get(header) or next((c for c, sure in named(header) if sure >= 0.8), "")
        if (
            not column
            or COLUMNS[column].kind != "number"
            or (header not in used and column in (set(guesses) | settled))
        ):
            continue
        found = table.numbers(header, DIMENSION.get(column, ""))
        if found.share < 0.5 and not found.blank.all():
            cell = " ".join(str(table.frame[header][found.bad].iloc[0]).split())[:30]
            many = "none" if found.share == 0 else "few"
            out.append(
                f"{header!r} is named like the {_words(column)}, but {many} of its cells are numbers ({cell!r})."
            )
    return out


def _one_of(name: str, given: str, allowed: tuple[str, ...]) -> str:
    if given not in allowed:
        raise DataError(f"{name} is one of {', '.join(repr(a) for a in allowed if a)}; got {given!r}.")
    return given


def _existing(table: Table, column: str, header: str | None) -> str | None:
    """The table's header that was meant, letter case aside; DataError when there is none."""
    if column not in COLUMNS:
        raise DataError(f"there is no column {column!r} in the runs table; it has {_listed(list(COLUMNS))}.")
    if header is None or header in table.headers:
        return header
    same = [h for h in table.headers if h.casefold() in (str(header).casefold(), words(str(header)).casefold())]
    if len(same) == 1:
        return same[0]
    shown = list(table.headers[:12])
    more = f" and {len(table.headers) - 12} more" if len(table.headers) > 12 else ""
    raise DataError(f"{table.name} has no column {header!r}; it has {', '.join(shown)}{more}.")


Offers = dict[tuple[str, str], tuple[float, str]]


def _offers(table: Table, settled: set[str], taken: set[str]) -> Offers:
    """Every (canonical column, header) that name and content allow, with how sure it is and why."""
    offers: Offers = {}
    for header in table.headers:
        if header in taken:
            continue
        for column, sure in named(header):
            if column in settled:
                continue
            how = "the column's own name" if sure == 1.0 else "name recognised" if sure >= 0.8 else "name may mean this"
            if COLUMNS[column].kind == "number":
                found = table.numbers(header, DIMENSION.get(column, ""))
                if not tells_its_base(header, column, found.values):
                    continue
                if found.share < 0.5 or (column == "tokens" and _generated(header, found.values)):
                    continue
                if column == "wall_seconds" and _middle(found.values) > 1e9:
                    continue  # the time of day, in seconds since 1970
                how += f"; {found.written} read as numbers" if found.written else ""
            elif not (table.text(header) != "").any() or (column == "state" and not is_state(table.text(header))):
                continue
            elif column == "dataset" and table.numbers(header).share == 1.0:
                continue  # a column `data` of numbers is an amount
            if header in table.brought_down:  # what stands beside the runs themselves goes first
                sure, how = 0.8 * sure, f"{how}; from the headings above the rows"
            offers[column, header] = sure, how
    _settle_passes(table, offers)
    counted = any(c in COUNTS for c, _ in offers)
    for header, (column, text) in table.from_name.items():
        if header in taken or column in settled or (column == "params" and counted):
            continue
        where = "the file's name" if header.endswith("in the file's name") else "the names"
        offers[column, header] = TAKEN, f"from {where} ({text})"
        counted = counted or column == "params"
    if not counted and "params" not in settled:
        for header in table.headers:  # a column `model` that says 125M, 1.3B is a size written as a name
            if header not in taken and any(c in ("family", "run") for c, _ in named(header)):
                found = table.numbers(header)
                if found.share >= 0.9 and found.written:
                    offers["params", header] = 0.65, f"{_AS_NAMES}; {found.written} read as numbers"
    return offers


def _middle(values: np.ndarray) -> float:
    """The median of what is finite; NaN where nothing is."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")


def _settle_passes(table: Table, offers: Offers) -> None:
    """A data set's size beside passes over it is the unique tokens, and a constant beside a count that rises is no count."""
    epochs = [h for c, h in offers if c == "epochs"]
    passes = max((float(np.nanmax(np.append(table.numbers(h).values, 0.0))) for h in epochs), default=0.0)
    sized = [o for o in offers if o[0] == "tokens" and re.fullmatch(_SIZE_OF_DATA, take_apart(o[1]).words)]
    others = [o for o in offers if o[0] == "tokens" and o not in sized]
    if passes > 1 and sized and not others and not any(c == "unique_tokens" for c, _ in offers):
        for o in sized:
            del offers[o]
            offers["unique_tokens", o[1]] = 0.62, "the size of the data, seen as often as the epochs say"
    moving = [o for o in others if len(np.unique(table.numbers(o[1]).values)) > 1]
    for o in others:
        if moving and o not in moving and len(table.frame) > 2 and any(c == "steps" for c, _ in offers):
            offers[o] = 0.55, f"{offers[o][1]}; it does not change, and {moving[0][1]} does"


_SIZE_OF_DATA = r"(?:train(?:ing)? )?(?:dataset|data|corpus)(?: set)?(?: size| tokens)?|(?:dataset|corpus|data) tokens"


def _generated(header: str, values: np.ndarray) -> bool:
    """Whether a column of `max_tokens` limits what is generated, and says nothing of training."""
    return "max tokens" in take_apart(header).words and float(np.nanmedian(np.append(values, 0.0))) < 1e6


def _settle_counts(table: Table, offers: Offers) -> None:
    """Tell parameter counts apart by what stands beside them: N next to N_w_emb is the count without embeddings."""
    for column, header in [o for o in offers if o[0] in COUNTS and table.numbers(o[1]).written]:
        exact = [h for c, h in offers if c in COUNTS and h != header and not table.numbers(h).written]
        if any(_mostly(table, header, o, lambda a, b: abs(a / b - 1) < 0.06) for o in exact):
            offers[column, header] = 0.3, "a rounded copy of a more exact count"
    plain = [h for c, h in offers if c == "params"]
    total = [h for c, h in offers if c == "params_total"]
    bare = [h for c, h in offers if c == "params_nonembed" and offers[c, h][0] >= TAKEN]
    for header in [h for h in plain if re.fullmatch(r"[Nn]", take_apart(h).words)]:
        if total and not bare and _mostly(table, header, total[0], lambda a, b: a < b):
            sure, _ = offers.pop(("params", header))
            how = f"stands next to {total[0]}, which is larger: taken as the count without embeddings"
            offers["params_nonembed", header] = sure, how


def _settle_batch(table: Table, offers: Offers, said: str | None) -> list[Question]:
    """Tell tokens per step from sequences per step where the name leaves it open; a question where the values do too.

    `said` is "tokens" or "sequences" where a person has answered.
    """
    asked: list[Question] = []
    measured = any(c in ("tokens", "samples") and s >= TAKEN for (c, _), (s, _) in offers.items())
    stepped = {"steps", "seq_len"} <= {c for c, _ in offers}
    for column, header in [o for o in offers if o[0] == "batch_sequences" and offers[o][0] < 0.9]:
        sure, how = offers[column, header]
        if any(re.search(r"tok", part, re.IGNORECASE) for part in take_apart(header).parts):
            del offers[column, header]
            offers["batch", header] = sure, how + "; in tokens, as its unit says"
            continue
        batch = table.numbers(header, "count").scaled(scale_in(header, "batch")[0])
        steps, tokens = (_first(table, offers, c) for c in ("steps", "tokens"))
        with np.errstate(all="ignore"):
            known = steps is not None and tokens is not None
            ratio = _middle(tokens / (batch * steps)) if known else np.nan
            typical = _middle(batch)
        in_tokens = abs(ratio - 1) < 0.05 if np.isfinite(ratio) else typical >= 8192
        if said in ("tokens", "sequences"):
            in_tokens = said == "tokens"
        elif in_tokens and not np.isfinite(ratio) and stepped and not measured:
            text = f"Does {header!r} count tokens or sequences? The tokens of each run follow from it."
            asked.append(Question("batch", text, ("tokens", "sequences"), "tokens"))
        if in_tokens:
            del offers[column, header]
            offers["batch", header] = sure, how + "; taken as tokens per step from its values"
        else:
            offers[column, header] = sure, how + "; taken as sequences per step from its values"
    return asked


def _first(table: Table, offers: Offers, column: str) -> np.ndarray | None:
    best = max(((sure, h) for (c, h), (sure, _) in offers.items() if c == column and logged(h) is None), default=None)
    return table.numbers(best[1], DIMENSION.get(column, "")).scaled(scale_in(best[1], column)[0]) if best else None


def _told_apart(table: Table, one: str, other: str) -> bool:
    """Whether more than their folders tells two names apart, or nothing has to: `teacher/params` and `student/params`."""
    tails = [take_apart(h).tails for h in (one, other)]
    if not all(tails) or tails[0][-1] != tails[1][-1]:
        return True
    return table.text(one).equals(table.text(other))


def _mostly(table: Table, one: str, other: str, test: Any) -> bool:
    a, b = table.numbers(one).values, table.numbers(other).values
    both = np.isfinite(a) & np.isfinite(b) & (b != 0)
    return bool(both.any()) and float(np.mean([test(x, y) for x, y in zip(a[both], b[both], strict=True)])) > 0.95


def _words(column: str) -> str:
    return {"flops": "FLOPs", "lr": "learning rate", "params": "parameters"}.get(column, column.replace("_", " "))


def _listed(names: list[str]) -> str:
    shown = [str(n)[:60] for n in names[:6]]
    return ", ".join(shown) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
