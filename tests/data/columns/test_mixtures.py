"""Tables of mixtures of experts, whose compute follows from the parameters that a token uses."""

from __future__ import annotations

from collections.abc import Callable

from data import Runs

Read = Callable[..., Runs]
TOTAL, ACTIVE, TOKENS, LOSS = (1.1e9, 3.0e9, 6.9e9), (0.4e9, 0.4e9, 1.3e9), (40e9, 40e9, 130e9), (2.502, 2.431, 2.207)


def markdown(header: str, rows: list[str]) -> str:
    line = "|" + "---|" * (header.count("|") - 1)
    return "\n".join([header, line, *rows])


def test_flops_follow_from_the_active_count_under_each_of_its_names(read: Read) -> None:
    for total, active in (
        ("Params", "Active"), ("Params", "Activated"), ("Params", "#Active"), ("Params", "Active per token"), ("Params", "A.Params"),
        ("Params", "Act. params"), ("Size", "Active"), ("Total size", "Active size"), ("Total", "Active"), ("Total params", "Active"),
        ("Total", "Active params"), ("N", "Active"), ("总参数", "激活参数"), ("Total", "Activated / token"),
    ):  # fmt: skip
        rows = [
            f"| {r} | {n / 1e9}B | {a / 1e9}B | {d / 1e9:g}B | {loss} |"
            for r, n, a, d, loss in zip("sml", TOTAL, ACTIVE, TOKENS, LOSS, strict=True)
        ]
        runs = read(markdown(f"| run | {total} | {active} | Tokens | Loss |", rows), "runs.md")
        case = total, active
        assert list(runs.kept["params_active"]) == list(ACTIVE), case
        assert list(runs.kept["params"]) == list(TOTAL), case
        assert [round(c / 1e18) for c in runs.kept["flops"]] == [96, 96, 1014], case


def test_the_active_count_is_read_in_the_unit_of_its_header(read: Read) -> None:
    rows = [
        f"| {r} | {n / 1e9} | {a / 1e9} | {d / 1e9:g} | {loss} |"
        for r, n, a, d, loss in zip("sml", TOTAL, ACTIVE, TOKENS, LOSS, strict=True)
    ]
    runs = read(markdown("| run | Total (B) | Active (B) | Tokens (B) | Loss |", rows), "runs.md")
    assert list(runs.kept["params_active"]) == list(ACTIVE)
    assert list(runs.kept["params_total"]) == list(TOTAL)


def test_both_counts_in_one_cell(read: Read) -> None:
    for header, form, unit in (
        ("Total / Active", "{0} / {1}", "B"), ("Active / Total", "{1} / {0}", "B"), ("Params (total/active)", "{0}/{1}", "B"),
        ("Total/Active params", "{0}/{1}", "B"), ("Params total/active (B)", "{0}/{1}", ""), ("Total (active)", "{0} ({1})", "B"),
        ("Total params / Active params", "{0} / {1}", "B"),
    ):  # fmt: skip
        rows = [
            f"| {r} | {form.format(f'{n / 1e9}{unit}', f'{a / 1e9}{unit}')} | {d / 1e9:g}B | {loss} |"
            for r, n, a, d, loss in zip("sml", TOTAL, ACTIVE, TOKENS, LOSS, strict=True)
        ]
        runs = read(markdown(f"| run | {header} | Tokens | Loss |", rows), "runs.md")
        assert [list(runs.kept[c]) for c in ("params", "params_active")] == [list(TOTAL), list(ACTIVE)], header
        assert [round(c / 1e18) for c in runs.kept["flops"]] == [96, 96, 1014], header


def test_a_column_called_active_may_be_none_of_it(read: Read) -> None:
    for cells in (("yes", "no", "yes"), ("1", "0", "1"), ("7B", "8B", "9B")):
        rows = [
            f"| {r} | {n / 1e9}B | {a} | {d / 1e9:g}B | {loss} |"
            for r, n, a, d, loss in zip("sml", TOTAL, cells, TOKENS, LOSS, strict=True)
        ]
        runs = read(markdown("| run | Params | Active | Tokens | Loss |", rows), "runs.md")
        assert "params_active" not in runs.kept, cells
    rows = [
        f"| {r} | {n / 1e9}B | 64 | 8 | {d / 1e9:g}B | {loss} |"
        for r, n, d, loss in zip("sml", TOTAL, TOKENS, LOSS, strict=True)
    ]
    runs = read(markdown("| run | Params | Experts | Active | Tokens | Loss |", rows), "runs.md")
    assert list(runs.kept["top_k"]) == [8, 8, 8]
    assert "params_active" not in runs.kept


