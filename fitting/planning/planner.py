"""`plan`: from a fitted law and a budget (or a loss wanted) to model size, tokens and loss, each with its band."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fitting.accounting import Accounting
from fitting.amounts import count as amount
from fitting.arguments import a_level, as_numbers, at_fault, in_short, one_number, takes
from fitting.band import LEVEL, Band
from fitting.errors import FitError
from fitting.planning.allocation import Optimum, flat_range, optimum, valley
from fitting.planning.falling import falls_to_zero, halved
from fitting.planning.hardware import Hardware
from fitting.planning.limits import aim_inside, by_name
from fitting.planning.notes import FREE_EPOCHS, Text, all_notes
from fitting.planning.plan_result import Plan as Plan
from fitting.planning.plan_result import Split as Split
from fitting.planning.plan_result import no_best_size, open_ended
from fitting.result import Fit

Array = np.ndarray

# Budgets outside this are no budgets: a loss that needs more is called unreachable.
LEAST_FLOPS, MOST_FLOPS = 1e3, 1e45
ENDS = (float(np.log(LEAST_FLOPS)), float(np.log(MOST_FLOPS)))
ROUGHLY = 12  # halvings that lead to where a secant may begin
MOST_PARAMS = 1e24
ONE = 1.01  # a best size or number of tokens that is this or less is where the search ends
VALLEY_SHARE = 1e-3


@takes(fit=Fit)
def plan(
    fit: Fit,
    *,
    flops: Any = None,
    params: Any = None,
    loss: Any = None,
    devices: float | None = None,
    hours: Any = None,
    peak: float | None = None,
    utilisation: float | None = None,
    money: Any = None,
    price: float | None = None,
    unique_tokens: float | None = None,
    level: float = LEVEL,
) -> Plan:
    """The plan for one budget, given as `flops`, `devices` with `hours`, `money` with `price`, or a `loss` wanted.

    `fit`: the fit whose law splits the budget; FLOPs are counted as its table counts them.
    `flops`: training compute, in FLOP; a number, or (K,) of them.
    `params`: the model size, in parameters, one or (K,), to plan at instead of the best one.
    `loss`: the loss wanted, in the unit of the fit's losses, at the least compute; a number, or (K,) of them.
    `devices`: how many devices train.
    `hours`: for how long, in hours; a number, or (K,) of them.
    `peak`: a device's dense bf16 FLOP/s.
    `utilisation`: the share of the peak that training reaches, above 0 and at most 1.
    `money`: what may be spent, in the currency of `price`; a number, or (K,) of them.
    `price`: that of one device for one hour.
    `unique_tokens`: how much text there is, in tokens: a law of repeated data weighs it, any other is held to `FREE_EPOCHS` passes.
    `level`: the share that the intervals hold, between 0 and 1.

    Raises FitError when the law cannot say, or no budget reaches the loss; TypeError when the budget is not given once.
    """
    hardware = _hardware(devices, peak, utilisation, price)
    ways = {"flops": flops, "hours": hours, "money": money, "loss": loss}
    given = [k for k, v in ways.items() if v is not None]
    if len(given) != 1:
        raise TypeError(
            f"give one budget: flops, devices with hours, money with price, or a loss; given: {given or 'none'}"
        )
    if unique_tokens is not None:
        unique_tokens = one_number("unique_tokens", unique_tokens, "a number, at least 1", 1.0)
    knows = "unique_tokens" in fit.law.inputs
    if more := set(fit.law.inputs) - {"params", "tokens", "flops"} - ({"unique_tokens"} if unique_tokens else set()):
        raise FitError(
            f"{fit.law.title} also depends on {' and '.join(sorted(more))}, which a budget leaves open. To plan one, "
            f"{'give unique_tokens, how much text there is, or ' if more == {'unique_tokens'} else ''}fit a law of size and tokens, such "
            f"as Chinchilla; predict says the {fit.law.output.title.lower()} of any one run."
        )
    if fit.law.output.rises:
        raise FitError(
            f"{fit.law.title} gives {fit.law.output.title.lower()}, which rises with {' and '.join(fit.law.output.rises)}: a budget is "
            "planned to the least loss. predict says it of any one run."
        )
    if not ({"params", "tokens"} <= set(fit.law.inputs) or fit.law.inputs == ("flops",)):
        raise FitError(
            f"{fit.law.title} does not say how loss depends on both size and tokens, so it cannot split a budget. "
            "Fit a law of both, such as Chinchilla."
        )
    if params is not None and "params" not in fit.law.inputs:
        raise FitError(
            f"{fit.law.title} knows nothing of model size; fit a law of size and tokens to plan at a chosen one."
        )
    if params is not None:
        sizes = _numbers(params, "A model size is a number of parameters")
        if np.any(wrong := ~((sizes >= 1) & (sizes <= MOST_PARAMS))):
            raise FitError(
                f"A model size is a number of parameters, at least 1 and at most {MOST_PARAMS:.0e}; it was {at_fault(params, wrong)}."
            )
        params = sizes
    a_level(level)  # before the work
    text = None
    if unique_tokens is not None and fit.law.inputs != ("flops",):
        text = Text(float(unique_tokens), None if knows else FREE_EPOCHS * float(unique_tokens))
    if loss is not None:
        losses = _numbers(loss, f"{_a_target(fit)} is a positive number")
        if np.any(wrong := ~(np.isfinite(losses) & (losses > 0))):
            unit = f" of {fit.law.output.unit}" if fit.law.output.unit else ""
            raise FitError(f"{_a_target(fit)} is a positive number{unit}; it was {at_fault(loss, wrong)}.")
        return _for_loss(
            fit, *_together(losses, params, f"{_a_target(fit)} is a positive number"), hardware, level, text
        )
    if hours is not None:
        hardware = hardware or Hardware()
        with np.errstate(over="ignore"):  # endless is more than any budget may be
            flops = (
                _numbers(hours, "hours are positive numbers", positive=True)
                * hardware.devices
                * hardware.flops_per_device_hour
            )
    if money is not None:
        if hardware is None or hardware.price is None:
            raise TypeError("money needs price: what one device-hour costs")
        with np.errstate(over="ignore"):
            flops = (
                _numbers(money, "money is a positive number", positive=True)
                / hardware.price
                * hardware.flops_per_device_hour
            )
    budgets = _numbers(flops, "A budget is a number of FLOP")
    if np.any(wrong := ~((budgets >= LEAST_FLOPS) & (budgets <= MOST_FLOPS))):
        asked = f"it was {at_fault(ways[given[0]], wrong)}{'' if given == ['flops'] else f' in {given[0]}'}"
        raise FitError(f"A budget is between {LEAST_FLOPS:.0e} and {MOST_FLOPS:.0e} FLOP; {asked}.")
    return _for_flops(fit, *_together(budgets, params, "A budget is a number of FLOP"), hardware, level, text)


def _numbers(x: Any, what: str, *, positive: bool = False) -> Array:
    """Numbers of any shape as they were given, at least one of them, all `positive` if so; else FitError with `what` they are."""
    out = as_numbers(x)
    if out is None:
        raise FitError(f"{what}, or a list of them; it was {in_short(x)}.")
    if out.size == 0:
        raise FitError(f"{what}, or a list of them; the list was empty.")
    if positive and np.any(wrong := ~(np.isfinite(out) & (out > 0))):
        raise FitError(f"{what}, or a list of them; it was {at_fault(x, wrong)}.")
    return out


def _together(asked: Any, params: Array | None, what: str) -> tuple[Array, Array | None]:
    """What is asked and the sizes, of one shape."""
    numbers = _numbers(asked, what)
    if params is None:
        return numbers, None
    try:
        one, other = np.broadcast_arrays(numbers, params)
    except ValueError:
        raise FitError(
            f"A list of sizes goes with one budget or loss, or with as many: there are {numbers.size} and {params.size} sizes."
        ) from None
    return one, other


def _hardware(devices: Any, peak: Any, utilisation: Any, price: Any) -> Hardware | None:
    given = {"devices": devices, "peak": peak, "utilisation": utilisation, "price": price}
    given = {k: v for k, v in given.items() if v is not None}
    return Hardware(**given) if given else None


def _for_flops(
    fit: Fit, asked: Array, params: Array | None, hardware: Hardware | None, level: float, text: Text | None
) -> Plan:
    budgets, params = asked.ravel(), None if params is None else params.ravel()
    best = _at(fit, fit.values[None, :], budgets, params, text)
    if params is not None and len(short := np.flatnonzero(best.tokens[0] < 1.0)):
        k = int(short[0])
        raise FitError(
            f"At {amount(params[k])} parameters a budget of {budgets[k]:.3g} FLOP buys less than one token. Ask for a smaller model or "
            "a larger budget."
        )
    spread = _at(fit, fit.draws, budgets, params, text)
    return _assemble(
        fit, asked.shape, (budgets[None, :], budgets[None, :]), best, spread, params, hardware, level, text
    )


def _for_loss(
    fit: Fit, asked: Array, params: Array | None, hardware: Hardware | None, level: float, text: Text | None
) -> Plan:
    losses, params = asked.ravel(), None if params is None else params.ravel()
    aim_inside(fit.law.output, losses)

    def at(k: int) -> str:
        return "" if params is None else f" at {amount(params[k])} parameters"

    budget = _budget_for(fit, fit.values[None, :], losses, params, text)
    ends = [
        _at(fit, fit.values[None, :], np.full(len(losses), c), params, text).loss[0] for c in (LEAST_FLOPS, MOST_FLOPS)
    ]
    if len(over := np.flatnonzero(losses >= ends[0])):
        k = int(over[0])
        raise FitError(
            f"{_a_target(fit)} of {losses[k]:.4g}{at(k)} takes no training: by this fit {LEAST_FLOPS:.0e} FLOP "
            f"already give {ends[0][k]:.4g}. "
            f"Ask for a lower {fit.law.output.title.lower()}."
        )
    if len(under := np.flatnonzero(~np.isfinite(budget[0]))):
        k = int(under[0])
        raise FitError(
            f"No budget reaches {_a_target(fit).lower()} of {losses[k]:.4g}{at(k)}: by this fit it cannot fall below {ends[1][k]:.4g}. "
            f"Ask for a higher {fit.law.output.title.lower()}."
        )
    best = _reached(_rowwise(fit, fit.values[None, :], budget, fit.accounting, params, text), losses)
    if params is not None and len(short := np.flatnonzero(best.tokens[0] < 1.0)):
        k = int(short[0])
        raise FitError(
            f"{_a_target(fit)} of {losses[k]:.4g}{at(k)} takes less than one token. Ask for a smaller model or a lower "
            f"{fit.law.output.title.lower()}."
        )
    budgets = _budget_for(fit, fit.draws, losses, params, text, near=budget)
    spread = _reached(_rowwise(fit, fit.draws, budgets, _counted(fit, fit.draws), params, text), losses)
    return _assemble(fit, asked.shape, (budget, budgets), best, spread, params, hardware, level, text)


def _reached(found: Optimum, losses: Array) -> Optimum:
    """The same with losses (R, K) that were reached as they were asked, (K,): bisection leaves them in the last digits."""
    return replace(found, loss=np.where(np.isclose(found.loss, losses, rtol=1e-9, atol=0.0), losses, found.loss))


def _a_target(fit: Fit) -> str:
    """What is asked for, with its article: A loss, An error rate."""
    word = fit.law.output.title.lower()
    return f"{'An' if word[0] in 'aeiou' else 'A'} {word}"


def _at(fit: Fit, values: Array, budgets: Array, params: Array | None, text: Text | None = None) -> Optimum:
    """Size, tokens and loss (R, K) for parameter sets (R, p) at budgets (K,)."""
    shape = (len(values), len(budgets))
    if fit.law.inputs == ("flops",):
        named = {k: values[:, i, None] for i, k in enumerate(fit.law.names)}
        missing = np.full(shape, np.nan)
        return Optimum(missing, missing, np.broadcast_to(fit.law({"flops": budgets}, named), shape))
    v = valley(fit.law, values, budgets, _counted(fit, values), text.given(fit) if text else None)
    if params is None:
        return optimum(v, text.most if text else None)
    log_n = np.broadcast_to(np.log(params), shape)
    return Optimum(np.exp(log_n), np.array(v.tokens(log_n)), np.array(v.loss(log_n)))


def _counted(fit: Fit, values: Array) -> Accounting:
    """How FLOPs are counted with parameter sets (R, p): as is likeliest, or for the fit's draws a form each."""
    return fit.accounting.drawn(len(values)) if values is fit.draws else fit.accounting


