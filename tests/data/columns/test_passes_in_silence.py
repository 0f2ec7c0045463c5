"""FLOPs of a token or of one forward pass, which stand under the name of the training compute."""

from __future__ import annotations

from collections.abc import Callable

from data import Runs

Read = Callable[..., Runs]
SIZES, LOSSES = (0.15e9, 0.35e9, 1.61e9), (2.96, 2.80, 2.49)


def test_flops_of_a_token_or_a_pass_are_no_compute_of_a_run(read: Read) -> None:
    for factor in (0.2, 2.0, 6.0, 2.0 * 1024):
        for header, unit in (("FLOPs", 1.0), ("FLOPs (G)", 1e9), ("Compute (GFLOPs)", 1e9)):
            cells = [f"{factor * n / unit:.6g}" for n in SIZES]
            rows = [f"m{i},{n:.6g},{c},{loss}" for i, (n, c, loss) in enumerate(zip(SIZES, cells, LOSSES, strict=True))]
            text = "\n".join([f"name,params,{header},val_loss", *rows]) + "\n"
            runs = read(text)
            assert "flops" not in runs.kept, (factor, header)
            assert any("no training compute" in n for n in runs.notes), (factor, header)
            assert "flops" in read(text, columns={"flops": header}).kept, (factor, header)
            rows = [
                f"{r.rsplit(',', 1)[0]},{20 * n:.6g},{loss}" for r, n, loss in zip(rows, SIZES, LOSSES, strict=True)
            ]
            runs = read("\n".join([f"name,params,{header},tokens,val_loss", *rows]) + "\n")
            assert all(abs(c / (120 * n * n) - 1) < 1e-6 for c, n in zip(runs.kept["flops"], SIZES, strict=True)), (
                factor,
                header,
            )
