"""What a file to take away says it is of, in every form: read back whole, however hostile a name is."""

from __future__ import annotations

import io
import json

import pandas as pd

from fitting.export.about import with_about

TEXTS = {
    "tex": "\\begin{tabular}{l}\n\\end{tabular}\n",
    "py": '"""Doc."""\n\nA = 1\n',
    "json": '{"unit": "tokens"}',
    "csv": "a,b\n1,2\n",
}
NAMES = ("muon.csv", 'a\nimport os"\\', "\u2028x %\r\\end{document}", "=1+1", '"""', "\ud800", "ü, b; c")


def test_every_form_says_table_and_digest_on_comment_lines_alone():
    for name in NAMES:
        about = {"table": name, "digest": "ab12", "settings": {"losses": [2.6], "open": float("inf")}}
        for form, text in TEXTS.items():
            out = with_about(text, form, about)
            if form == "json":
                body = json.loads(out)
                assert (body["table"], body["digest"], body["unit"]) == (name, "ab12", "tokens"), name
                continue
            assert out.endswith(text), (form, name)
            head = out.removesuffix(text)
            assert all(line.startswith("%" if form == "tex" else "#") for line in head.splitlines()), (form, name)
            assert '"ab12"' in head, (form, name)
            said = next(line for line in head.splitlines() if line[2:].startswith("table: "))
            assert json.loads(said[len("# table: ") :]) == name, (form, name)
        outside: dict = {}
        exec(with_about(TEXTS["py"], "py", about), outside)
        assert (outside["A"], outside["__doc__"]) == (1, "Doc."), name
        assert len(pd.read_csv(io.StringIO(with_about(TEXTS["csv"], "csv", about)), comment="#")) == 1, name
