"""When is there no number a person could use? What the runs cannot tell apart, whatever the solver says."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fitting.law import Law
from fitting.plural import plural
from fitting.solver.fit_data import Arrays

# What is left of one log input's spread when the other is known: below this the runs stand on one line.
ON_A_LINE = 0.01


def on_a_line(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether inputs (n,) and (n,), in logs, follow each other to a hundredth of their spread."""
    r = float(np.corrcoef(np.log(x), np.log(y))[0, 1])
    return bool(1.0 - r * r < ON_A_LINE**2)


def settings_of(inputs: Mapping[str, np.ndarray]) -> int:
    """How many settings of these inputs (n,) differ by more than digitising does."""
    at = np.round(np.log(np.array(list(inputs.values()))), 3)
    at = at[:, np.lexsort(at)]  # many times quicker than np.unique of columns
    return 1 + int(np.count_nonzero(np.any(at[:, 1:] != at[:, :-1], axis=0)))


def refusal(law: Law, table: Arrays, which: str = "") -> str:
    """Why nothing this law says of these runs can be used, in a sentence with what to do; '' where something can.

    `which` runs they are follows their number in it, such as " below the cut".
    """
    settings = settings_of(table.inputs)
    if settings < law.p:
        return (
            f"{law.title} is not identified by {plural(len(table.loss), 'run')}{which} at {plural(settings, 'different setting')} of "
            f"{' and '.join(table.inputs)}: it has {law.p} parameters. Add runs at other settings, or choose a law with fewer "
            "parameters."
        )
    if len(table.inputs) >= 2:
        (a, x), (b, y) = list(table.inputs.items())[:2]
        if on_a_line(x, y):
            ratio = y / x
            line = f"{b} = {np.median(ratio):.3g} {a}" if np.ptp(np.log(ratio)) < 0.1 else f"{b} fixed by {a}"
            return (
                f"All {len(x)} runs{which} stand on one line, {line}: the effects of {a} and {b} are not identified, "
                f"and no split of a budget follows. Add runs with other {b} at the same {a}, or fit a law of one input, "
                "which says what happens along this line."
            )
    return ""
