"""`compare_families`: a runs table and the column that names its families in, a comparison with intervals out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from data.schema import Runs
from data.spelling import nearest
from fitting.arguments import MOST_RESAMPLES, MOST_SEED, a_count, a_name, any_number, huber_delta, is_one_of
from fitting.diagnostics.checks import refusal
from fitting.errors import FitError
from fitting.families import sharing, words
from fitting.families.columns import MOST_FAMILIES, labels, resolved
from fitting.families.joint import JointFit, Part, apart, part, together
from fitting.families.refits import refits, ways
from fitting.families.result import Families, Family
from fitting.law import LOSS, Law
from fitting.laws import LawKey, all_laws
from fitting.planning.allocation import optimum, valley
from fitting.plural import plural
from fitting.same_runs import Columns, RunsLike, Units, whole_table, without
from fitting.selection.recommend import choose
from fitting.settings import Settings
from fitting.solver.fit_data import Arrays, arrays
from fitting.solver.huber_scale import scaled_delta
from fitting.solver.solver import residuals
from fitting.solver.threads import one_thread
from fitting.uncertainty.mixture import SAID, mixture, unseen

if TYPE_CHECKING:
    pass

Array = np.ndarray

# The default target: this many times the largest run.
TARGET = 10.0
UNSEEN = 0.02  # of the lowest loss: a floor whose interval reaches below this is not seen (as in the checks of a fit)


def compare_families(
    runs: RunsLike,
    column: str,
    law: Law | LawKey = "auto",
    *,
    share: str = "auto",
    reference: str | None = None,
    target: float | None = None,
    exclude: Iterable[str] | Iterable[bool] = (),
    group: str | None = None,
    delta: float | str = "auto",
    intervals: str = "auto",
    resamples: int = 1000,
    seed: int = 0,
    columns: Columns = None,
    units: Units = None,
) -> Families:
    """The families that `column` names, each under `law`, compared with `reference` (default: the one with most runs, the first of them).

    `column` is called as in the table or as in the file it came from. `law` "auto" is the one that `choose` recommends without a
    prior: Chinchilla where size and tokens vary. `share` is "nothing", "floor", "exponents", "floor
    and exponents", or "auto": the lowest AICc among those that the runs do not reject, with refits in every way to share,
    weighed by AICc. `target` is the budget asked about, in FLOPs (default: ten times the largest run). `exclude`,
    `group`, `delta`, `intervals`, `resamples` and `seed` are those of `fit`; each family's noise is judged by its own runs.

    Raises FitError, in one sentence with what to do: no such column, one family only, too few runs in a family,
    families that do not overlap in compute, or a law that cannot say what a budget is best spent on or is of no loss.
    """
    _of_losses(law, column)
    table, excluded = without(whole_table(runs, None, columns, units), exclude, fresh=not isinstance(runs, Runs))
    table = table.fitted
    _check(share, resamples)
    seed = a_count("seed", seed, MOST_SEED)
    given, group = huber_delta(delta), a_name("group", group)
    group = group and (table.called(group) or group)
    a_name("intervals", intervals, 'a word such as "auto"')
    reference = a_name("reference", reference, "the name of a family")
    target = None if target is None else any_number("target", target, "a budget, one number of FLOP")
    column = resolved(table, a_name("column", column) or "")
    chosen, reason = choose(table, law, prior=False)  # each family has its own runs alone
    if is_one_of(law, ("auto",)) and not _of_budgets(chosen):  # its refusal says what a comparison lacks
        chosen, reason = choose(table, "chinchilla")
    if not _of_budgets(chosen):
        raise FitError(
            f"{chosen.title} does not say what a budget is best spent on, so it cannot compare families by compute. "
            "Choose a law of size and tokens, such as Chinchilla, or one of compute."
        )
    if not is_one_of(share, ("auto", *sharing.possible(chosen))):
        raise FitError(
            f"{chosen.title} has no {share} to share; choose one of auto, {', '.join(sharing.possible(chosen))}."
        )
    tables, notes = _split(table, column, chosen, group, reference)
    first = reference if reference is not None else max(tables, key=lambda name: len(tables[name].loss))
    tables = {first: tables.pop(first), **tables}
    overlap = _overlap(tables, first, column)
    largest = max(t.ranges["flops"][1] for t in tables.values())
    with one_thread():
        parts = tuple(part(name, t, chosen, np.inf if given is None else given) for name, t in tables.items())
        if given is None:
            parts = _scaled(parts)
        fits = _every_sharing(chosen, parts)
        tests = sharing.weighed({name: sharing.judged(fit, fits["nothing"]) for name, fit in fits.items()})
        picked, why = sharing.choose(tests, share)
        best = fits[picked]
        under = sharing.mixture(tests, share, resamples, seed)
        how = ways(parts, best, intervals, group)
        draws, settled = refits(parts, fits, under, seed, intervals, group)
    values = best.where.families(best.theta)
    _usable(values, parts, chosen, table.name)
    families = _families(parts, best, values, draws)
    rule = "auto" if given is None else "given"
    made = Families(
        column=column,
        header=next((s.header for s in table.sources if s.column == column and s.header), column),
        reference=first,
        families=families,
        law=chosen,
        share=picked,
        why=why,
        tests=tuple(tests.values()),
        overlap=overlap,
        target=float(TARGET * largest if target is None else target),
        warnings=(),
        notes=(*notes, *_settled(best, settled), *_edges(best, parts), *_off_optimal(families)),
        settings=Settings(
            delta=parts[0].problem.delta, delta_rule=rule, resamples=int(resamples), grouping=how[0].column,
            intervals=how[0].method, intervals_reason=how[0].reason, seed=int(seed),
            law_reason=reason, excluded=excluded,
        ),
        digest=table.digest,
        table=table.name,
        asked=share,
    )  # fmt: skip
    middle = [made.multiplier(name, np.sqrt(overlap[0] * overlap[1])).value for name in made.names]
    made.versus(made.others[0])  # a target out of reach is refused here, not on the page
    made = replace(made, notes=(*made.notes, *_floors(made)))
    return replace(made, warnings=words.warnings(column, labels(table.kept[column]), table.kept, made.names, middle))


def _of_budgets(law: Law) -> bool:
    """Whether a law says what a budget is best spent on."""
    return {"params", "tokens"} == set(law.inputs) or law.inputs == ("flops",)


def _check(share: str, resamples: int) -> None:
    if not is_one_of(share, ("auto", *sharing.SHARES)):
        raise FitError(f"share is one of auto, {', '.join(sharing.SHARES)}; it was {share!r}.")
    a_count("resamples", resamples, MOST_RESAMPLES)


def _split(
    table: Runs, column: str, law: Law, group: str | None, reference: str | None
) -> tuple[dict[str, Arrays], list[str]]:
    """Each family's arrays, and notes on what was left out."""
    named = labels(table.kept[column])
    counts = named[named != ""].value_counts()
    if reference is not None and reference not in counts:
        raise FitError(
            f"There is no family {reference!r} in {column}{nearest(reference, counts.index)}; there are "
            f"{', '.join(map(str, counts.index[:20]))}."
        )
    if len(counts) < 2:
        only = f"every run of {table.name} is {counts.index[0]!r}" if len(counts) else f"no run of {table.name} has one"
        raise FitError(
            f"Comparing needs two families or more, but {only} in {column}. Choose another column, or add the other family's runs."
            f"{table.want}"
        )
    tables: dict[str, Arrays] = {}
    short: dict[str, int] = {}
    order = {name: k for k, name in enumerate(dict.fromkeys(named))}
    for name in sorted(map(str, counts.index), key=lambda name: (-counts[name], order[name])):
        mine = table.kept[named == name].reset_index(drop=True)
        rows = int(mine[[c for c in (*law.inputs, law.output.column) if c in mine]].notna().all(axis=1).sum())
        if rows < law.min_runs:
            short[name] = rows
            continue
        if len(tables) == MOST_FAMILIES:
            raise FitError(
                f"{column} names more than {MOST_FAMILIES} families; choose a column with fewer, or exclude some runs."
            )
        label = f"{table.name}, {column} {name}"
        tables[name] = arrays(replace(table, kept=mine, history=None, name=label), law, group)
        if why := refusal(law, tables[name], f" of {label}"):
            raise FitError(why)
    listed = ", ".join(f"{name} has {n}" for name, n in list(short.items())[:6])
    if len(tables) < 2 or (reference in short):
        raise FitError(
            f"{law.title} needs at least {law.min_runs} runs in each family, but {listed}. "
            f"Add runs, or choose another column or a law with fewer parameters.{table.want}"
        )
    notes = [f"Left out for want of runs ({law.min_runs} are needed): {listed}."] if short else []
    empty = int((named == "").sum())
    if empty:
        notes.append(
            f"{plural(empty, 'run')} {f'has no {column} and is' if empty == 1 else f'have no {column} and are'} left out."
        )
    return {name: _with_flops(t) for name, t in tables.items()}, notes


