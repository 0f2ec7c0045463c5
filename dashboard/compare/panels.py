"""What stands beside and below the picture of a comparison: controls, each family against the reference, the tests.

Families are a stranger's text: it is escaped in HTML and made literal where Streamlit reads Markdown.
"""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import html_table, numbers, state, widgets
from dashboard.charts.families import colours
from dashboard.compare import state as compare_state
from dashboard.compare import words as compare_words
from dashboard.fit import words as fit_words
from data.cells.values import number
from data.schema import Runs
from data.sources.bundled import bundled_key
from fitting import Families
from fitting.families import Versus, short_columns
from fitting.plural import plural

STYLE = Path(__file__).parents[1] / "static" / "compare.css"
ANY = ""  # the menus' word for leaving the choice to the comparison
EXAMPLE = """run,architecture,params,tokens,loss
a-1,dense,110e6,2.2e9,3.41
a-2,dense,410e6,8.2e9,2.98
b-1,mixture,110e6,2.2e9,3.35
b-2,mixture,410e6,8.2e9,2.90"""


def nothing(runs: Runs) -> None:
    """The page where no column names families that can be compared: what is short, what to add, and where."""
    short = short_columns(runs)[:1]
    if short:
        column = compare_words.name(compare_words.header(runs, short[0].column))
        widgets.answer(
            "{column} names {many} families that cannot be compared yet.",
            short[0].why,
            column=column,
            many=str(len(short[0].runs)),
        )
    else:
        widgets.answer(
            "No column of this table names families to compare.",
            "A family is an architecture, a data mix, an optimiser: whatever you want to compare.",
        )
    left, right = st.columns(2, gap="medium")
    with left.container(border=True, height="stretch"):
        st.markdown("**What to add**")
        widgets.quiet(
            "A column that names the family of each run: two families or more, at most twelve.",
            "Each family needs at least seven runs, over three sizes and three token counts that do not rise in step, so that it "
            "has a law of its own; and the families need budgets in common.",
            "Measure every loss on the same held-out text with the same tokeniser: otherwise the comparison means nothing.",
        )
        st.page_link("views/runs.py", label="Bring runs on the Runs page")
    with right.container(border=True, height="stretch"):
        st.markdown("**For instance**")
        st.code(EXAMPLE, language=None)
        st.button("Open simulated families", on_click=state.choose, args=(bundled_key("simulated-families"),))


def warnings(found: Families) -> None:
    """What may make the comparison void, set apart from everything else."""
    for sentence in found.warnings:
        st.html(f'<p class="iso-caution" role="note">{escape(sentence)}</p>')


def controls(runs: Runs, column: str, found: Families | None) -> None:
    """One column of controls; each writes its setting to the workspace at once."""
    able = compare_state.columns(runs)
    asked = compare_state.settings()
    _menu("column", "Families are named by", {c: f"{compare_words.header(runs, c)} ({len(n)})" for c, n in able.items()}, column,
          "The column whose values are compared: an architecture, a data mix, an optimiser. Shown: those with runs enough for a "
          "law of each.")  # fmt: skip
    names = {n: f"{n} ({plural(count, 'run')})" for n, count in able[column].items()}
    chosen = found.reference if found else (asked.reference if asked.reference in names else next(iter(names)))
    _menu("reference", "Compared with", names, chosen, "The family that the others are measured against.")
    if found and len(found.others) > 1:
        shown = asked.family if asked.family in found.others else ANY
        _menu("family", "In the sentence", {ANY: "The best at the budget", **{n: n for n in found.others}}, shown,
              "Which family the sentence is about.")  # fmt: skip
    _menu("share", "They have in common", dict(compare_words.SHARES), asked.share,
          "Shared constants narrow the intervals, if they are shared in truth. Tested on the Huber likelihood "
          "(Besiroglu et al. 2024, arXiv 2404.10102) by AICc and a robust F test; refits are model-averaged by AICc weight.")  # fmt: skip
    if found:
        st.session_state["compare_target"] = numbers.flop(asked.target) if asked.target else ""
        st.text_input(
            "At a budget of, FLOP", key="compare_target", placeholder=f"{numbers.flop(found.target)}, ten times the largest run",
            on_change=_keep_target, args=(found.reach,), help="The budget at which the families are compared.",
        )  # fmt: skip


def _menu(name: str, label: str, titles: dict[str, str], value: str, help: str) -> None:
    st.session_state[f"compare_{name}"] = value  # what the workspace says, also after an undo
    st.selectbox(
        label, list(titles), format_func=lambda key: titles.get(key, str(key)), key=f"compare_{name}", on_change=_keep,
        args=(name, label), help=help,
    )  # fmt: skip