def test_few_active_beside_a_total_in_full_are_experts(read: Read) -> None:
    rows = [
        f"| {r} | {n} | {k} | 100B | {v} |"
        for r, n, k, v in (("s", "8B", 2, 2.5), ("m", "16B", 2, 2.4), ("l", "32B", 4, 2.3))
    ]
    for header in ("Total", "Params", "Total params"):
        runs = read(markdown(f"| run | {header} | Active | Tokens | Loss |", rows), "runs.md")
        assert list(runs.kept["params"]) == [8e9, 16e9, 32e9], header
        assert list(runs.kept["top_k"]) == [2, 2, 4], header
        assert "params_active" not in runs.kept, header


def test_an_active_share_counts_that_part_of_all_parameters(read: Read) -> None:
    signed, hundredths, parts = ("100%", "25%"), ("100", "25"), ("1.0", "0.25")
    for total in ("params", "total_params", "total"):
        for share, cells in (
            ("active", signed), ("Active", parts), ("active (%)", signed), ("active (%)", hundredths), ("% active", hundredths),
            ("active_fraction", parts), ("active_fraction", signed), ("activation ratio", parts), ("Active share", parts),
            ("frac_active", parts), ("active params", signed), ("act.", signed), ("active_params_pct", hundredths), ("active/total", parts),
            ("active", ("100M", "25%")), ("active", ("", "25%")),
        ):  # fmt: skip
            text = f"name,{total},{share},tokens,loss\na,100M,{cells[0]},2B,3.4\nb,460M,{cells[1]},2B,3.2\n"
            runs = read(text, "runs.csv")
            case = total, share, cells
            assert runs.kept["params_active"].iloc[1] == 115e6, case
            assert list(runs.kept["params"]) == [100e6, 460e6], case
            assert list(runs.kept["flops"].round(-10)) == [1.2e18, 1.38e18], case
            assert any(repr(share) in note for note in runs.notes), case


def test_all_parameters_are_active_where_every_share_is_the_whole(read: Read) -> None:
    for share in ("active", "active params", "active (%)"):
        runs = read(f"name,params,{share},tokens,loss\na,100M,100%,2B,3.4\nb,460M,100%,2B,3.2\n", "runs.csv")
        assert list(runs.kept["flops"].round(-10)) == [1.2e18, 5.52e18], share
        assert "params_active" not in runs.kept, share


def test_active_parameters_by_a_share_are_in_the_unit_of_all(read: Read) -> None:
    rows = "a,100,100,2B,3.4\nb,1300,25,2B,3.2\n"
    for header, units in (("params (M)", None), ("params", {"params": 1e6})):
        runs = read(f"name,{header},active %,tokens,loss\n{rows}", "runs.csv", units=units)
        assert list(runs.kept["params_active"]) == [100e6, 325e6], header


def test_a_share_that_may_be_either_is_said_to_be_unused(read: Read) -> None:
    for share, cells in (
        ("sparsity", ("0.5", "0.75")), ("sparsity (%)", ("0", "75%")), ("active (%)", ("250", "25")), ("active ratio", ("1", "4")),
        ("active experts (%)", ("100%", "25%")), ("active ratio", ("1:1", "1:4")), ("active", ("1/1", "1/4")),
    ):  # fmt: skip
        text = f"name,params,{share},tokens,loss\na,100M,{cells[0]},2B,3.4\nb,460M,{cells[1]},2B,3.2\n"
        runs = read(text, "runs.csv")
        assert "params_active" not in runs.kept, share
        assert any(f"{share!r} is not used" in note for note in runs.notes), share
    for share, cells in (("active", ("yes", "no")), ("activation", ("gelu", "relu")), ("sparsity", ("0", "0"))):
        text = f"name,params,{share},tokens,loss\na,100M,{cells[0]},2B,3.4\nb,460M,{cells[1]},2B,3.2\n"
        assert not any("not used" in note for note in read(text, "runs.csv").notes), share
