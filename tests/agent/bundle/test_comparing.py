"""Verdicts on rows that were run again, from trials alone."""

import pytest
from lesion.agent.bundle.comparing import compared, verdict_of
from lesion.agent.records.bundle import Told


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
    assert compared(trial(), trial()).weights is None


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
