"""The bound against what is known of it: a cache saves half of leave-one-out in the limit of depth, two thirds of all pairs."""

from itertools import combinations

import pytest

from .flops import bound, from_layer, whole

GPT2_SMALL = {"layers": 12, "heads": 12, "width": 768, "vocabulary": 50_257, "tokens": 64}


def test_in_the_limit_of_depth_it_is_2_and_3():
    deep = {**GPT2_SMALL, "layers": 400, "vocabulary": 1}
    heads = [(layer, 0) for layer in range(deep["layers"])]
    assert bound(deep, [(head,) for head in heads]) == pytest.approx(2, abs=0.02)
    assert bound(deep, list(combinations(heads, 2))) == pytest.approx(3, abs=0.05)


def test_of_gpt2_small():
    heads = [(layer, head) for layer in range(12) for head in range(12)]
    assert bound(GPT2_SMALL, [(head,) for head in heads]) == pytest.approx(1.5, abs=0.02)
    assert bound(GPT2_SMALL, list(combinations(heads, 2))) == pytest.approx(1.8, abs=0.02)


def test_what_is_removed_first_does_not_matter():
    pair = ((0, 0), (11, 0))
    assert bound(GPT2_SMALL, [pair]) == bound(GPT2_SMALL, [pair[::-1]])


def test_one_set_saves_nothing():
    assert bound(GPT2_SMALL, [((3, 1),)]) == 1
    assert from_layer(GPT2_SMALL, 0) < whole(GPT2_SMALL)
