"""Claims against the verdicts of made-up ledgers: no model was trained for any of these numbers."""

from dataclasses import replace

from lesion.agent.claimtests import claims_tested, shown_by
from lesion.agent.findings import find
from lesion.agent.planned import planned_fates
from lesion.agent.planning.plan import Supports

from .test_rounds import evidence, row, runs, spec

CLAIMS = ["a earns its keep", "b does nothing", "a and b back each other up", "c helps", "nobody asks about this"]


def wants(seen, **claims):
    """The same evidence with claims on its ablations: id → (claim, outcome)."""

    def of(one):
        return one.model_copy(update={"claims": [Supports(claim=c, outcome=o) for c, o in claims.get(one.id, [])]})

    plans = [plan.model_copy(update={"ablations": [of(one) for one in plan.ablations]}) for plan in seen.plans]
    return replace(seen, plans=plans)


def held(seen):
    return claims_tested(CLAIMS, seen.plans, find(seen, "score").effects, planned_fates([seen], complete=True), sign=1)


def study():
    rows = [
        *runs("baseline"),
        *runs("a", loss=5, noise=1),
        *runs("b", loss=0.0, noise=2, sd=0.1),
        *runs("a + b", loss=9, noise=3),
        *(row("c", seed, status="crashed", reason="KeyError") for seed in range(3)),
    ]
    return evidence(rows, ("a", "b", "c"), joint=[("a", "b")], study=spec(seeds=3, max_seeds=3))


def test_each_claim_is_held_against_what_was_shown():
    seen = wants(
        study(),
        a=[("c1", "worse")],
        b=[("c2", "worse")],
        c=[("c4", "worse")],
        **{"a + b": [("c3", "worse"), ("c9", "worse")]},
    )
    found = held(seen)
    assert [one.id for one in found] == ["c1", "c2", "c3", "c4", "c5"]
    assert [one.status for one in found] == ["supported", "contradicted", "supported", "untested", "untested"]
    assert [len(one.tests) for one in found] == [1, 1, 1, 1, 0]
    first, second, joint, structural = (one.tests[0] for one in found[:4])
    assert (first.verdict, first.status, first.mode, first.reason) == ("matters", "supports", "retrain", None)
    assert (second.verdict, second.status) == ("negligible", "contradicts")
    assert (joint.components, joint.verdict, joint.round) == (["a", "b"], "matters", 2)
    assert joint.delta < -8, "it is the joint loss that speaks, not the interaction"
    assert (structural.verdict, structural.status, structural.delta) == ("structural", "open", None)
    assert "does not show that it is important" in structural.reason
    assert found[3].reason == "its tests are open: 1 structural"
    assert found[4].reason == "no ablation was planned that puts it to the test"


def test_tests_that_differ_are_told_and_contradiction_wins():
    found = held(wants(study(), a=[("c1", "worse")], b=[("c1", "worse")], c=[("c1", "worse")]))
    assert found[0].status == "contradicted"
    assert found[0].by_mode == {"retrain": "contradicted"}
    assert found[0].reason == "its tests differ: 1 of 3 contradict it, 1 support it"


def test_what_never_ran_stays_open_with_its_reason():
    seen = wants(study(), a=[("c1", "worse")])
    (test,) = held(replace(seen, dropped={"a": "touches evaluate"}))[0].tests
    assert (test.mode, test.verdict, test.status, test.reason) == (None, None, "open", "dropped: touches evaluate")


def test_what_a_status_rests_on_and_whose_reading_it_is():
    joint = {"a + b": [("c1", "none"), ("c3", "worse")]}
    seen = wants(study(), a=[("c1", "worse"), ("c3", "worse")], c=[("c4", "worse")], **joint)
    found = held(replace(seen, plans=[seen.plans[0].model_copy(update={"planner": "llm:x"}), *seen.plans[1:]]))
    assert [(one.status, one.shown_by) for one in found[:4]] == [
        ("contradicted", "follow-up"),
        ("untested", None),
        ("supported", "sealed"),
        ("untested", None),
    ]
    assert [one.by for one in found[0].tests] == ["llm:x", "rules"]
    assert shown_by("supported", [found[0].tests[0].model_copy(update={"role": "sensitivity"})]) == "exploratory"
