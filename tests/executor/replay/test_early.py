"""Arms that end once their verdicts are settled: what they were shown, and that nothing else depends on it."""

import math
from base64 import b64decode

import numpy as np
import pytest
import torch
from torch import nn

from .bench import module, plainly, run_of, streamed

BATCHES, SIZE, WIDTH = 24, 16, 5
RULE = {"alpha": 0.05, "share": 0.2, "deltas": {"evaluation": {"loss": 0.1}}, "order": 0}


class Sum(nn.Module):
    """Parts that add to a score: one that matters much, one that hardly does, and two that differ from example to example."""

    def __init__(self):
        super().__init__()
        sizes = {"much": (1.0, 0.05), "little": (0.001, 0.01), "wide": (0.1, 1.0), "spare": (0.5, 0.05)}
        for name, (mean, spread) in sizes.items():
            self.add_module(name, Part(mean, spread))

    def forward(self, x):
        pairs = zip((self.much, self.little, self.wide), x.T, strict=False)
        return sum(part(each) for part, each in pairs) + torch.maximum(self.spare(x[:, 3]), self.spare(x[:, 3]))


class Part(nn.Module):
    def __init__(self, mean, spread):
        super().__init__()
        self.mean, self.spread = nn.Parameter(torch.tensor(mean)), spread

    def forward(self, x):
        return self.mean + self.spread * x


def score(model, batch):
    return {"loss": model(batch), "other": model(batch) * 2}


def run(seed=3):
    drawn = torch.randn(BATCHES, SIZE, WIDTH, generator=torch.Generator().manual_seed(seed))
    return run_of(Sum(), list(drawn), score)


def arm(*names, family=10, **parts):
    return {"interventions": [module(one) for one in names], "family": family, "parts": parts}


SINGLES = {name: arm(name) for name in ("much", "little", "wide", "spare")}
PAIR = arm("much", "little", a=[module("much")], b=[module("little")])


def values(packed):
    return np.frombuffer(b64decode(packed["data"]), "<f8")


def shown(outcome, column="loss"):
    return np.isfinite(values(outcome["examples"]["evaluation"][column]))


@pytest.fixture(scope="module")
def early():
    return streamed(run(), {**SINGLES, "whole": arm("much", family=None), "pair": PAIR}, stopping=RULE)


def test_what_is_plain_ends_soon_and_what_is_not_sees_everything(early):
    seen = {name: outcome["seen"].get("evaluation") for name, outcome in early.items()}
    for name in ("much", "little", "spare"):
        assert seen[name]["of"] == BATCHES * SIZE
        assert seen[name]["examples"] < BATCHES * SIZE / 3
    assert seen["wide"] == {"examples": BATCHES * SIZE, "of": BATCHES * SIZE}
    assert seen["whole"] is None
    assert shown(early["whole"]).all()


def test_what_was_shown_is_what_the_plain_way_gives_there_and_the_rest_is_missing(early):
    for name, entry in {**SINGLES, "pair": PAIR}.items():
        plain, _ = plainly(run(), entry["interventions"])
        here = shown(early[name])
        assert here.sum() == early[name]["seen"]["evaluation"]["examples"]
        for column in ("loss", "other"):
            found, whole = values(early[name]["examples"]["evaluation"][column]), values(plain[column])
            assert np.array_equal(found[here], whole[here])
            assert np.isnan(found[~here]).all()
            assert early[name]["metrics"]["evaluation"][column] == pytest.approx(whole[here].mean())


def test_arms_are_shown_whole_batches_in_one_order(early):
    by_batch = {name: shown(outcome).reshape(BATCHES, SIZE) for name, outcome in early.items()}
    assert all((one.all(1) == one.any(1)).all() for one in by_batch.values())
    few, more = sorted((by_batch["much"], by_batch["pair"]), key=np.sum)
    assert (few <= more).all()
    assert by_batch["much"].any(1).argmax() != 0 or not by_batch["much"][:2].all(), "not in the experiment's own order"