def _rowwise(
    fit: Fit, values: Array, budgets: Array, count: Accounting, params: Array | None, text: Text | None = None
) -> Optimum:
    """As `_at`, with budgets of its own for each parameter set: values (R, p), budgets (R, K), FLOPs counted by `count`."""
    reachable = np.isfinite(budgets)
    safe = np.where(reachable, budgets, MOST_FLOPS)
    if fit.law.inputs == ("flops",):
        named = {k: values[:, i, None] for i, k in enumerate(fit.law.names)}
        missing = np.full(budgets.shape, np.nan)
        found = Optimum(missing, missing, fit.law({"flops": safe}, named))
    else:
        v = valley(fit.law, values, safe, count, text.given(fit) if text else None)
        if params is None:
            found = optimum(v, text.most if text else None)
        else:
            log_n = np.broadcast_to(np.log(params), budgets.shape)
            found = Optimum(np.exp(log_n), np.array(v.tokens(log_n)), np.array(v.loss(log_n)))
    unreachable = np.where(reachable, 1.0, np.inf)
    sized = 1.0 if params is not None else unreachable
    return Optimum(found.params * sized, found.tokens * unreachable, found.loss)


def _budget_for(
    fit: Fit,
    values: Array,
    losses: Array,
    params: Array | None,
    text: Text | None = None,
    near: Array | None = None,
) -> Array:
    """The budgets (R, K) at which each parameter set reaches losses (K,); infinite where none does.

    `near` are budgets (1, K) to begin at. A secant in log C, and where it finds no budget, bisection.
    """
    shape = (len(values), len(losses))
    if len(values) == 0:
        return np.zeros(shape)
    count = _counted(fit, values)

    def over(log_c: Array, rows: Array) -> Array:
        some = _rowwise(fit, values[rows], np.exp(log_c), count.rows(rows), params, text)
        return np.asarray(some.loss - losses)

    every = np.arange(len(values))
    start = halved(partial(over, rows=every), shape, ENDS, ROUGHLY) if near is None else np.log(near)
    log_c = falls_to_zero(partial(over, rows=every), np.broadcast_to(start, shape), ENDS)
    if len(lost := np.flatnonzero(np.isnan(log_c).any(axis=1))):
        found = halved(partial(over, rows=lost), (len(lost), len(losses)), ENDS)
        log_c[lost] = np.where(np.isnan(log_c[lost]), found, log_c[lost])
    return np.exp(log_c)


