from dataclasses import dataclass, field

import pytest
from lesion.agent.planning.llm.answers import Edit, FirstPlan, Mending, NextRound, Override, Removal, Review
from lesion.agent.planning.llm.briefing import Briefing, component_list
from lesion.agent.planning.llm.planner import MENDINGS, LlmPlanner
from lesion.agent.planning.planner import Learnt
from lesion.agent.planning.rules import RulesPlanner
from lesion.agent.reading.digest.lookup import Lookup
from lesion.agent.records.planning import Planning
from lesion.agent.results import BaselineMetric, Effect, Interaction
from lesion.agent.spec import Metric
from lesion.executor.errors import BadAnswerError, ModelError, PlanningOver

from .answers import MODEL, edit, follow_up, head, module, proposal, setting

PARTS = [setting("dropout"), setting("warmup"), setting("mixup"), module("norm", "bypass", "zero")]
LOOK = Lookup(kind="file", path="train.py", first=1, last=10, pattern="")
ASIDE = Review()


@dataclass
class Scripted:
    """Answers by purpose, in turn; an exception is raised."""

    answers: dict[str, list]
    asked: list = field(default_factory=list)

    def ask(self, purpose, messages, answer):
        self.asked.append((purpose, list(messages)))
        found = self.answers.get(purpose, [])
        given = found.pop(0) if found else {"review": ASIDE}.get(purpose) or PlanningOver("the script is over")
        if isinstance(given, Exception):
            raise given
        assert issubclass(answer, type(given))
        return given


class Shelf:
    """A project of one file."""

    def digest(self, budget):
        return "train.py: loss = main + aux"

    def clean(self, text):
        return text

    def told(self, text):
        return text

    shows_config = True

    def look_up(self, lookup, tokens):
        return f"{lookup.path}, lines {lookup.first} to {lookup.last}"


def planner(claims=(), wanted=("*",), **answers):
    briefing = Briefing(
        study="s",
        question="which parts matter?",
        claims=claims,
        metrics={"score": Metric(goal="maximize", primary=True)},
        primary="score",
        modes=["retrain"],
        seeds=3,
        config={"dropout": 0.1, "warmup": 5, "mixup": 0.2},
        allowed=wanted,
        library=Shelf(),
        room=20_000,
        estimate=lambda text: len(text) // 3,
    )
    model = Scripted({name.replace("_", "-"): list(given) for name, given in answers.items()})
    return LlmPlanner(model, briefing, RulesPlanner(wanted=wanted), MODEL, lambda: Planning(model="scripted"))


def sorted_out(proposals):
    lists = {"removals": Removal, "overrides": Override, "edits": Edit}
    return {name: [one for one in proposals if isinstance(one, kind)] for name, kind in lists.items()}


def first(*proposals, look_up=()):
    return FirstPlan(look_up=list(look_up), **sorted_out(proposals))


def mending(*proposals):
    return Mending(**sorted_out(proposals))


def upon(*follow_ups, proposals=(), look_up=(), reason="to tell them apart"):
    return NextRound(look_up=list(look_up), follow_ups=list(follow_ups), reason=reason, **sorted_out(proposals))


def ids(plan):
    return [one.id for one in plan.ablations]


def effect(name, verdict, delta=-0.001, **facts):
    usual = {
        **{"components": [name], "labels": [name], "component_kind": "regularization", "intervention_kind": "override"},
        **{
            "intervention": "",
            "mode": "retrain",
            "role": "confirmatory",
            "round": 1,
            "metric": "score",
            "baseline": 1.0,
        },
        **{"ablated": 1.0 + delta, "delta": delta, "interval": (delta - 0.01, delta + 0.01), "level": 0.95, "p": 0.9},
        **{"p_adjusted": 0.9, "p_equivalence": 0.01, "n": 3, "verdict": verdict},
    }
    return Effect.model_validate({"ablation": name, **usual, **facts})


def learnt(plan, *effects, interactions=(), plans=()):
    noise = BaselineMetric(
        **{"mean": 1.0, "sd": 0.01, "n": 3, "minimum_detectable_effect": 0.02, "goal": "maximize"},
        **{"smallest_effect": 0.02, "max_seeds": 10},
    )
    return Learnt([*PARTS, *plan.components], [plan, *plans], effects, interactions, {"retrain": noise})


