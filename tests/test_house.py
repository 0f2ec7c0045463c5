"""The house rules that a machine can check: which way imports go, and what no file may hold."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dashboard.fit.settings import RESAMPLES

ROOT = Path(__file__).parents[1]
ROOMS = ("data", "fitting", "dashboard")
# Which of our own packages a room may import: runs flow one way.
MAY_IMPORT = {
    "data": {"data"},
    "fitting": {"fitting", "data"},
    "dashboard": {"dashboard", "fitting", "data"},
}
# What of another page's room a page may import: what it holds and what is set there. Its panels, tabs and charts are its own.
PAGES = ("runs", "fit", "plan", "batch", "compare", "probe")
PUBLIC = {"state", "settings", "words", "chooser"}
# The rooms beside the pages, and which of them each may import; pages may import them all.
BESIDE = {
    "charts": {"workspace"},
    "budget_chart": set(),
    "workspace": set(),
    "server": {"charts", "workspace"},
}
# Imports that may close a circle, made late: what a result is written as.
WRITTEN_AS = {
    ("fitting.result", "fitting.export"),
    ("fitting.families.result", "fitting.export.families"),
}
# Outside packages that live in one place only.
LIVES_IN = {
    "streamlit": ("dashboard/",),
    "plotly": ("dashboard/charts/",),
    "click": ("dashboard/cli.py", "dashboard/commands/"),
    "torch": ("data/probe/trainer/",),
    "tokenizers": ("data/probe/corpora/",),
    "submitit": ("data/probe/submit.py",),
}
# Built from parts, so that this file does not hold what it looks for.
REGISTRIES = (
    ".".join(("pypi", "org")),
    ".".join(("pythonhosted", "org")),
    ".".join(("anaconda", "org")),
    ".".join(("npmjs", "com")),
    ".".join(("npmjs", "org")),
    ".".join(("jsdelivr", "net")),
    ".".join(("unpkg", "com")),
)


@cache
def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every module a file imports, wherever in the file, with the line."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports by dots; name the package"
            yield node.module or "", node.lineno


def tracked() -> list[Path]:
    said = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if said.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in said.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_runs_flow_one_way() -> None:
    for path in sources():
        room, where = path.relative_to(ROOT).parts[0], str(path.relative_to(ROOT))
        for module, line in imports(path):
            top = module.split(".")[0]
            if top in ROOMS:
                assert top in MAY_IMPORT[room], f"{path}:{line}: {room} may not import {module}"
            assert top != "tests", f"{path}:{line}: the product does not import its tests"
            for place, homes in LIVES_IN.items():
                allowed = top != place or any(where == home or where.startswith(home) for home in homes)
                assert allowed, f"{where}:{line}: {place} lives in {', '.join(homes)}"


@cache
def _arrows() -> dict[str, set[str]]:
    """From every module the modules it imports, wherever in the file; importing one of a folder imports the folder's own file."""
    modules = {_name(path): path for path in sources()}
    arrows: dict[str, set[str]] = {}
    for name, path in modules.items():
        found = set()
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                wholes = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (wholes & set(modules)) or {node.module}
        for module in list(found):
            parts = module.split(".")
            above = {".".join(parts[:k]) for k in range(1, len(parts))}
            found |= {a for a in above if not (name == a or name.startswith(f"{a}."))}
        arrows[name] = (found & set(modules)) - {name}
    return arrows


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_no_files_import_each_other_in_a_circle() -> None:
    arrows = {
        name: {other for other in others if (name, other) not in WRITTEN_AS} for name, others in _arrows().items()
    }
    while ends := {name for name, others in arrows.items() if not others}:
        arrows = {name: others - ends for name, others in arrows.items() if name not in ends}
    assert not arrows, "; ".join(f"{name} -> {', '.join(sorted(others))}" for name, others in sorted(arrows.items()))


def test_what_may_close_a_circle_is_still_there() -> None:
    arrows = _arrows()
    assert all(other in arrows[name] for name, other in WRITTEN_AS)


def test_rooms_of_the_dashboard_keep_to_themselves() -> None:
    for name, others in _arrows().items():
        room, *_ = [*name.split(".")[1:], ""]
        for other in others if name.startswith("dashboard.") else ():
            there, *inside = [*other.split(".")[1:], ""]
            if there == room or not other.startswith("dashboard."):
                continue
            if room in BESIDE and there in (*PAGES, *BESIDE):
                assert there in BESIDE[room], f"{name} imports {other}"
            if room in PAGES and there in PAGES:
                assert inside[0] in PUBLIC | {""}, (
                    f"{name} imports {other}: of {there}, {', '.join(sorted(PUBLIC))} are for others"
                )


def test_every_folder_says_what_lives_there() -> None:
    for path in sources():
        if path.parent.name in ("published", "views"):
            continue  # tables with the scripts that made them, and scripts that Streamlit runs
        if path.name != "__init__.py":
            assert (path.parent / "__init__.py").is_file(), path.parent
        else:
            assert ast.get_docstring(parsed(path)), path


