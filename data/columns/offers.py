"""What each column of a table may be, by its name and its cells: the offers among which is chosen."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from data.cells.values import Numbers
from data.columns.accumulation import may_accumulate
from data.columns.lookalikes import without_optima
from data.columns.settled import TAKEN, Offers, middle, settle_passes
from data.columns.untracked import without_untracked
from data.filenames.columns import OF_FILE, speaks_against
from data.filenames.steps import LOOKED_AT, counts_steps, places
from data.headers.logs import tells_its_base
from data.headers.names import loss_name, named, only_sounds
from data.headers.parts import header as take_apart
from data.headers.parts import scale_in
from data.headers.stated_with import without_statement
from data.schema import COLUMNS, COUNTS
from data.states.recognise import is_state
from data.table import Table
from data.units.factors import DIMENSION

SPOKEN_AGAINST = (
    0.55  # how sure a column is that is named like a size where the runs' names say another: offered, not taken
)
PLAINLY = 0.9  # how sure a name is at least that says what its column counts
_PRETRAINING = re.compile(r"\bpre ?train(?:ing|ed)?\b")
_TOKENS = re.compile(r"\b(?:tokens?|toks?|D|data)\b")
_NO_STAGE = re.compile(
    r"\b(?:per|/|batch|seq|sequence|seqs|unique|vocab|loss|ratio|params?|eval|val|valid|validation|test|step|s|sec)\b"
)
_A_TEXT = 1e6  # tokens of the least text that a model is trained on
_MANY = 1e8  # more than the documents or sequences that bare numbers may count as well
_OF_A_BATCH = re.compile(r"B (?:tokens?|toks?)", re.IGNORECASE)  # the letter of papers for it, beside large numbers
_NO_BILLIONS = 1e5
AS_NAMES = "sizes written as names"
_REVISION = re.compile(r"\b(?:revision|branch)$")
_CONFIG = re.compile(r"^config")


def offers_of(table: Table, settled: set[str], taken: set[str], notes: list[str]) -> Offers:
    """Every (canonical column, header) that name and content allow, with how sure it is and why; notes say what was not counted."""
    offers: Offers = {}
    for header in table.headers:
        if header in taken:
            continue
        if header in table.told:
            column, why = table.told[header]
            if column and column not in settled:
                offers[column, header] = 0.95, why
            continue
        for column, sure in named(header):
            if column in settled:
                continue
            if (
                column in ("flops", "tokens")
                and counts_steps(table.written(header, LOOKED_AT))
                and "steps" not in settled
            ):
                offers["steps", header] = 0.9, "its cells say steps"
                break
            how = "the column's own name" if sure == 1.0 else "name recognised" if sure >= 0.8 else "name may mean this"
            if COLUMNS[column].kind == "number":
                found = table.numbers(header, DIMENSION.get(column, ""))
                if not tells_its_base(header, column, found.values):
                    continue
                if found.share < 0.5 or (column == "tokens" and _generated(header, found.values)):
                    continue
                if column == "tokens" and _letter_of_a_batch(table, header, found.values):
                    continue
                if (
                    column == "tokens"
                    and _PRETRAINING.search(take_apart(header).words)
                    and _other_tokens(table, header)
                ):
                    sure, how = SPOKEN_AGAINST, "name may mean this; other tokens stand beside it"
                if column == "unique_tokens" and sure < PLAINLY and _few(found, header):
                    continue  # a pool of documents, a share of the data
                if column == "grad_accum" and not may_accumulate(header, found.values):
                    continue
                if column == "wall_seconds" and middle(found.values) > 1e9:
                    continue  # the time of day, in seconds since 1970
                how += f"; {found.written} read as numbers" if found.written else ""
            elif not any(table.written(header)) or (column == "state" and not _of_states(table, header)):
                continue
            elif column == "run" and _REVISION.search(take_apart(header).words) and not places(table.text(header)):
                continue  # of code
            elif column == "seed" and _counts_seeds(table, header):
                continue
            elif column == "dataset" and table.numbers(header).share == 1.0:
                continue  # a column `data` of numbers is an amount
            if header in table.brought_down:  # what stands beside the runs themselves goes first
                sure, how = 0.8 * sure, f"{how}; from the headings above the rows"
            offers[column, header] = sure, how
    _without_settings(table, offers)
    notes += _without_parts(table, offers)
    notes += without_untracked(table, offers)
    without_optima(table, offers)
    settle_passes(table, offers)
    counted = any(c in COUNTS for c, _ in offers)
    of_runs = {column for h, (column, _) in table.from_name.items() if OF_FILE not in h}
    for header, (column, text) in table.from_name.items():
        of_file = OF_FILE in header
        if of_file and column in of_runs:
            continue  # what each run's own name says goes first
        against = [o for o in offers if o[0] in COUNTS and only_sounds(o[1])]
        doubted = not of_file or (
            bool(against) and speaks_against(table, header, [h for c, h in offers if c in COUNTS])
        )
        if column == "params" and counted and doubted and header not in taken and column not in settled:
            for o in against:
                names = "the name of the file" if of_file else "the names of runs"
                offers[o] = SPOKEN_AGAINST, f"{offers[o][1]}; sizes in {names} speak against it"
            counted = False
        beside = column == "params_active" and not of_file  # what a mixture computes with, beside the total
        if header in taken or column in settled or (column in COUNTS and counted and not beside):
            continue
        where = "the file's name" if of_file else "the names"
        offers[column, header] = TAKEN, f"from {where} ({text})"
    counted = counted or any(c in COUNTS for c, _ in offers)
    if not counted and "params" not in settled:
        for header in table.headers:  # a column `model` that says 125M, 1.3B is a size written as a name
            if header not in taken and any(c in ("family", "run") for c, _ in named(header)):
                found = table.numbers(header)
                if found.share >= 0.9 and found.written:
                    offers["params", header] = 0.65, f"{AS_NAMES}; {found.written} read as numbers"
    return offers


def _without_settings(table: Table, offers: Offers) -> None:
    """A column `config` names runs where no other column names them or their models, and its cells are texts."""
    for o in [o for o in offers if o[0] == "run" and _CONFIG.search(take_apart(o[1]).words)]:
        others = any(c in ("run", "family") and sure > offers[o][0] for (c, _), (sure, _) in offers.items())
        cells = table.numbers(o[1])
        if others or (cells.share >= 0.5 and not cells.written):
            del offers[o]


_REAL = re.compile(r"\breal\b")
_MADE = re.compile(
    r"\b(?:synth\w*|artificial|generated|fake|augmented|simulated)\b.*\b(?:tokens?|data)\b|\b(?:tokens?|data) (?:synth\w*|generated)\b"
)


def _without_parts(table: Table, offers: Offers) -> list[str]:
    """Take out of the offers real tokens beside synthetic ones, a part of what was seen, and `n` of few repeats, with a note on it."""
    notes: list[str] = []
    paths = {h: take_apart(h).path for h in table.headers}
    if any(_MADE.search(p) and table.numbers(h).share >= 0.5 for h, p in paths.items()):
        for o in [o for o in offers if o[0] == "tokens" and _REAL.search(paths[o[1]])]:
            del offers[o]
    for o in [o for o in offers if o[0] == "params" and o[1].strip() == "n" and _counts_repeats(table, o[1])]:
        del offers[o]
        notes.append(
            f"{o[1]!r} holds few and whole numbers, as one of seeds does: it was not taken for the parameters."
        )
    return notes


def _counts_repeats(table: Table, header: str) -> bool:
    """Whether whole numbers under `n` are those of seeds: few, beside losses with a spread or the same for all, and beside no `d`."""
    values = table.numbers(header).values
    values = values[np.isfinite(values)]
    if not len(values) or (values != np.round(values)).any() or values.min() < 1 or values.max() > _MOST_SEEDS:
        return False
    if any(h.strip() in ("d", "D") for h in table.headers) or table.numbers(header).written:
        return False
    losses = [h for h in table.headers if loss_name(h) is not None]
    spread = any(without_statement(h) != h or table.numbers(h, "loss").errors is not None for h in losses)
    spread = spread or any(_SPREAD.search(take_apart(h).path) for h in table.headers)
    return spread or (len(values) == len(table.frame) > 1 and len(np.unique(values)) == 1)


_MOST_SEEDS = 30
_SPREAD = re.compile(r"\b(?:std|stdev|stddev|stderr|sem|se|sd|ci)\b")


def _of_states(table: Table, header: str) -> bool:
    """Whether a column named like one of states holds them: not one of numbers, some of which failed."""
    return table.numbers(header).share < 0.5 and is_state(table.text(header))


def _counts_seeds(table: Table, header: str) -> bool:
    """Whether a column of `seeds` says how many there were: it tells no rows apart that are alike in their names and sizes."""
    if not re.search(r"\bseeds$", take_apart(header).words):
        return False
    meant = {h: c for h in table.headers for c, sure in named(h)[:1] if sure >= TAKEN}
    keys = [table.text(h) for h, c in meant.items() if c in ("run", "family", *COUNTS, "tokens", "steps")]
    alike = pd.DataFrame(dict(enumerate(keys)))
    if alike.empty or not alike.duplicated().any():
        return True
    return bool(alike.assign(seed=table.text(header)).duplicated().any())


def _few(found: Numbers, header: str) -> bool:
    """Whether numbers under a name for data that may count anything are too small for tokens as their unit stands."""
    scale = scale_in(header, "unique_tokens")[0]
    least = _A_TEXT if scale != 1.0 or found.written else _MANY
    return not middle(found.scaled(scale)) >= least


def _other_tokens(table: Table, header: str) -> bool:
    """Whether another column counts tokens of training: those of a later stage, or all of them."""
    return any(
        h != header
        and _TOKENS.search(w := take_apart(h).path)
        and not _NO_STAGE.search(w)
        and table.numbers(h).share > 0
        for h in table.headers
    )


def _letter_of_a_batch(table: Table, header: str, values: np.ndarray) -> bool:
    """Whether the B of `B tokens` is the batch's letter and no billion: large numbers beside steps or other tokens."""
    if not _OF_A_BATCH.fullmatch(header.strip()) or not middle(values) > _NO_BILLIONS:
        return False
    return any(c in ("tokens", "steps") for h in table.headers if h != header for c, _ in named(h)[:1])


def _generated(header: str, values: np.ndarray) -> bool:
    """Whether a column of `max_tokens` limits what is generated, and says nothing of training."""
    return "max tokens" in take_apart(header).words and float(np.nanmedian(np.append(values, 0.0))) < 1e6
