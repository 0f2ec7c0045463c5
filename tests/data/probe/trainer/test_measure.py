"""What a run measures, held against brute force in double precision; and that measuring changes nothing of the run."""

from __future__ import annotations

import itertools
import json
import math
import re

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed (it comes with the probe extra)")

from data.probe.folder import CHECKPOINT, Folder  # noqa: E402
from data.probe.spec import MEASURES, spec  # noqa: E402
from data.probe.trainer import checkpoint, evaluate, measure  # noqa: E402
from data.probe.trainer.device import Device, repeatable  # noqa: E402
from data.probe.trainer.measure import dual, energy  # noqa: E402
from data.probe.trainer.measure.coordinates import coordinates  # noqa: E402
from data.probe.trainer.measure.distance import distance  # noqa: E402
from data.probe.trainer.measure.estimate import euclidean  # noqa: E402
from data.probe.trainer.measure.hessian import applied, hessian  # noqa: E402
from data.probe.trainer.measure.lanczos import lanczos, trace  # noqa: E402
from data.probe.trainer.measure.moment import Moment  # noqa: E402
from data.probe.trainer.measure.noise import estimates  # noqa: E402
from data.probe.trainer.measure.update_noise import adam, update_noise  # noqa: E402
from data.probe.trainer.model import begun, group, losses  # noqa: E402
from data.probe.trainer.optimisers import Optimiser  # noqa: E402
from data.probe.trainer.run import make  # noqa: E402
from data.probe.trainer.state import Run  # noqa: E402
from data.probe.trainer.step import step  # noqa: E402
from tests.data.probe.trainer.columns import unknown  # noqa: E402
from tests.data.probe.trainer.times import TIMES as OF_MACHINE  # noqa: E402

CPU = Device("cpu")
N = 12


@pytest.fixture(autouse=True)
def alike():
    with repeatable():
        yield


def moment(**fields):
    """A tiny model in double precision with random weights and a few of its optimiser's steps, on random tokens."""
    one = spec({"width": 4, "depth": 1, "ffn_ratio": 1.0, "vocab": 5, "seq_len": 6, "measure_batch": N, **fields})
    rng = torch.Generator().manual_seed(5)
    weights = {
        name: w.detach().double() + 0.3 * torch.randn(w.shape, generator=rng, dtype=torch.float64)
        for name, w in begun(one, [0], torch.device("cpu")).items()
    }
    optimiser = Optimiser(one)
    for _ in range(3):
        pull = {
            name: 0.1 * torch.randn(w.shape, generator=rng, dtype=torch.float64) + 0.01 for name, w in weights.items()
        }
        optimiser.step(weights, pull, torch.tensor([0.01], dtype=torch.float64))

    def tokens(first, size):
        own = torch.Generator().manual_seed(7)
        return torch.randint(0, one.vocab, (1, first + size, one.seq_len + 1), generator=own)[:, first:]

    return Moment(one, weights, optimiser, 3, 72, 0.01, 4, 12, 40, tokens, CPU)


def by_hand(at, tokens):
    """Every sequence's gradient by name, (n, in, out), through vmap."""

    def lost(weights, sequence):
        return losses(at.spec, weights, sequence[None, None])[0]

    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        found = torch.func.vmap(torch.func.grad(lost), in_dims=(None, 0))(at.weights, tokens[0])
    return {name: g[:, 0] for name, g in found.items()}


def written_out(flat):
    """tr(Sigma) and |G|^2 of gradients (n, p), as the formulas stand."""
    n = len(flat)
    mean = flat.mean(0)
    trace = n / (n - 1) * (flat.square().sum(1).mean() - mean.square().sum())
    return float(trace), float(mean.square().sum() - trace / n)


def jackknife(flat):
    n = len(flat)
    without = torch.tensor([written_out(torch.cat([flat[:i], flat[i + 1 :]])) for i in range(n)])
    return ((n - 1) / n * (without - without.mean(0)).square().sum(0)).sqrt().tolist()