def test_nothing_of_the_dashboard_is_imported_bare() -> None:
    """Streamlit puts dashboard/ itself on the path; a bare `import charts` would load a second copy."""
    own = {path.stem for path in (ROOT / "dashboard").glob("*") if path.suffix in ("", ".py")} - {"__init__"}
    for path in (ROOT / "dashboard").rglob("*.py"):
        for module, line in imports(path):
            top = module.split(".")[0]
            assert top not in own or top in sys.stdlib_module_names, f"{path}:{line}: say `from dashboard import {top}`"


def test_no_file_of_the_dashboard_hides_a_package() -> None:
    for name in ("data", "fitting", "pages"):
        assert not (ROOT / "dashboard" / f"{name}.py").exists()
        assert not (ROOT / "dashboard" / name).exists()


def test_charts_know_no_streamlit() -> None:
    for path in (ROOT / "dashboard" / "charts").glob("*.py"):
        assert not [module for module, _ in imports(path) if module.split(".")[0] == "streamlit"], path


def test_what_a_page_keeps_of_runs_goes_by_their_identity() -> None:
    """The digest names the data without the file's own columns: two tables that differ in those alone would share a result."""
    for path in (ROOT / "dashboard").rglob("*.py"):
        kept = re.findall(r"\b\w+\([^()]*\bruns\.digest\b[^()]*\)", path.read_text("utf-8"))
        assert not kept, f"{path}: {kept}"


def test_views_are_drawn_in_reading_order_and_short() -> None:
    for path in (ROOT / "dashboard" / "views").glob("*.py"):
        assert len(path.read_text("utf-8").splitlines()) <= 250, path


def test_no_file_is_longer_than_a_person_reads() -> None:
    long = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in sources()}
    assert not {name: lines for name, lines in long.items() if lines > 400}


def test_a_module_says_what_it_is() -> None:
    for path in sources():
        if path.read_text("utf-8").strip():
            said = ast.get_docstring(parsed(path))
            assert said, f"{path} has no sentence on top"
            assert said.splitlines()[0].rstrip().endswith((".", "?", ":")), path


def test_no_tracked_file_names_a_registry() -> None:
    looked_for = re.compile("|".join(re.escape(host) for host in REGISTRIES), re.IGNORECASE)
    for path in tracked():
        found = looked_for.search(path.read_bytes().decode("utf-8", "replace"))
        assert not found, f"{path} names {found.group() if found else ''}"


def test_the_page_asks_no_outside_host() -> None:
    """No address of another host in what the browser is given; comments and citations in Python are no requests."""
    for folder in ("dashboard/static", "dashboard/budget_chart", ".streamlit"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".css", ".js", ".mjs", ".svg", ".html", ".toml"}:
                text = path.read_text("utf-8").replace("http://www.w3.org/", "")
                assert not re.search(r"(https?:)?//[a-z0-9-]+\.[a-z]{2,}", text), path


def test_the_style_uses_the_theme_s_colours() -> None:
    theme = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    style = (ROOT / "dashboard" / "static" / "page.css").read_text("utf-8")
    for name, option in {
        "text": "textColor",
        "quiet": "grayColor",
        "accent": "primaryColor",
        "good": "greenColor",
        "note": "orangeColor",
        "line": "borderColor",
    }.items():
        pair = f"--iso-{name}: light-dark({theme['light'][option]}, {theme['dark'][option]});"
        assert pair in style, f"page.css should say {pair}"


def _contrast(one: str, other: str) -> float:
    """WCAG 2 contrast of two #rrggbb colours."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("side", ["light", "dark"])
def test_text_can_be_read_on_its_ground(side: str) -> None:
    colours = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))["theme"][side]
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        for ink in ("textColor", "grayColor", "linkColor", "greenColor", "orangeColor", "redColor"):
            assert _contrast(colours[ink], colours[ground]) >= 4.5, f"{ink} on {ground}"
    assert _contrast(colours["primaryColor"], colours["backgroundColor"]) >= 4.5


def test_the_top_level_holds_what_was_agreed_and_nothing_that_a_test_left() -> None:
    agreed = {".ci", ".gitignore", ".streamlit", "LICENSE", "README.md", "pyproject.toml", "tests", *ROOMS}
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split("/")[0] for line in listed.splitlines()} == agreed


def test_the_readme_holds_the_command_that_runs_the_tests() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    found = re.search(r"<!-- tests -->\n+```[a-z]*\n(.*?)```", readme, re.DOTALL)
    assert found, "README.md has a fenced block after <!-- tests -->"
    for tool in ("ruff check", "ruff format --check", "mypy", "pytest"):
        assert tool in found[1]


def test_tests_of_pages_ask_for_refits_that_a_page_offers() -> None:
    """Any other number is none, so the page makes its 4,000 and nobody sees why the test is slow."""
    asked = [
        (path.name, int(found[1]))
        for folder in ("dashboard", "browser")
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
        for found in re.finditer(r'"fit:[^\n]*"resamples": (\d+)', path.read_text("utf-8"))
    ]
    assert len(asked) > 5
    assert not [one for one in asked if one[1] not in RESAMPLES]
