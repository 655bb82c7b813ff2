"""Verdicts on rows that were run again, from trials alone."""

import pytest
from lesion.agent.bundle.comparing import compared, verdict_of
from lesion.agent.records.bundle import RowAgain, Told
from lesion.prompts import render


def trial(value=0.5, status="ok", arm="a", **more):
    metrics = {"test": {"score": value}} if status in ("ok", "no-op") else {}
    return Told(arm=arm, mode="retrain", seed=0, key="k", status=status, metrics=metrics, **more)


def test_one_bit_or_one_example_or_one_cut_is_a_difference():
    assert compared(trial(0.1 + 0.2), trial(0.1 + 0.2)).same
    assert compared(trial(0.1 + 0.2), trial(0.3)).differs == ["score on test 0.30000000000000004 → 0.3"]
    assert not compared(trial(0.0), trial(-0.0)).same
    found = compared(trial(examples={"test": {"score": "aa"}}), trial(examples={"test": {"score": "ab"}}))
    assert found.differs == ["values of score by example on test"]
    assert not compared(trial(cut={"test": {"score": 0.1}}), trial(cut={"test": {"score": 0.2}})).same
    assert compared(trial(fingerprint="x"), trial(fingerprint="y")).weights is False
    assert not compared(trial(fingerprint="x"), trial(fingerprint="y")).same  # equal figures from other weights
    assert compared(trial(), trial()).weights is None


@pytest.mark.parametrize(("changed", "lead"), [([], "a, retrain: reproduced"), (["project/x.py"], "a, retrain: with")])
def test_the_verdict_says_which_files_changed_and_which_weights_were_kept(changed, lead):
    trials = [compared(trial(fingerprint="x"), trial(fingerprint="x")), compared(trial(), trial())]
    row = RowAgain(
        ablation="a", mode="retrain", metric="score", verdict="to the bit", figure="delta", reported=0.1,
        interval=None, level=None, now=0.1, seeds=[0], of=[0], trials=trials, changed=changed, environment=[],
        reason=None,
    )  # fmt: skip
    text = render("bundle/again.j2", row=row)
    assert text.startswith(lead)
    assert all(name in text.splitlines()[0] for name in changed)
    assert "weights or outputs: 1 of 1 the same, of the other 1 none were kept" in text


@pytest.mark.parametrize(
    ("pairs", "by_status", "now", "expected"),
    [
        ([(trial(), trial())], False, None, "to the bit"),
        (
            [(trial(), trial()), (trial(0.2, arm="baseline"), trial(0.21, arm="baseline"))],
            False,
            0.1,
            "within its interval",
        ),
        ([(trial(), trial(0.6))], False, 0.3, "not reproduced"),
        ([(trial(), trial(0.6))], False, None, "not reproduced"),
        ([(trial(status="crashed"), trial(status="crashed"))], True, None, "the same status"),
        ([(trial(status="crashed"), trial())], True, 0.1, "not reproduced"),
        ([(trial(status="no-op"), trial(0.6, status="no-op"))], True, 0.0, "the same status"),
        ([(trial(status="no-op"), trial(status="no-op"))], True, 0.0, "to the bit"),
        ([], False, 0.1, "not reproduced"),
    ],
)
def test_verdicts(pairs, by_status, now, expected):
    trials = [compared(*pair) for pair in pairs]
    assert verdict_of(trials, "a", by_status=by_status, interval=(0.0, 0.2), now=now) == expected
