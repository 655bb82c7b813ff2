"""Who proposed what, what became of it and how it fared, on made-up ledgers: no model was trained for any of these numbers."""

from dataclasses import replace

import pytest
from lesion.agent.blockdiff import edit_diff
from lesion.agent.findings import find
from lesion.agent.planned import planned_fates, planning_of, rounds_planned
from lesion.agent.planning.plan import Dropped, Mended
from lesion.agent.records.planning import LEFT_OUT
from lesion.agent.results import Planned, Prediction, PredictionScore
from lesion.agent.scores import scores
from lesion.executor.interventions import Block, ConfigOverride, SourceEdit, described

from .test_rounds import evidence, runs, spec

EDIT = SourceEdit(
    blocks=[
        Block(file="train.py", search="loss = ce + aux\nloss.backward()\n", replace="loss = ce\nloss.backward()\n"),
        Block(file="data.py", search="x = jitter(x)", replace=""),
        Block(file="train.py", search="clip()", replace="pass"),
    ]
)
DIFF = """--- train.py
+++ train.py
@@
-loss = ce + aux
+loss = ce
 loss.backward()
@@
-clip()
+pass
--- data.py
+++ data.py
@@
-x = jitter(x)"""


def changed(seen, round_1, **ablations):
    """The evidence with other fields of its first plan and of its ablations."""

    def of(plan):
        asked = [one.model_copy(update=ablations.get(one.id.replace(" + ", "_"), {})) for one in plan.ablations]
        return plan.model_copy(update={"ablations": asked, **(round_1 if plan.round == 1 else {})})

    return replace(seen, plans=[of(plan) for plan in seen.plans])


def study():
    """The model proposes a, c and the pair; the rules b."""
    rows = [
        *runs("baseline"),
        *runs("a", loss=5, noise=1),
        *runs("b", loss=0.1, noise=2, sd=0.1),
        *runs("a + b", loss=9, noise=3),
    ]
    seen = evidence(rows, ("a", "b"), joint=[("a", "b")], study=spec(seeds=3, max_seeds=3))
    worse = Prediction(direction="worse", size=4.0, confidence=0.8)
    return changed(
        seen,
        {
            "planner": "gpt-x",
            "dropped": [
                Dropped(id="edit:c", reason="touches evaluate", interventions=[EDIT]),
                Dropped(id="d", reason="too many", by="rules"),
            ],
            "mended": [Mended(id="a", problems=["found twice"]), Mended(id="edit:c", problems=["one", "two"])],
            "remarks": ["the server was slow"],
        },
        a={"prediction": worse, "hypothesis": "h", "why": "w", "change_of_mind": "m"},
        b={"by": "rules", "why": "quiet", "prediction": Prediction(direction="worse", size=2.0)},
        a_b={"by": "gpt-x", "prediction": worse},
    )


def test_every_proposal_has_its_proposer_its_fate_and_its_failed_checks():
    found = {one.ablation: one for one in planned_fates([study()], complete=True)}
    assert [(name, one.by, one.fate) for name, one in found.items()] == [
        ("edit:c", "gpt-x", "dropped"),
        ("d", "rules", "dropped"),
        ("a", "gpt-x", "ran"),
        ("b", "rules", "ran"),
        ("a + b", "gpt-x", "ran"),
    ]
    assert (found["edit:c"].problems, found["edit:c"].reason) == (["one", "two"], "touches evaluate")
    assert found["edit:c"].diff == DIFF
    assert (found["a"].problems, found["a"].hypothesis, found["a"].why) == (["found twice"], "h", "w")
    assert found["b"].why is None, "the rules' codes are no words"
    assert (found["a + b"].round, found["a + b"].role, found["a + b"].diff) == (2, "exploratory", None)


def test_a_diff_is_made_from_the_blocks_alone():
    assert edit_diff([ConfigOverride(key="a", value=0)]) is None
    assert edit_diff([ConfigOverride(key="a", value=0), EDIT]) == DIFF
    odd = SourceEdit(blocks=[Block(file="a.py", search="x\x0cy\n", replace="x\n\nz")])
    assert edit_diff([odd]).split("\n")[2:] == ["@@", "-x\x0cy", "+x", "+", "+z"], "every line keeps its mark"


def test_scores_go_by_who_proposed_and_joint_losses_count():
    seen = study()
    found = {one.planner: one for one in scores([(seen, find(seen, "score"))])}
    assert list(found) == ["gpt-x", "rules"]
    assert (found["gpt-x"].n, found["gpt-x"].direction_hits, found["gpt-x"].n_confidence) == (2, 2, 2)
    assert found["gpt-x"].brier == pytest.approx(0.04)
    assert found["gpt-x"].mean_absolute_error == pytest.approx((1 + 5) / 2, abs=0.2), "5δ and 9δ against 4δ"
    assert (found["rules"].n, found["rules"].direction_hits, found["rules"].brier) == (1, 0, None)


