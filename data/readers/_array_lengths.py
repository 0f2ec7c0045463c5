"""Whether the arrays of an object belong together: as many values each, or a refusal that names them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from data.errors import ReadError
from data.headers.names import loss_name
from data.readers._elements import keys_of, means, mostly_numbers
from data.readers._nested import Parts
from data.rows.progress import PROGRESS

Block = tuple[tuple[str, ...], list[dict[str, Any]]]  # the names of the arrays, or of the list, behind it, and its rows


def check_lengths(parts: Parts, blocks: Sequence[Block], where: str) -> None:
    """ReadError where an array that should stand beside the losses has another number of values than they have.

    Sizes and tokens of as many runs as there are no losses for, steps that do not belong to them: which value belongs to
    which loss cannot be told.
    """
    if not blocks or not parts.arrays:
        return
    used = {key for keys, _ in blocks for key in keys}
    paced = [{means(k) for k in keys_of(rows)} & set(PROGRESS) for _, rows in blocks]
    left = {k: means(k) for k, v in parts.arrays.items() if k not in used and len(v) > 1}
    odd = [k for k, meant in left.items() if meant == "run"]
    counts = [k for k, m in left.items() if m.startswith("params") or (m in PROGRESS and not all(paced))]
    odd += [k for k in counts if mostly_numbers(parts.arrays[k])]
    if any(paced) and not all(paced):  # one of the curves says where it was measured, and another does not
        odd += [k for (keys, _), along in zip(blocks, paced, strict=True) if not along for k in keys[:1]]
    if not odd:
        return
    losses = [k for k in parts.arrays if k in used and loss_name(k) is not None]
    beside = [k for k in parts.arrays if k in used and means(k) in PROGRESS and k not in odd]
    named_ones = list(dict.fromkeys([*odd, *losses, *beside]))[:5]
    shown = ", ".join(f"{k[:40]!r} has {len(parts.arrays[k]):,}" for k in named_ones if k in parts.arrays)
    raise ReadError(
        f"{where} holds arrays of unequal length ({shown} values), so nothing says which of them belong together; "
        "give each as many values, null where one is missing, or each curve steps of its own."
    )
