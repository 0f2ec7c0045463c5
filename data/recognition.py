"""Recognising the columns of a file from the names people use and from what stands in them."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Pairs
from dataclasses import dataclass, replace
from math import isclose

import numpy as np

from data.cells.markup import words
from data.columns.active_shares import in_units_of_all
from data.columns.counters import settle_counters
from data.columns.counts import CALLED_BY, below_a_part, nominal_apart, settle_counts
from data.columns.data_sizes import of_other_things, samples_of_data_or_seen
from data.columns.fractions import scaled_fraction, settle_fraction
from data.columns.lookalikes import of_a_tokenizer, overlooked, taken_optima
from data.columns.loss_places import Found, at_best, place_of, taken_apart
from data.columns.mixtures import settle_mixture
from data.columns.nodes import devices_in_all
from data.columns.offers import AS_NAMES, SPOKEN_AGAINST, offers_of
from data.columns.open_columns import settle_open
from data.columns.progress_cells import settle_progress
from data.columns.rates import without_passes, without_rates
from data.columns.ratios import settle_ratio
from data.columns.rivals import weigh
from data.columns.settled import TAKEN, Offers, all_differ, mostly, settle_batch, settle_steps, unique_or_seen
from data.columns.trainable import settle_trainable
from data.errors import NO_COLUMN, DataError, Question
from data.filenames.columns import OF_FILE
from data.filenames.sizes import like_models, of_a_text
from data.given import are_answers, takes
from data.headers.letters import announced, offer_batch, with_letters
from data.headers.names import named
from data.headers.parts import header as take_apart
from data.losses.errors import error_of
from data.losses.not_evaluated import evaluated
from data.losses.recognise import recognise_loss
from data.mapping import Guess, Mapping
from data.schema import COLUMNS, COUNTS
from data.splits.arms_beside import without_other_arms
from data.splits.tables import Split, counted, splits
from data.table import Table, without_misfits
from data.units.factors import DIMENSION
from data.units.scales import settle

_CLOSE = 0.03  # two guesses nearer than this leave a question
_ASKED = (*COUNTS, "tokens", "flops", "lr", "batch")  # columns that numbers hang on
_SAID = 0.9  # how sure a name is at least that says what its column counts
_PERHAPS = 0.65  # how sure a name is at most that may as well mean something else


@takes(table=Table)
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
    split: str | None = None,
    epochs: str | None = None,
    unknown_states: str | None = None,
    tokens_from: str | None = None,
) -> Mapping:
    """The guesses and open questions for a table, given the answers so far (the keyword arguments).

    `columns` says which header a canonical column is read from, None that the file does not have it. `units` gives the
    factor of a column's unit (1e9 for tokens in billions), or the logarithm that it holds ("log10", "ln", "log2").
    `rows` says whether rows that could be either are "runs" or "checkpoints", `history` which loss of a run's checkpoints
    is its own (see `data.rows.history.chosen_loss`), `states` which states of runs are kept all the same, `batch` what a batch
    size counts (see `data.columns.batches`), `devices` on how many a run trained where the file does not say, `split` which rows
    count where a column says on what each loss was measured (see `data.splits.tables`), `epochs` what the row of epoch 0 stands for
    (see `data.columns.epochs`), `unknown_states` whether runs in states that are not known are "kept" or "set aside",
    `tokens_from` whether tokens that no column says follow from the "columns" of batch and steps or from "flops". Raises
    `DataError` for a header, column or answer that is not there.
    """
    are_answers(
        {
            "columns": columns, "units": units, "loss_unit": loss_unit, "count": count, "rows": rows, "history": history, "batch": batch,
            "split": split, "epochs": epochs, "unknown_states": unknown_states, "tokens_from": tokens_from, "devices": devices,
            "bytes_per_token": bytes_per_token, "states": states,
        }
    )  # fmt: skip
    table = evaluated(without_misfits(table))
    answers = {c: _existing(table, c, h) for c, h in (columns or {}).items()}
    answers, place_chosen = taken_apart(table, answers)
    table, opened = settle_open(with_letters(table), answers)
    factors = dict(units or {})
    parted = splits(table, {h for h in answers.values() if h}, split)
    table = counted(table, parted.split)
    offered = _offered(table, answers, parted.split, tuple(states), batch, factors)
    offers = offered.offers
    guesses, questions = _taken(table, answers, offers)
    weighed = weigh(table, guesses, offers, set(answers), questions)
    guesses, questions = weighed.guesses, weighed.questions
    questions += devices_in_all(table, guesses, offers, set(answers))
    if "total_steps" in guesses and "steps" not in guesses and "steps" not in answers:
        total = guesses.pop("total_steps")
        guesses["steps"] = Guess("steps", total.header, "name recognised (planned steps)", total.confidence)
    meant = {g.header for g in guesses.values()} | ({best.header} if (best := at_best(table)) else set())
    loss = recognise_loss(table, answers, loss_unit, bytes_per_token, meant, factors.pop("loss", None))
    if loss.guess:
        guesses["loss"] = loss.guess
        used = {g.header for g in guesses.values()}
        if "loss_error" not in answers and (error := error_of(table, loss.guess.header, used)):
            guesses["loss_error"] = error
    others = without_other_arms(table, guesses, loss.guess.header, set(answers)) if loss.guess else []
    elsewhere = {q.key.removeprefix("columns.") for q in others}
    stepped = {"columns.steps"} if offered.stepped else set()
    questions = [q for q in questions if q.key not in stepped and q.key.removeprefix("columns.") not in elsewhere]
    questions = [*opened, *loss.questions, *others, *offered.unclear, *offered.stepped, *questions]
    guesses, units_open = in_units_of_all(table, *settle(table, scaled_fraction(table, guesses), factors))
    runs = loss.guess is not None or any(q.guess for q in loss.questions)
    questions += [q for q in units_open if runs or _plainly(guesses, q.key)]  # d of a table without losses is a width
    if not any(q.key in ("columns.tokens", "units.tokens") for q in questions):
        questions += of_other_things(table, guesses, set(answers) | set(factors))
    placed = Found()
    if loss.guess and not any(q.key == "columns.loss" for q in loss.questions):
        placed = place_of(table, loss.guess.header, guesses, set(answers), place_chosen)
        questions += [q for q in placed.questions if q.key not in {o.key for o in questions if o.needed}]
    usual, which = _usual_count(table, guesses, count)
    questions += [*which, *offered.rates]
    questions += announced(guesses)
    questions += taken_optima(table, guesses, set(answers))
    questions += of_a_tokenizer(table, guesses, set(answers))
    questions += overlooked(table, guesses, set(answers) | ({"flops"} if offered.rates else set()) | elsewhere)
    notes = [
        *([parted.note] if parted.note else []), *offered.untracked, *loss.notes, *offered.passes, *weighed.notes,
        *nominal_apart(table, guesses), *_unreadable(table, guesses, set(answers)),
    ]  # fmt: skip
    questions += [parted.question] if parted.question else []
    if table.either_way:  # before anything else: the other answers depend on it
        text = "Is each row or each column a run? Column names stand in the first row and in the first column."
        questions = [Question("orientation", text, ("rows", "columns"), "rows")]
    ordered = {c: guesses[c] for c in COLUMNS if c in guesses}
    return Mapping(
        ordered, tuple(questions), loss.unit, bytes_per_token, count or usual,
        rows=_one_of("rows", rows or "", ("", "runs", "checkpoints")),
        history=history or "last", states=tuple(s.strip().lower() for s in states),
        batch="" if batch in ("tokens", "sequences") else batch or "", devices=devices, units=frozenset(factors),
        batch_in=batch if batch in ("tokens", "sequences") else "", notes=tuple(notes), split=parted.split,
        epochs=_one_of("epochs", epochs or "", ("", "after", "before")),
        tokens_from=_one_of("tokens_from", tokens_from or "", ("", "columns", "flops")),
        unknown_states=_one_of("unknown_states", unknown_states or "", ("", "kept", "set aside")),
        row_units=loss.row_units, row_bytes=loss.row_bytes, place=placed.place,
    )  # fmt: skip


@dataclass(frozen=True)
class _Offered:
    """Which columns the headers could be, how surely, and what is unclear or to be known of that."""

    offers: Offers
    unclear: list[Question]
    stepped: list[Question]  # of the counter of steps
    rates: list[Question]
    untracked: list[str]
    passes: list[str]


def _offered(
    table: Table,
    answers: Pairs[str, str | None],
    split: Split | None,
    states: tuple[str, ...],
    batch: str | None,
    factors: Pairs[str, float | str],
) -> _Offered:
    """What each header is offered as by its name, settled by what stands in the columns and beside them."""
    untracked: list[str] = []
    offers = offers_of(table, set(answers), {h for h in answers.values() if h}, untracked)
    offer_batch(table, offers, set(answers))
    if split is not None:  # it says what was measured, not what was trained on
        said = {split.header, split.then.header if split.then else ""}
        offers = {o: v for o, v in offers.items() if o[1] not in said}
    if "params_active" not in answers:
        settle_mixture(table, offers)
    settle_counts(table, offers)
    passes: list[str] = []
    unclear = settle_trainable(table, offers, set(answers), passes)
    unclear += settle_progress(table, offers, set(answers))
    settle_steps(table, offers)
    stepped = settle_counters(table, offers, states)
    rates = [*without_rates(table, offers), *without_passes(table, offers, passes)]
    unclear += [*settle_batch(table, offers, batch, factors), *unique_or_seen(table, offers, set(answers))]
    unclear += samples_of_data_or_seen(table, offers, set(answers))
    unclear += [*settle_fraction(table, offers, answers), *settle_ratio(table, offers, factors)]
    return _Offered(offers, unclear, stepped, rates, untracked, passes)


def _taken(table: Table, answers: Pairs[str, str | None], offers: Offers) -> tuple[dict[str, Guess], list[Question]]:
    """Each column's guess, the surest offers first, and what to ask where another header is about as sure."""
    guesses = {column: Guess(column, h, "chosen by you", 1.0) for column, h in answers.items() if h is not None}
    questions: list[Question] = []
    used = {g.header for g in guesses.values()}
    ranked = sorted(offers.items(), key=lambda o: -o[1][0])
    for (column, header), (sure, how) in ranked:
        as_name = how.startswith(AS_NAMES)  # such a column is the family's name too
        if column in guesses or column in answers or (header in used and not as_name) or sure < TAKEN:
            continue
        guesses[column] = Guess(column, header, how, round(sure, 2))
        used.add(header)
        rivals = [
            h for (c, h), (s, _) in ranked if c == column and h != header and abs(s - sure) < _CLOSE and h not in used
        ]
        asked = column in _ASKED  # what numbers hang on is not taken from one of two folders
        nested = [h for h in rivals if not _told_apart(table, header, h)]
        if nested:
            guesses[column] = replace(guesses[column], how=f"{how}; {_listed(nested)} may be it too")
        if nested or (rivals and asked):
            among = [header, *(nested or rivals)]
            text = f"Which column holds the {_words(column)}: {_listed(among)}?"
            questions.append(Question(f"columns.{column}", text, tuple(among), header, needed=asked and bool(nested)))
        if header in table.from_name and (asked or _tokens_hang_on(column, header, offers)):
            against = [h for (c, h), (s, _) in ranked if c == column and s == SPOKEN_AGAINST]
            questions.append(_of_the_name(table, column, header, how, offers, against))
    return guesses, questions


