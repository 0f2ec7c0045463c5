"""Devices beside nodes: those of one node, as Lightning counts them, or of all; borne out by tokens, or asked about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from data.columns.settled import Offers, middle
from data.errors import Question
from data.headers.parts import header as take_apart
from data.mapping import Guess
from data.table import Table

TIMES = " × "  # between the names of two columns of which a reader puts the product into a third
_CLOSE = 0.05


@np.errstate(all="ignore")
def devices_in_all(table: Table, guesses: dict[str, Guess], offers: Offers, settled: set[str]) -> list[Question]:
    """Take a node's devices times the nodes where that is likelier, and a question where nothing bears it out."""
    guess = guesses.get("devices")
    if guess is None or "devices" in settled or "data_parallel" in guesses:
        return []
    product = next((h for h in table.headers if h.startswith(guess.header + TIMES)), "")
    if not product:
        return []
    nodes = product.removeprefix(guess.header + TIMES)
    values = {h: table.numbers(h).values for h in (product, guess.header, nodes)}
    parts = {c for c, _ in offers}
    borne = _borne_out(table, guesses, [product, guess.header], values)
    uneven = bool(np.any(np.mod(values[guess.header], values[nodes]) > 0))  # no total is parted so
    taken = borne or product
    if taken == product:
        guesses["devices"] = replace(guess, header=product, how=f"{guess.how}; those of each node times {nodes!r}")
    if borne or uneven:
        return []
    text = (
        f"Does {guess.header!r} count the devices of one node, so that a run has {product}, or those of all nodes? Lightning's "
        "counts those of one."
    )
    follows = "tokens" not in guesses and "steps" in guesses and bool({"batch_device", "batch_sequences"} & parts)
    likely = product if "node" in nodes.lower() and "num" in take_apart(nodes).words else ""
    return [
        Question("columns.devices", text, (product, guess.header), likely, needed=follows and "batch" not in guesses)
    ]


def _borne_out(table: Table, guesses: dict[str, Guess], options: list[str], values: dict[str, np.ndarray]) -> str:
    """The one of the columns of devices with which a step's parts come to tokens over steps; '' where none or both do."""
    if not {"tokens", "steps", "seq_len", "batch_device"} <= set(guesses):
        return ""
    own = {c: guesses[c].values(table) for c in ("tokens", "steps", "seq_len", "batch_device")}
    passes = guesses["grad_accum"].values(table) if "grad_accum" in guesses else 1.0
    each = own["tokens"] / (own["steps"] * own["seq_len"] * own["batch_device"] * passes)
    near = [h for h in options if abs(middle(each / values[h]) - 1) < _CLOSE]
    return near[0] if len(near) == 1 else ""
