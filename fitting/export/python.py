"""A fitted law as a Python module that runs alone: its constants in full, `loss`, and the best split of a budget."""

from __future__ import annotations

import ast
import builtins
import inspect
import math
import re
import textwrap
from collections.abc import Mapping
from typing import TypeGuard

from fitting.accounting import Accounting
from fitting.errors import FitError
from fitting.export.text import finite, provenance
from fitting.law import LOSS, Law
from fitting.result import Fit

# What NumPy's functions are of single numbers.
PLAIN = {
    **{k: f"math.{k}" for k in ("log", "log2", "log10", "log1p", "expm1", "sqrt", "tanh", "pi", "e", "inf")},
    "minimum": "min", "maximum": "max", "abs": "abs", "absolute": "abs", "power": "pow", "exp": "exp", "logaddexp": "logaddexp",
}  # fmt: skip
HELPERS = {
    "exp": '''def exp(x):
    """e^x, infinite where no number is so large."""
    return math.exp(x) if x < 709.0 else math.inf
''',
    "logaddexp": '''def logaddexp(a, b):
    """log(e^a + e^b), for any a and b."""
    return a + math.log(2.0) if a == b else max(a, b) + math.log1p(math.exp(-abs(a - b)))
''',
}

RATIO = ("offset", "slope", "centre", "least", "sign", "second", "idle", "lowest", "log_least")
# What the module has names of its own for, beside its function.
TAKEN = (*HELPERS, "math", "min", "max", "abs", "pow", "flops", "best", "loss", "INTERVALS_95", "ORIGIN",
         *(f"RATIO_{name.upper()}" for name in RATIO))  # fmt: skip

PLANNER = '''

def flops(params, tokens):
    """Training FLOPs as the fitted table counts them."""
    x = y = math.log(params) - RATIO_CENTRE
    if RATIO_IDLE > 0:  # parameters that do no work are counted too: those that do are e^x
        x = min(y, (y - math.log(RATIO_IDLE)) / -RATIO_SLOPE)
        for _ in range(7):
            z = RATIO_IDLE * math.exp(-(1.0 + RATIO_SLOPE) * x)
            x -= (x + math.log1p(z) - y) / (1.0 - (1.0 + RATIO_SLOPE) * z / (1.0 + z))
    z = math.exp(-(1.0 + RATIO_SLOPE) * x)
    ratio = RATIO_LEAST + RATIO_SIGN * math.exp(RATIO_OFFSET + RATIO_SLOPE * x) + RATIO_SECOND * z
    ratio = ratio / (1.0 + RATIO_IDLE * z) if RATIO_SIGN > 0 else max(ratio, RATIO_LOWEST)
    return 6.0 * params * tokens * ratio


def best(budget):
    """(params, tokens, loss) that a budget in FLOPs buys at best, by golden section on log params."""
    def tokens(x):
        return budget / flops(math.exp(x), 1.0)

    def height(x):
        return loss(math.exp(x), tokens(x))

    low, high = 0.0, max(1.0, math.log(budget / 6.0) - RATIO_LOG_LEAST)
    start = min((low + (high - low) * k / 400.0 for k in range(401)), key=height)
    low, high = start - (high - low) / 400.0, start + (high - low) / 400.0
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    while high - low > 1e-9:
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if height(left) < height(right) else (left, high)
    x = 0.5 * (low + high)
    return math.exp(x), tokens(x), height(x)
'''


def fit_to_python(fit: Fit) -> str:
    """Python source that needs only the standard library.

    A parameter called as something else there is, such as the function, has an underscore behind its name. FitError for a formula
    that cannot be written so.
    """
    law = fit.law
    named = _named(law)
    body = _body(law, named)
    plans = set(law.inputs) == {"params", "tokens"} and law.output == LOSS
    warned = "".join(f"{said}\n" for said in fit.warnings[:1])  # what fails names runs, which ORIGIN holds as values
    said, unit = law.output.title.lower(), law.output.unit or "its own unit"
    intervals = {k: [fit.interval(k).low, fit.interval(k).high] for k in law.names}
    lines = [
        _docstring(
            f"{law.title}: {law.cite}.\n\nInputs are counts ({', '.join(law.inputs)}); the {said} is in {unit}.\n{warned}"
        ),
        "",
        "import math",
        "",
        *(f"{named[k]} = {v!r}" for k, v in fit.params.items()),
        "",
        *(
            [f"# Open on one side or both, since these runs do not identify them: {', '.join(fit.unidentified)}."]
            if fit.unidentified
            else ()
        ),
        f"INTERVALS_95 = {_ends(intervals)}",
        f"ORIGIN = {finite(provenance(fit))!r}",
        *(_ratio(fit.accounting) if plans else ()),
        "",
        "",
        *(f"{HELPERS[k]}\n\n" for k in HELPERS if re.search(rf"(?<![\w.]){k}\(", body)),
        f"def {law.output.column}({', '.join(law.inputs)}):",
        f"    {_docstring(f'Fitted {law.output.axis.lower()} ({fit.n} runs).')}",
        textwrap.indent(body, "    "),
    ]
    source = "\n".join(lines)
    if plans:
        source += "\n" + PLANNER.replace("loss(math.exp(x), tokens(x))", _call(law))
    return source.rstrip("\n") + "\n"