def test_a_planner_of_whom_nothing_could_be_scored_is_listed_all_the_same():
    seen = changed(study(), {"dropped": [Dropped(id="x", reason="no", by="another")]})
    last = scores([(seen, find(seen, "score"))])[-1]
    assert last == PredictionScore(
        planner="another",
        n=0,
        direction_hits=0,
        mean_absolute_error=None,
        median_absolute_error_of_median=None,
    )


def test_rounds_tell_who_planned_them():
    first, second = rounds_planned(study().plans)
    assert (first.planner, first.ablations, first.dropped, first.remarks) == ("gpt-x", 2, 2, ["the server was slow"])
    assert (second.planner, second.round) == ("rules", 2)


@pytest.mark.parametrize(
    ("server", "host"),
    [
        ("https://me:secret@api.example.org/v1?key=secret", "api.example.org"),
        ("http://127.0.0.1:8000/v1", "127.0.0.1:8000"),
        ("localhost:8000", "localhost:8000"),
        ("", ""),
    ],
)
def test_of_a_server_only_the_host_is_kept(server, host):
    assert planning_of({"model": "m", "server": server}).server == host


def test_what_is_remembered_of_planning_is_read_with_what_it_lacks():
    assert planning_of(None) is None
    assert planning_of({}) is None
    found = planning_of({"model": "m", "tokens_sent": 5, "from_a_newer_version": 1})
    assert (found.tokens_sent, found.cost, found.unknown) == (5, None, 0), "unknown cost is not zero"


def test_results_of_before_still_load():
    assert Planned.model_validate({"ablation": "a", "round": 1, "fate": "ran"}).by == ""
    old = {"planner": "rules", "n": 1, "direction_hits": 1}
    old |= {"mean_absolute_error": None, "median_absolute_error_of_median": None}
    assert PredictionScore.model_validate(old).direction_hits_of_most_frequent is None


def test_what_the_model_left_out_of_the_rules_list_was_no_proposal():
    left = [Dropped(id=name, reason=LEFT_OUT, by="rules") for name in ("x", "y")]
    own = Dropped(id="z", reason=LEFT_OUT, by="gpt-x")
    seen = changed(study(), {"dropped": [*left, own]}, b={"by": "gpt-x"})
    seen = replace(seen, plans=seen.plans[:1])
    fates = {one.ablation: one.fate for one in planned_fates([seen], complete=True)}
    assert (fates["x"], fates["y"], fates["z"]) == ("left out", "left out", "dropped")
    assert rounds_planned(seen.plans)[0].dropped == 1
    assert [one.planner for one in scores([(seen, find(seen, "score"))])] == ["gpt-x"], "the rules proposed nothing"


def test_a_joint_removal_of_edits_names_those_that_were_proposed_alone():
    other = SourceEdit(blocks=[Block(file="train.py", search="warm()", replace="")])
    override = ConfigOverride(key="clip", value=0)
    both = changed(study(), {}, a={"interventions": [EDIT]}, b={"interventions": [other]})
    seen = changed(both, {}, a_b={"interventions": [EDIT, other, override]})
    found = {one.ablation: one for one in planned_fates([seen], complete=True)}
    assert (found["a"].members, found["a"].diff) == ([], DIFF)
    assert found["a + b"].members == ["a", "b", "clip = 0"]
    assert found["a + b"].interventions == ["clip = 0"]
    new = changed(study(), {}, a={"interventions": [EDIT]}, a_b={"interventions": [EDIT, other]})
    found = {one.ablation: one for one in planned_fates([new], complete=True)}
    assert found["a + b"].members == [], "one of its edits stands nowhere else"
    assert "-warm()" in found["a + b"].diff


def test_a_file_that_several_edits_change_is_named_once():
    other = SourceEdit(blocks=[Block(file="train.py", search="warm()", replace="")])
    assert described([other, ConfigOverride(key="clip", value=0), EDIT]) == "edit train.py, data.py, clip = 0"


def test_what_was_to_be_set_stays_with_what_was_dropped():
    dropped = [Dropped(id="c", reason="crashes", interventions=[ConfigOverride(key="aux", value=0), EDIT])]
    found = planned_fates([changed(study(), {"dropped": dropped})], complete=True)[0]
    assert (found.interventions, found.diff) == (["aux = 0"], DIFF)
