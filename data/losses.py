"""Finding the loss among a file's columns, and its unit: several losses side by side are asked about, never chosen."""

from __future__ import annotations

import re
from collections.abc import Mapping as Pairs
from dataclasses import dataclass

import numpy as np

from data.errors import DataError, Question
from data.headers import header as take_apart
from data.mapping import Guess
from data.names import loss_name
from data.table import Table

UNITS = ("nats", "bits", "bits per byte", "perplexity")
_TOO_HIGH = 15.0  # nats: a uniform guess over three million tokens; a median above it is no loss in nats


#: `loss ± std` names a loss with its error in one cell; `± loss` and `loss ±` the error, where its cells are plain numbers.
_WITH_ERROR = re.compile(
    r"\s*[(\[]?\s*(?:mean\s*)?(?:±|\+/-)\s*(?:std|stdev|se|sem|stderr|sd|err|error|ci)?\.?\s*[)\]]?\s*$", re.IGNORECASE
)
_ERROR_ALONE = re.compile(r"^\W*(?:±|\+/-)|(?:±|\+/-)[^()]*\)?\s*$")


@dataclass(frozen=True)
class FoundLoss:
    """The loss column, its unit and what remains to be asked about it."""

    guess: Guess | None
    unit: str
    questions: tuple[Question, ...]


def recognise_loss(
    table: Table,
    answers: Pairs[str, str | None],
    unit: str | None,
    bytes_per_token: float | None,
    used: set[str],
) -> FoundLoss:
    """The loss column of a table, given the answers so far; `used` are headers that mean something else."""
    if unit is not None and unit not in UNITS:
        raise DataError(f"the loss unit is one of {', '.join(UNITS)}; got {unit!r}.")
    chosen = answers.get("loss")
    questions: list[Question] = []
    if chosen is not None:
        header, how, sure = chosen, "chosen by you", 1.0
    else:
        options = loss_options(table, used)
        if not options:
            numeric = [h for h in table.headers if h not in used and table.numbers(h).share >= 0.5]
            text = (
                "No column looks like a loss; which one holds it?"
                if numeric
                else "No column of numbers could be a loss."
            )
            likely = next((h for h in numeric if h.strip().lower() == "value"), "")  # as TensorBoard saves a curve
            return FoundLoss(None, unit or "nats", (Question("columns.loss", text, tuple(numeric[:500]), likely),))
        header, how, sure = options[0], "name recognised", 0.95
        if len(options) > 1:
            sure = 0.5
            how = f"the likeliest of {len(options)} columns that could be the loss"
            shown = ", ".join(h[:60] for h in options[:5]) + (
                f" and {len(options) - 5} more" if len(options) > 5 else ""
            )
            text = f"Which column holds the loss: {shown}?"
            questions.append(Question("columns.loss", text, tuple(options), header))
    found = table.numbers(header)
    said = take_apart(header).unit
    resolved = unit or said or "nats"
    if found.written:
        how += f"; {found.written} read as numbers"
    how += {
        "nats": "; nats per token" if said == "nats" or unit else "; taken as nats per token",
        "bits": "; bits per token, times ln 2",
        "perplexity": "; perplexity, its logarithm taken",
        "bits per byte": "; bits per byte, times ln 2 and bytes per token",
    }[resolved]
    values = found.values[np.isfinite(found.values)]
    if unit is None and not said and len(values) and float(np.median(values)) > _TOO_HIGH:
        text = (
            f"In which unit is {header!r}? Its values (around {np.median(values):.4g}) are too high for nats per token."
        )
        questions.append(Question("loss_unit", text, UNITS, "perplexity"))
    if resolved == "bits per byte" and bytes_per_token is None:
        text = f"{header!r} is in bits per byte; how many bytes does a token have on average?"
        questions.append(Question("bytes_per_token", text))
    if bytes_per_token is not None and not (np.isfinite(bytes_per_token) and bytes_per_token > 0):
        raise DataError(f"bytes per token must be a positive number; got {bytes_per_token!r}.")
    return FoundLoss(Guess("loss", header, how, sure), resolved, tuple(questions))


def loss_options(table: Table, used: set[str]) -> list[str]:
    """The headers that could be the loss, likeliest first: validation before training, nats before perplexity."""
    options = []
    for position, header in enumerate(table.headers):
        name = loss_name(_WITH_ERROR.sub("", header) or header)
        if name is None or header in used:
            continue
        found = table.numbers(header)
        if found.share < 0.5 or (found.errors is None and _ERROR_ALONE.search(header)):
            continue
        points = name.points - (2.0 if take_apart(header).words == "L" and _whole(found.values) else 0.0)
        options.append((-points, position, header))
    ranked = [header for _, _, header in sorted(options)]
    return _without_copies(table, ranked)


def in_nats(values: np.ndarray, unit: str, bytes_per_token: float | None = None) -> np.ndarray:
    """The losses (n,) in nats per token; a perplexity that is not positive comes back as it is, to be set aside."""
    if unit == "perplexity":
        with np.errstate(all="ignore"):
            return np.where(values <= 0, values, np.log(values))
    if unit == "bits":
        return values * np.log(2.0)
    if unit == "bits per byte":
        return values * np.log(2.0) * float(bytes_per_token or np.nan)
    return values


def _whole(values: np.ndarray) -> bool:
    finite = values[np.isfinite(values)]
    return bool(len(finite)) and bool((finite == np.round(finite)).all())


def _without_copies(table: Table, ranked: list[str]) -> list[str]:
    """The headers without those that say the same as an earlier one: a perplexity beside its own logarithm."""
    if len(ranked) > 60:  # a page of benchmarks: nothing to be gained from comparing them all
        return ranked
    kept: list[tuple[str, np.ndarray]] = []
    for header in ranked:
        values = table.numbers(header).values
        if take_apart(header).unit in ("perplexity", "bits"):
            values = in_nats(values, take_apart(header).unit)
        same = any(
            np.array_equal(np.isfinite(values), np.isfinite(v)) and np.allclose(values, v, rtol=2e-3, atol=2e-3, equal_nan=True)
            and np.isfinite(v).any()
            for _, v in kept
            if take_apart(header).unit == "perplexity"
        )  # fmt: skip
        if not same:
            kept.append((header, values))
    return [h for h, _ in kept]
