"""What training holds in each device's memory: weights, gradients, optimiser and activations, and the fewest devices that fit.

States take 16 bytes a parameter under Adam in mixed precision: 2 for the weight, 2 for its gradient, 12 for the optimiser's
fp32 copy and two moments (Rajbhandari et al. 2020, ZeRO, arXiv 1910.02054, section 3.1 [V2]). Activations are those of
Korthikanti et al. 2022 (arXiv 2205.05198, section 4 [V2]): a layer keeps s b h (34 + 5 a s / h) bytes, of which 18 h a token
do not hang on the feed-forward layer and 4 bytes are kept for each of its units; three matrices (SwiGLU) keep 8 [D]. Buffers,
fragments and a layer gathered in passing are not counted: leave room for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from data.flops import Shape, params_by_group
from fitting.arguments import SMALLEST, a_flag, any_number, in_short, is_one_of, one_number
from fitting.errors import FitError
from fitting.planning.shapes import SizedShape, shapes_near

WEIGHT, GRADIENT, OPTIMISER = 2.0, 2.0, 12.0  # bytes a parameter: bf16, bf16, and fp32 weight with two moments
PER_WIDTH, PER_FFN, PER_GATED, PER_SCORE = 18.0, 4.0, 8.0, 5.0  # bytes kept for a token in a layer
KEPT_INPUT = 2.0  # of a layer that is computed again, only its input is kept
LOGIT = 4.0  # fp32, for the cross-entropy
RECOMPUTE = ("none", "attention", "full")
# What a device can be filled to. Assumed: a tenth for what is not counted.
FILLED = 0.9


@dataclass(frozen=True)
class Memory:
    """Bytes on one device, by what they are for."""

    weights: float
    gradients: float
    optimiser: float
    activations: float

    @property
    def total(self) -> float:
        """All of it, in bytes."""
        return self.weights + self.gradients + self.optimiser + self.activations


def activation_bytes(shape: Shape, tokens: float, recompute: str = "attention") -> float:
    """Bytes kept between forward and backward pass for `tokens` at once on one device, logits included.

    `recompute` is "none", "attention" (scores computed again, as FlashAttention does) or "full" (each layer's input is kept).
    Raises FitError for another word, or for "none" without a sequence length.
    """
    if not is_one_of(recompute, RECOMPUTE):
        raise FitError(f"recompute is one of {', '.join(RECOMPUTE)}; it was {in_short(recompute)}.")
    width = float(shape.width)
    outside = 2.0 * KEPT_INPUT * width + LOGIT * shape.vocab  # last norm and head keep their inputs
    if recompute == "full":
        return tokens * (shape.layers * KEPT_INPUT * width + outside)
    layer = PER_WIDTH * width + (PER_GATED if shape.gated else PER_FFN) * shape.d_ffn * (shape.top_k or 1)
    if recompute == "none":
        if shape.seq_len < 1:
            raise FitError("Kept attention scores grow with the sequence length; give the shape its seq_len.")
        layer += PER_SCORE * shape.heads * shape.seq_len
    return tokens * (shape.layers * layer + outside)


def memory_per_device(
    model: Shape | SizedShape | float,
    devices: float = 1,
    *,
    micro_tokens: float = 0,
    sharded: bool = True,
    recompute: str = "attention",
) -> Memory:
    """Bytes that training holds on each of `devices`, with `micro_tokens` in one pass on each (by default one sequence).

    `sharded` divides weights, gradients and optimiser among the devices (ZeRO stage 3, FSDP); else each holds them whole.
    `model` is a shape, or a number of parameters, which then stands for the nearest usual shape without a vocabulary.
    """
    shape, params = _model(model)
    devices = one_number("devices", devices, "a number from 1 on", least=1.0)
    sharded = a_flag("sharded", sharded)
    micro_tokens = one_number("micro_tokens", micro_tokens, "a number of tokens from 0 on", least=0.0)
    tokens = micro_tokens or shape.seq_len
    if not tokens > 0:
        raise FitError("Say micro_tokens, the tokens in one pass on one device, or the shape's seq_len.")
    each = params / (devices if sharded else 1)
    return Memory(WEIGHT * each, GRADIENT * each, OPTIMISER * each, activation_bytes(shape, tokens, recompute))


def least_devices(
    model: Shape | SizedShape | float,
    memory: float,
    *,
    micro_tokens: float = 0,
    recompute: str = "attention",
    share: float = FILLED,
) -> int:
    """The fewest devices of `memory` bytes that hold a training, its states divided among them, each filled to `share`.

    Raises FitError where the activations alone are too large for a device: no number of devices helps there.
    """
    memory = one_number("memory", memory, "a device's bytes, a positive number")
    share = any_number("share", share, "above 0 and at most 1")
    if not SMALLEST <= share <= 1.0:
        raise FitError(
            f"memory is a device's bytes and share is above 0 and at most 1; they were {memory:g} and {share:g}."
        )
    one = memory_per_device(model, 1, micro_tokens=micro_tokens, recompute=recompute)
    room = share * memory - one.activations
    if room <= 0:
        raise FitError(
            f"Activations take {one.activations / 1e9:,.3g} GB and {share:.0%} of a device is {share * memory / 1e9:,.3g} GB. "
            'Take fewer micro_tokens, recompute="full", or split layers over devices, which is not counted here.'
        )
    return max(1, ceil((one.total - one.activations) / room))


def _model(model: Shape | SizedShape | float) -> tuple[Shape, float]:
    if isinstance(model, SizedShape):
        model = model.shape
    if isinstance(model, Shape):
        return model, float(params_by_group(model).total)
    params = one_number("model", model, "a shape, or a positive number of parameters")
    return shapes_near(params, count="params_nonembed", vocab=0, most=1)[0].shape, params