def test_what_the_model_proposes_is_planned_and_what_it_left_out_is_listed():
    asked = planner(plan=[first(proposal("config:dropout"), edit("aux", ("train.py", "loss = main + aux\n")))])
    plan = asked.first_round("s", PARTS)
    assert ids(plan) == ["config:dropout", "edit:aux"] and plan.planner == MODEL
    assert [one.id for one in plan.components] == ["edit:aux"]
    assert {one.id: one.by for one in plan.dropped} == dict.fromkeys(
        ("config:warmup", "config:mixup", "module:norm"), "rules"
    )
    assert asked.ended is None


def test_it_may_look_things_up_first_a_bounded_number_of_times():
    asked = planner(plan=[first(look_up=[LOOK]), first(proposal("config:dropout"))])
    assert ids(asked.first_round("s", PARTS)) == ["config:dropout"]
    purpose, messages = asked.model.asked[1]
    assert purpose == "plan" and "train.py, lines 1 to 10" in messages[-1].content
    looks = [LOOK.model_copy(update={"first": at}) for at in range(1, 50)]
    for_ever = planner(plan=[first(look_up=[one]) for one in looks])
    plan = for_ever.first_round("s", PARTS)
    assert [one for one, _ in for_ever.model.asked] == ["plan"] * 5
    assert plan.planner == "rules" and "in place of the language model" in plan.remarks[0]


def test_what_it_looked_up_before_is_its_last_look():
    asked = planner(plan=[first(look_up=[LOOK])] * 2 + [first(proposal("config:dropout"))])
    assert ids(asked.first_round("s", PARTS)) == ["config:dropout"]
    assert (
        "answer now" in asked.model.asked[2][1][-1].content and "answer now" not in asked.model.asked[1][1][-1].content
    )


def test_an_answer_that_proposes_something_is_final():
    asked = planner(plan=[first(proposal("config:dropout"), look_up=[LOOK])])
    assert ids(asked.first_round("s", PARTS)) == ["config:dropout"]
    assert [one for one, _ in asked.model.asked] == ["plan", "review"]


@pytest.mark.parametrize("failure", [PlanningOver("the quota is used up"), BadAnswerError("no JSON in three turns")])
def test_without_an_answer_the_rules_plan_and_the_plan_says_why(failure):
    asked, told = planner(plan=[failure]), []
    asked.on_trouble = told.append
    plan = asked.first_round("s", PARTS)
    assert set(told) == {failure.what}
    assert plan.planner == "rules" and ids(plan) == ids(RulesPlanner().first_round("s", PARTS))
    assert failure.what in plan.remarks[0]
    assert asked.ended == (failure.what if isinstance(failure, PlanningOver) else None)
    assert asked.spent.ended == asked.ended


def test_a_model_that_cannot_be_asked_at_all_is_an_error():
    with pytest.raises(ModelError):
        planner(plan=[ModelError("wrong key")]).first_round("s", PARTS)


def test_an_empty_plan_is_the_rules_plan():
    asked, told = planner(plan=[first()]), []
    asked.on_trouble = told.append
    plan = asked.first_round("s", PARTS)
    assert plan.planner == "rules" and "nothing that it proposed can be run" in plan.remarks[0]
    assert told == ["nothing that it proposed can be run"]


def test_what_means_nothing_goes_back_twice_and_is_then_dropped_with_its_reason():
    wrong, other = proposal("config:droput"), proposal("config:droput", "zero")
    asked = planner(plan=[first(wrong, proposal("config:mixup"))], mend=[mending(other), mending(wrong)])
    plan = asked.first_round("s", PARTS)
    assert ids(plan) == ["config:mixup"]
    assert [one for one, _ in asked.model.asked].count("mend") == MENDINGS
    (reason,) = [one.reason for one in plan.dropped if one.by == MODEL]
    assert "did you mean config:dropout" in reason
    same = planner(plan=[first(wrong, proposal("config:mixup"))], mend=[mending(wrong)] * MENDINGS)
    assert ids(same.first_round("s", PARTS)) == ["config:mixup"]
    assert [one for one, _ in same.model.asked].count("mend") == 1, "what comes back unchanged is not sent again"
    mended = planner(plan=[first(wrong)], mend=[mending(proposal("config:dropout"))]).first_round("s", PARTS)
    assert ids(mended) == ["config:dropout"]
    assert [(one.id, "did you mean" in one.problems[0]) for one in mended.mended] == [("config:dropout", True)]


def test_what_does_not_come_back_from_mending_is_listed_too():
    wrong = [proposal("config:droput"), proposal("config:nothing")]
    asked = planner(plan=[first(*wrong)], mend=[mending(proposal("config:dropout")), mending()])
    plan = asked.first_round("s", PARTS)
    assert ids(plan) == ["config:dropout"]
    assert [one.id for one in plan.dropped if one.by == MODEL] == ["config:nothing"]