def test_noise_scales_are_those_of_single_gradients():
    at = moment()
    tokens = at.fresh(N)
    found = by_hand(at, tokens)
    second = adam(at, at.weights)
    for by in (None, second):
        scaled = {name: g if by is None else g * by[name] for name, g in found.items()}
        whole, groups = estimates(at, tokens, by)
        assert set(groups) == {group(name) for name in found}
        for one, names in [(whole, list(found)), *((groups[group(name)], [name]) for name in found)]:
            flat = torch.cat([scaled[name].reshape(N, -1) for name in names], 1)
            assert [one.noise, one.signal] == pytest.approx(written_out(flat), rel=1e-9, abs=1e-12)
            assert [one.noise_se, one.signal_se] == pytest.approx(jackknife(flat), rel=1e-6, abs=1e-12)
    assert float(second["head"].min()) > 0


def test_standard_errors_are_those_of_repeated_batches():
    rng = torch.Generator().manual_seed(0)
    signal = torch.linspace(0.2, 1.0, 6, dtype=torch.float64)
    found = []
    for _ in range(600):
        g = signal + torch.randn(40, 6, generator=rng, dtype=torch.float64) * torch.arange(1, 7)
        one = euclidean(g.square().sum(1), g @ g.sum(0))
        found.append([one.noise, one.signal, one.noise_se, one.signal_se])
    noise, size, noise_se, size_se = torch.tensor(found).T
    assert float(noise.mean()) == pytest.approx(91, rel=0.02)
    assert float(size.mean()) == pytest.approx(float(signal.square().sum()), rel=0.12)
    assert float(noise_se.mean() / noise.std()) == pytest.approx(1, abs=0.1)
    assert 0.9 < float(size_se.mean() / size.std()) < math.sqrt(2) + 0.1