def _assemble(
    fit: Fit,
    shape: tuple[int, ...],
    budgets: tuple[Array, Array],
    best: Optimum,
    spread: Optimum,
    params: Array | None,
    hardware: Hardware | None,
    level: float,
    text: Text | None = None,
) -> Plan:
    def band(a: Array, b: Array) -> Band:
        return fit.band_of(a, b, level, shape)

    sized = fit.law.inputs != ("flops",)
    chosen = budgets[0]
    endless = (spread.params < ONE) | (spread.tokens < ONE) if sized and params is None else None

    def of_size(a: Array, b: Array) -> Band:
        return band(a, open_ended(a, b, endless))

    flat, penalty = None, None
    if sized and params is None:
        v = valley(fit.law, fit.values[None, :], chosen[0], fit.accounting, text.given(fit) if text else None)
        low, high = flat_range(v, best, VALLEY_SHARE)
        if text is not None and text.most is not None:
            low = np.maximum(low, fit.accounting.params(chosen, text.most))
        flat = tuple(float(x[0, 0]) if shape == () else np.reshape(x[0], shape) for x in (low, high))
    if sized and params is not None:
        # A size that goes more often over its text than the best may is compared with the best of as many passes as are needed.
        over = text is not None and text.most is not None and bool(np.any(best.tokens > text.most * 1.000001))
        excess = [_excess(fit, budgets, best, spread, t) for t in ((text, None) if over else (text,))]
        if over and text is not None and text.most is not None:
            free = best.tokens[0] > text.most * 1.000001
            excess = [tuple(np.where(free, b, a) for a, b in zip(*excess, strict=True))]
        penalty = band(*excess[0])
    largest = fit.ranges.get("flops", (np.nan, np.nan))[1]
    beyond = np.reshape(chosen[0] / largest, shape)
    places = _places(fit, chosen, best, text)
    loss, of_run = map(fit.possible, fit.new_run.mean_and_run(places, best.loss, spread.loss, level, shape))
    spread_budget = (
        np.broadcast_to(budgets[1], (len(fit.draws), chosen.shape[1]))
        if len(fit.draws)
        else np.empty((0, chosen.shape[1]))
    )
    noted = all_notes(fit, chosen[0], best, sized, text)
    return Plan(
        flops=band(chosen, spread_budget),
        params=of_size(best.params, spread.params) if sized else None,
        tokens=of_size(best.tokens, spread.tokens) if sized else None,
        tokens_per_param=of_size(best.tokens / best.params, _ratio(spread)) if sized else None,
        loss=loss,
        loss_run=of_run,
        valley=flat,  # type: ignore[arg-type]
        penalty=penalty,
        beyond=float(beyond) if shape == () else beyond,
        hardware=hardware,
        notes=tuple(dict.fromkeys((*noted, *no_best_size(endless), *loss.notes, *of_run.notes))),
        split=Split(
            by_name(fit.law.output, chosen, best, sized), by_name(fit.law.output, spread_budget, spread, sized), endless
        ),
        warnings=fit.warnings,
    )


