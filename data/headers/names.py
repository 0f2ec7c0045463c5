"""The names people give to the columns of a runs table, and what each of them means.

One row per habit: the canonical column, a pattern over the header's words (see `data.headers.parts`), how sure it is (1 the
column's own name, .9 a usual name, .6 a name that could mean something else, below .5 offered but not taken).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from data.headers.logs import LOGGED, USUAL, logged
from data.headers.parts import Header, header
from data.headers.stated_with import without_plan, without_statement
from data.states.predicted import heads as heads_predictions

_NUMBER_OF = r"(?:n|num(?: of)?|nr|no|number(?: of)?|count(?: of)?|total|model)? ?"
_PARAMS = r"(?:params?|parameters?|parameter count|param count|params? count|weights)"
_COUNTED = r"(?:n|num(?: of)?|nr|number of|model|network)"
_TOKENS = r"(?:tokens?|toks?)"
_PART = r"(?:percent(?:age)?|pct|frac(?:tion)?|share|portion|proportion)"
_DATA = r"(?:(?:the |full |train(?:ing)? )*(?:data|dataset|data set|corpus|train(?:ing)? set))"

NAMES: tuple[tuple[str, str, float], ...] = (
    ("run", r"run(?: ?(?:id|name|key|uuid))?", 1.0),
    ("run", r"(?:exp|experiment|job|trial|wandb|wandb run|mlflow run)(?: ?(?:id|name|key))", 0.9),
    ("run", r"name|id|uid|uuid|display name", 0.8),
    ("run", r"exp|experiment|trial|job|checkpoint|model id", 0.6),
    ("run", r"(?:checkpoint|ckpt)(?: ?(?:id|name))?", 0.6),
    ("run", r"config(?:uration)?(?: ?name)?", 0.61),  # where nothing else names runs or models
    ("run", r"dir ?name", 0.6),  # of the folder of one run's events
    ("run", r"revision|branch", 0.6),  # where it holds steps
    ("group", r"group(?: ?(?:id|name))?", 1.0),
    ("group", r"sweep(?: ?(?:id|name))?|project|series|study", 0.7),
    ("family", r"family|model family|arch|architecture", 0.9),
    ("family", r"model(?: ?name| ?type)?", 0.7),
    ("params_nonembed",
     rf"{_NUMBER_OF}(?:non|no|without|excluding|excl|w/o|w o|wo) ?emb(?:ed(?:ding)?s?)? {_PARAMS}", 1.0),
    ("params_nonembed",
     rf"{_NUMBER_OF}{_PARAMS} (?:non|no|without|excluding|excl|ex|w/o|w / o|w o|wo) ?emb(?:ed(?:ding)?s?)?", 1.0),
    ("params_nonembed", rf"{_NUMBER_OF}{_PARAMS} (?:non|no) ?vocab|N_?(?:ne|nonemb|wo_emb|no_emb|nonembed)", 0.9),
    ("params_nonembed",
     r"n (?:non|no|without|excluding|excl|ex|w/o|w / o|w o|wo) ?(?:the )?emb(?:ed(?:ding)?s?)?(?: params)?|n ne", 0.9),
    ("params_nonembed",
     r"(?:model |network )?size (?:non|no|without|excluding|excl|ex|w/o|w / o|w o|wo) ?emb(?:ed(?:ding)?s?)?", 0.9),
    ("params_total", rf"(?:n |num )?(?:total|all|full) {_PARAMS}|{_PARAMS} (?:total|all|full)", 1.0),
    ("params_total", rf"total (?:{_COUNTED} )*{_COUNTED} ?{_PARAMS}|(?:{_COUNTED} )+total (?:{_COUNTED} )*{_PARAMS}", 0.9),
    ("params_total",
     rf"{_NUMBER_OF}{_PARAMS} (?:with|w|w /|incl|including) ?emb(?:ed(?:ding)?s?)?|N_?(?:w_emb|total|all|emb)", 0.9),
    ("params_total", r"n (?:w|w /|with|incl|including) emb(?:ed(?:ding)?s?)?|n (?:total|all)|total emb params and body", 0.9),
    ("params_total",
     rf"(?:n|{_NUMBER_OF}{_PARAMS}) (?:total|all|full)(?: (?:un)?tied)?(?: emb(?:ed(?:ding)?s?)?)?"
     rf"|(?:n|{_NUMBER_OF}{_PARAMS}) (?:un)?tied(?: emb(?:ed(?:ding)?s?)?)?", 0.9),
    ("params_active", rf"(?:n |num )?(?:active|activated) {_PARAMS}|{_PARAMS} (?:active|activated)(?: precise)?", 1.0),
    ("params_active",
     rf"{_NUMBER_OF}(?:act|a|active|activated) {_PARAMS}(?: (?:per|/) ?(?:token|tok))?|{_PARAMS} act"
     rf"|{_PARAMS} (?:active|activated|used) (?:per|/|in a) ?(?:token|tok)", 0.9),
    ("params_active", r"n active|N_?(?:active|act)|(?:active|activated) (?:model )?size|(?:model )?size (?:active|activated)", 0.9),
    ("params", r"params?", 1.0),
    ("params", rf"{_NUMBER_OF}{_PARAMS}|(?:param|parameter)s? ?(?:count|size|number)|model params?", 0.95),
    ("params", rf"(?:{_COUNTED} ){{2,3}}{_PARAMS}|(?:{_COUNTED} )*model n ?{_PARAMS}|model {_PARAMS} (?:count|size|number)|numel", 0.9),
    ("params", rf"(?:n |num |number of )?(?:trainable|learnable) {_PARAMS}|{_PARAMS} (?:trainable|learnable)", 0.85),
    ("params", r"(?:model|network|llm|lm|transformer) ?size|size(?: of (?:the )?model)?|N", 0.8),
    ("params", rf"(?:model )?size {_PARAMS}", 0.9),
    ("params", rf"n ?opt|params? opt|n|(?:compute )?opt(?:imal|imum)? (?:model )?(?:{_PARAMS}|size)|{_PARAMS} optimal", 0.6),
    ("tokens", r"tokens", 1.0),
    ("tokens", rf"{_NUMBER_OF}(?:train(?:ing)? |seen |processed |consumed )?{_TOKENS}"
               rf"(?: seen| trained| processed| consumed| count| total)?", 0.95),
    ("tokens", rf"(?:train|training|trained|seen|processed|consumed|total|data) (?:number )?(?:n )?{_TOKENS}", 0.95),
    ("tokens", rf"(?:(?:dataset|data|corpus) )?size {_TOKENS}", 0.9),
    ("tokens", r"train(?:ing)? tokens(?: seen)?|D|total train(?:ing)? tokens", 0.9),
    ("tokens", r"d tokens?|D_(?:total|all|train|training|seen)|d (?:total|seen)", 0.9),
    ("tokens", rf"(?:compute )?opt(?:imal|imum)? (?:(?:dataset|data|corpus|train(?:ing)?) )?{_TOKENS}|{_TOKENS} optimal", 0.6),
    ("tokens", r"tokens opt|goal train tokens|target tokens|planned tokens|token budget|d opt", 0.6),
    ("tokens", r"(?:dataset|data|corpus) size|train(?:ing)? (?:set|data) size|d", 0.6),
    ("tokens", r"(?:num |n |number of |total )?input tokens(?: seen)?", 0.95),
    ("tokens", r"(?:max|planned|target|goal|budget|scheduled|expected) (?:train(?:ing)? )?tokens", 0.6),
    ("tokens", r"tokens (?:target|planned|goal|budget|max|limit)", 0.6),
    ("tokens", rf"(?:actual|real) (?:train(?:ing)? )?{_TOKENS}(?: seen)?|{_TOKENS} (?:used|actual|done)", 0.9),
    ("tokens", r"(?:train(?:ing)? )?data", 0.62),
    ("tokens", rf"(?:train(?:ing)? )?data (?:seen|used|processed|consumed|amount|volume)|{_TOKENS} so far|seen {_TOKENS}", 0.7),
    ("tokens", rf"(?:cumulative|total|accumulated|cum) (?:train(?:ing)? )?{_TOKENS}(?: seen)?|{_TOKENS} (?:total|cumulative)", 0.9),
    ("tokens", rf"trained on {_TOKENS}|{_TOKENS} (?:of |d )?train(?:ing)?", 0.9),
    ("tokens_per_param", rf"{_TOKENS} ?(?:per|/) ?(?:param(?:eter)?s?|N)|D ?/ ?N|d ?/ ?n|tpp|tokens to params ratio", 0.9),
    ("tokens_per_param",
     rf"{_TOKENS} params?(?: ratio)?|(?:{_TOKENS}|data)(?: /| to| per| over) (?:param(?:eter)?s?|model|model size)(?: ratio)?"
     rf"|ratio (?:of )?{_TOKENS} (?:to|/) {_PARAMS}", 0.85),
    ("tokens_per_param", r"d n ratio|d / n ratio|d n|t p|t / p|t n|t / n", 0.6),
    ("tokens_per_param",
     r"(?:x |times |multiples? of )?chinchilla(?: x| multiples?| multiplier| ratio| factor)?"
     r"|over ?train(?:ing|ed)?(?: (?:factor|ratio|multiple|x))?", 0.6),
    ("unique_tokens", rf"(?:n |num )?unique (?:data )?{_TOKENS}|{_TOKENS} unique|U", 1.0),
    ("unique_tokens", rf"{_TOKENS} ?(?:per|/|in an|each) ?epoch", 0.9),
    ("unique_tokens",
     rf"unique (?:train(?:ing)? )?(?:data|dataset|data set|corpus)(?: size)?(?: {_TOKENS})?|(?:data|dataset|corpus) unique(?: {_TOKENS})?"
     rf"|(?:unique )?(?:data|token) pool(?: size)?(?: {_TOKENS})?|pool(?: size)?(?: {_TOKENS})?"
     rf"|unique|(?:data|dataset|corpus) size unique(?: {_TOKENS})?", 0.75),
    ("unique_samples",
     r"(?:n |num )?unique (?:data )?(?:samples|examples|sequences|seqs)|(?:samples|examples|sequences|seqs) unique"
     r"|(?:samples|examples|sequences|seqs) ?(?:per|/|in an|each) ?epoch", 0.9),
    ("epochs", r"(?:n |num )?(?:total )?train(?:ing)? epochs|epochs (?:trained|done|completed)", 0.8),
    ("epochs", r"(?:n |num )?epochs?(?: count)?|(?:num(?: of)? |n |data )?passes(?: over(?: the)? data)?", 0.9),
    ("epochs", r"(?:max(?:imum)? (?:train(?:ing)? )?|total |number of (?:train(?:ing)? )?)epochs|epochs (?:max|total)", 0.8),
    ("epochs", r"eps?", 0.6),
    ("data_fraction", rf"{_PART} (?:of )?{_DATA}(?: used| seen)?(?: {_PART})?|{_DATA}(?: used| seen)? {_PART}(?: {_PART})?", 0.9),
    ("data_fraction", rf"(?:(?:data|dataset|corpus) )?subset(?: size)? {_PART}|subset fraction|{_PART} subset|{_PART} used", 0.8),
    ("data_fraction", rf"{_PART}|subset", 0.6),
    ("tokens", rf"{_NUMBER_OF}pre ?train(?:ing|ed)? (?:data )?{_TOKENS}(?: seen)?|{_TOKENS} (?:of |in )?pre ?train(?:ing|ed)?", 0.85),
    ("tokens", r"(?:dataset|corpus|data) tokens", 0.7),
    ("tokens", r"train(?:ing)? (?:data|dataset|set|corpus) tokens", 0.7),
    ("tokens", r"tokens (?:in|of) (?:the )?(?:dataset|corpus|data)", 0.7),
    ("flops_per_token", r"(?:train(?:ing)? )?flops? (?:per|/) ?(?:token|tok)", 1.0),
    ("flops", r"flops?", 1.0),
    ("flops", rf"{_NUMBER_OF}(?:train(?:ing)? )?(?:compute )?flops?(?: total| count)?", 0.95),
    ("flops", r"(?:total )?(?:train(?:ing)?|pretrain(?:ing)?) (?:flops?|compute|budget)|total train(?:ing)? flops?", 0.95),
    ("flops", r"(?:train(?:ing)? )?(?:flops?|compute) (?:so far|used|spent)", 0.9),
    ("flops", r"(?:actual|real) (?:train(?:ing)? )?(?:flops?|compute)|(?:flops?|compute) actual", 0.9),
    ("flops", r"(?:planned|target|goal|expected) (?:train(?:ing)? )?(?:flops?|compute)|(?:flops?|compute) (?:target|planned|goal)", 0.6),
    ("flops", r"(?:cumulative|accumulated) (?:train(?:ing)? )?(?:flops?|compute)", 0.9),
    ("flops", r"total flos|flos", 0.9),
    ("flops", r"compute|C|c flops?|compute flops?|compute budget", 0.8),
    ("flops", r"(?:iso ?flops?|flops?|compute|train(?:ing)? compute) budget|budget flops?|(?:train(?:ing)? )?compute (?:used|spent)", 0.75),
    ("flops", r"flops? 6nd|flops? 6 ?n ?d|6nd|c 6nd", 0.75),
    ("flops", r"budget|(?:flops?|compute) (?:group|level|class)", 0.62),
    ("flops", r"est(?:imated)? (?:c|flops?|compute)", 0.5),
    ("batch", r"batch(?: size)? (?:in )?tok(?:en)?s?|tok(?:en)?s? ?(?:per|/) ?(?:step|batch|update|iter(?:ation)?)", 1.0),
    ("batch", r"(?:global |total |effective |train )?batch tok(?:en)?s", 1.0),
    ("batch", r"(?:global |train )?batch size tok(?:en)?s|batch tok(?:en)?s|(?:global )?batch size in tokens", 1.0),
    ("batch_sequences", r"(?:global |total |effective |train )?batch(?: size)? (?:in )?(?:(?:number|num|no|n|count) (?:of )?)?"
                        r"(?:seq(?:uence)?s?|samples?|examples?)(?: count)?"
                        r"|(?:(?:number|num|no|n) (?:of )?)?seq(?:uence)?s? ?(?:per|/) ?(?:step|batch|update)", 1.0),
    ("batch_device",
     r"(?:train )?micro ?batch(?: ?size)?(?: (?:per|/) (?:gpu|tpu|device|dev|rank))?"
     r"|(?:(?:per )?(?:device|gpu|tpu|local|rank)|per (?:dev|core|chip|replica|worker|process))(?: train(?:ing)?)? batch(?: ?size)?"
     r"|(?:train )?batch(?: ?size)? (?:per|/) (?:gpu|tpu|device|dev|rank|worker|replica|core|chip|process|accelerator)s?", 0.9),
    ("grad_accum",
     r"(?:number (?:of )?|n )?(?:gradient|grads?) ?(?:accumulation|accum|acc|accumulate)"
     r"(?: ?(?:steps?|iters?|iterations?|factor|batches|num))?"
     r"|accumulate grad batches|accum(?:ulation)?(?: ?(?:steps?|iters?|iterations?|factor))?|update freq", 0.9),
    ("grad_accum",
     r"(?:number (?:of )?|num (?:of )?|n )?(?:accum(?:ulation)?|g ?acc(?:um)?|acc|ga)(?: ?(?:steps?|iters?|iterations?|factor))?"
     r"|(?:number (?:of )?|num (?:of )?|n )?micro ?(?:steps|batches)", 0.8),  # by values, as `data.columns.accumulation` says
    ("data_parallel", r"(?:data parallel|dp)(?: ?(?:world )?(?:size|degree|shards?|replicas?|ranks?))?", 0.9),
    ("data_parallel", r"(?:num |number of )(?:data parallel|dp) (?:ranks|replicas)", 0.9),
    ("tensor_parallel", r"(?:tensor|model)(?: model)? parallel(?: ?(?:size|degree))?|tp(?: ?(?:size|degree))?|mp (?:size|degree)", 0.9),
    ("pipeline_parallel", r"pipeline(?: model)? parallel(?: ?(?:size|degree))?|pp(?: ?(?:size|degree))?", 0.9),
    ("context_parallel", r"context parallel(?: ?(?:size|degree))?|cp (?:size|degree)", 0.9),
    ("batch_sequences", r"(?:global |total |effective |overall )(?:train(?:ing)? )?batch(?: ?(?:size|sz))?|train batch size"
                        r"|batch(?: ?size)? (?:global|total|effective|overall)", 0.82),
    ("batch_sequences", r"(?:train |training )?batch ?(?:size|sz)", 0.8),
    ("batch_sequences", r"(?:global )?batch", 0.7),
    ("seq_len",
     r"(?:max )?seq(?:uence)? ?len(?:gth)?(?: tokens)?|tokens (?:per|/) seq(?:uence)?|seqlen"
     r"|(?:max )?(?:ctx|context)(?: ?(?:len(?:gth)?|size|window))?(?: tokens)?|n (?:ctx|context)", 0.95),
    ("seq_len", r"seq", 0.6),
    ("seq_len", r"block", 0.65),
    ("seq_len", r"block size|max position embeddings|max seq len", 0.8),
    ("lr", r"lr|learning ?rate", 1.0),
    ("lr", r"(?:peak|max|base|init|initial|best) ?(?:lr|learning ?rate)|(?:lr|learning ?rate) ?(?:peak|max|group ?0)", 0.9),
    ("total_steps",
     r"(?:n |num )?(?:total|max|planned|schedule)(?: train(?:ing)?)? ?(?:steps?|iters?|iterations?)|(?:total|max|planned) updates?", 0.95),
    ("steps", r"steps", 1.0),
    ("steps",
     r"(?:global |train(?:ing)? |trainer |optim(?:i[sz]er)? )?(?:global )?(?:step|steps|iter|iters|iteration|iterations|itr)",
     0.95),
    ("steps", r"(?:n |num |number of )(?:train(?:ing)? )?(?:steps?|iters?|iterations?|updates?)|updates?|num updates?", 0.9),
    ("steps", r"(?:steps?|iters?|iterations?|updates?) (?:done|taken|completed|so far)", 0.9),
    ("steps",
     r"(?:current|cur|curr|completed|trained|update|opt|gradient|(?:valid|train) num) (?:steps?|iters?|iterations?|updates?)"
     r"|(?:step|iter|iteration|update) (?:num|number|idx|index|count)", 0.9),
    ("steps", r"(?:total )?batches|batches (?:seen|trained|done|processed)|it|ba", 0.65),
    ("steps", r"time / batch", 0.9),  # a count under `time`, not seconds: see `data.columns.counters`
    ("tokens", r"time / token", 0.9),
    ("samples", r"time / sample", 0.9),
    ("steps", r"ti|S", 0.6),
    ("samples",
     r"(?:num |number of |n |total )?(?:train(?:ing)? )?(?:samples|examples|sequences|seqs)(?: (?:seen|processed|consumed|trained))?"
     r"|(?:consumed|seen|processed) (?:train(?:ing)? )?(?:samples|examples|sequences|seqs)", 0.8),
    ("warmup_steps", r"(?:n |num |lr )?warm ?up ?(?:steps?|iters?|iterations?)", 1.0),
    ("weight_decay", r"weight ?decay|wd", 1.0),
    ("seed", r"(?:random |torch |train |model |init )?seeds?", 0.9),
    ("schedule", r"(?:lr |learning ?rate )?(?:schedule|scheduler|decay)(?: ?(?:type|name))?", 0.9),
    ("dataset", r"(?:train(?:ing)? )?(?:dataset|corpus|data)(?: ?name)?", 0.9),
    ("layers", r"(?:n|num|number of)? ?(?:hidden )?layers?|numl|depth|n ?(?:layer|blocks?)|blocks", 0.9),
    ("width", r"width|d ?model|model ?(?:dim|width|dimension)|(?:hidden|embed(?:ding)?|embd|emb) ?(?:size|dim|dimension)", 0.95),
    ("width", r"n ?embd|dim|hidden", 0.8),
    ("width", r"h", 0.6),
    ("heads", r"(?:n|num|number of)? ?(?:attn |attention )?heads?|numh", 0.9),
    ("head_dim", r"(?:d ?head|head ?(?:dim|size)|kv ?size|d kv)", 0.9),
    ("ffn", r"d ?ff|ffn?(?: ?(?:dim|size|width|hidden(?: size)?))?|ffnh|intermediate ?(?:size|dim)|mlp ?(?:dim|width)", 0.9),
    ("vocab", r"(?:n )?vocab(?:ulary)?(?: ?size)?|V", 0.9),
    ("experts", r"(?:n|num|number of)? ?experts?", 0.9),
    ("top_k", r"(?:moe )?top ?k", 0.9),
    ("devices", r"(?:distributed )?world size|(?:total|all) (?:num |number of )?(?:gpus|tpus|devices|accelerators)", 0.95),
    ("devices", r"(?:n|num|number of)? ?(?:gpus?|tpus?|devices?|accelerators?)", 0.9),
    ("devices",
     r"(?:n|num|number of|total)? ?(?:(?:tpu|gpu|accelerator|device) ?(?:cores|chips|cards)|chips)"
     r"|(?:n|num|number of|total) ?(?:processes|procs|ranks)", 0.85),
    ("wall_seconds", r"wall(?: clock)? ?(?:seconds?|time|hours?|minutes?|days?)?(?: s)?|runtime", 0.8),
    ("wall_seconds", r"train(?:ing)? (?:seconds|time|hours|minutes|days)", 0.8),
    ("wall_seconds", r"(?:elapsed|relative|run|total)(?: train(?:ing)?)? time(?: (?:process|wall))?|duration|elapsed|time elapsed", 0.7),
    ("state", r"(?:run |job |exit |train(?:ing)? |final |end |experiment |trial |slurm )?(?:state|status)|(?:run |final )?outcome", 0.8),
    ("state", r"(?:run |final )?results?", 0.8),
    ("state", r"statut|etat|zustand|estado|stato", 0.8),
)  # fmt: skip

_COMPILED = tuple((column, re.compile(pattern), sure) for column, pattern, sure in NAMES)
_ANY = re.compile("|".join(f"(?:{pattern})" for _, pattern, _ in NAMES))  # most headers are none of them


@dataclass(frozen=True)
class LossName:
    """What a header says of a loss: where it was measured, in which unit, and how good a guess it is (`points`)."""

    split: str  # "validation" | "test" | "train" | ""
    unit: str  # a key of `data.losses.units.UNITS`, "" where the header does not say
    points: float


_LOSS = re.compile(
    r"\b(loss(?:es)?|xent|cross ?entropy|crossentropy|ce|nll|neg(?:ative)? log ?likelihood|perplexity|perplexities|ppls?|logppl"
    r"|bpb|bpc|bpd|bpt|bpw|(?:bits?|nats?) ?(?:per|/) ?(?:bytes?|chars?|characters?|letters?|words?|tokens?|tok|dims?|dimensions?)|L)\b"
)
#: A loss before the first step: val loss @0, loss at init is one by its words.
_BEFORE_TRAINING = re.compile(
    r"@\s*(?:step\s*)?0(?:\s*(?:steps?|iters?|tokens?|epochs?|%))?\s*[)\]]?\s*$", re.IGNORECASE
)
_PART_OF_THE_RUN = re.compile(r"\b([0-9]{1,3}) ?(?:pct|percent)\b")
_ROOT = re.compile(r"\s*(?:sqrt|square root|1\s*/|inverse)\s*\W*[a-z]", re.IGNORECASE)
_NO_LOSS = re.compile(
    r"\b(target|goal|lower|upper|lo|hi|low|high|std|stdev|sd|stddev|stderr|sem|se|var|variance|ci|err|error|logstd|max|delta|counts?|nunique"
    r"|aux|auxiliary|z|balanc(?:e|ing)|router|regulari[sz]ation|reg|scale|scaler|diff|gap|predicted|pred|weight|coef"
    r"|relative|ratio|rank|percentile|residual|fitted|fit|irreducible|reducible|asymptot(?:e|ic)|floor|moe|value"
    r"|policy|reward|rm|dpo|kl|mse|regression"
    r"|contrastive|start|fn|function|type|at (?:step|iter|iteration|epoch)|at [0-9]+ ?[kmbt]?(?: ?(?:steps?|tokens?))?"
    r"|vs|baseline|reference|ref|teacher|previous|prev|reduction|difference|differences|change|decrease|slope|excess|accuracy|acc"
    r"|nan|nans|diverged|finite"
    r"|improvement|threshold|init|initial|first|spike|spikes|grad|gnorm|identical|dup|excluded|distill(?:ation)?|mtp|penalty"
    r"|(?:steps?|iters?|iterations?|tokens|time|epochs?|flops|updates?) (?:to|till|until)(?: reach)?)\b"
)


#: A loss less its floor: loss - 1.69, val_loss_minus_E, CE (entropy subtracted), loss above the floor.
_FLOOR = (
    r"(?:(?i:the )?(?:E(?![a-zA-Z])|L_?\{?(?:inf|\\infty|∞)|(?i:bayes|irreducible|asymptot\w*|floor|entropy|optimum)))"
)
_LESS_A_FLOOR = re.compile(
    rf"(?<![a-zA-Z])(?i:minus|less|without|net of|subtracting|w/o|above|over|beyond)[ _]+{_FLOOR}"
    rf"|(?<!(?i:cross))(?<!(?i:cross) )[-−–]\s*{_FLOOR}|(?:{_FLOOR}|[0-9]\.[0-9]+)[ _]+(?:is |was )?(?i:subtracted|removed|taken off)"
    r"|(?i:loss(?:es)?|ce|nll|xent|entropy|L)[ _]*(?i:minus[ _]+\w|[ _][-−–] ?(?:[0-3]\.[0-9]+)(?![0-9a-z.]))"
    r"|(?i:loss|ce|nll|xent|entropy|L)[-−–][0-3]\.[0-9]{2,4}(?![0-9a-zA-Z.])|[(\[]\s*[-−–]\s*[0-3]\.[0-9]+\s*[)\]]"
)


#: A loss by its letter and what stands below it: L_val, L_{\\text{test}}.
_SUBSCRIPT = re.compile(
    r"\$?\s*(?:L|\\mathcal\{L\}|\\ell)_?\{?(?:\\?(?:text|textrm|mathrm|rm)\b\s*)?\{?\s*"
    r"(train(?:ing)?|val(?:id(?:ation)?)?|eval|dev|test|ce|lm|nll|xent)\s*\}{0,2}\s*\$?\s*([(\[][a-zA-Z /]{1,20}[)\]])?"
)


@lru_cache(maxsize=20_000)
def loss_name(raw: str) -> LossName | None:
    """What the header says of a loss; None when it names none, or only a bound, a target or a part of one."""
    below = _SUBSCRIPT.fullmatch(raw.strip()) if len(raw) < 60 else None
    if below:
        return loss_name(f"{below[1]} loss {below[2] or ''}".strip())
    if (plain := without_statement(raw)) != raw:
        return loss_name(plain)
    h = header(raw)
    words = f" {h.path} "
    if not _LOSS.search(words) and h.words != "L":
        return None
    if (
        _NO_LOSS.search(words)
        or _BEFORE_TRAINING.search(raw)
        or _ROOT.match(raw)
        or heads_predictions(raw)
        or _LESS_A_FLOOR.search(raw[:300])
    ):
        return None
    if re.search(r"\b(?:val(?:id(?:ation)?)?|eval(?:uation)?|held ?out|holdout|dev|validate)\b", words):
        split, points = "validation", 3.0
    elif re.search(r"\btest\b", words):
        split, points = "test", 2.5
    elif re.search(r"\btrain(?:ing)?\b", words):
        split, points = "train", 1.0
    else:
        split, points = "", 2.0
    points += {"nats": 0.2, "": 0.1, "bits": 0.0, "perplexity": -0.3}.get(h.unit, -0.5)
    points += 0.3 if re.search(r"\bfinal\b", words) else 0.0
    if re.search(
        r"\b(?:smooth(?:ed)?|ema|ewma)\b", words
    ):  # one batch's training loss is noise, a held-out loss is none
        points += -0.3 if split in ("validation", "test") else 0.3
    if re.search(r"\btotal\b", words):  # with what was added for training
        points -= 0.5
    points -= (
        1.5
        if re.search(r"\b(?:downstream|task|mmlu|arc|boolq|hellaswag|shot|language|code|ptb|wiki\w*)\b", words)
        else 0
    )
    points += 0.2 if re.search(r"\b(?:c4|pile|loss)\b", words) else 0.0
    if re.search(r"\bmin\b", words):
        points -= 1.0
    if (part := _PART_OF_THE_RUN.search(words)) and float(part[1]) < 100.0:
        points -= 0.5 * (1.0 - float(part[1]) / 100.0)  # of training: what was measured later goes first
    if h.words == "L":
        points -= 1.0
    return LossName(split, h.unit, points)


#: Folders in which trackers keep what they know of a run themselves: its size on their disk, the load of the machine.
_OF_A_TRACKER = re.compile(r"\s*(?:sys|system|_wandb|monitoring|:monitor:\w*)\s*[/.:]", re.IGNORECASE)
_OF_A_RUN = frozenset(("run", "group", "family", "dataset", "schedule", "state", "seed", "wall_seconds"))

#: What a column has that differs between runs of a setting, and no such thing itself: seed σ, Δ params.
_SPREAD = re.compile(r"(?<!\w)[σΔ∆±](?!\w)")
#: One value of a setting, below which stands what was measured with it: lr=1e-3 is no rate in units of .001.
_ONE_VALUE = re.compile(r"\s*[A-Za-z][A-Za-z_ ]*=\s*[0-9][0-9.]*(?:e[+-]?[0-9]+)?\s*", re.IGNORECASE)
_MONEY = re.compile(r"[$€£¥]|\b(usd|eur|gbp|dollars?|euros?|costs?|price)\b", re.IGNORECASE)


@lru_cache(maxsize=20_000)
def named(raw: str) -> tuple[tuple[str, float], ...]:
    """The canonical columns the header may mean, surest first, each with how sure; empty when nothing is known."""
    if (plain := without_plan(raw)) != raw:
        return named(plain)
    h: Header = header(raw)
    if _MONEY.search(raw) or _ONE_VALUE.fullmatch(raw) or (not raw.isascii() and _SPREAD.search(raw)):
        return ()
    taken = logged(raw)
    if taken is not None:  # a bare log is known by its values, which only sizes and compute have
        meant = LOGGED if taken.base else USUAL
        return tuple((c, round(0.9 * sure, 3)) for c, sure in named(taken.header) if c in meant and sure >= 0.6)
    found: dict[str, float] = {}
    for words in {h.words, h.path}:
        if _ANY.fullmatch(words):
            for column, pattern, sure in _COMPILED:
                if pattern.fullmatch(words):
                    found[column] = max(found.get(column, 0.0), sure)
    for words, share in h.tails if not found else ():  # the last parts of a nested name: arch/d_model, optim.lr
        if _ANY.fullmatch(words):
            for column, pattern, sure in _COMPILED:
                if pattern.fullmatch(words):
                    found[column] = max(found.get(column, 0.0), round(share * sure, 3))
            break
    if _OF_A_TRACKER.match(raw):
        found = {column: sure for column, sure in found.items() if column in _OF_A_RUN}
    return tuple(sorted(found.items(), key=lambda c: -c[1]))


#: Names of a count of parameters that may as well count something else: bytes on a disk, the weights of tokens in a step, an adapter.
_ONLY_SOUNDS = re.compile(
    r"(?:(?:n|num|number of|total|all|full|model|network) )*(?:weights|size)"
    rf"|(?:(?:n|num|number of|model) )*(?:trainable|learnable) {_PARAMS}|{_PARAMS} (?:trainable|learnable)"
)


def only_sounds(raw: str) -> bool:
    """Whether a header that may mean parameters says no more than a size, weights or what was trained."""
    h = header(raw)
    return any(_ONLY_SOUNDS.fullmatch(words) for words in (h.words, *(tail for tail, _ in h.tails)))


def recognised(raw: str) -> bool:
    """Whether the header is a name that this table knows."""
    return bool(named(raw)) or loss_name(raw) is not None