def _with_flops(table: Arrays) -> Arrays:
    """The arrays with a range of FLOPs: counted as the table counts them, where it has no column of them."""
    if "flops" in table.ranges:
        return table
    flops = table.accounting.flops(table.inputs["params"], table.inputs["tokens"])
    return replace(table, ranges={**table.ranges, "flops": (float(flops.min()), float(flops.max()))})


def _overlap(tables: dict[str, Arrays], reference: str, column: str) -> tuple[float, float]:
    """The FLOPs that all families have runs between; FitError naming two that have none in common."""
    ranges = {name: t.ranges["flops"] for name, t in tables.items()}
    low, high = ranges[reference]
    for name, (least, most) in ranges.items():
        if least > high or most < low:
            raise FitError(
                f"{name} has runs from {least:.2g} to {most:.2g} FLOP and {reference} from {low:.2g} to {high:.2g}: with no compute in "
                "common, a comparison would be all extrapolation. Add runs of one family where the other has them, or choose another "
                f"reference among {column}."
            )
    low, high = max(least for least, _ in ranges.values()), min(most for _, most in ranges.values())
    # Families may each overlap with the reference and not with one another: then the reference's own middle is the place to stand.
    return (low, high) if low <= high else ranges[reference]


def _scaled(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts with one delta, scaled to the noise: the root mean square over the runs of each family's own."""
    own = np.repeat([scaled_delta(p.problem) for p in parts], [p.problem.n for p in parts])
    delta = float(np.sqrt(np.mean(own**2)))
    return tuple(replace(p, problem=replace(p.problem, delta=delta)) for p in parts)


def _of_losses(law: Law | LawKey, column: str) -> None:
    """FitError for a law of another output than the loss or of columns of its own, before a table is read that has no loss."""
    asked = all_laws().get(law) if isinstance(law, str) else law
    if not isinstance(asked, Law) or (asked.output.column == LOSS.column and not asked.own_columns):
        return
    by = column if isinstance(column, str) else "column"
    raise FitError(
        f"Families are compared by compute, under a law of the loss in params and tokens, or in flops; {asked.title} gives "
        f"{asked.output.column} from {' and '.join(asked.inputs)}. Fit each family by itself and compare what the fits predict: "
        f"fit(runs, law, exclude=runs.kept[{by!r}] != ...). Or leave law out, where the table has a loss."
    )


def _every_sharing(law: Law, parts: tuple[Part, ...]) -> dict[str, JointFit]:
    """All ways to share, fitted; each begins where those with more freedom ended."""
    fits = {"nothing": apart(law, parts)}
    for share in reversed(sharing.possible(law)):
        if share != "nothing":
            fits[share] = together(law, parts, share, list(fits.values()))
    return fits


def _families(parts: tuple[Part, ...], best: JointFit, values: list[Array], draws: list[Array]) -> tuple[Family, ...]:
    left = residuals(best.problem, best.theta[None, :])[0]
    ends = np.cumsum([p.problem.n for p in parts])
    return tuple(
        Family(
            p.name, v, d, p.table.runs, -left[end - p.problem.n : end], p.table.ranges, p.table.accounting,
            _unseen(p, p.where.law, v),
        )
        for p, v, d, end in zip(parts, values, draws, ends, strict=True)
    )  # fmt: skip


def _unseen(p: Part, law: Law, values: Array) -> float:
    """How many e-folds the mixture that the law calls best, in the middle of a family's budgets, lies outside its runs'."""
    mixed = mixture(law, dict(zip(law.names, values, strict=True)), p.table.inputs)
    if mixed is None:
        return 0.0
    middle = np.sqrt(np.prod(p.table.ranges["flops"]))
    best = optimum(valley(law, values[None, :], np.array([middle]), p.table.accounting))
    return float(mixed.outside({"params": best.params, "tokens": best.tokens})[0, 0])


def _off_optimal(families: tuple[Family, ...]) -> list[str]:
    """A note on each family whose runs mix size and data far from what its own law calls best."""
    return [
        f"The runs of {f.name} balance size and data {unseen(f.unseen)} away from the optimum of their own law: its intervals hold "
        "model discrepancy, as large as public sweeps showed there."
        for f in families
        if f.unseen > SAID
    ]


def _usable(values: list[Array], parts: tuple[Part, ...], law: Law, name: str) -> None:
    for p, v in zip(parts, values, strict=True):
        if not np.all(np.isfinite(v)):
            raise FitError(
                f"{law.title} fits {p.name} of {name} best with a constant beyond any number: its loss hardly depends on "
                f"{' and '.join(law.inputs)}. Choose another law, or check the columns."
            )


def _floors(made: Families) -> list[str]:
    """A note on families whose runs show no floor: far beyond the data, the lower floor always wins."""
    if not len(made.families[0].draws):
        return []
    floors = [i for i, p in enumerate(made.law.params) if p.is_floor]
    unseen = [
        f.name
        for f in made.families
        if any(np.quantile(f.draws[:, i], 0.025) <= UNSEEN * f.ranges["loss"][0] for i in floors)
    ]
    if not unseen:
        return []
    return [
        f"The runs of {' and '.join(unseen)} show no floor: predictions far beyond the data depend on a floor they do not identify."
    ]


def _edges(best: JointFit, parts: tuple[Part, ...]) -> list[str]:
    """A note on each family some of whose constants ended at the edge of what is plausible: its runs do not hold the law."""
    low, high = best.where.bounds
    reach = 1e-6 * (high - low)
    out = []
    for p, at in zip(parts, best.where.index, strict=True):
        edge = (best.theta[at] <= low[at] + reach[at]) | (best.theta[at] >= high[at] - reach[at])
        names = [param.name for param, on in zip(p.where.law.params, edge, strict=True) if on and not param.is_floor]
        if names:
            out.append(
                f"The runs of {p.name} do not identify the law: {' and '.join(names)} ended at the edge of the plausible range."
            )
    return out


def _settled(best: JointFit, settled: Array) -> list[str]:
    notes = []
    if not best.converged:
        notes.append("The fit stopped before a certified optimum: raise delta, or set aside runs far from the law.")
    late = 1.0 - float(np.mean(settled)) if len(settled) else 0.0
    if late > 0.02:
        notes.append(
            f"{100 * late:.0f} % of the refits did not converge: the runs are too few for this law, and the intervals are wide."
        )
    return notes
