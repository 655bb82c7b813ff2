from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.agent.planning.llm.answers import Removal
from lesion.agent.planning.llm.typed import Ground, one_line, typed
from lesion.executor.interventions import ConfigOverride, ModuleIntervention, SourceEdit

from .answers import MODEL, edit, head, module, override, proposal, setting

CONFIG = {"dropout": 0.1, "epochs": 10, "warmup": True, "eval_batches": True, "activation": "relu"}
PARTS = [setting("dropout"), setting("warmup", False), module("norm", "bypass", "zero"), module("fc", "zero", "mean")]


def ground(*parts, modes=("retrain", "reevaluate"), claims=2, **facts):
    known = {one.id: one for one in (*PARTS, *parts)}
    return Ground(known=known, config=CONFIG, claims=claims, modes=modes, by=MODEL, **facts)


def why(made):
    return [reason for _, reason in made.problems]


def test_a_known_component_is_removed_by_default_or_in_a_way_that_it_offers():
    found = typed([proposal("config:dropout"), proposal("module:norm"), proposal("module:fc", "mean")], ground())
    assert [one.id for one in found.ablations] == ["config:dropout", "module:norm", "module:fc@mean"]
    dropout, norm, fc = found.ablations
    assert (dropout.role, dropout.modes, dropout.by) == ("confirmatory", ["retrain"], MODEL)
    assert (norm.role, norm.modes) == ("confirmatory", ["retrain", "reevaluate"])
    assert (fc.role, fc.modes) == ("sensitivity", ["reevaluate"])
    assert norm.interventions == [ModuleIntervention(path="norm", removal="bypass")]
    assert not (found.components or found.problems or found.dropped)


def test_what_does_not_exist_or_does_not_fit_is_a_problem_that_says_what_would():
    wrong = [
        proposal("config:dropuot"),
        proposal("module:norm", "resample"),
        override("drop", "0"),
        override("epochs", "1"),
        override("eval_batches", "1"),
        edit("nothing", ("", "")),
        proposal("head:*"),
    ]
    told = why(typed(wrong, ground()))
    assert len(told) == len(wrong)
    for text, part in zip(
        told,
        [
            "did you mean config:dropout",
            "it can by bypass, zero",
            "did you mean",
            "no ablation",
            "setting of the run",
            "blocks",
            "pattern",
        ],
        strict=True,
    ):
        assert part in text


def test_questions_that_the_modes_do_not_ask_are_problems():
    asked = [
        proposal("config:dropout"),
        edit("a", ("a.py", "x\n")),
        override("activation", "0"),
    ]
    assert all("retraining" in text for text in why(typed(asked, ground(modes=["reevaluate"]))))
    assert "trained model" in why(typed([proposal("module:fc", "mean")], ground(modes=["retrain"])))[0]


def test_an_edit_and_a_new_value_become_components_of_their_own():
    one = edit("Auxiliary Loss!", ("train.py", "    loss += aux\n"))
    other = override("activation", '"identity"', label="activation", kind="activation")
    found = typed([one, other], ground())
    assert [each.id for each in found.components] == ["edit:auxiliary-loss", 'config:activation="identity"']
    first, second = found.components
    assert isinstance(first.interventions[0], SourceEdit) and first.where == "train.py" and first.kind == "loss_term"
    assert second.interventions == [ConfigOverride(key="activation", value="identity")]
    assert [each.modes for each in found.ablations] == [["retrain"], ["retrain"]]


def test_an_override_that_a_component_offers_is_that_component():
    found = typed([override("dropout", "0")], ground())
    assert [one.id for one in found.ablations] == ["config:dropout"] and not found.components


def test_settings_that_the_evaluation_reads_are_left_alone_unless_a_component_offers_them():
    config = {**CONFIG, "data.noise": 0.1, "test_share": 0.2, "act": "relu"}
    here = replace(ground(), config=config, measured=frozenset({"noise", "dropout"}))
    found = typed([override("data.noise", "0"), override("test_share", "0"), override("act", '"tanh"')], here)
    assert why(found) == [
        f"{key} may be read by what evaluates: that stays as it is" for key in ("data.noise", "test_share")
    ]
    assert [one.id for one in typed([override("dropout", "0")], here).ablations] == ["config:dropout"]


def test_a_pattern_names_every_component_that_fits():
    heads = [head("attn", number) for number in range(4)]
    found = typed([proposal("head:attn/*", "mean")], ground(*heads))
    assert [one.id for one in found.ablations] == [f"head:attn/{number}@mean" for number in range(4)]


def test_the_first_of_two_alike_stays_and_the_other_is_dropped_with_the_reason():
    again = override("dropout", "0")
    found = typed([proposal("config:dropout"), again, proposal("config:dropout", hypothesis="other")], ground())
    assert len(found.ablations) == 1
    assert [one.reason for one in found.dropped] == ["proposed twice", "proposed twice"]
    earlier = ground(taken={})
    assert typed([proposal("config:dropout")], earlier).ablations


def test_predictions_carry_the_sign_of_their_direction_and_claims_that_exist():
    tests = [{"claim": "c2", "outcome": "worse"}, {"claim": "c9", "outcome": "none"}]
    better = proposal("config:dropout", direction="better", size=3.0, claims=tests)
    (one,) = typed([better], ground()).ablations
    assert (one.prediction.size, one.prediction.confidence) == (-3.0, 0.8)
    assert [(each.claim, each.outcome) for each in one.claims] == [("c2", "worse")]


@pytest.mark.parametrize("round_", [1, 2])
def test_later_rounds_are_exploratory(round_):
    (one,) = typed([proposal("module:norm")], ground(round=round_)).ablations
    assert one.role == ("confirmatory" if round_ == 1 else "exploratory")


def test_new_components_are_named_by_their_labels_in_any_script():
    found = typed([edit("同じ補助損失", ("t.py", "a\n")), edit("Straße_2", ("t.py", "b\n"))], ground())
    assert [one.id for one in found.components] == ["edit:同じ補助損失", "edit:straße-2"]


@given(st.text())
def test_a_models_words_are_one_printable_line(text):
    line = one_line(text)
    assert all(one.isprintable() for one in line) and line == line.strip()


VALUES = st.sampled_from(["", "0", "NaN", "{", '"x"', "[[[", "1e999"])
NAMES = st.sampled_from(["config:dropout", "module:fc", "head:*", "", "config:nope", "\n|"])
ANY = st.one_of(
    st.builds(proposal, NAMES, st.sampled_from(["default", "zero", "mean", "bypass"])),
    st.builds(override, st.sampled_from(["", "dropout", "activation", "nope"]), VALUES),
    st.builds(lambda label, search: edit(label, ("a.py", search)), st.text(max_size=80), st.sampled_from(["", "x\n"])),
)


@given(st.lists(ANY, max_size=6))
def test_whatever_is_proposed_ends_as_an_ablation_a_problem_or_a_repetition(proposals):
    found = typed(proposals, ground())
    assert len(found.ablations) + len(found.problems) + len(found.dropped) >= len(proposals)
    ids = [one.id for one in found.ablations]
    assert len(set(ids)) == len(ids)
    brought = {one.id for one in found.components}
    assert {part for one in found.ablations for part in one.components} <= {*ground().known, *brought}
    for one in found.ablations:
        assert type(one).model_validate_json(one.model_dump_json()) == one


def test_numbers_beyond_their_bounds_are_taken_as_the_bounds():
    one = Removal.model_validate({**proposal("module:fc").model_dump(), "size": 1e6, "confidence": 250, "priority": 0})
    assert (one.size, one.confidence, one.priority) == (100, 100, 1)
