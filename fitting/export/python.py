"""A fitted law as a Python module that runs alone: its constants in full, `loss`, and the best split of a budget."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap

from fitting.accounting import Accounting
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
    """Python source that needs only the standard library."""
    law = fit.law
    body = _body(law)
    plans = set(law.inputs) == {"params", "tokens"} and law.output == LOSS
    warned = "".join(f"{said}\n" for said in fit.warnings[:1])  # what fails names runs, which ORIGIN holds as values
    said, unit = law.output.title.lower(), law.output.unit or "its own unit"
    intervals = {k: [fit.interval(k).low, fit.interval(k).high] for k in law.names}
    lines = [
        f'"""{law.title}: {law.cite}.\n\nInputs are counts ({", ".join(law.inputs)}); the {said} is in {unit}.\n{warned}"""',
        "",
        "import math",
        "",
        *(f"{k} = {v!r}" for k, v in fit.params.items()),
        "",
        f"INTERVALS_95 = {finite(intervals)!r}",
        f"ORIGIN = {finite(provenance(fit))!r}",
        *(_ratio(fit.accounting) if plans else ()),
        "",
        "",
        *(f"{HELPERS[k]}\n\n" for k in HELPERS if re.search(rf"(?<![\w.]){k}\(", body)),
        f"def {law.output.column}({', '.join(law.inputs)}):",
        f'    """Fitted {law.output.axis.lower()} ({fit.n} runs)."""',
        textwrap.indent(body, "    "),
    ]
    source = "\n".join(lines)
    if plans:
        source += "\n" + PLANNER.replace("loss(math.exp(x), tokens(x))", _call(law))
    return source.rstrip("\n") + "\n"


def _ratio(count: Accounting) -> list[str]:
    """The constants of C / 6ND, a line each."""
    names = ("offset", "slope", "centre", "least", "sign", "second", "idle", "lowest", "log_least")
    return [f"RATIO_{name.upper()} = {float(getattr(count, name))!r}" for name in names]


def _body(law: Law) -> str:
    """The statements of the law's formula, without its docstring, as source."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(law.formula)))
    function = tree.body[0]
    if not isinstance(function, ast.FunctionDef):
        raise TypeError(f"law {law.key!r}: the formula is a plain function, so that it can be exported")
    statements = function.body
    if isinstance(statements[0], ast.Expr) and isinstance(statements[0].value, ast.Constant):
        statements = statements[1:]
    return "\n".join(ast.unparse(ast.fix_missing_locations(_Plain(law).visit(s))) for s in statements)


class _Plain(ast.NodeTransformer):
    """NumPy's functions of numbers as those of the standard library, or as one of `HELPERS`.

    Raises TypeError for one that has no such counterpart here.
    """

    def __init__(self, law: Law) -> None:
        self.law = law

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """`np.log` becomes `math.log`."""
        if not (isinstance(node.value, ast.Name) and node.value.id == "np"):
            return self.generic_visit(node)
        if node.attr not in PLAIN:
            raise TypeError(f"law {self.law.key!r}: np.{node.attr} has no counterpart in the standard library yet")
        return ast.parse(PLAIN[node.attr], mode="eval").body


def _call(law: Law) -> str:
    values = {"params": "math.exp(x)", "tokens": "tokens(x)"}
    return f"loss({', '.join(values[k] for k in law.inputs)})"
