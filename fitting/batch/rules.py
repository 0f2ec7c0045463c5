"""Rules that carry an optimiser's settings from one batch size to another, when each holds, and what speaks against a change.

`k` is the new batch over the old one throughout. A rule keeps some quantity per example the same; none makes a batch beyond the
critical one worth its data. A rule whose formula was not found in print (RMSprop, the random-matrix bound) is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from math import sqrt
from typing import Any

from fitting.arguments import any_number, one_number
from fitting.errors import FitError

# Without a noise scale nothing says how far a rule reaches; from here on that is said. A choice, not a measurement.
FAR = 8.0
DECAYS = ("beta1", "beta2", "ema")
LINEAR_TO = 8192.0  # images a step: as far as Goyal et al. 2017 saw the linear rule hold, for ResNet-50 on ImageNet


@dataclass(frozen=True)
class Optimiser:
    """What is set at one batch size: `batch` in any unit (that of the noise scale), peak rate `lr`, and what the optimiser has.

    `beta1`, `beta2` and `eps` are Adam's, `weight_decay` AdamW's (decoupled, times lr a step), `ema` the share that an average
    of the weights keeps a step; None where there is none. Raises FitError for a number that cannot be meant.
    """

    batch: float
    lr: float
    beta1: float | None = None
    beta2: float | None = None
    eps: float | None = None
    weight_decay: float | None = None
    ema: float | None = None

    def __post_init__(self) -> None:
        for name in (f.name for f in fields(self)):
            value = getattr(self, name)
            if name in ("batch", "lr"):
                one_number(name, value)
            elif value is None:
                continue
            elif name not in DECAYS:
                one_number(name, value, "zero or a positive number", least=0.0)
            elif not 0.0 <= any_number(name, value, "at least 0 and below 1") < 1.0:
                raise FitError(f"{name} is at least 0 and below 1; it was {value!r}.")


@dataclass(frozen=True)
class Rule:
    """A rule of rescaling. `change(old, k, noise)` gives the settings that change, `doubt` a sentence against it or ''.

    `needs` names settings it cannot do without ("noise": the gradient noise scale, in the unit of the batch), `alters` those it
    changes, `holds` says when it holds, `keeps` what stays the same.
    """

    key: str
    title: str
    keeps: str
    holds: str
    source: str
    alters: tuple[str, ...]
    change: Callable[[Optimiser, float, float], dict[str, float]]
    doubt: Callable[[Optimiser, float, float | None], str]
    needs: tuple[str, ...] = ()

    def __call__(self, old: Optimiser, batch: float, noise: float | None = None) -> Optimiser:
        """The settings at another batch; what the rule does not speak of stays. Raises FitError where it gives none."""
        return rescale(old, batch, self, noise=noise)

    def warning(self, old: Optimiser, batch: float, noise: float | None = None) -> str:
        """One sentence on what speaks against this very change, or ''; `noise` is a noise scale or critical batch, if known."""
        return self.doubt(old, _ratio(old, batch, noise), noise)


def rescale(old: Optimiser, batch: float, *rules: Rule, noise: float | None = None) -> Optimiser:
    """The settings at another batch by several rules at once, such as Adam's and the average's.

    Raises FitError when two rules change the same setting, when one lacks a setting it needs, or when the result would be none.
    """
    if not isinstance(old, Optimiser) or not all(isinstance(rule, Rule) for rule in rules):
        raise FitError("rescale(old, batch, *rules) takes an Optimiser, a batch, and rules such as those of RULES.")
    k = _ratio(old, batch, noise)
    found: dict[str, float] = {}
    for rule in rules:
        lacking = [n for n in rule.needs if (noise if n == "noise" else getattr(old, n)) is None]
        if lacking:
            raise FitError(f"{rule.title} needs {' and '.join(_said(n) for n in lacking)}, which is not given.")
        twice = sorted(set(rule.alters) & {name for other in rules if other is not rule for name in other.alters})
        if twice:
            raise FitError(f"Two of these rules change {' and '.join(twice)}; use one of them.")
        found |= rule.change(old, k, noise or 0.0)
    return replace(old, batch=float(batch), **found)


def ramp(old: Optimiser, new: Optimiser, share: Any) -> Any:
    """The rate at a `share` (0 to 1, array or number) of a gradual warm-up: in a line from the old rate to the new one.

    Goyal et al. 2017 (arXiv 1706.02677) take five epochs over it.
    """
    return old.lr + (new.lr - old.lr) * share


def timescale(batch: float, lr: float, weight_decay: float, tokens: float) -> float:
    """AdamW's averaging time as a share of the run: batch / (lr weight_decay tokens), batch and tokens in one unit.

    Wang & Aitchison 2024; Bergsma et al. 2025 (arXiv 2505.13738). Raises FitError for numbers that are not positive.
    """
    for name, value in (("batch", batch), ("lr", lr), ("weight_decay", weight_decay), ("tokens", tokens)):
        one_number(name, value)
    return batch / (lr * weight_decay * tokens)


def _said(name: str) -> str:
    return "the noise scale" if name == "noise" else name


def _ratio(old: Optimiser, batch: float, noise: float | None) -> float:
    one_number("batch", batch)
    if noise is not None:
        one_number("noise", noise)
    return batch / old.batch


def _reach(old: Optimiser, k: float, noise: float | None) -> str:
    """Whether the new batch leaves the range where noise rules, as linear, square-root and SDE rules suppose."""
    batch = k * old.batch
    if noise is None:
        return (
            f"The batch grows {k:.3g}-fold and no noise scale says whether the rule reaches so far." if k >= FAR else ""
        )
    if batch <= noise or k <= 1.0:
        return ""
    return (
        f"{batch:.4g} is above the noise scale, {noise:.4g}: noise no longer rules, and the rule sets too high a rate."
    )


def _linear(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return {"lr": k * old.lr}


def _linear_doubt(old: Optimiser, k: float, noise: float | None) -> str:
    if k <= 1.0:
        return ""
    if noise is None:
        return _linear_limit(old, k)
    over = (k * old.batch + noise) / (old.batch + noise)
    said = f"At a noise scale of {noise:.4g} this is {over:.3g} times the best rate of a quadratic model."
    return said if over >= 1.5 else ""


def _linear_limit(old: Optimiser, k: float) -> str:
    """What speaks against the linear rule where no noise scale is known: that it was measured up to some batch only."""
    batch = k * old.batch
    if old.batch > LINEAR_TO:  # begun beyond it, or counted in tokens
        return _reach(old, k, None)
    if batch <= LINEAR_TO:
        return ""
    return (
        f"The rule was seen to hold up to {LINEAR_TO:,.0f} images a step (ResNet-50 on ImageNet); {batch:,.4g} is "
        f"{batch / LINEAR_TO:.3g} times that, and no noise scale says whether it reaches so far."
    )


def _saturating(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return {"lr": old.lr * k * (old.batch + noise) / (k * old.batch + noise)}


def _past_noise(old: Optimiser, k: float, noise: float | None) -> str:
    batch = k * old.batch
    if noise is None or batch <= noise or k <= 1.0:
        return ""
    return f"{batch:.4g} is above the noise scale, {noise:.4g}: a larger batch saves few steps there."


def _root(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return {"lr": sqrt(k) * old.lr}


def _sde_adam(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return _sde(old, k, ("beta1", "beta2"))


def _sde_rmsprop(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return _sde(replace(old, beta1=None), k, ("beta2",))


def _sde(old: Optimiser, k: float, betas: tuple[str, ...]) -> dict[str, float]:
    gone = _gone(old, k)
    if gone:
        raise FitError(gone)
    out = {name: 1.0 - k * (1.0 - getattr(old, name)) for name in betas}
    return {"lr": sqrt(k) * old.lr, **out, **({} if old.eps is None else {"eps": old.eps / sqrt(k)})}


def _gone(old: Optimiser, k: float) -> str:
    """A sentence for a beta that would not stay above zero, with the largest batch that leaves one."""
    held = {name: getattr(old, name) for name in ("beta1", "beta2") if getattr(old, name) is not None}
    lost = [name for name, value in held.items() if k * (1.0 - value) >= 1.0]
    if not lost or k <= 1.0:
        return ""
    most = old.batch / (1.0 - min(held.values()))
    said = " and ".join(f"{name} of {1.0 - k * (1.0 - held[name]):.3g}" for name in lost)
    return f"The SDE rule would need a {said}: stay below a batch of {most:.4g}."


def _sde_adam_doubt(old: Optimiser, k: float, noise: float | None) -> str:
    return _gone(old, k) or _reach(old, k, noise)


def _ema(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return {"ema": float(old.ema or 0.0) ** k}


def _ema_doubt(old: Optimiser, k: float, noise: float | None) -> str:
    if old.ema is None or k <= 1.0 or old.ema**k >= 0.5:
        return ""
    return f"A decay of {old.ema**k:.3g} averages over fewer than two steps: at this batch there is hardly an average left."


def _surge(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    def shape(batch: float) -> float:
        return 2.0 / (sqrt(noise / batch) + sqrt(batch / noise))

    return {"lr": old.lr * shape(k * old.batch) / shape(old.batch)}


def _decay(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return {"weight_decay": k * float(old.weight_decay or 0.0)}


def _decay_and_rate(old: Optimiser, k: float, noise: float) -> dict[str, float]:
    return {"lr": sqrt(k) * old.lr, "weight_decay": sqrt(k) * float(old.weight_decay or 0.0)}


def _decay_doubt(old: Optimiser, k: float, noise: float | None) -> str:
    if noise is None or k <= 1.0 or k * old.batch <= noise:
        return ""
    return f"{k * old.batch:.4g} is above the critical batch, {noise:.4g}: the rule was seen to hold up to there."


RULES: tuple[Rule, ...] = (
    Rule(
        "linear",
        "Linear with warm-up",
        keeps="rate over batch",
        holds="SGD with momentum, batches well below the noise scale, the rate warmed up from the old one over five epochs; "
        f"on ImageNet with ResNet-50 up to {LINEAR_TO:.0f} images a step.",
        source="Goyal et al. 2017, arXiv 1706.02677",
        alters=("lr",),
        change=_linear,
        doubt=_linear_doubt,
    ),
    Rule(
        "saturating",
        "Linear up to the noise scale",
        keeps="the best rate of a quadratic model, largest rate / (1 + noise scale / batch)",
        holds="SGD, where the noise scale was measured at a well-chosen rate and stays much the same.",
        source="McCandlish et al. 2018, arXiv 1812.06162",
        alters=("lr",),
        change=_saturating,
        doubt=_past_noise,
        needs=("noise",),
    ),
    Rule(
        "sqrt",
        "Square root",
        keeps="rate over the square root of batch",
        holds="Adam and its kin at batches well below the critical one, betas as they are; for SGD the older of two rules of thumb.",
        source="Krizhevsky 2014; for Adam Merrill et al. 2025, arXiv 2505.23971",
        alters=("lr",),
        change=_root,
        doubt=_reach,
    ),
    Rule(
        "sde_adam",
        "Adam by its SDE",
        keeps="rate over the square root of batch, the examples each average remembers, eps beside the gradient's noise",
        holds="Adam where noise rules the gradient, while k (1 - beta) stays below 1; weight decay is another rule's matter.",
        source="Malladi et al. 2022, arXiv 2205.10287",
        alters=("lr", "beta1", "beta2", "eps"),
        change=_sde_adam,
        doubt=_sde_adam_doubt,
        needs=("beta1", "beta2"),
    ),
    Rule(
        "sde_rmsprop",
        "RMSprop by its SDE",
        keeps="rate over the square root of batch, the examples the average of squares remembers, eps beside the gradient's noise",
        # The abstract says that RMSprop's rule is a square root; how beta and eps follow is derived as for Adam, and simulated.
        holds="RMSprop (its decay as beta2) where noise rules the gradient, while k (1 - beta2) stays below 1.",
        source="Malladi et al. 2022, arXiv 2205.10287; beta2 and eps derived here",
        alters=("lr", "beta2", "eps"),
        change=_sde_rmsprop,
        doubt=lambda old, k, noise: _sde_adam_doubt(replace(old, beta1=None), k, noise),
        needs=("beta2",),
    ),
    Rule(
        "ema",
        "Average of the weights",
        keeps="the examples an average of the weights remembers: decay to the power k",
        holds="Any such average, together with the optimiser's own rule.",
        source="Busbridge et al. 2023, arXiv 2307.13813",
        alters=("ema",),
        change=_ema,
        doubt=_ema_doubt,
        needs=("ema",),
    ),
    Rule(
        "surge",
        "Surge",
        keeps="the best rate of a sign-like optimiser, which rises as the root of batch, peaks at the noise scale and falls",
        holds="Adam and its kin with the betas as they are, while the noise scale stays much the same; it grows along training.",
        source="Li et al. 2024, arXiv 2405.14578",
        alters=("lr",),
        change=_surge,
        doubt=_past_noise,
        needs=("noise",),
    ),
    Rule(
        "timescale",
        "AdamW timescale by weight decay",
        keeps="batch / (rate * weight decay * tokens), the rate and the tokens of the run",
        holds="AdamW up to the critical batch, on the same number of tokens.",
        source="Bergsma et al. 2025, arXiv 2505.13738",
        alters=("weight_decay",),
        change=_decay,
        doubt=_decay_doubt,
        needs=("weight_decay",),
    ),
    Rule(
        "timescale_sqrt",
        "AdamW timescale by rate and weight decay",
        keeps="batch / (rate * weight decay * tokens), both growing as the square root of batch",
        holds="AdamW below the critical batch, on the same number of tokens.",
        source="nanochat; the timescale from Bergsma et al. 2025, arXiv 2505.13738",
        alters=("lr", "weight_decay"),
        change=_decay_and_rate,
        doubt=_reach,
        needs=("weight_decay",),
    ),
)
