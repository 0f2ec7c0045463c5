"""What a few steps change in a model hangs on no width under muP, and on no depth under its depth rule; in standard it does."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.probe.spec import spec  # noqa: E402
from data.probe.trainer.model import attention_scale, begun, losses  # noqa: E402
from data.probe.trainer.optimisers import clip_weights, gradient_size, scale  # noqa: E402
from tests.benchmarks.coordinate_check import RATES, slopes  # noqa: E402

WIDTHS, DEPTHS, STEPS = (32, 128), (2, 8), (1, 2, 3)
FLAT = 0.12  # of a slope on log width: two widths and seeds leave it about .05
# What the first attention adds, a tenth of what the blocks do, falls until width 128 and then stays: .075, .066, .057, .055, .054 at
# widths 32, 64, 128, 256 and 384 after four steps of AdamW. Two narrow widths cannot judge it; the benchmark prints it.
SLOW = "0.attention"
#: The least slope of some part in the standard parametrisation; muP's rules for Muon differ in embedding and head alone.
GROWS = {"adamw": 0.6, "muon": 0.6, "adafactor": 0.6, "sgd": 0.3}


@pytest.mark.parametrize("optimiser", RATES)
def test_steps_do_the_same_at_every_width_under_mup_alone(optimiser):
    mup = slopes(optimiser, "mup", WIDTHS, steps=STEPS)
    assert {name for name, t in mup if t == 1} == {"logits"}, (
        "the first step moves the head alone: all else begins at zero"
    )
    assert {name for name, t in mup if t == 2} > {"embedding", "last", "logits"}
    for key, slope in mup.items():
        assert key[0] == SLOW or abs(slope) < FLAT, (optimiser, key, slope)
    standard = slopes(optimiser, "standard", WIDTHS, steps=STEPS)
    assert standard["logits", 1] > GROWS[optimiser] - 0.05
    assert max(standard.values()) > GROWS[optimiser]


def test_steps_do_the_same_at_every_depth_under_the_depth_rule_alone():
    for optimiser in ("adamw", "sgd"):
        deep = slopes(optimiser, "mup_depth", DEPTHS, along="depth", steps=(2, 4))
        flat = slopes(optimiser, "mup", DEPTHS, along="depth", steps=(2, 4))
        for t in (2, 4):
            assert abs(deep["last", t]) < FLAT, (optimiser, t, deep["last", t])
            assert flat["last", t] > 0.4, (optimiser, t, flat["last", t])


def test_heads_that_grow_with_the_width_change_nothing():
    for key, slope in slopes("adamw", "mup", WIDTHS, steps=STEPS, heads=1).items():
        assert key[0] == SLOW or abs(slope) < FLAT, (key, slope)


def test_a_limit_on_the_plain_norm_would_slow_wide_models_down():
    assert slopes("sgd", "mup", WIDTHS, steps=(2,), plain_clip=True)["last", 2] < -0.5


def test_multipliers_are_those_of_the_table():
    """Yang et al. 2022, table 3, with the width 4 times the base's; the depth rule at 4 times the base's depth."""
    rows = [
        ("adamw", 1.0, 1 / 4, 1 / 4), ("adafactor", 1.0, 1 / 4, 1 / 4), ("sgd", 4.0, 1.0, 1 / 4), ("muon", 1.0, 1.0, 1 / 4),
    ]  # fmt: skip
    for optimiser, *right in rows:
        wide = spec({"optimiser": optimiser, "parametrisation": "mup", "width": 64, "base_width": 16})
        deep = wide.with_(parametrisation="mup_depth", depth=8, base_depth=2)
        names = ("embedding", "0.up", "head")
        assert [scale(wide, name) for name in names] == right, optimiser
        inside = 1.0 if optimiser == "sgd" else 0.5
        assert [scale(deep, name) for name in names] == [right[0], right[1] * inside, right[2]], optimiser
        assert [gradient_size(wide, name) for name in names] == [1 / 4, 1 / 4, 1.0]
        assert clip_weights(wide, names) == [4.0, 1.0, 1 / 4]
        plain = wide.with_(parametrisation="standard")
        assert [scale(plain, name) for name in names] == clip_weights(plain, names) == [1.0, 1.0, 1.0]


def test_scores_of_attention_have_one_bound_under_mup():
    for width, heads in ((32, 2), (32, 1), (128, 8), (128, 1)):
        mup = spec({"parametrisation": "mup", "width": width, "heads": heads})
        d = width // heads
        assert attention_scale(mup) * d == pytest.approx(4.0)
        assert attention_scale(mup.with_(parametrisation="standard")) == pytest.approx(1 / math.sqrt(d))


def test_the_first_loss_is_that_of_a_guess():
    one = spec({"width": 32, "vocab": 17, "seq_len": 8})
    weights = begun(one, [0], torch.device("cpu"))
    tokens = torch.randint(0, 17, (1, 4, 9), generator=torch.Generator().manual_seed(0))
    assert float(losses(one, weights, tokens).detach()) == pytest.approx(math.log(17), rel=1e-6)
