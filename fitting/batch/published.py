"""Published laws of learning rate, batch size and averaging time, each with its unit and the range it was fitted in.

They disagree, and partly measure other things: an optimal batch gives the lowest loss, a critical batch is where a larger one
begins to cost data. Laws whose constants were not found in print are left out: the batch laws of Power Lines, Zhang's law of
tokens and MiniCPM's, whose unit is unclear.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import exp
from typing import Any

import numpy as np

from fitting.arguments import in_short
from fitting.errors import FitError
from fitting.laws.compute import PF_DAY

Array = np.ndarray

# What a law gives.
RATE, OPTIMAL, CRITICAL, TIMESCALE = "learning rate", "optimal batch", "critical batch", "AdamW timescale"
SAID = {"params": "parameters", "tokens": "tokens", "flops": "FLOP", "loss": "nats"}


@dataclass(frozen=True)
class Power:
    """coefficient * product of (input / unit)^exponent; `units` is 1 for an input that it does not name."""

    coefficient: float
    exponents: Mapping[str, float]
    units: Mapping[str, float] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs in order."""
        return tuple(self.exponents)

    def __call__(self, *inputs: Any) -> Any:
        """The law's answer for its inputs in order, broadcast together."""
        out = self.coefficient
        for (name, exponent), value in zip(self.exponents.items(), inputs, strict=True):
            out = out * (value / self.units.get(name, 1.0)) ** exponent
        return out


@dataclass(frozen=True)
class Logarithm:
    """level + slope * ln(input), which has no positive answer beyond `exp(-level / slope)`."""

    level: float
    slope: float
    inputs: tuple[str, ...]

    def __call__(self, value: Any) -> Any:
        """The law's answer, nan where it is not positive."""
        out = self.level + self.slope * np.log(value)
        return np.where(out > 0, out, np.nan)