def _of_the_name(table: Table, column: str, header: str, how: str, offers: Offers, against: list[str]) -> Question:
    """What to ask of a column that numbers hang on and that a name of a file or run alone says."""
    if column == "params" and of_a_text(table.from_name[header][1]):
        text = f"Are the sizes in the names of runs ({table.from_name[header][1]}) those of the models, or of the text?"
        usual = header if like_models(table.numbers(header).values.tolist()) else ""
        needed = not usual or not _tokens_beside(table, header, offers)
        return Question(f"columns.{column}", text, (header, NO_COLUMN), usual, needed=needed)
    instead = f", and not {_listed(against)}" if against else ""
    text = f"The {_words(column)} of {table.name}: {how}{instead}. Is that right?"
    return Question(f"columns.{column}", text, (header, *against), header, needed=False)


def _usual_count(table: Table, guesses: Pairs[str, Guess], count: str | None) -> tuple[str, list[Question]]:
    """The parameter count that fits use where none is named, and the question where several differ; DataError for one not there."""
    present = [c for c in COUNTS if c in guesses]
    if count is not None and count not in present:
        raise DataError(
            f"{table.name} has no column for {_words(count) if count in COLUMNS else count}; "
            f"it has {_listed(present) if present else 'no parameter count'}."
        )
    added = next((f" {h!r} is {why}." for h, (c, why) in table.told.items() if c == "params_total"), "")
    usual = "params_nonembed" if added and "params" not in present else (present or ["params"])[0]
    usual = next((c for c in present if CALLED_BY in guesses[c].how), usual)
    values = [guesses[c].values(table) for c in present]
    if count is not None or all(np.array_equal(v, values[0], equal_nan=True) for v in values):
        return usual, []
    below = below_a_part(table, guesses)
    likely = "params_nonembed" if below and usual == "params_total" else usual
    text = f"Which parameter count should fits use: {_listed([guesses[c].header for c in present])}?{added}"
    text += f" {below}" if below else f" They use {guesses[usual].header!r}." if added else ""
    return usual, [Question("count", text, tuple(present), likely, needed=likely != usual)]