def test_the_reviewers_pass_adds_withdraws_and_remarks():
    gone = {"target": "config:mixup", "reason": "confounded\nwith | dropout"}
    review = Review(removals=[proposal("module:norm")], withdrawn=[gone], remark="too few seeds")
    asked = planner(plan=[first(proposal("config:dropout"), proposal("config:mixup"))], review=[review])
    plan = asked.first_round("s", PARTS)
    assert ids(plan) == ["config:dropout", "module:norm"]
    assert any(one.id == "config:mixup" and "confounded with" in one.reason for one in plan.dropped)
    assert plan.remarks == ["the reviewer's pass says “too few seeds”"]


def test_what_a_review_withdraws_and_proposes_in_one_breath_stays():
    gone = [{"target": "config:mixup", "reason": "negative"}]
    review = Review(removals=[proposal("config:mixup")], withdrawn=gone)
    plan = planner(plan=[first(proposal("config:dropout"), proposal("config:mixup"))], review=[review])
    assert ids(plan.first_round("s", PARTS)) == ["config:dropout", "config:mixup"]


def test_a_review_that_withdraws_everything_or_fails_leaves_the_plan():
    everything = Review(withdrawn=[{"target": "config:dropout", "reason": "no"}], remark="")
    assert ids(planner(plan=[first(proposal("config:dropout"))], review=[everything]).first_round("s", PARTS)) == [
        "config:dropout"
    ]
    failed = planner(plan=[first(proposal("config:dropout"))], review=[PlanningOver("cap reached")])
    plan = failed.first_round("s", PARTS)
    assert ids(plan) == ["config:dropout"] and "cap reached" in plan.remarks[0]


def test_a_review_keeps_the_only_test_of_a_claim_and_most_of_the_plan_and_says_why():
    def gone(*names, reason="redundant"):
        return [Review(withdrawn=[{"target": name, "reason": reason} for name in names])]

    tests = [{"claim": "c1", "outcome": "worse"}]
    plan = first(proposal("config:dropout", claims=tests), proposal("config:mixup"), proposal("module:norm"))
    everything = ["config:dropout", "config:mixup", "module:norm"]
    for review, left in (
        (gone("config:mixup"), ["config:dropout", "module:norm"]),
        (gone("config:dropout"), everything),
        (gone("config:mixup", "module:norm"), everything),
        (gone("config:mixup", reason=" "), everything),
    ):
        assert ids(planner(claims=["dropout is needed"], plan=[plan], review=review).first_round("s", PARTS)) == left


def test_claims_come_first_and_untested_ones_are_named_to_the_reviewer():
    tests = [{"claim": "c1", "outcome": "worse"}]
    both = first(proposal("config:dropout", priority=1), proposal("config:mixup", claims=tests, priority=5))
    asked = planner(claims=["mixup is needed", "norm is not"], plan=[both])
    assert ids(asked.first_round("s", PARTS)) == ["config:mixup", "config:dropout"]
    review = next(messages for purpose, messages in asked.model.asked if purpose == "review")
    assert "Claims that nothing tests yet: c2." in review[-1].content


def test_the_study_says_what_may_be_removed():
    plan = planner(
        wanted=["config:*"], plan=[first(proposal("config:dropout"), edit("aux", ("t.py", "x\n")))]
    ).first_round("s", PARTS)
    assert ids(plan) == ["config:dropout"] and not plan.components
    assert any("study.components allows config:*" in one.reason for one in plan.dropped)


def test_mending_replaces_an_edit_and_gives_up_after_two_turns():
    bad, good = (
        edit("aux", ("train.py", "no such line\n")),
        edit("aux", ("train.py", "loss = main + aux\n", "loss = main\n")),
    )
    asked = planner(plan=[first(bad, proposal("config:dropout"))], mend=[mending(bad), mending(good)])
    plan = asked.first_round("s", PARTS)
    once = asked.mend(plan, {"edit:aux": "not found"})
    assert [one.problems for one in once.mended] == [["not found"]]
    twice = asked.mend(once, {"edit:aux": "still not found"})
    (one,) = [one for one in twice.ablations if one.id == "edit:aux"]
    assert (
        one.interventions[0].blocks[0].replace
        == "loss = main\n"
        == twice.components[0].interventions[0].blocks[0].replace
    )
    assert twice.mended[0].problems == ["not found", "still not found"]
    over = asked.mend(twice, {"edit:aux": "crashes"})
    assert ids(over) == ["config:dropout"] and not over.components and not over.mended
    (dropped,) = [one for one in over.dropped if one.id == "edit:aux"]
    assert dropped.reason == "crashes" and dropped.interventions and dropped.by == MODEL