def _keep(name: str, label: str) -> None:
    value = st.session_state[f"compare_{name}"]
    if value is None:
        return
    changed: dict[str, Any] = {name: value or None}
    if name == "column":  # another column has other families
        changed |= {"reference": None, "family": None}
    compare_state.change(f"{label.lower()}: {value or 'the best'}", **changed)


def _keep_target(reach: tuple[float, float]) -> None:
    text = st.session_state["compare_target"].strip()
    value = number(text) if text else None
    low, high = reach
    if value is not None and not low <= value <= high:
        state.say(f"A budget is a number of FLOP between {numbers.flop(low)} and {numbers.flop(high)}, such as 1e22.")
        return
    compare_state.change("budget of the comparison", target=value)


def table(found: Families, versus: list[Versus]) -> None:
    """Every family against the reference, one line each."""
    colour = colours(found)
    rows = [_row(found, found.reference, colour, None)] + [_row(found, v.family, colour, v) for v in versus]
    target, middle = (f"{numbers.flop(at)} FLOP" for at in (versus[0].target, versus[0].middle))
    heads = (
        '<th scope="row"></th>', "Runs", f"Compute saved at {middle}", f"at {target}", "Better there in",
        "They cross at, FLOP", "Runs to settle it",
    )  # fmt: skip
    st.html(html_table.table(heads, rows, "iso-families"))


def _row(found: Families, name: str, colour: dict[str, str], v: Versus | None) -> str:
    head, count = f'<i style="background:{colour[name]}"></i>{escape(name)}', f"{found.family(name).n:,}"
    if v is None:
        return html_table.row((count, '<td colspan="5" class="iso-reference">the reference</td>'), head)
    cells = [count, *(_number(*compare_words.multiple(band)) for band in (v.overall, v.multiplier))]
    cells.append(compare_words.chance(v.probability))
    cells.append(_number(*compare_words.crossing(v.crossing)))
    more = {0: "none needed", None: "not by more like these"}
    cells.append(more.get(v.more_runs) or f"about {numbers.count(v.more_runs)} more each")
    return html_table.row(cells, head)


def _number(value: str, interval: str) -> str:
    return f"<b>{escape(value)}</b>" + (f"<small>{escape(interval)}</small>" if interval else "")


def shared(found: Families) -> None:
    """The ways to share, judged."""
    heads = "".join(
        f'<th scope="col">{h}</th>' for h in ("Parameters", "AICc above the best", "p against apart", "Refits")
    )
    lowest = min(t.aicc for t in found.tests)
    rows = []
    for t in sorted(found.tests, key=lambda t: t.aicc):
        p = "" if t.share == "nothing" else "under 0.001" if t.p_value < 1e-3 else f"{t.p_value:.2g}"
        refits = f"{100 * _weight(found, t.share, t.weight):.0f} %"
        cells = (str(t.parameters), f"{t.aicc - lowest:,.1f}", p, refits)
        rows.append(html_table.row(cells, escape(compare_words.SHARES[t.share]), t.share == found.share))
    st.html(
        f'<table class="iso-table iso-small"><thead><tr><th scope="row">Shared</th>{heads}</tr></thead>'
        f'<tbody>{"".join(rows)}</tbody></table><p class="iso-quiet">{escape(found.why)}</p>'
    )


def _weight(found: Families, share: str, weight: float) -> float:
    return weight if found.asked == "auto" else float(share == found.share)


def computed(found: Families) -> None:
    """How the comparison was computed, as a list of terms."""
    s = found.settings
    delta = "least squares" if s.delta == float("inf") else f"Huber delta {s.delta:.3g}"
    said = {
        "Multiplier": "How many times a budget the reference needs for the loss that the family reaches with it, each at its own best "
        "split of parameters and tokens, minimised numerically.",
        "Intervals": f"{s.resamples:,} refits, {fit_words.drawn(s)} within each family, seed {s.seed}; the middle 95 %. "
        "They reflect the noise of these runs, not model discrepancy (how far a law of this form may be off), which grows beyond the "
        "largest run.",
        "Law": f"{found.law.title}, {delta}; {s.law_reason}. Delta, grouping, seed and a law chosen by hand are those of the Fit page.",
        "Runs to settle it": "If the interval at the budget narrows as one over the square root of the number of runs: an estimate.",
        "Crossing searched": f"{numbers.flop(found.looked[0])} to {numbers.flop(found.looked[1])} FLOP",
        "Digest": f"sha256 {found.digest}",
    }  # fmt: skip
    body = "".join(f"<dt>{escape(term)}</dt><dd>{escape(text)}</dd>" for term, text in said.items())
    st.html(f'<dl class="iso-terms">{body}</dl>')