def _ends(intervals: Mapping[str, list[float]]) -> str:
    """Intervals by name as source; an end that lies at no number is math.inf or None."""
    pairs = (f"{k!r}: [{', '.join(map(_end, ends))}]" for k, ends in intervals.items())
    return f"{{{', '.join(pairs)}}}"


def _end(x: float) -> str:
    if math.isfinite(x):
        return repr(x)
    return "None" if math.isnan(x) else "math.inf" if x > 0 else "-math.inf"


def _ratio(count: Accounting) -> list[str]:
    """The constants of C / 6ND, a line each."""
    return [f"RATIO_{name.upper()} = {float(getattr(count, name))!r}" for name in RATIO]


def _docstring(text: str) -> str:
    """A text as a docstring that ends where it should, whatever stands in it."""
    safe = text.replace("\\", "\\\\").replace('"""', r"\"\"\"")
    return f'"""{safe[:-1]}{safe[-1:].replace(chr(34), chr(92) + chr(34))}"""'


def _named(law: Law) -> dict[str, str]:
    """What each parameter is called in the module: by its name, where nothing else there is called so."""
    taken = {law.output.column, *TAKEN, *law.inputs}
    out: dict[str, str] = {}
    for name in law.names:
        new = name
        while new in taken or (new != name and new in law.names):
            new += "_"
        out[name] = new
        taken.add(new)
    return out


def _body(law: Law, named: Mapping[str, str]) -> str:
    """The statements of the law's formula, without its docstring, as source with its parameters as they are `named`."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(law.formula)))
    except (OSError, TypeError, SyntaxError):
        raise FitError(
            f"The formula of {law.title} has no source that can be read, as one typed at a prompt has none, so it is not exported as "
            "Python. Put it into a file or a notebook's cell and fit again, or export the fit as JSON."
        ) from None
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef) or function.name != getattr(law.formula, "__name__", None):
        raise FitError(
            f"A formula is exported as Python where it is a plain function; that of {law.title} is none. Write it with def and fit "
            "again, or export the fit as JSON."
        )
    statements = function.body
    if isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
        statements = statements[1:]
    plain = [ast.fix_missing_locations(_Plain(law, named).visit(s)) for s in statements]
    names = [node for s in plain for node in ast.walk(s) if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    there = {*made, *law.inputs, *named.values(), "math", *HELPERS, *dir(builtins)}
    if lacks := list(dict.fromkeys(node.id for node in names if node.id not in there)):
        raise FitError(
            f"The formula of {law.title} uses {' and '.join(lacks)}, defined outside it, so it is not exported as Python. Write "
            "it out inside the formula and fit again, or export the fit as JSON."
        )
    return "\n".join(map(ast.unparse, plain))


class _Plain(ast.NodeTransformer):
    """NumPy's functions of numbers as those of the standard library, or as one of `HELPERS`; parameters as they are `named`.

    Raises FitError for a function that has no such counterpart here.
    """

    def __init__(self, law: Law, named: Mapping[str, str]) -> None:
        self.law, self.named = law, named

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """A parameter by its name in the module."""
        return ast.copy_location(ast.Name(self.named.get(node.id, node.id), node.ctx), node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """`np.where(condition, a, b)` becomes `a if condition else b`."""
        of = node.func
        if _of_numpy(of) and of.attr == "where" and len(node.args) == 3 and not node.keywords:
            condition, a, b = (self.visit(arg) for arg in node.args)
            return ast.copy_location(ast.IfExp(condition, a, b), node)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`np.log` becomes `math.log`."""
        if not _of_numpy(node):
            return self.generic_visit(node)
        if node.attr not in PLAIN:
            raise FitError(
                f"The formula of {self.law.title} uses numpy's {node.attr}, which the standard library lacks, so it is not exported "
                "as Python. Export the fit as JSON."
            )
        return ast.parse(PLAIN[node.attr], mode="eval").body


def _of_numpy(node: ast.expr) -> TypeGuard[ast.Attribute]:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy")


def _call(law: Law) -> str:
    values = {"params": "math.exp(x)", "tokens": "tokens(x)"}
    return f"loss({', '.join(values[k] for k in law.inputs)})"
