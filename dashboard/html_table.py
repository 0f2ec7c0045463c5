"""Tables of the page as markup: heads and cells are markup already, so whoever has a stranger's text escapes it before."""

from __future__ import annotations

from collections.abc import Iterable


def table(heads: Iterable[str], rows: Iterable[str], kind: str = "") -> str:
    """A table of `kind` (a class of its own) that scrolls sideways where it must; `rows` are those of `row`."""
    head = "".join(h if h.startswith("<th") else f'<th scope="col">{h}</th>' for h in heads)
    return (
        f'<div class="iso-scroll"><table class="iso-table{f" {kind}" if kind else ""}"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def row(cells: Iterable[str], head: str | None = None, here: bool = False) -> str:
    """A row, with a `head` of its own where it has one, marked where it is `here`; a cell that is a `<td` stands as it is."""
    first = "" if head is None else f'<th scope="row">{head}</th>'
    body = "".join(c if c.startswith("<td") else f"<td>{c}</td>" for c in cells)
    mark = ' class="iso-here"' if here else ""
    return f"<tr{mark}>{first}{body}</tr>"