def test_what_comes_back_under_another_name_or_as_a_sound_one_again_is_listed_and_not_planned():
    """Of a family that is sealed no removal may stand in it twice, under whatever name."""
    one, other = edit("one", ("t.py", "a\n")), edit("other", ("t.py", "b\n"))
    asked = planner(
        plan=[first(one, other)], mend=[mending(edit("other", ("t.py", "a\n")), edit("new name", ("t.py", "c\n")))]
    )
    plan = asked.first_round("s", PARTS)
    after = asked.mend(plan, {"edit:other": "not found"})
    assert ids(after) == ["edit:one"] and [each.id for each in after.components] == ["edit:one"]
    told = {(each.id, each.reason) for each in after.dropped if each.by == MODEL}
    assert ("edit:other", "removes the same as edit:one") in told and ("edit:other", "not found") in told
    assert any(name == "edit:new-name" and "under a name" in reason for name, reason in told)


def test_what_does_not_come_back_mended_is_dropped():
    plan = planner(plan=[first(edit("aux", ("t.py", "x\n")), proposal("config:dropout"))])
    made = plan.first_round("s", PARTS)
    assert ids(plan.mend(made, {"edit:aux": "not found"})) == ["config:dropout"]


def test_follow_ups_stand_beside_those_of_the_statistics():
    asked = planner(
        plan=[first(proposal("config:dropout"), proposal("config:warmup"), proposal("config:mixup"))],
        follow_up=[upon(follow_up("together", "config:mixup", "config:dropout", priority=1))],
    )
    plan = asked.first_round("s", PARTS)
    seen = learnt(
        plan,
        effect("config:dropout", "negligible"),
        effect("config:warmup", "matters", -0.2),
        effect("config:mixup", "negligible"),
    )
    suggested = RulesPlanner().next_round(seen)
    after = asked.next_round(seen)
    assert ids(after)[0] == "config:dropout + config:mixup"
    assert set(ids(suggested)) <= set(ids(after))
    by = {one.id: one.by for one in after.ablations}
    assert by["config:dropout + config:mixup"] == MODEL
    assert all(by[one] == "rules" for one in ids(suggested) if one != "config:dropout + config:mixup")
    told = asked.model.asked[-1][1][-1].content
    assert "config:warmup [retrain]: matters, loss +10.00 δ" in told


def test_follow_ups_of_every_sort_and_those_that_mean_nothing():
    heads = [head("attn", number) for number in range(4)]
    asked = planner(
        plan=[first(proposal("config:dropout"), proposal("module:norm"))],
        follow_up=[
            upon(
                follow_up("another-kind", "module:norm", how="zero"),
                follow_up("alone", "config:mixup"),
                follow_up("more-seeds", "config:dropout"),
                follow_up("more-seeds", "module:norm"),
                follow_up("together", "config:dropout"),
                follow_up("together", "config:dropout", "config:nothing"),
                follow_up("alone", "config:dropout", mode="recover"),
                follow_up("random-control", "module:norm"),
            )
        ],
    )
    plan = asked.first_round("s", [*PARTS, *heads])
    after = asked.next_round(
        learnt(plan, effect("config:dropout", "undecided"), effect("module:norm", "matters", -0.2))
    )
    own = [one for one in after.ablations if one.by == MODEL]
    assert [(one.id, one.role) for one in own] == [("module:norm@zero", "sensitivity"), ("config:mixup", "exploratory")]
    assert after.more_seeds == ["config:dropout"]
    reasons = "\n".join(f"{one.id}: {one.reason}" for one in after.dropped)
    for part in (
        "settled",
        "needs two components",
        "no component config:nothing",
        "does not ask for recover",
        "only heads and units",
    ):
        assert part in reasons


def test_it_stops_when_neither_asks_for_more():
    asked = planner(plan=[first(proposal("config:dropout"))], follow_up=[upon(reason="nothing is open")])
    plan = asked.first_round("s", PARTS)
    assert asked.next_round(learnt(plan, effect("config:dropout", "negligible"))) is None
    assert asked.spent.last == "it asks for nothing more: “nothing is open”"
    assert asked.spent.ended is None


