"""What the first bytes of a file say it is, for the sentence that refuses it."""

from __future__ import annotations

_SIGNATURES = (
    (b"\x1f\x8b", "compressed with gzip (unpack it first)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd (unpack it first)"),
    (b"BZh", "compressed with bzip2 (unpack it first)"),
    (b"\xfd7zXZ", "compressed with xz (unpack it first)"),
    (b"PK\x03\x04", "a zip archive (unpack it first)"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xff\xd8\xff", "a picture (JPEG)"),
    (b"GIF8", "a picture (GIF)"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
    (b"ARROW1", "an Arrow file (save it as Parquet)"),
    (b"FEA1", "a Feather file (save it as Parquet)"),
    (b"ORC", "an ORC file (save it as Parquet)"),
    (b"\xd0\xcf\x11\xe0", "an old or encrypted Office file (save it as .xlsx without a password)"),
)


def called(content: bytes) -> str:
    """What the bytes are, as the middle of a sentence."""
    for signature, words in _SIGNATURES:
        if content.startswith(signature):
            return words
    if len(content) > 2 and content[0] == 0x80 and content[1] in (2, 3, 4, 5) and content.rstrip().endswith(b"."):
        return "a Python pickle, which is never opened because it can run code (save the table as CSV)"
    return "binary, not text"
