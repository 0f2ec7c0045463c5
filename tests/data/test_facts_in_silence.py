"""Facts of tracker exports that once were read wrong without a word: data sizes, nodes, counts left unset, states, names."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from data import MappingNeeded, Runs, read_runs
from data.filenames.sizes import facts
from tests.data.cases import side_by_side

Read = Callable[..., Runs]


def asked(read: Read, text: str, **answers: object) -> dict[str, str]:
    """The keys of the questions that must be answered with the guess of each; empty where the table is read."""
    try:
        read(text, **answers)
    except MappingNeeded as e:
        return {q.key: q.guess for q in e.questions}
    return {}


# Which loss -----------------------------------------------------------------------------------------------------------------------

NO_LOSS = (
    "reducible_loss", "init_val_loss", "loss_init", "first_loss", "initial_loss", "previous_loss", "prev_val_loss", "teacher_loss",
    "reference_loss", "ref_loss", "baseline_loss", "target_loss", "delta_loss", "loss_diff", "smoothed_loss_diff", "loss change",
    "asymptotic_loss", "val_loss count",
)  # fmt: skip


def test_losses_of_other_models_times_and_parts_are_no_run_s_alone(read: Read) -> None:
    for header in NO_LOSS:
        text = f"params,tokens,{header}\n2.5e7,5e8,4.1\n3.5e7,5e8,4.0\n"
        assert asked(read, text) == {"columns.loss": ""}, header


def test_the_number_of_values_behind_a_mean_is_no_loss(read: Read) -> None:
    runs = read("params,tokens,val_loss mean,val_loss std,val_loss count\n2.5e7,5e8,4.1,0.01,3\n3.5e7,5e8,4.0,0.02,3\n")
    assert list(runs.kept["loss"]) == [4.1, 4.0]
    assert list(runs.kept["loss_error"]) == [0.01, 0.02]


# How a run ended ------------------------------------------------------------------------------------------------------------------

ENDED_BADLY = (
    "PRUNED", "TrialState.PRUNED", "OOMKilled", "Evicted", "NotResponding", "Upstream_failed", "SKIPPED", "Unschedulable", "Finalizing",
    "JOB_STATE_EXPIRED", "BackoffLimitExceeded", "InProgress", "COMPLETING", "NODE_FAIL", "completed with errors", "CrashLoopBackOff",
)  # fmt: skip
ENDED_WELL = ("EarlyStopped", "TrialState.COMPLETE", "JOB_STATE_SUCCEEDED", "RunStatus.COMPLETED", "Stopped early")


def states(*words: str) -> str:
    return "name,status,n_params,tokens,val_loss\n" + "".join(
        f"r{i},{w},{i}e7,5e8,{4.5 - i / 10}\n" for i, w in enumerate(words, start=1)
    )


def test_words_of_schedulers_and_trackers_say_how_a_run_ended(read: Read) -> None:
    """A few words to a table: one that was not known would give no reason of its own, or a question."""
    for words in (ENDED_BADLY[i::6] for i in range(6)):
        runs = read(states("Succeeded", *words))
        assert runs.reasons == {f"run state: {word}": 1 for word in words}, words
        assert len(read(states("Succeeded", *words), states=words)) == 1 + len(words), words
    for words in (ENDED_WELL[i::3] for i in range(3)):
        runs = read(states("Succeeded", *words))
        assert (len(runs), runs.questions) == (1 + len(words), ()), words


def test_a_state_that_is_not_known_is_said_and_set_aside_at_one_word(read: Read) -> None:
    text = states("finished", "quarantined", "failed", "finished", "on the shelf", "quarantined")
    runs = read(text)
    (question,) = runs.questions
    assert (question.key, question.options, question.guess, question.needed) == (
        "unknown_states", ("kept", "set aside"), "kept", False,
    )  # fmt: skip
    assert "3 runs" in question.text
    assert "'quarantined' (2), 'on the shelf'" in question.text
    assert runs.kept["run"].tolist() == ["r1", "r2", "r4", "r5", "r6"]
    aside = read(text, unknown_states="set aside")
    assert aside.kept["run"].tolist() == ["r1", "r4"]
    assert aside.reasons["run state: quarantined"] == 2
    assert aside.questions[0].guess == "set aside"
    assert len(read(text, unknown_states="set aside", states=["quarantined"])) == 4


def test_a_pruned_model_is_no_pruned_run(read: Read) -> None:
    assert len(read("model,params,tokens,loss\ngpt (pruned),1e7,1e9,3.4\ngpt (dense),2e7,1e9,3.2\n")) == 2


# How many tokens, how large a step ------------------------------------------------------------------------------------------------

SAMPLES = (
    "run,params,{},block_size,{},eval_loss\na,25296128,1000000,1024,3.0,4.4273\nb,50331648,1000000,1024,1.6,3.9017\n"
)


def test_samples_beside_epochs_are_asked_whether_they_are_the_data(read: Read) -> None:
    names = ("train_samples", "num_samples", "num_examples", "train_examples", "train/num_samples")
    for samples, epochs in side_by_side(names, ("epoch", "epochs", "num_train_epochs")):
        text = SAMPLES.format(samples, epochs)
        assert asked(read, text) == {"columns.unique_samples": samples}, (samples, epochs)
    text = SAMPLES.format("train_samples", "epoch")
    data = read(text, columns={"unique_samples": "train_samples"})
    assert data.kept["tokens"].tolist() == [3 * 1024e6, 1.6 * 1024e6]
    assert data.kept["unique_tokens"].tolist() == [1024e6, 1024e6]
    assert read(text, columns={"unique_samples": "none of them"}).kept["tokens"].tolist() == [1024e6, 1024e6]


def test_samples_that_other_columns_explain_are_not_asked_about(read: Read) -> None:
    rows = [("a", 25296128, 3.0), ("b", 50331648, 1.6)]
    for passes, column in ((True, "unique_samples"), (False, "samples")):  # FLOPs say which
        text = "run,params,num_samples,seq_len,epochs,flops,loss\n" + "".join(
            f"{r},{n},1000000,1024,{e},{6 * n * 1.024e9 * (e if passes else 1):.6g},{4 - n / 1e8}\n" for r, n, e in rows
        )
        assert column in read(text).kept, passes
    for header, cells in (
        ("samples_seen", (1, 3)),
        ("num_samples", (1.6, 3.0)),
    ):  # seen by its name, and in step with the epochs
        text = f"run,params,{header},seq_len,epochs,loss\n" + "".join(
            f"{r},{n}e7,{c * 1e6:.0f},1024,{e},{4 - n / 10}\n"
            for r, n, c, e in zip("ab", (1, 2), cells, (1.6, 3.0), strict=True)
        )
        assert read(text).kept["tokens"].tolist() == [c * 1024e6 for c in cells], header
    once = SAMPLES.replace("3.0", "1.0").replace("1.6", "1.0").format("num_samples", "epoch")
    assert read(once).kept["tokens"].tolist() == [1024e6, 1024e6]


NODES = "n_params,per_device_batch_size,{},num_nodes,seq_len,steps,val/loss\n25296128,16,8,2,1024,1000,4.4\n"


def test_devices_beside_nodes_are_asked_whether_they_are_a_node_s(read: Read) -> None:
    for devices in ("devices", "trainer.devices", "n_devices", "gpus", "num_gpus"):
        both = f"{devices} × num_nodes"
        assert asked(read, NODES.format(devices)) == {"columns.devices": both}, devices
        runs = read(NODES.format(devices), columns={"devices": both})
        assert runs.kept["batch"].tolist() == [16 * 8 * 2 * 1024], devices
        assert read(NODES.format(devices), columns={"devices": devices}).kept["batch"].tolist() == [16 * 8 * 1024], (
            devices
        )
    assert read(NODES.format("gpus_per_node")).kept["batch"].tolist() == [16 * 8 * 2 * 1024]
    assert read(NODES.format("world_size")).kept["batch"].tolist() == [16 * 8 * 1024]
    one = NODES.replace("8,2,1024", "8,1,1024").format("devices")
    assert read(one).kept["batch"].tolist() == [16 * 8 * 1024]


def test_nodes_enter_every_reading_of_a_batch_size(read: Read) -> None:
    text = (
        "params,batch_size,accumulate_grad_batches,devices,num_nodes,seq_len,steps,loss\n2.5e7,16,4,8,2,1024,1000,4.4\n"
    )
    answers = {"columns": {"devices": "devices × num_nodes"}}
    assert asked(read, text, **answers) == {"batch": "device"}
    for reading, factor in (("device", 4 * 16), ("accumulated", 16), ("all devices", 4), ("step", 1)):
        assert read(text, **answers, batch=reading).kept["batch"].tolist() == [16 * factor * 1024], reading


def test_tokens_over_steps_say_whether_devices_are_a_node_s(read: Read) -> None:
    for factor, devices in ((2, "devices × num_nodes"), (1, "devices")):
        text = (
            "params,per_device_batch_size,devices,num_nodes,seq_len,steps,tokens,loss\n"
            f"2.5e7,16,8,2,1024,1000,{16 * 8 * 1024 * 1000 * factor},4.4\n"
        )
        runs = read(text)
        assert runs.kept["batch"].tolist() == [16 * 8 * 1024 * factor]
        assert next(s.header for s in runs.sources if s.column == "devices") == devices


def test_a_count_of_minus_one_or_none_is_not_set(read: Read) -> None:
    for unset in ("-1", "-1.0", "0", "null", ""):
        text = f"n_params,local_batch_size,global_batch_size,seq_len,steps,loss\n25296128,8,{unset},2048,1000,4.4\n"
        assert asked(read, text) == {"devices": ""}, unset
        assert read(text, devices=8).kept["batch"].tolist() == [8 * 8 * 2048], unset
    text = "n_params,tokens,max_steps,steps,batch_size,seq_len,loss\n2.5e7,-1,-1,1000,64,1024,4.4\n3.5e7,-1,-1,2000,64,1024,4.3\n"
    runs = read(text)
    assert runs.kept["tokens"].tolist() == [64 * 1024 * 1000, 64 * 1024 * 2000]
    assert "total_steps" not in runs.kept
    assert sum("which no count is" in note for note in runs.notes) == 2
    some = "run,params,tokens,loss\na,1e7,1e9,3.4\nb,2e7,-1,3.2\n"
    assert read(some).reasons == {"tokens is negative": 1}


# What names say -------------------------------------------------------------------------------------------------------------------

SIZES_OF_TEXTS = (
    "fineweb-10B-lr1e-3", "slimpajama-6B", "openwebtext-9B", "wikitext-103M", "c4-5B", "pile-300B", "dclm-20B", "tinystories-2M",
    "anneal-50B", "resume-from-1B", "stop-at-2B", "fineweb-edu-sample-10B", "fineweb10B", "C4_en_5B", "cooldown_from_2B",
)  # fmt: skip
BESIDE_A_MODEL = (
    "gpt-124M-fineweb-10B", "fineweb-10B-gpt-124M", "124M_FineWeb-Edu_10B_bs256", "gpt2-124M-dedup-fineweb-10B-cosine",
)  # fmt: skip


def test_a_size_behind_a_text_or_a_place_in_training_is_no_model_s(read: Read, tmp_path: Path) -> None:
    for name in SIZES_OF_TEXTS:
        assert not {"params", "tokens"} & set(facts([name])), name
        assert facts([name, "gpt-124M"])["params"][0] == 124e6, name  # a folder and a file
    for name in BESIDE_A_MODEL:
        found = facts([name])
        assert (found["params"][0], found["tokens"][0]) == (124e6, 10e9), name
    for name in ("124M-stop-at-2B", "resume-from-2B-124M", "anneal_124M_from_2B"):
        assert facts([name]).get("params", (124e6, ""))[0] == 124e6, name
    (tmp_path / "fineweb-10B").mkdir()
    (tmp_path / "fineweb-10B" / "gpt-124M.csv").write_text("loss,lr\n3.4,0.001\n")
    runs = read_runs(tmp_path)
    assert (runs.kept["params"][0], runs.kept["tokens"][0]) == (124e6, 10e9)
    assert {q.key for q in runs.questions} >= {"columns.params", "columns.tokens"}  # both are announced
    (tmp_path / "fineweb-10B" / "gpt-124M.csv").write_text("step,tokens,loss\n100,1e8,5.1\n200,2e8,4.2\n300,3e8,4.0\n")
    assert read_runs(tmp_path).kept["tokens"][0] == 3e8


def test_sizes_that_differ_behind_one_text_may_be_the_models_and_are_asked_about(read: Read) -> None:
    text = "run,tokens,loss\nc4-25M-s1,1e9,4.0\nc4-50M-s1,2e9,3.8\nc4-100M-s1,4e9,3.6\n"
    assert asked(read, text) == {"columns.params": ""}
    assert read(text, columns={"params": "params in run"}).kept["params"].tolist() == [25e6, 50e6, 100e6]
    assert "params" not in read(text, columns={"params": "none of them"}).kept
    assert (
        asked(
            read,
            text.replace("loss", "loss,params")
            .replace("0\n", "0,1e7\n")
            .replace("8\n", "8,2e7\n")
            .replace("6\n", "6,4e7\n"),
        )
        == {}
    )
    for names, guess in (
        (("c4-125M", "c4-350M", "c4-760M"), "params in run"), (("TinyStories-1M", "TinyStories-8M", "TinyStories-33M"), "params in run"),
        (("owt-124M", "owt-355M", "owt-1.5B"), "params in run"), (("redpajama-3b", "redpajama-7b"), "params in run"),
        (("fineweb-10B", "fineweb-100B", "fineweb-350B"), ""), (("c4-10M", "c4-100M", "c4-1B"), ""),
    ):  # fmt: skip
        rows = "".join(f"{n},2e9,{3.9 - k / 10}\n" for k, n in enumerate(names))
        assert asked(read, f"run,tokens,loss\n{rows}") == {"columns.params": guess}, names
    sizes, varied = ("c4-125M", "c4-350M", "c4-760M"), ("2.5B", "7B", "15B")
    for header, tokens, needed in (
        ("tokens", varied, False), ("Train tokens", varied, False), ("tokens", ("125M", "350M", "760M"), True), ("data", varied, True),
    ):  # fmt: skip
        cells = "".join(f"{n},{d},{3.9 - k / 10}\n" for k, (n, d) in enumerate(zip(sizes, tokens, strict=True)))
        assert bool(asked(read, f"run,{header},loss\n{cells}")) == needed, (header, tokens)
        if not needed:
            beside = read(f"run,{header},loss\n{cells}")
            assert beside.kept["params"].tolist() == [125e6, 350e6, 760e6], header
            assert [q.key for q in beside.questions] == ["columns.params"], header
    same = text.replace("50M", "25M").replace("100M", "25M")
    assert asked(read, same) == {}


def test_what_a_tracker_keeps_of_a_run_is_no_fact_of_the_model(read: Read) -> None:
    for folder in ("sys/", "system/", "_wandb.", "sys."):
        text = f"sys/id,sys/name,{folder}size,metrics/train/tokens,val/loss\nS-1,gpt-25M,1234567,5e8,4.01\nS-2,gpt-50M,1434567,5e8,3.9\n"
        assert read(text).kept["params"].tolist() == [25e6, 50e6], folder
        counted = text.replace("size,", "size,n_params,").replace("4567,", "4567,24800000,")
        assert read(counted).kept["params"].tolist() == [24.8e6, 24.8e6], folder
    assert read("sys/id,sys/name,sys/size,tokens,loss\nS-1,gpt-25M,1234567,5e8,4.01\n").kept["params"].tolist() == [
        25e6
    ]


def test_a_size_in_the_names_goes_before_a_column_that_only_sounds_like_one(read: Read) -> None:
    for header, cells in (
        ("learning/total_weights", (524288, 524288)),
        ("size", (1234567, 1334567)),
        ("model_size", (498e6, 1.4e9)),
    ):
        text = f"run,step,learning/loss,{header}\ngpt-124M,500,3.6,{cells[0]}\ngpt-350M,500,3.4,{cells[1]}\n"
        runs = read(text)
        assert runs.kept["params"].tolist() == [124e6, 350e6], header
        assert {q.key: q.options for q in runs.questions}["columns.params"] == ("params in run", header), header
        assert read(text, columns={"params": header}).kept["params"].tolist() == list(cells), header
    near = "run,tokens,loss,model_size\ngpt-124M,2e9,3.6,162000000\ngpt-350M,2e9,3.4,405000000\n"  # with embeddings
    assert read(near).kept["params"].tolist() == [162e6, 405e6]
    named = "run,tokens,loss,n_params\ngpt-124M,2e9,3.6,30000000\ngpt-350M,2e9,3.4,90000000\n"
    assert read(named).kept["params"].tolist() == [30e6, 90e6]


# The unit of a loss ---------------------------------------------------------------------------------------------------------------


def test_a_perplexity_beside_a_loss_settles_its_base(read: Read) -> None:
    right = (4.4273, 4.1033)
    names = (("valid_loss", "valid_ppl"), ("loss", "ppl"), ("loss", "val_perplexity"), ("val_loss", "perplexity"),
                      ("eval/loss", "eval/ppl"), ("valid_loss", "valid_perplexity"))  # fmt: skip
    for (loss, ppl), base in side_by_side(names, (math.e, 2.0)):
        rows = "".join(f"{i}e7,5e8,{v / math.log(base):.4f},{math.exp(v):.3f}\n" for i, v in enumerate(right, start=1))
        for text in (
            f"params,tokens,{loss},{ppl}\n{rows}",
            f"params,tokens,{loss},{ppl}\n{rows.splitlines()[0]}\n",
        ):
            runs = read(text)
            assert list(runs.kept["loss"]) == pytest.approx(list(right[: len(runs)]), abs=2e-4), (loss, ppl, base)
    train = "params,tokens,train_loss,train_ppl,valid_loss,valid_ppl\n1e7,5e8,6.1,68.59,6.3872,83.703\n"
    assert list(read(train).kept["loss"]) == pytest.approx([4.4273], abs=2e-4)


def test_bits_beside_nats_are_told_by_their_ratio(read: Read) -> None:
    nats, bits = ("4.4273", "4.1033"), ("6.3872", "5.9198")
    for one, other, first, second in (("loss", "bpb", nats, bits), ("val_loss", "val_bits", nats, bits), ("loss", "loss_nats", bits, nats),
                                      ("loss", "bits", bits, bits)):  # fmt: skip
        text = f"params,tokens,{one},{other}\n" + "".join(
            f"{i}e7,5e8,{a},{b}\n" for i, (a, b) in enumerate(zip(first, second, strict=True), 1)
        )
        assert list(read(text).kept["loss"]) == pytest.approx([4.4273, 4.1033], abs=2e-4), (one, other)
    same = "params,tokens,loss,bpb\n1e7,5e8,0.98,0.98\n2e7,5e8,0.96,0.96\n"
    assert asked(read, same) == {"bytes_per_token": ""}  # the plain loss is per byte too


def test_a_perplexity_of_another_split_settles_nothing(read: Read) -> None:
    text = "params,tokens,val_loss,train_ppl\n1e7,5e8,6.3872,83.703\n2e7,5e8,6.1,68.59\n"
    runs = read(text, columns={"loss": "val_loss"})
    assert list(runs.kept["loss"]) == [6.3872, 6.1]


# Tokens that FLOPs speak against --------------------------------------------------------------------------------------------------

NESTED = '{"arch":{"n_ctx":8,"batch":64,"block":128},"train":{"steps":1000},"val_bpc":3.865,"flops":5483495424000,"total_params":125037}\n'


def test_two_lengths_of_a_sequence_are_asked_about(read: Read) -> None:
    def came(**answers: object) -> Runs:
        return read(NESTED, name="a.jsonl", bytes_per_token=1.0, **answers)

    with pytest.raises(MappingNeeded) as caught:
        came()
    (question,) = caught.value.questions
    assert (question.key, set(question.options)) == ("columns.seq_len", {"arch/n_ctx", "arch/block"})
    assert came(columns={"seq_len": "arch/block"}).kept["tokens"].tolist() == [64 * 128 * 1000]
    with pytest.raises(MappingNeeded) as caught:  # the FLOPs are 14 times those of so few tokens
        came(columns={"seq_len": "arch/n_ctx"})
    assert [q.key for q in caught.value.questions] == ["tokens_from"]
    assert came(columns={"seq_len": "arch/n_ctx"}, tokens_from="columns").kept["tokens"].tolist() == [64 * 8 * 1000]
    by_flops = came(columns={"seq_len": "arch/n_ctx"}, tokens_from="flops")
    assert by_flops.kept["tokens"].tolist() == pytest.approx([5483495424000 / (6 * 125037)])
    assert by_flops.kept["batch"].tolist() == pytest.approx([5483495424000 / (6 * 125037) / 1000])


def test_flops_far_from_derived_tokens_are_asked_about(read: Read) -> None:
    sizes, steps = (2.5e7, 5e7), (1000, 2000)
    for factor, asks in ((1.0, False), (2.5, False), (1 / 3, False), (3.5, True), (14.0, True), (1 / 8, True)):
        text = "params,batch_size,seq_len,steps,flops,loss\n" + "".join(
            f"{n:g},64,1024,{s},{6 * n * 64 * 1024 * s * factor:.6e},{4 - n / 1e8}\n"
            for n, s in zip(sizes, steps, strict=True)
        )
        assert ("tokens_from" in asked(read, text)) == asks, factor
    one_fits = (
        "params,batch_size,seq_len,steps,flops,loss\n"
        f"2.5e7,64,1024,1000,{6 * 2.5e7 * 64 * 1024 * 1000:g},4\n5e7,64,1024,1000,{60 * 5e7 * 64 * 1024 * 1000:g},3.9\n"
    )
    assert asked(read, one_fits) == {}


def test_a_batch_in_tokens_needs_no_devices(read: Read) -> None:
    text = "params,total_batch_size,device_batch_size,num_iterations,sequence_len,val_loss\n2.5e7,524288,32,1000,2048,4.1\n"
    assert asked(read, text) == {"batch": "tokens"}
    assert read(text, batch="tokens").kept["tokens"].tolist() == [524288 * 1000]
