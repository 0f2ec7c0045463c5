"""Taking a column's header apart: the words people wrote, the unit in brackets, the factor in front of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from data.units.factors import DIMENSION, FLOPS, PF_DAY, PF_DAYS, THOUSANDS, factor, plain_powers, power_of_ten


@dataclass(frozen=True)
class Header:
    """A header taken apart: `words` in lower case without unit or path, `path` with them, `scale` the unit's factor.

    `unit` is what the header says of a loss's unit in words of its own: "", "nats", "bits", "perplexity", "bits per byte",
    "bits per character", "nats per byte", "nats per character". `parts` are the texts in brackets and at the end that may
    be units, which count once it is known what the column holds.
    """

    raw: str
    words: str
    path: str
    scale: float = 1.0
    unit: str = ""
    said: str = ""  # the text that gave the scale, for the explanation
    parts: tuple[str, ...] = ()
    tails: tuple[tuple[str, float], ...] = ()  # the words of a nested name's last parts, each with how far they say it


#: Folders that trackers put metrics and settings in; the name that counts stands behind them.
PATH_HEADS = frozenset((
    "config", "configs", "cfg", "args", "hparams", "hyperparameters", "hyperparams", "settings", "params", "params_config",
    "summary", "summaries", "metrics", "metric", "stats", "total_stats", "perf", "throughput", "run", "data", "model",
    "trainer", "training", "train", "optim", "optimizer", "opt", "arch", "architecture", "net", "network", "results", "result",
    "final", "info", "meta", "metadata", "schedule", "scheduler", "parameters", "experiment", "job", "transformer", "hp", "hps",
    "setup", "sys", "log history", "log_history", "state",
))  # fmt: skip

#: Short forms that stand for a word of the vocabulary below, wherever they stand.
_SHORT = {
    "mdl": "model", "sz": "size", "siz": "size", "prm": "params", "prms": "params", "parms": "params", "parm": "params",
    "tkn": "tokens", "tkns": "tokens", "tks": "tokens", "toks": "tokens", "tok": "tokens", "nbr": "num", "cnt": "count",
    "anzahl": "num", "nombre": "num",
    "trn": "train", "vl": "val", "bsz": "batch size", "batchgrosse": "batch size", "lauf": "run", "validierungsverlust": "val loss",
    "trainingsverlust": "train loss",
     "bs": "batch size", "batchsize": "batch size", "gbs": "global batch size",
    "mbs": "micro batch size", "gas": "gradient accumulation steps", "ctx": "context", "seqlen": "seq len",
    "eff": "effective", "tot": "total", "glob": "global", "gbsz": "global batch size", "mbsz": "micro batch size",
    "hid": "hidden", "lyr": "layer", "lyrs": "layers", "lrn": "learning", "xent": "cross entropy", "crossentropy": "cross entropy",
    "pplx": "ppl", "pplxs": "ppl",
    "verlust": "loss", "perte": "loss", "schritte": "steps", "lernrate": "lr", "modell": "model", "modele": "model", "jetons": "tokens",
    "modelo": "model", "modello": "model", "parametros": "params", "parametri": "params", "parametern": "params", "numero": "num",
    "perdida": "loss", "perda": "loss", "perdita": "loss", "testverlust": "test loss",
    "modellgrosse": "model size", "grosse": "size", "taille": "size", "du": "of",
    "trainingstokens": "train tokens", "trainings": "train", "trainingsdaten": "train data", "entrenamiento": "train",
    "entrainement": "train", "validacion": "val", "validacao": "val", "rechenaufwand": "compute", "calcul": "compute", "pasos": "steps",
    "par": "params", "pars": "params", "parametres": "params", "perplexite": "perplexity", "nb": "num", "de": "of", "der": "of",
}  # fmt: skip

#: Words of languages that write without spaces or in letters of their own, the longer before what they contain.
_FOREIGN = {
    "总参数量": " total params ", "激活参数量": " active params ", "激活参数": " active params ",
    "参数数量": " params ", "参数个数": " params ", "参数量": " params ",
    "参数": " params ", "參數量": " params ", "參數": " params ", "パラメーター数": " params ", "パラメータ数": " params ",
    "パラメーター": " params ", "パラメータ": " params ", "매개변수": " params ", "파라미터": " params ",
    "损失函数": " loss ", "损失值": " loss ", "损失": " loss ", "損失": " loss ", "ロス": " loss ", "손실": " loss ",
    "困惑度": " perplexity ",
    "训练": " train ", "訓練": " train ", "学習率": " lr ", "学习率": " lr ", "學習率": " lr ", "学習": " train ", "학습": " train ",
    "验证集": " val ", "验证": " val ", "驗證": " val ", "検証": " val ", "검증": " val ", "测试": " test ", "測試": " test ",
    "テスト": " test ", "词元数": " tokens ", "词元": " tokens ", "令牌数": " tokens ", "令牌": " tokens ", "トークン数": " tokens ",
    "トークン": " tokens ", "토큰": " tokens ", "数据量": " data ", "數據量": " data ", "データ量": " data ", "数据": " data ",
    "计算量": " compute ", "計算量": " compute ", "算力": " compute ", "步数": " steps ", "步數": " steps ", "ステップ数": " steps ",
    "ステップ": " steps ", "批次大小": " batch size ", "批量大小": " batch size ", "批大小": " batch size ",
    "バッチサイズ": " batch size ", "模型大小": " model size ", "模型规模": " model size ", "モデルサイズ": " model size ",
    "模型": " model ", "モデル": " model ", "序列长度": " seq len ", "系列長": " seq len ", "数量": " ", "个数": " ", "数": " ", "數": " ",
    "параметров": " params ", "параметры": " params ", "токенов": " tokens ", "токены": " tokens ", "потери": " loss ",
    "δ": " delta ", "∆": " delta ", "потеря": " loss ", "лосс": " loss ", "число": " num ", "количество": " num ", "шагов": " steps ",
    "шаги": " steps ",
}  # fmt: skip

# What a header is about, which decides how a unit in it is read.
_ABOUT = (
    ("time", re.compile(r"\b(wall|time|runtime|duration|elapsed|hours?|minutes?|hrs?)\b")),
    ("compute", re.compile(r"\b(flops?|compute|budget|isoflops?|petaflops?|C)\b")),
    ("rate", re.compile(r"\b(lr|learning rate|rate|weight decay|wd)\b")),
    ("count", re.compile(
        r"\b(params?|parameters?|weights|tokens?|size|data|dataset|corpus|steps?|iters?|iterations?|updates?|batch|seq|sequences?|context"
        r"|length|examples?|samples?|vocab|count|number|N|D|B|U|n|d)\b")),
)  # fmt: skip


#: A letter of the papers and what it counts: N_total, D_train.
_LETTER = re.compile(
    r"([ND])_((?i:ne|nonemb|nonembed|wo_emb|no_emb|w_emb|total|all|emb|active|act|train|training|seen))"
)
#: N_M, D_T, N_million; D_k is the width of a key, D_m that of a model, and N_T the number of tokens.
_IN_UNIT = re.compile(r"([ND])_(M|B|(?i:mn|bn|mio|millions?|billions?))|(D)_(T|(?i:tn|trillions?))")


#: What papers count under one letter.
_NUMBERED = {"#L": "number of layers", "#H": "number of heads"}
#: M params, B tokens, kTokens: the unit before the word. A small letter may be anything.
_UNIT_BEFORE = re.compile(r"([kKMGBT])(?: |(?=[A-Z]))((?i:tokens?|toks?|params?|parameters|steps?|iters?|iterations))")
#: Mtok/step, k tokens per step: the prefix of what stands over the line.
_TOKENS_PER = re.compile(r"(k|m|b|g|mega|giga|thousand|million|billion)s? ?(tok(?:en)?s?) ((?:/|per) .+)")


@lru_cache(maxsize=20_000)
def header(raw: str) -> Header:
    """The header taken apart; never raises."""
    text = plain_powers(raw.strip().strip("\"'`*$#"))[:300]
    text = _NUMBERED.get(raw.strip().strip("\"'`*$"), text)
    # Single letters keep their case: N, D and C mean what papers say.
    if re.fullmatch(r"[A-Z](?:_[A-Za-z0-9])?", text) and not _IN_UNIT.fullmatch(text):
        return Header(raw, text, text)
    if letter := _LETTER.fullmatch(text):  # and with what stands behind them, whose case says nothing
        text = f"{letter[1]}_{letter[2].lower()}"
        return Header(raw, text, text)
    if letter := _IN_UNIT.fullmatch(text):
        unit = letter[2] or letter[4]
        name = letter[1] or letter[3]
        return Header(raw, name, name, factor(unit, "count") or 1.0, "", unit)
    if before := _UNIT_BEFORE.fullmatch(text):
        text = f"{before[2]} ({before[1]})"
    text = re.sub(r"^(?:no|nr|num)\.\s*(?:of\b)?", "number of ", text, flags=re.IGNORECASE)
    text = re.sub(r"\b([A-Za-z]{2,6})\.(?=\s)", r"\1", text)  # emb. params: an abbreviation is no folder
    text = re.sub(r"^\s*of\b", "number of", text) if raw.lstrip().startswith("#") else text
    over = re.fullmatch(r"(.*?)\s*(?:/|÷)\s*(1e[0-9]+|10\^[0-9]+|[0-9]{1,3}(?:[,_' ]?000)+)", text)
    if over and over[1]:  # C / 1e18: what stands in the cells is C over 1e18
        text = f"{over[1]} ({_thousands(over[2])})"
    inside = [part.strip() for part in re.findall(r"[(\[{]([^()\[\]{}]*)[)\]}]", text)]
    outside = re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", " ", text) if inside else text
    comma = re.fullmatch(r"([^,]+),\s*(?:in )?([^,]{1,24})", outside) if not inside else None
    if comma and _any_factor(comma[2]) is not None:  # "tokens, B"
        outside, inside = comma[1], [comma[2].strip()]
    single = outside.strip()
    words = single if re.fullmatch(r"[A-Z]", single) else _words(outside)
    about = _about(words)
    scale, said, extra = 1.0, "", []
    for part in inside:
        found = factor(part, about) if about else _any_factor(part)
        if found is not None:
            scale, said = scale * found, part
        else:
            extra.append(part)
    extra = [part for part in extra if part.strip().lower() not in _LAST]
    extra = [part for part in extra if not _SAYS_ITSELF.fullmatch(part.strip().lower())] if len(single) == 1 else extra
    if not re.fullmatch(r"[A-Z]", single) or extra:  # N (excl. embeddings) is another count than N
        words = _words(" ".join([outside, *extra]))
        about = _about(words)
        if scale == 1.0:
            scale, said, words = _spelled(words, about)
        else:
            words = PF_DAYS.sub("flops", words)
    unit = loss_unit(_words(text), raw)
    path = words
    parts = [p.strip() for p in _FOLDERS.split(outside.strip()) if p.strip()]
    if len(parts) < 2 or re.search(r"\s/\s", outside):  # params / token is a ratio, params/token a folder
        return Header(raw, words, path, scale, unit, said, tuple(inside))

    def behind(i: int) -> str:
        tail = _words(" ".join([*parts[i:], *extra]))
        if "flops" in path:
            return FLOPS.sub("flops", tail)
        return _spelled(tail, _about(tail))[2] if said and said not in inside else tail

    heads = [p.lower() for p in parts[:-1]]
    known = next((k for k, h in enumerate(heads) if h not in PATH_HEADS), len(heads))
    words = behind(known) if known else words
    return Header(raw, words, path, scale, unit, said, tuple(inside), _tails(parts, behind))


#: Between the parts of a nested name: `config/lr`, `config.lr`, `config:lr`, `config__lr`.
_FOLDERS = re.compile(r"[/.:]+|(?<=[A-Za-z0-9])__(?=[A-Za-z])")
#: What held-out losses are measured on.
SPLITS = frozenset(("eval", "evals", "evaluation", "val", "valid", "validation", "dev", "test"))
#: Folders whose tokens, steps and rates are not those of the training run.
OTHERS = SPLITS | {
    "target",
    "goal",
    "min",
    "minimum",
    "std",
    "err",
    "error",
    "delta",
    "lower",
    "upper",
    "init",
    "initial",
}
#: What stands below the line of a ratio, as in ms/step.
_PER = re.compile(r"s|secs?|seconds?|ms|h|hours?|days?|step|iter|iteration|update|token|tok|param|parameter|batch|epoch|seq"
                  r"|sequence|sample|example|byte|gpu|tpu|device|layer|head|run|word")  # fmt: skip
_A_TIME = re.compile(r"s|secs?|seconds?|ms|mins?|minutes?|h|hrs?|hours?|days?")  # s/seed is a time, over seeds
_TAIL = 0.7  # how far a name says what it means behind a folder that nobody knows


def _tails(parts: list[str], behind: Callable[[int], str]) -> tuple[tuple[str, float], ...]:
    """The words of a nested name without its first parts, the longest tail first, and how far each says what it means."""
    out = [(behind(0), 1.0)]
    for i in range(1, min(len(parts), 8)):
        heads = [p.lower() for p in parts[:i]]
        unknown = [h for h in heads if h not in PATH_HEADS]
        ratio = i == len(parts) - 1 and (len(parts[i]) == 1 or _PER.fullmatch(parts[i].lower()))
        if any(h in OTHERS for h in heads) or (unknown and ratio) or _A_TIME.fullmatch(heads[-1]):
            break
        out.append((behind(i), _TAIL if unknown else 1.0))
    return tuple(out)


@lru_cache(maxsize=20_000)
def scale_in(raw: str, column: str) -> tuple[float, str]:
    """The factor that the header states for values of this column, and the text that states it: 1 and '' where none does.

    The same text means different things in different columns, so this is asked again once a person has said what the column is.
    """
    taken = header(raw)
    dimension = DIMENSION.get(column, "")
    if not dimension:
        return 1.0, ""
    for part in taken.parts:
        found = factor(part, dimension)
        if found is not None:
            return found, part
    if taken.parts and taken.said in taken.parts:
        return 1.0, ""  # what it seemed to state is no unit of this column
    if taken.said:
        found = factor(taken.said, dimension)
        return (found, taken.said) if found is not None else (1.0, "")
    plain = _words(re.sub(r"[(\[{][^()\[\]{}]*[)\]}]", " ", plain_powers(raw)))
    scale, said, _ = _spelled(plain, "count" if dimension == "length" else dimension)
    return (factor(said, dimension) or scale) if said else scale, said


def _any_factor(text: str) -> float | None:
    """The factor of a unit that means the same whatever the column holds, or that only compute is counted in."""
    compute = factor(text, "compute")
    if compute is not None and (
        FLOPS.search(text.lower()) or PF_DAYS.search(text.lower()) or power_of_ten(text.lower())
    ):
        return compute
    if THOUSANDS.fullmatch(text.strip().lower()):
        return None  # loss (x1000) may be multiplied or divided
    return factor(text, "count")


_LAST = frozenset(("last", "final", "latest", "end"))  # which value of a series a tracker shows
_SAYS_ITSELF = re.compile(
    r"tokens?|params?|parameters?|flops?|nats?(?: ?(?:/|per) ?tok(?:en)?)?|loss|compute|data|model size|steps?|#|count"
)


def _thousands(text: str) -> str:
    """1,000,000 as 1e6, and a power as it is."""
    digits = re.sub(r"[,_' ]", "", text)
    return f"1e{len(digits) - 1}" if re.fullmatch(r"10+", digits) else text


def _about(words: str) -> str:
    if FLOPS.search(words) or PF_DAYS.search(words):
        return "compute"
    return next((kind for kind, pattern in _ABOUT if pattern.search(words)), "")


def _spelled(words: str, about: str) -> tuple[float, str, str]:
    """A factor written without brackets, and the words without it: tokens_b, n_params_millions, flops_1e18, mdl_sz_mln, Train PFLOPs."""
    if PF_DAYS.search(words):
        return PF_DAY, "PF-days", " ".join(PF_DAYS.sub("flops", words).split())
    flop = FLOPS.search(words)
    if flop and flop[1] and about in ("compute", ""):
        return factor(flop[0], "compute") or 1.0, flop[0], words.replace(flop[0], "flops", 1)
    if over := _TOKENS_PER.fullmatch(words):
        return factor(over[1], "count") or 1.0, over[1], f"{over[2]} {over[3]}"
    head, _, last = words.rpartition(" ")
    power = power_of_ten(last)
    if head and power is not None:
        return power, last, head.removesuffix(" x")
    if about == "time":
        found = factor(last, "time")
        if head and found is not None and last not in ("m", "d", "time"):
            return found, last, words if last.startswith(("hour", "minute", "day", "second")) else head
        return 1.0, "", words
    if about == "count" and head:
        found = factor(last, "count")
        if found is not None and re.search(
            r"\b(params?|parameters?|tokens?|size|steps?|batch|N|D|n|d|data|count|samples)\b", head
        ):
            return found, last, head.removesuffix(" in")
        first, _, rest = words.partition(" ")
        if len(first) > 3 and factor(first, "count") is not None:  # "million tokens", "billions of tokens"
            return factor(first, "count") or 1.0, first, rest.removeprefix("of ")
    fused = re.search(
        r"\b(k|m|g|b|t|mega|giga|tera)(tokens?|toks?|params?|steps?|updates?|iters?)\b|\b(k) (steps?)\b", words
    )
    if fused:
        prefix, what = fused[1] or fused[3], fused[2] or fused[4]
        return factor(prefix, "count") or 1.0, fused[0], words.replace(fused[0], what, 1)
    return 1.0, "", words


def _words(text: str) -> str:
    """The text in lower-case words: CrossEntropyLoss -> cross entropy loss, n_params -> n params, bsz -> batch size."""
    if not text.isascii():
        lower = text.lower()
        for word, meaning in _FOREIGN.items():
            lower = lower.replace(word, meaning) if word in lower else lower
        text = lower if lower != text.lower() else text
        # accents do not tell words apart: modèle is modele
        text = text.replace("ß", "ss")
        text = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z]{2})(?=[A-Z]{2,})", " ", text)
    text = text.lower().replace("#", " number ").replace("№", " number ").replace("%", " percent ").replace("/", " / ")
    text = re.sub(r"[^a-z0-9/+*^-]+|(?<![0-9^e])-|-(?![0-9])", " ", text)
    return " ".join(_SHORT.get(word, word) for word in text.split())


def loss_unit(words: str, raw: str = "") -> str:
    """The unit of a loss as the words of a header say it, '' where they say nothing."""
    log = re.search(r"\b(log ?2|log ?10|log|ln|lg)\b", words)
    over = _OVER.search(words) if not _TOKENIZER.search(words) else None
    per = next((name for name, form in _COUNTED_OVER.items() if over and form.fullmatch(over[1] or over[2])), "")
    if re.search(r"\b(ppl|ppls|perplexity|perplexities|pplx)\b", words) or re.search(r"\blog(ppl|perplexity)\b", words):
        if re.search(r"\blog ?2\b|\blb\b", words):
            return "bits"
        if re.search(r"\blog ?10\b|\blg\b", words):
            return "log10 perplexity"
        if per:
            return f"nats per {per}" if log else f"perplexity per {per}"
        return "nats" if log or "logppl" in words else "perplexity"
    if re.match(rf"\s*e(?:xp)?\s*[\^(]+[^()]*{_LOSSES}\b", raw.lower()):
        return "perplexity"  # exp(loss)
    said = _BASE.search(words)
    two, ten = bool(said and said[1] in ("2", "two")), bool(said and said[1] in ("10", "ten"))
    base = "nats" if re.search(r"\bnats?\b", words) else "bits"
    if re.search(r"\b(bpb|(bits?|nats?) ?(per|/) ?bytes?)\b", words):
        return f"{base} per byte"
    if re.search(r"\b(bpc|bpch|(bits?|nats?) ?(per|/) ?(chars?|characters?|letters?))\b", words):
        return f"{base} per character"
    if re.search(r"\b(bpd|bits? ?(per|/) ?(dims?|dimensions?|sub ?pixels?|pixels?))\b", words):
        return "bits per dimension"
    if re.search(r"\b(bpw|(bits?|nats?) ?(per|/) ?words?)\b", words):
        return f"{base} per word"
    if re.search(r"\b(bits? (per|/) (tokens?|tok)|bpt|bits?)\b", words):
        return "bits"
    if per:
        return f"{'bits' if two or re.search(r'bits?', words) else 'nats'} per {per}"
    if two or ten:
        return "bits" if two else "log10 perplexity"
    return "nats" if re.search(r"\bnats?\b", words) else ""


#: The base of the logarithm that a loss is the mean of: loss (base 2), loss_base2, CE loss, base-2.
_BASE = re.compile(r"\bbase[ -]?(2|two|10|ten|e)\b")
_COUNTED_OVER = {
    "word": re.compile(r"words?"),
    "byte": re.compile(r"bytes?"),
    "character": re.compile(r"chars?|characters?|letters?"),
}
_LOSSES = r"(?:loss(?:es)?|xent|cross ?entropy|ce|nll|ppls?|pplx|perplexity|perplexities)"
_ANY_OVER = r"(words?|bytes?|chars?|characters?|letters?)"
#: word-level ppl, byte_perplexity, loss per word, nll/char; what a model reads in (byte-level BPE) is none of it.
_OVER = re.compile(
    rf"\b{_ANY_OVER}(?: ?(?:level|wise|normali[sz]ed))? (?:val |valid |validation |test |eval |train )?{_LOSSES}\b"
    rf"|\b{_LOSSES}(?: ?(?:per|/)| )? ?{_ANY_OVER}(?: level)?\b"
)
_TOKENIZER = re.compile(r"\b(?:bpe|tokeni[sz]er|vocab)\b")
