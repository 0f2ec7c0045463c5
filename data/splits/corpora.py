"""Names of the texts that language models are trained on, behind which a size is the text's and no model's: fineweb-10B."""

from __future__ import annotations

CORPORA = frozenset((
    "fineweb", "finewebedu", "fineweb2", "fw", "fwe", "fwedu", "ultrafineweb", "refinedweb", "slimpajama", "spj", "redpajama", "rpj",
    "rpj2", "openwebtext", "openwebtext2", "owt", "owt2", "webtext", "webtext2", "wikitext", "wikitext2", "wikitext103", "wiki",
    "wikipedia", "enwiki", "enwik8", "enwik9", "text8", "c4", "mc4", "pile", "thepile", "minipile", "proofpile", "dclm",
    "tinystories", "dolma", "dolma2", "starcoderdata", "stack", "thestack", "openwebmath", "owm", "finemath", "cosmopedia",
    "nemotroncc", "cc", "commoncrawl", "ccnet", "ccnews", "oscar", "roots", "books", "books3", "bookcorpus", "pg19", "gutenberg",
    "arxiv", "pubmed", "lm1b", "ptb", "zyda", "zyda2", "txt360", "madlad", "culturax", "climbmix", "climblab", "babylm", "paloma",
    "corpus", "dataset",
))  # fmt: skip
#: What stands between a text's name and its size: fineweb-edu-sample-10B, pile-dedup-300B.
PARTS = frozenset((
    "edu", "sample", "samples", "en", "english", "dedup", "deduped", "train", "training", "subset", "raw", "clean", "hq", "data",
    "tok", "tokenized", "mix", "mixed", "baseline", "score", "cc", "v1", "v2", "v3",
))  # fmt: skip
#: Words behind which a size says where in training a run begins, ends or turns: resume-from-1B, stop-at-2B, anneal-50B.
PLACES = frozenset((
    "from", "to", "at", "until", "till", "upto", "after", "anneal", "annealed", "annealing", "cooldown", "cooled", "resume",
    "resumed", "resuming", "continue", "continued", "start", "started", "stop", "stopped", "end", "ended", "branch", "branched",
    "fork", "forked", "decay", "decayed",
))  # fmt: skip