def _excess(
    fit: Fit, budgets: tuple[Array, Array], best: Optimum, spread: Optimum, text: Text | None
) -> tuple[Array, Array]:
    """By what share losses (1, K) and (R, K) exceed those of the best sizes for the same budgets."""
    ideal = _at(fit, fit.values[None, :], budgets[0][0], None, text)
    if budgets[1] is budgets[0]:
        others = _at(fit, fit.draws, budgets[1][0], None, text)
    else:
        others = _rowwise(fit, fit.draws, budgets[1], _counted(fit, fit.draws), None, text)
    with np.errstate(all="ignore"):
        return best.loss / ideal.loss - 1.0, spread.loss / others.loss - 1.0


def _places(fit: Fit, budgets: Array, best: Optimum, text: Text | None) -> dict[str, Array]:
    """Where the plan's runs lie, (1, K) for each of the law's inputs."""
    unique = np.full(best.tokens.shape, text.unique if text else np.nan)
    known = {"flops": budgets, "params": best.params, "tokens": best.tokens, "unique_tokens": unique}
    return {k: known[k] for k in fit.law.inputs}


def _ratio(o: Optimum) -> Array:
    with np.errstate(invalid="ignore"):
        ratio = o.tokens / o.params
    return np.where(np.isnan(ratio), np.inf, ratio)  # both unreachable: more of either than there is