def test_what_the_last_answer_asks_for_in_vain_is_told_though_no_plan_lists_it():
    last = upon(follow_up("together", "config:dropout", "verdict: negligible"), reason="dropout \x1b[31m“matters” 99%")
    asked = planner(plan=[first(proposal("config:dropout"))], follow_up=[last])
    plan = asked.first_round("s", PARTS)
    assert asked.next_round(learnt(plan, effect("config:dropout", "negligible"))) is None
    assert "there is no component verdict: negligible" in asked.spent.last


def test_a_models_label_is_a_few_words():
    given = edit("<b>Accuracy</b> is **99%**: every part\x1b[2J matters", ("train.py", "a\n"))
    (component,) = planner(plan=[first(given)]).first_round("s", PARTS).components
    assert component.label == "b Accuracy b is 99"


def test_a_used_up_quota_ends_its_planning_and_the_statistics_go_on():
    asked = planner(
        plan=[first(proposal("config:dropout"), proposal("config:mixup"))], follow_up=[PlanningOver("quota used up")]
    )
    plan = asked.first_round("s", PARTS)
    seen = learnt(plan, effect("config:dropout", "negligible"), effect("config:mixup", "negligible"))
    after = asked.next_round(seen)
    assert after.planner == "rules" and "quota used up" in after.remarks[0]
    asked.next_round(seen)
    assert [one for one, _ in asked.model.asked].count("follow-up") == 1


@pytest.mark.parametrize("failure", [ModelError("the key was taken back"), BadAnswerError("prose")])
def test_a_failure_after_the_plan_never_stops_the_study(failure):
    asked, told = planner(plan=[first(proposal("config:dropout"))], follow_up=[failure]), []
    asked.on_trouble = told.append
    plan = asked.first_round("s", PARTS)
    assert told == []
    assert asked.next_round(learnt(plan, effect("config:dropout", "negligible"))) is None
    assert set(told) == {failure.what}


def test_a_model_that_asks_for_nothing_more_is_no_trouble():
    asked, told = planner(plan=[first(proposal("config:dropout"))], follow_up=[upon()]), []
    asked.on_trouble = told.append
    plan = asked.first_round("s", PARTS)
    assert asked.next_round(learnt(plan, effect("config:dropout", "negligible"))) is None
    assert told == []


def test_an_open_claim_is_tested_before_everything_else():
    tests = [{"claim": "c1", "outcome": "worse"}]
    asked = planner(
        claims=["they back each other up"],
        plan=[first(proposal("config:dropout"), proposal("config:mixup"), proposal("config:warmup"))],
        follow_up=[
            upon(
                follow_up("together", "config:warmup", "config:mixup", priority=1),
                follow_up("together", "config:dropout", "config:mixup", priority=5, claims=tests),
            )
        ],
    )
    plan = asked.first_round("s", PARTS)
    quiet = [effect(f"config:{one}", "negligible") for one in ("dropout", "mixup", "warmup")]
    assert ids(asked.next_round(learnt(plan, *quiet)))[0] == "config:dropout + config:mixup"
    assert "c1: they back each other up" in asked.model.asked[-1][1][-1].content


def test_what_joint_removals_came_to_is_told_in_units_of_the_smallest_effect():
    asked = planner(plan=[first(proposal("config:dropout"), proposal("config:mixup"))], follow_up=[upon(reason="done")])
    plan = asked.first_round("s", PARTS)
    joint = Interaction(
        **{
            "ablation": "config:dropout + config:mixup",
            "components": ["config:dropout", "config:mixup"],
            "labels": ["a", "b"],
        },
        **{
            "mode": "retrain",
            "metric": "score",
            "observed": 0.3,
            "additive": 0.02,
            "contrast": 0.28,
            "interval": (0.2, 0.4),
        },
        **{"level": 0.95, "p": 0.001, "p_adjusted": 0.001, "p_equivalence": 1.0, "n": 3, "verdict": "compensation"},
    )
    asked.next_round(learnt(plan, effect("config:dropout", "negligible"), interactions=[joint]))
    told = asked.model.asked[-1][1][-1].content
    assert "compensation, loss +15.00 δ, n = 3, more than the sum of its parts by +14.00 δ" in told


def test_many_components_are_listed_by_families_within_the_budget():
    many = [head(f"blocks.{block}.attn", number) for block in range(12) for number in range(12)]
    estimate = len
    whole, tight = component_list([*PARTS, *many], 10**6, estimate), component_list([*PARTS, *many], 600, estimate)
    assert whole.count("\n") == len(many) + len(PARTS) - 1
    assert "head:blocks.*.attn/* (144 components" in tight and len(tight) <= 600
    assert "more families" in component_list([*PARTS, *many], 150, estimate)