def test_geometries_of_signs_and_matrices_are_those_written_out():
    at = moment()
    tokens = at.fresh(N)
    found = by_hand(at, tokens)
    halves = [slice(0, N // 2), slice(N // 2, N)]
    whole, _ = dual.estimates(at, tokens, dual.Sign(), list(found))
    flat = torch.cat([g.reshape(N, -1) for g in found.values()], 1)
    means = [flat[half].mean(0) for half in halves]
    signal = float(means[0].sign() @ means[1] + means[1].sign() @ means[0]) / 2
    assert [whole.noise, whole.signal] == pytest.approx([float(flat.std(0).sum()) ** 2, signal * abs(signal)])

    matrices = [name for name in found if name[0] == "0"]
    whole, groups = dual.estimates(at, tokens, dual.Spectral(), matrices)
    noise = signal = 0.0
    for name in matrices:
        apart = found[name] - found[name].mean(0)
        covariance = (apart @ apart.mT).sum(0) / (N - 1)
        root = float(torch.linalg.eigvalsh(covariance).clamp(min=0).sqrt().sum())
        means = [found[name][half].mean(0) for half in halves]
        polar = [u @ v for u, _, v in (torch.linalg.svd(m, full_matrices=False) for m in means)]
        own = float((polar[0] * means[1]).sum() + (polar[1] * means[0]).sum()) / 2
        assert [groups[group(name)].noise, groups[group(name)].signal] == pytest.approx([root**2, own * abs(own)])
        noise, signal = noise + root, signal + own
    assert [whole.noise, whole.signal] == pytest.approx([noise**2, signal * abs(signal)])


def test_errors_of_other_geometries_are_those_of_repeated_batches():
    """One weight whose gradients are drawn; the model is left out of it."""
    rng, n = torch.Generator().manual_seed(1), 64
    signal = torch.randn(3, 4, generator=rng, dtype=torch.float64) + 1.0
    at = moment()
    like = Moment(**{**at.__dict__, "weights": {"0.up": torch.zeros(1, 3, 4, dtype=torch.float64)}})
    for norm in (dual.Sign(), dual.Spectral()):
        found = []
        for _ in range(150):
            g = signal + 2 * torch.randn(n, 3, 4, generator=rng, dtype=torch.float64)
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(dual, "gradients", lambda *_, g=g: iter([{"0.up": g[:20]}, {"0.up": g[20:]}]))
                one, _ = dual.estimates(like, torch.zeros(1, n, 1), norm, ["0.up"])
            found.append([one.noise, one.signal, one.noise_se, one.signal_se])
        noise, size, noise_se, size_se = torch.tensor(found).T
        right = (
            (24.0, float(signal.abs().sum()))
            if isinstance(norm, dual.Sign)
            else (12.0, float(torch.linalg.svdvals(signal).sum()))
        )
        assert float(noise.mean()) == pytest.approx(right[0] ** 2, rel=0.03)
        assert 0.85 * right[1] ** 2 < float(size.mean()) < 1.02 * right[1] ** 2
        assert float(noise_se.mean() / noise.std()) == pytest.approx(1, abs=0.2)
        assert 0.6 < float(size_se.mean() / size.std()) < 1.2  # directions are taken as given


def test_each_optimiser_s_noise_says_its_geometry():
    right = {
        "adamw": {"adam", "sign"},
        "sgd": {"euclidean"},
        "muon": {"spectral", "adam"},
        "adafactor": {"adafactor", "sign"},
    }
    for kind, geometries in right.items():
        row = update_noise(moment(optimiser=kind))
        assert {name.removeprefix("noise_parts_") for name in row if name.startswith("noise_parts_")} == geometries, (
            kind
        )
    both = {"embedding", "head"}
    row = update_noise(moment(optimiser="muon"))
    assert set(row["noise_parts_adam"]) == both
    assert not both & set(row["noise_parts_spectral"])


def test_a_hessian_s_eigenvalues_are_those_of_the_dense_one():
    at = moment()
    for activation in ("squared_relu", "swiglu"):
        at = moment(activation=activation)
        tokens = at.fresh(5)
        shapes = {name: w.shape for name, w in at.weights.items()}
        flat = torch.cat([w.reshape(-1) for w in at.weights.values()])

        def lost(v, at=at, tokens=tokens, shapes=shapes):
            pieces = v.split([shape.numel() for shape in shapes.values()])
            return losses(
                at.spec, {n: p.view(s) for (n, s), p in zip(shapes.items(), pieces, strict=True)}, tokens
            ).sum()

        with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            dense = torch.autograd.functional.hessian(lost, flat)
        apply, n = applied(at, tokens)
        v = torch.randn(n, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        torch.testing.assert_close(apply(v), dense @ v, rtol=1e-8, atol=1e-10)
        right = torch.linalg.eigvalsh(dense)
        ritz = lanczos(apply, v, 45)
        for i in (0, -1, -2, -3):
            assert float(ritz.values[i]) == pytest.approx(float(right[i]), rel=1e-4)
        mean, error = trace(apply, n, 16, torch.Generator().manual_seed(1), v)
        assert abs(mean - float(dense.trace())) < 4 * error
    row = hessian(at)
    assert (row["hessian_batch_sequences"], row["hessian_full_sequences"]) == (4, 16)


def test_lanczos_on_matrices_whose_eigenvalues_are_known():
    rng = torch.Generator().manual_seed(2)
    basis = torch.linalg.qr(torch.randn(50, 50, generator=rng, dtype=torch.float64))[0]
    values = torch.cat([torch.tensor([-3.0, 20.0, 10.0]), torch.linspace(-1, 1, 47)]).double()
    matrix = basis * values @ basis.T
    for steps in (12, 50, 200):
        ritz = lanczos(lambda v: matrix @ v, torch.ones(50, dtype=torch.float64), steps)
        off = [abs(float(ritz.values[i]) - x) for i, x in ((-1, 20.0), (-2, 10.0), (0, -3.0))]
        assert max(off) < 1e-3
        assert abs(float(ritz.values[-1]) - 20.0) <= float(ritz.errors[-1]) + 1e-9
    rank_one = torch.outer(torch.ones(50), torch.ones(50)).double()
    ritz = lanczos(lambda v: rank_one @ v, torch.arange(50, dtype=torch.float64), 20)
    assert float(ritz.values[-1]) == pytest.approx(50.0)
    assert len(ritz.values) < 5
    mean, error = trace(lambda v: matrix @ v, 50, 300, torch.Generator().manual_seed(3), matrix)
    assert abs(mean - float(values.sum())) < 4 * error < 12


def fields(**more):
    return {
        "width": 16,
        "depth": 1,
        "seq_len": 32,
        "tokens": 2560,
        "evals": 2,
        "eval_tokens": 1024,
        "measure_batch": 12,
        **more,
    }


def rows(path, one, *, steps=()):
    folder = Folder(path)
    folder.declare(spec(one))
    for some in steps:
        assert make(folder, CPU, steps=some).state == "queued"
    assert make(folder, CPU).state == "done"
    return list(folder.rows()), checkpoint.load(path / CHECKPOINT, torch.device("cpu"))[0]


TIMES = re.compile("|".join(OF_MACHINE))


def test_measuring_changes_no_bit_of_a_run_and_is_the_same_after_a_stop(tmp_path, monkeypatch):
    monkeypatch.setattr("data.probe.trainer.measure.hessian.STEPS", 4)
    monkeypatch.setattr("data.probe.trainer.measure.hessian.PROBES", 2)
    plain, weights = rows(tmp_path / "plain", fields())
    asked, again = rows(tmp_path / "asked", fields(measure=list(MEASURES)))
    stopped, _ = rows(tmp_path / "stopped", fields(measure=list(MEASURES)), steps=(1, 6))
    assert all(torch.equal(w, again[name]) for name, w in weights.items())
    for a, b in zip(plain, asked, strict=True):
        assert all(b[name] == value for name, value in a.items() if not TIMES.fullmatch(name))
    for a, b in zip(asked, stopped, strict=True):
        assert {k: v for k, v in a.items() if not TIMES.fullmatch(k)} == {
            k: v for k, v in b.items() if not TIMES.fullmatch(k)
        }
    assert "measure_failed" not in asked[-1]
    assert unknown(asked) == set()


def test_norms_that_are_always_logged_are_those_of_parts_of_the_batch_before_clipping(tmp_path):
    one = spec(fields(tokens=256, evals=1, clip=1e-3, lr=0.01))
    (row,), _ = rows(tmp_path, fields(tokens=256, evals=1, clip=1e-3, lr=0.01))
    run = Run.begin(one, CPU)
    tokens = run.tokens(0, 8)

    def squares(part):
        found = torch.autograd.grad(losses(run.spec, run.weights, part).sum(), list(run.weights.values()))
        return {name: float(g.square().sum()) for name, g in zip(run.weights, found, strict=True)}

    small = [squares(part) for part in tokens.split(2, dim=1)]
    assert row["grad_sq_small"] == pytest.approx(sum(sum(one.values()) for one in small) / 4, rel=1e-5)
    assert row["grad_sq_big"] == pytest.approx(sum(squares(tokens).values()), rel=1e-5)
    assert (row["batch_small"], row["batch_big"], row["clipped"]) == (2, 8, 1)
    assert row["clip_factor"] == pytest.approx(1e-3 / row["grad_sq_big"] ** 0.5, rel=1e-5)
    by_part = row["grad_sq_parts"]["head"]
    assert by_part == pytest.approx([sum(one["head"] for one in small) / 4, squares(tokens)["head"]], rel=1e-5)
    assert row["flops"] == 256 * (6 * (12 * 16**2 + 32 * 16) + 6 * 32 * 16)


def test_updates_are_those_that_the_next_step_makes():
    for kind in ("adamw", "muon"):
        one = spec(fields(optimiser=kind, parametrisation="mup", base_width=8, weight_decay=0.1, clip=0.1))
        run = Run.begin(one, CPU)
        for _ in range(4):
            step(run)
        before = {name: w.detach().clone() for name, w in run.weights.items()}
        row = coordinates(evaluate.moment(run))
        step(run)
        for name, w in run.weights.items():
            moved = float((w.detach() - before[name]).square().mean().sqrt())
            assert row["update_rms"][name] == pytest.approx(moved, rel=1e-3), (kind, name)
            assert row["weight_rms"][name] == pytest.approx(float(before[name].square().mean().sqrt()))
        assert row["lr_by_layer"]["head"] == pytest.approx(float(run.plan.rate[4]) / 2)
        assert row["activation_rms"]["embedding"] == pytest.approx(1.0, abs=1e-3)
        assert all(0.3 < x < 1.0 for x in row["alignment"].values())


def test_distance_is_from_the_weights_of_the_seed():
    run = Run.begin(spec(fields(seed=3)), CPU)
    assert distance(evaluate.moment(run))["distance"] == 0
    with torch.no_grad():
        run.weights["0.up"][0, 0, 0] += 3
        run.weights["head"][0, 0, 0] += 4
    row = distance(evaluate.moment(run))
    assert row["distance"] == pytest.approx(5, rel=1e-6)
    assert row["distance_parts"]["up"][0] == pytest.approx(3, rel=1e-6)
    assert row["initial_norm"] == pytest.approx(math.sqrt(sum(b * b for _, b in row["distance_parts"].values())))


def test_a_measurement_that_fails_is_said_and_the_run_goes_on(tmp_path, monkeypatch):
    def failing(_):
        raise RuntimeError("out of memory\nand more")

    def odd(_):
        return {"distance": math.nan, "distance_parts": {"up": [math.inf, 1.0], "down": math.nan}}

    monkeypatch.setattr(measure, "MEASURES", {**measure.MEASURES, "hessian": failing, "distance": odd})
    found, _ = rows(tmp_path, fields(measure=["hessian", "distance"]))
    assert found[-1]["measure_failed"] == {"hessian": "out of memory"}
    assert "distance" not in found[-1]
    assert found[-1]["distance_parts"] == {"up": [None, 1.0]}
    assert json.dumps(found[-1], allow_nan=False)


def test_energy_is_what_the_device_counted_in_between(monkeypatch):
    assert energy.joules(CPU) is None
    assert energy.Meter.begin(CPU).lap(CPU) is None
    readings = iter([10.0, 25.0, None, 5.0, 4.0])
    monkeypatch.setattr(energy, "joules", lambda _: next(readings))
    meter = energy.Meter.begin(CPU)
    assert [meter.lap(CPU) for _ in range(4)] == [15.0, None, None, None]


def test_energy_goes_on_from_what_a_stopped_run_had_taken_since_its_last_evaluation(monkeypatch, tmp_path):
    readings = itertools.count(0.0, 10.0)  # ten joules from one reading to the next
    monkeypatch.setattr(energy, "joules", lambda _: next(readings))
    folder = Folder(tmp_path / "a")
    folder.declare(spec({"width": 8, "seq_len": 8, "batch": 2, "tokens": 96, "eval_tokens": 16, "evals": 1}))
    assert make(folder, CPU, steps=3).state == "queued"
    assert make(folder, CPU).state == "done"
    assert [row["energy"] for row in folder.rows()][-1] == 20.0


def test_what_is_measured_is_named_once_and_in_order():
    assert spec({"measure": ["distance", "noise", "noise"]}).measure == ("noise", "distance")
    assert tuple(measure.MEASURES) == MEASURES
