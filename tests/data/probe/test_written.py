"""The JSON of a sweep, as strangers write it: taken, or refused in a sentence of our own."""

from __future__ import annotations

import codecs

import pytest

from data.errors import DataError
from data.probe.written import MOST_BYTES, parsed


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_any_encoding_of_json_is_read_with_its_mark_or_without(encoding):
    assert parsed('{"corpus": "text:/données", "width": 16}'.encode(encoding), "s.json")["corpus"] == "text:/données"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{"width": ' + b"1" * 5000 + b"}", "a number of 5,000 digits stands in it, and no field takes one"),
        (b'{"lr": 1e999}', "the number 1e999 in it is larger than any field takes"),
        (b'{"lr": NaN}', "NaN stands in it, which is no number of JSON"),
        (b'{"lr": [-Infinity]}', "-Infinity stands in it"),
        (b'{"width": 8, "width": 16}', "the field 'width' stands in it twice; leave one of them out"),
        (b'{"pools": [{"corpus": "a", "corpus": "b"}]}', "the field 'corpus' stands in it twice"),
        (b"[" * 100_000, "its brackets are nested too deep"),
        (b'{"width": 8,}', "line 1, column 13 is wrong, at '}'"),
        (b'{"width":\n 8', "where it ends too early"),
        (b"", "where it ends too early"),
        (b'{"name": "\xe9t\xe9"}', "is no text in UTF-8 or UTF-16; save it as UTF-8"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "is no text in UTF-8 or UTF-16"),
        (b" " * (MOST_BYTES + 1), "over 10,000,000 bytes"),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_name_of_the_file(content, sentence):
    with pytest.raises(DataError) as said:
        parsed(content, "s.json")
    text = str(said.value)
    assert text.startswith("s.json ")
    assert sentence in text
    for word in ("codec", "Expecting", "int_max_str_digits", "recursion", "\n"):
        assert word not in text