def test_how_far_an_arm_goes_does_not_depend_on_the_arms_beside_it(early):
    for name in ("much", "little", "pair"):
        alone = streamed(run(), {name: {**SINGLES, "pair": PAIR}[name]}, stopping=RULE)[name]
        assert alone["seen"] == early[name]["seen"]
        assert alone["examples"] == early[name]["examples"]
        assert alone["fingerprint"] == early[name]["fingerprint"]


def test_another_order_shows_other_examples(early):
    other = streamed(run(), {"much": SINGLES["much"]}, stopping={**RULE, "order": 1})["much"]
    assert not np.array_equal(shown(other), shown(early["much"]))


def test_a_joint_removal_brings_its_parts_on_its_own_examples(early):
    pair = early["pair"]
    assert set(pair["parts"]) == {"a", "b"}
    for name, single in (("a", "much"), ("b", "little")):
        part = values(pair["parts"][name]["evaluation"]["loss"])
        plain = values(plainly(run(), [module(single)])[0]["loss"])
        assert np.array_equal(np.isfinite(part), shown(pair))
        assert np.array_equal(part[shown(pair)], plain[shown(pair)])


def test_a_larger_family_needs_more(early):
    much = streamed(run(), {"much": arm("much", family=10**6)}, stopping=RULE)["much"]
    assert much["seen"]["evaluation"]["examples"] >= early["much"]["seen"]["evaluation"]["examples"]


def test_every_metric_that_has_a_delta_must_be_settled():
    both = {**RULE, "deltas": {"evaluation": {"loss": 0.1, "other": 0.1}}}
    found = streamed(run(), {"spare": arm("spare"), "wide": arm("wide")}, stopping=both)
    assert found["wide"]["seen"]["evaluation"]["examples"] == BATCHES * SIZE
    absent = {**RULE, "deltas": {"evaluation": {"loss": 0.1, "accuracy": 0.1}}}
    assert shown(streamed(run(), {"much": arm("much")}, stopping=absent)["much"]).all()


def test_a_removal_that_changes_nothing_is_shown_everything():
    found = streamed(run(), {"placebo": {"interventions": [module("much", "placebo")], "family": 4}}, stopping=RULE)
    assert found["placebo"]["same"]
    assert shown(found["placebo"]).all()


def test_a_value_that_is_no_number_is_no_early_end():
    class Breaking(Sum):
        def forward(self, x):
            total = super().forward(x)
            gone = self.much(x[:, 0]).abs().sum() == 0
            return torch.where((torch.arange(len(x)) == 3) & gone, math.nan, total)

    broken = run()
    broken.model = Breaking()
    found = streamed(broken, {"much": arm("much"), "little": arm("little")}, stopping=RULE)
    assert "not a finite number" in str(found["much"])
    assert not isinstance(found["little"], Exception)


def test_a_job_may_ask_for_some_of_the_splits():
    both = run()
    both.module.evaluate = lambda _model, _config, split: {}
    sizes = [SIZE] * BATCHES
    found = streamed(
        both, {"much": [module("much")]}, stream=dict.fromkeys(("validation", "test"), sizes), splits=["test"]
    )
    assert list(found["much"]["metrics"]) == ["test"]


def test_a_part_that_fails_takes_the_early_end_and_nothing_else_from_its_joint_removal():
    class Choosy(Sum):
        def forward(self, x):
            if not self.little(x[:, 1]).any() and self.much(x[:, 0]).any():
                raise ValueError("little alone")
            return super().forward(x)

    choosy = run()
    choosy.model = Choosy()
    found = streamed(choosy, {"pair": PAIR, "much": arm("much")}, stopping=RULE)
    assert set(found["pair"]["parts"]) == {"a"}
    assert found["pair"]["seen"] == {}
    assert shown(found["pair"]).all()
    assert not shown(found["much"]).all()