def _plainly(guesses: Pairs[str, Guess], key: str) -> bool:
    """Whether the column that a question on a unit is about is plainly named for what it was taken for."""
    guess = guesses.get(key.removeprefix("units."))
    return guess is None or guess.confidence > _PERHAPS


def _tokens_hang_on(column: str, header: str, offers: Offers) -> bool:
    """Whether the tokens of runs follow from what the file's name says: its batch or its sequence length."""
    if column not in ("seq_len", "batch_sequences") or OF_FILE not in header:
        return False
    have = {c for (c, _), (sure, _) in offers.items() if sure >= TAKEN}
    return "tokens" not in have and bool(have & {"steps", "samples", "unique_samples"})


def _tokens_beside(table: Table, header: str, offers: Offers) -> bool:
    """Whether a column says the tokens of runs, which differ from run to run and are not the sizes in their names under `header`.

    The same tokens for every run may be passes over parts of a text of those sizes.
    """
    found = max(((s, h) for (c, h), (s, _) in offers.items() if c == "tokens" and s >= _SAID), default=None)
    if found is None or found[1] in table.from_name or mostly(table, header, found[1], isclose):
        return False
    return all_differ(table.numbers(found[1], DIMENSION["tokens"]).values)


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
    if header == NO_COLUMN:
        return None
    same = [h for h in table.headers if h.casefold() in (str(header).casefold(), words(str(header)).casefold())]
    if len(same) == 1:
        return same[0]
    shown = list(table.headers[:12])
    more = f" and {len(table.headers) - 12} more" if len(table.headers) > 12 else ""
    raise DataError(f"{table.name} has no column {header!r}; it has {', '.join(shown)}{more}.")


def _told_apart(table: Table, one: str, other: str) -> bool:
    """Whether more than their folders tells two names apart, or nothing has to: `teacher/params` and `student/params`."""
    tails = [take_apart(h).tails for h in (one, other)]
    if not all(tails) or tails[0][-1] != tails[1][-1]:
        return True
    return table.text(one).equals(table.text(other))


def _words(column: str) -> str:
    called = {"flops": "FLOPs", "lr": "learning rate", "params": "parameters", "seq_len": "sequence length"}
    return called.get(column, column.replace("_", " "))


def _listed(names: list[str]) -> str:
    shown = [str(n)[:60] for n in names[:6]]
    return ", ".join(shown) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
