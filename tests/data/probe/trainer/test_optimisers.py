"""Optimisers of a stack of models, held against torch's own, one model at a time."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.probe.spec import spec  # noqa: E402
from data.probe.trainer.model import begun, losses  # noqa: E402
from data.probe.trainer.optimisers import Optimiser, orthogonal, scale  # noqa: E402

STEPS = 12
SHAPES = {"embedding": (7, 6), "0.up": (6, 24), "0.down": (24, 6), "head": (6, 7)}


def pulls(k):
    """Gradients (k, m, n) by name for each step, of sizes that differ from weight to weight and step to step."""
    rng = torch.Generator().manual_seed(1)
    return [
        {name: torch.randn(k, *shape, generator=rng) * 10 ** (i / 5 - 1) for name, shape in SHAPES.items()}
        for i in range(STEPS)
    ]


def moved(one, k, rates):
    rng = torch.Generator().manual_seed(0)
    weights = {name: torch.randn(k, *shape, generator=rng) for name, shape in SHAPES.items()}
    start = {name: w.clone() for name, w in weights.items()}
    optimiser = Optimiser(one)
    for gradients in pulls(k):
        optimiser.step(weights, gradients, torch.tensor(rates))
    return start, weights


REFERENCES = {
    "adamw": lambda ws, lr, one: torch.optim.AdamW(
        ws, lr, betas=(one.beta1, one.beta2), eps=one.eps, weight_decay=one.weight_decay
    ),
    "sgd": lambda ws, lr, one: torch.optim.SGD(ws, lr, momentum=one.beta1),
}


@pytest.mark.parametrize("kind", REFERENCES)
def test_each_model_of_a_stack_steps_as_torch_s_own_does(kind):
    one = spec({"optimiser": kind, "weight_decay": 0.1 if kind == "adamw" else 0.0, "eps": 1e-6})
    rates = [0.01, 0.03]
    start, ended = moved(one, 2, rates)
    for i, rate in enumerate(rates):
        for name in SHAPES:
            own = start[name][i].clone().requires_grad_()
            decayed = spec(
                {"optimiser": kind, "eps": 1e-6, "weight_decay": one.weight_decay if name[0] == "0" else 0.0}
            )
            reference = REFERENCES[kind]([own], rate, decayed)
            for gradients in pulls(2):
                own.grad = gradients[name][i].clone()
                reference.step()
            torch.testing.assert_close(ended[name][i], own.detach(), rtol=2e-5, atol=1e-6)


def test_adafactor_is_the_outer_product_of_means():
    """Algorithm 4 of Shazeer and Stern, written out with whole matrices in double precision."""
    one = spec({"optimiser": "adafactor"})
    start, ended = moved(one, 1, [0.01])
    for name in SHAPES:
        w, rows, columns = start[name][0].double(), 0.0, 0.0
        for t, gradients in enumerate(pulls(1), start=1):
            g = gradients[name][0].double()
            beta = 1 - t**-0.8
            rows = beta * rows + (1 - beta) * (g**2 + 1e-30).sum(1)
            columns = beta * columns + (1 - beta) * (g**2 + 1e-30).sum(0)
            u = g / torch.sqrt(torch.outer(rows, columns) / rows.sum())
            w = w - 0.01 * u / max(1.0, float(u.square().mean().sqrt()))
        torch.testing.assert_close(ended[name][0].double(), w, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("shape", [(24, 6), (6, 24), (12, 12)])
def test_muon_s_update_is_near_the_nearest_orthogonal_matrix(shape):
    g = torch.randn(3, *shape, generator=torch.Generator().manual_seed(2))
    u, _, v = torch.linalg.svd(g, full_matrices=False)
    found = orthogonal(g)
    singular = torch.linalg.svdvals(found)
    assert singular.min() > 0.3
    assert singular.max() < 1.3
    nearest = u @ v
    cosine = (found * nearest).sum((1, 2)) / (found.norm(dim=(1, 2)) * nearest.norm(dim=(1, 2)))
    assert cosine.min() > 0.95


def test_muon_leaves_embedding_and_head_to_adam():
    muon, adam = (spec({"optimiser": kind}) for kind in ("muon", "adamw"))
    (_, a), (_, b) = moved(muon, 1, [0.01]), moved(adam, 1, [0.01])
    assert torch.equal(a["embedding"], b["embedding"])
    assert torch.equal(a["head"], b["head"])
    assert not torch.equal(a["0.up"], b["0.up"])


@pytest.mark.parametrize(
    ("kind", "name", "by"),
    [("adamw", "embedding", 1.0), ("adamw", "0.up", 0.25), ("adamw", "head", 0.25),
     ("sgd", "embedding", 4.0), ("sgd", "0.up", 1.0), ("sgd", "head", 0.25), ("muon", "0.up", 1.0)],
)  # fmt: skip
def test_rates_follow_the_width_as_the_table_says(kind, name, by):
    wide = {"optimiser": kind, "width": 128, "base_width": 32}
    assert scale(spec({**wide, "parametrisation": "mup"}), name) == by
    assert scale(spec({**wide, "parametrisation": "standard"}), name) == 1.0
    deep = spec({**wide, "parametrisation": "mup_depth", "depth": 8})
    inside = name not in ("embedding", "head")
    assert scale(deep, name) == pytest.approx(by * (math.sqrt(2 / 8) if inside and kind != "sgd" else 1.0))


def test_models_in_a_stack_are_each_by_itself():
    """Loss and gradient of a model do not depend on those beside it."""
    one = spec({"width": 16, "vocab": 11, "seq_len": 8})
    rng = torch.Generator().manual_seed(3)
    tokens = torch.randint(0, 11, (3, 4, 9), generator=rng)
    stack = begun(one, [0, 1, 2], torch.device("cpu"))
    with torch.no_grad():
        for w in stack.values():
            w.add_(torch.randn(w.shape, generator=rng) * 0.1)
    together = losses(one, stack, tokens)
    slopes = torch.autograd.grad(together.sum(), list(stack.values()))
    for i in range(3):
        alone = {name: w[i : i + 1].detach().requires_grad_() for name, w in stack.items()}
        lost = losses(one, alone, tokens[i : i + 1])
        torch.testing.assert_close(lost[0], together[i], rtol=1e-5, atol=1e-6)
        for g, whole in zip(torch.autograd.grad(lost.sum(), list(alone.values())), slopes, strict=True):
            torch.testing.assert_close(g[0], whole[i], rtol=1e-3, atol=1e-6)