@dataclass(frozen=True)
class PublishedLaw:
    """One published law. Inputs are `params`, `tokens`, `flops` or `loss` in parameters, tokens, FLOP and nats per token.

    `gives` is "learning rate", "optimal batch", "critical batch" or "AdamW timescale" (a share of the run), `unit` that of the
    answer: "tokens" or "sequences" a step (of `seq_len` tokens each), or "". `domain` holds the ends of what was fitted, as far
    as they are known, `setup` how it was trained and what N counts, `note` what to know before using it.
    """

    key: str
    gives: str
    paper: str
    source: str
    formula: Power | Logarithm
    setup: str
    unit: str = ""
    seq_len: int | None = None
    domain: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    note: str = ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the law asks for."""
        return self.formula.inputs

    def __call__(self, **inputs: Any) -> Array:
        """The law's answer in its own unit, for inputs by name that broadcast together; others than its own are ignored.

        nan where the law gives no positive number. Raises FitError for an input that is missing or not positive.
        """
        with np.errstate(all="ignore"):
            return np.asarray(self.formula(*self._own(inputs)), float)

    def tokens(self, **inputs: Any) -> Array:
        """A batch in tokens a step, at the sequence length the law was fitted at. Raises FitError for a law of something else."""
        if not self.unit:
            raise FitError(
                f"{self.paper} gives the {self.gives} here, which is not a number of tokens. Ask a batch law."
            )
        return self(**inputs) * (self.seq_len if self.unit == "sequences" and self.seq_len else 1)

    def outside(self, **inputs: Any) -> str:
        """One sentence when an input lies outside what the law was fitted on, or the range is not known; '' when all lie inside."""
        beyond = self.exceeded(**inputs)
        if beyond:
            return f"{self.paper} fitted this on {beyond}; what is asked lies beyond."
        if not set(self.inputs) <= set(self.domain):
            unknown = " and ".join(k for k in self.inputs if k not in self.domain)
            return f"The range of {unknown} that {self.paper} fitted this on is not known here."
        return ""

    def exceeded(self, **inputs: Any) -> str:
        """The known ranges that an input lies outside of, in words; '' when all lie inside."""
        said = []
        for name, value in zip(self.inputs, self._own(inputs), strict=True):
            if name in self.domain:
                low, high = self.domain[name]
                # The ends are rounded as papers print them.
                if value.min() < 0.995 * low or value.max() > 1.005 * high:
                    said.append(f"{low:.3g} to {high:.3g} {SAID[name]}".replace("e+0", "e").replace("e+", "e"))
        return " and ".join(said)

    def _own(self, inputs: Mapping[str, Any]) -> list[Array]:
        out = []
        for name in self.inputs:
            if name not in inputs:
                raise FitError(
                    f"{self.paper} gives the {self.gives} from {' and '.join(self.inputs)}; {name} is missing."
                )
            value = np.asarray(inputs[name], float)
            if not np.all(value > 0):
                raise FitError(f"{name} is a positive number of {SAID[name]}; it was {inputs[name]!r}.")
            out.append(value)
        return out


def _pair(rate: Power, batch: Power, **shared: Any) -> tuple[PublishedLaw, PublishedLaw]:
    """The two laws that one paper fitted to the same runs."""
    key = shared.pop("key")
    return (
        PublishedLaw(f"{key}_lr", RATE, formula=rate, **shared),
        PublishedLaw(f"{key}_batch", OPTIMAL, formula=batch, unit="tokens", **shared),
    )


_KAPLAN = "Kaplan et al. 2020"
_KAPLAN_SETUP = "N without embeddings; WebText2, context 1024, Adam, cosine to zero."
_ZHANG: dict[str, Any] = {
    "gives": CRITICAL,
    "paper": "Zhang et al. 2024",
    "source": "arXiv 2410.21676",
    "unit": "sequences",
    "seq_len": 512,
    "domain": {"params": (85e6, 1.2e9)},
}
_ZHANG_NOTE = (
    "Critical is where steps are 20 % above linear scaling from 256 sequences: "
    "0.2 of McCandlish's critical batch and 1.2 times 256."
)

PUBLISHED: tuple[PublishedLaw, ...] = (
    *_pair(
        Power(1.79, {"params": -0.713, "tokens": 0.307}),
        Power(0.58, {"tokens": 0.571}),
        key="steplaw",
        paper="Li et al. 2025 (Step Law)",
        source="arXiv 2503.04715",
        setup="N without vocabulary parameters; cosine to a fixed lowest rate, 2000 steps of warm-up.",
        domain={"params": (2.15e8, 1.07e9), "tokens": (4e9, 1e11)},
        note="The range is that of the released dense runs, which refit to other exponents; judged by loss the law does well on "
        "them. The rate rises with tokens because the batch does.",
    ),
    *_pair(
        Power(3.7, {"params": -0.36}),
        Power(0.7576, {"params": 0.703}),
        key="porian",
        paper="Porian et al. 2024",
        source="arXiv 2406.19146",
        setup="N with the head, without input embeddings; 20 tokens a parameter, constant rate, beta2 0.99, sequences of 2048.",
        domain={"params": (25e6, 110e6)},
        note="At small batches it needs beta2 of 0.99, not 0.95.",
    ),
    *_pair(
        Power(0.3118, {"flops": -0.1250}),
        Power(0.2920, {"flops": 0.3271}),
        key="deepseek",
        paper="Bi et al. 2024 (DeepSeek LLM)",
        source="arXiv 2401.02954",
        setup="C counts FLOP a token without embeddings and with attention; AdamW, rate lowered in steps.",
        domain={"flops": (1e17, 2e19)},
        note="Size and tokens follow its own allocation of compute.",
    ),
    PublishedLaw(
        "kaplan_lr",
        RATE,
        paper=_KAPLAN,
        source="arXiv 2001.08361, appendix D.6",
        formula=Logarithm(3.239e-3, -1.395e-4, ("params",)),
        setup=_KAPLAN_SETUP,
        domain={"params": (768.0, 1.5e9)},
        note=f"A rule of thumb; its logarithm is read as the natural one, so that none is left beyond "
        f"{exp(3.239 / 0.1395):.2g} parameters.",
    ),
    PublishedLaw(
        "kaplan_critical",
        CRITICAL,
        paper=_KAPLAN,
        source="arXiv 2001.08361, eq. 5.3",
        formula=Power(2e8, {"loss": -1.0 / 0.21}),
        setup=_KAPLAN_SETUP,
        unit="tokens",
        note="At a loss with that paper's tokeniser and text, whatever the size; its table 5 has 2.1e8 in place of 2e8.",
    ),
    PublishedLaw(
        "kaplan_critical_flops",
        CRITICAL,
        paper=_KAPLAN,
        source="arXiv 2001.08361, table 6",
        formula=Power(2.0e6, {"flops": 0.24}, {"flops": PF_DAY}),
        setup=_KAPLAN_SETUP,
        unit="tokens",
        note="At the lowest loss this compute reaches with small batches; training at this batch takes twice the compute.",
    ),
    PublishedLaw(
        "bjorck_lr",
        RATE,
        paper="Bjorck et al. 2024",
        source="arXiv 2409.19913",
        formula=Power(1.55e-3, {"params": -0.23, "tokens": -0.32}, {"params": 1e9, "tokens": 1e9}),
        setup="Batch held at half a million tokens.",
        note="The rate falls with tokens because the batch is held; in Step Law it rises because the batch does.",
    ),
    PublishedLaw(
        "powerlines_timescale",
        TIMESCALE,
        paper="Bergsma et al. 2025 (Power Lines)",
        source="arXiv 2505.13738",
        formula=Power(1.084, {"tokens": -0.527, "params": 0.527}),
        setup="AdamW under muP, rate lowered in a line to zero, SlimPajama, sequences of 2048.",
        domain={"params": (111e6, 3.3e9)},
        note="Batch over (learning rate, weight decay and tokens): weight decay follows from it, up to the critical batch.",
    ),
    PublishedLaw(
        "zhang_coupled",
        formula=Power(93.20, {"params": 0.47}, {"params": 1e6}),
        setup="Size and tokens grow together as in Chinchilla; C4, Adam, constant rate with averaged weights.",
        note=_ZHANG_NOTE,
        **_ZHANG,
    ),
    PublishedLaw(
        "zhang_fixed_tokens",
        formula=Power(621.341, {"params": 0.087}, {"params": 1e6}),
        setup="All sizes on 3.072 billion tokens; C4, Adam, constant rate with averaged weights.",
        note=_ZHANG_NOTE,
        **_ZHANG,
    ),
    *_pair(
        Power(2.0e-4, {"tokens": -0.0453, "params": -0.1619}, {"tokens": 1e9, "params": 1e9}),
        Power(2.1797e4, {"tokens": 0.8080, "params": 0.1906}, {"tokens": 1e9, "params": 1e9}),
        key="video_dit",
        paper="Yin et al. 2024 (Video DiT)",
        source="arXiv 2411.17470",
        setup="Video diffusion transformers, constant rate.",
        domain={"params": (17e6, 260e6), "tokens": (2e9, 12e9)},
        note="For video, not for language. That inputs are in billions and the batch in tokens is read from the numbers, "
        "not from the paper: refit before relying on it.",
    ),
)


def published(gives: str) -> dict[str, PublishedLaw]:
    """The published laws of one quantity by key, in a stable order. Raises FitError for a quantity that none gives."""
    found = {law.key: law for law in PUBLISHED if isinstance(gives, str) and law.gives == gives}
    if not found:
        raise FitError(
            f"Published laws give {', '.join(dict.fromkeys(law.gives for law in PUBLISHED))}; not {in_short(gives)}."
        )
    return found
