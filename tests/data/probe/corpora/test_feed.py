"""What a run is fed: the same sequences whatever its batches and wherever it was stopped, pools by their shares, counts that are exact."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import DataError
from data.probe.feed import Draw, Feed
from data.probe.language import Language
from data.probe.spec import spec
from data.probe.sweep import sweep

THREE = [
    {"corpus": "synthetic", "share": 0.5},
    {"corpus": "synthetic:1.2", "share": 0.3, "unique_tokens": 640.0},
    {"corpus": "synthetic:1.8", "share": 0.2},
]
SHARES = st.lists(st.integers(0, 5), min_size=1, max_size=5).filter(any)


def test_sequences_do_not_depend_on_batches_nor_on_where_a_run_was_stopped(tmp_path, write):
    folder, other = write(tmp_path / "a"), write(tmp_path / "b", seed=1)
    two = [{"corpus": f"text:{folder}", "share": 0.7, "unique_tokens": 900}, {"corpus": f"text:{other}", "share": 0.3}]
    for fields in ({}, {"unique_tokens": 1000}, {"corpus": f"text:{folder}"}, {"pools": THREE}, {"pools": two}):
        one = spec({"seq_len": 32, "seed": 5, **fields})
        whole = Feed.of(one).train(0, 3000)
        assert whole.shape == (3000, 33)
        for sizes in ([1, 7, 992, 2000], [2999, 1], [1024] * 2):
            feed, at = Feed.of(one), 0
            for size in sizes:
                np.testing.assert_array_equal(feed.train(at, size), whole[at : at + size], str(fields))
                at += size
        for first, count in ((2500, 8), (255, 2), (1, 1), (700, 300)):  # each anew, as after a stop
            np.testing.assert_array_equal(Feed.of(one).train(first, count), whole[first : first + count], str(fields))
        assert (Feed.of(spec({"seq_len": 32, "seed": 6, **fields})).train(0, 100) != whole[:100]).any()


def test_a_pass_is_a_permutation_of_what_is_trained_on(tmp_path, write):
    one = spec({"corpus": f"text:{write(tmp_path / 'a')}", "seq_len": 32})
    feed = Feed.of(one)
    n = feed.sources[0].order.n
    text = feed.sources[0].text.train(np.arange(n), 32)
    passes = [feed.train(k * n, n) for k in range(3)]
    for drawn in passes:
        assert sorted(map(bytes, drawn)) == sorted(map(bytes, text))
    assert (passes[0] != passes[1]).any()
    assert feed.seen(n + n // 2) == {"unique_tokens": n * 32, "passes": pytest.approx(1.5, abs=1 / n)}
    assert feed.seen(5) == {"unique_tokens": n * 32, "passes": 5 / n}
    assert Feed.of(spec({})).seen(5) == {}


@settings(max_examples=40, deadline=None)
@given(SHARES, st.integers(0, 2**32), st.integers(0, 3000), st.integers(1, 600))
def test_pools_come_by_their_shares_and_are_counted_exactly(parts, seed, first, count):
    ends = np.cumsum(parts) / sum(parts)
    draw = Draw(tuple(ends.tolist()), seed)
    pools = draw.pools(0, first + count)
    np.testing.assert_array_equal(Draw(tuple(ends.tolist()), seed).pools(first, count), pools[first:])
    for k in (first, first + count, first):  # also backwards
        assert draw.before(k).tolist() == np.bincount(pools[:k], minlength=len(parts)).tolist()
    of_block = np.bincount(draw.pools(256 * (first // 256), 256), minlength=len(parts))
    assert (abs(of_block - 256 * np.array(parts) / sum(parts)) < 1).all()
    assert not (of_block[np.array(parts) == 0]).any()


def test_shares_converge_and_no_pool_stands_at_places_of_its_own():
    draw = Draw((0.1, 0.4, 1.0), 3)
    assert draw.before(10**6) / 10**6 == pytest.approx([0.1, 0.3, 0.6], abs=1e-5)
    pools = draw.pools(0, 256 * 400).reshape(400, 256)
    assert abs((pools == 0).mean(axis=0) - 0.1).max() < 5 * np.sqrt(0.09 / 400)


def test_what_was_seen_is_what_was_drawn():
    one = spec({"seq_len": 32, "pools": THREE, "seed": 2})
    feed = Feed.of(one)
    for n in (1, 256, 1000):
        drawn = feed.train(0, n)
        pools = feed.draw.pools(0, n)
        row = feed.seen(n)
        assert [row[f"tokens_pool_{i}"] for i in range(3)] == [32 * int((pools == i).sum()) for i in range(3)]
        assert row["passes_pool_1"] == (pools == 1).sum() / 20
        assert "passes_pool_0" not in row
        assert row["unique_tokens_pool_1"] == 640
        assert not {"unique_tokens_pool_0", "unique_tokens", "passes"} & set(row)
    repeated = {bytes(x) for x in drawn[pools == 1]}
    assert len(repeated) == 20
    assert not repeated & {bytes(x) for x in drawn[pools != 1]}
    same = [{"corpus": "synthetic", "share": 0.5, "unique_tokens": 6400}, {"corpus": "synthetic", "share": 0.5}]
    for seed in (0, 1):  # the same corpus twice: what is repeated is no part of the rest
        feed = Feed.of(spec({"seq_len": 32, "pools": same, "seed": seed}))
        drawn, pools = feed.train(0, 1000), feed.draw.pools(0, 1000)
        assert not {bytes(x) for x in drawn[pools == 0]} & {bytes(x) for x in drawn[pools == 1]}


def test_the_floor_is_the_loss_of_the_ideal_predictor_on_the_tokens_that_are_scored():
    """The first two numbers were worked out elsewhere, on whole words; a sequence scores all its tokens but the first."""
    language = Language(1.4)
    for n, loss in ((65_536, 1.07391946), (2**20, 1.07721588)):
        assert language.losses(language.tokens(0, n)).mean() == pytest.approx(loss, abs=5e-9)
    for seq_len in (4, 128):
        feed = Feed.of(spec({"seq_len": seq_len, "eval_tokens": 4096}))
        tokens = feed.held_out(0, 0, 4096 // seq_len)
        words = language.words(0, 400_000, stream=7)
        first = -np.log(np.bincount(words[:, 0], minlength=16) / len(words))
        scored = language.losses(tokens[:, :-1])[:, 1:].sum() + first[tokens[:, -1]].sum()
        assert feed.known["loss_floor"] == pytest.approx(scored / 4096, abs=2e-3)
    floors = [Feed.of(spec({"corpus": one["corpus"], "eval_tokens": 4096})).known["loss_floor"] for one in THREE]
    mixed = Feed.of(spec({"pools": THREE, "eval_tokens": 4096})).known["loss_floor"]
    assert mixed == pytest.approx(0.5 * floors[0] + 0.3 * floors[1] + 0.2 * floors[2])


def test_the_ideal_predictor_is_the_distribution_of_the_words():
    """Over all that can come next, probabilities sum to one, wherever in a word."""
    language = Language(1.2)
    for place in range(1, 9):
        begun = np.tile(language.tokens(0, 9), (32, 1))
        begun[:, place] = np.arange(32)
        possible = np.arange(32) >= 16 if place % 4 == 3 else np.arange(32) < 16
        assert np.exp(-language.losses(begun[:, : place + 1])[possible, place]).sum() == pytest.approx(1, abs=1e-9)


def test_the_loss_of_a_mixture_is_that_of_its_pools_by_their_shares():
    feed = Feed.of(spec({"pools": [*THREE[:2], {**THREE[2], "share": 0.2}, {**THREE[0], "share": 0.0}]}))
    row = feed.mixed([(1.0, 0.1), (2.0, 0.1), (3.0, 0.1), (9.0, 0.1)])
    assert row["loss"] == pytest.approx(0.5 + 0.6 + 0.6)
    assert row["loss_se"] == pytest.approx(0.1 * np.sqrt(0.25 + 0.09 + 0.04))
    assert [row[f"loss_pool_{i}"] for i in range(4)] == [1.0, 2.0, 3.0, 9.0]
    assert Feed.of(spec({})).mixed([(1.5, 0.2)]) == {"loss": 1.5, "loss_se": 0.2}


def test_runs_without_pools_have_the_key_they_had():
    had = {"width": 16, "tokens": 6e4, "seq_len": 64, "eval_tokens": 4096, "evals": 6, "vocab": 32}
    assert spec(had).key == "3a069ee1efde1ec2"  # of version 0.1.0, before there were pools
    assert len({spec({"pools": one}).key for one in ([], THREE, [*THREE[:1], {**THREE[1], "share": 0.5}])}) == 3


def test_mixtures_are_laid_out_on_a_grid_of_shares():
    runs = sweep(
        {
            "design": "mixture",
            "pools": [{"corpus": f"synthetic:1.{k}"} for k in (2, 4, 6)],
            "parts": 4,
            "width": [16, 32],
        }
    )
    assert len(runs) == 2 * 15
    shares = {tuple(pool.share for pool in one.pools) for one in runs}
    assert len(shares) == 15
    assert all(sum(one) == pytest.approx(1) for one in shares)
    assert {(1, 0, 0), (0, 1, 0), (0, 0, 1), (0.25, 0.5, 0.25)} <= shares
    assert {one.vocab for one in runs} == {32}
    assert len(sweep({"pools": THREE, "seed": [0, 1]})) == 2
    assert len(sweep({"pools": [THREE, [{"corpus": "synthetic", "share": 1}]]})) == 2
    for wrong, sentence in (
        ({"design": "mixture"}, "needs 'pools'"),
        ({"design": "mixture", "pools": []}, "is a list of pools"),
        ({"design": "mixture", "pools": THREE}, "leave 'share' out"),
        ({"design": "mixture", "pools": [{"corpus": "synthetic"}], "parts": 0}, "1 to 1000; 0 came"),
        ({"design": "mixture", "pools": [{"corpus": "synthetic"}] * 9, "parts": 100}, "runs; at most 10,000"),
        ({"pools": [{"corpus": "synthetic", "share": 0.5}]}, "the shares of pools should be 1 together; 0.5 came"),
        ({"pools": THREE, "unique_tokens": 5}, "pools should stand without corpus and unique_tokens"),
        ({"pools": [{"corpus": "synthetic:x", "share": 1}]}, "the exponent of Zipf's law; 'x' came"),
    ):
        with pytest.raises(DataError) as said:
            sweep(wrong)
        assert sentence in str(said.value), wrong
