"""Schemas that are narrowed to a study: names, claims, and lists that an answer can hold; what is read stays the same."""

from lesion.agent.llm.schema import strict_schema
from lesion.agent.llm.tokens import estimate_tokens
from lesion.agent.planning.llm.answers import ANSWERS, FirstPlan, NextRound
from lesion.agent.planning.llm.vocabulary import Vocabulary, kinds_of, listed, narrowed

from .answers import module, proposal, setting

IDS = ("config:dropout", "module:norm")
WORDS = Vocabulary(IDS, ("dropout",), claims=2, tokens=800)


def test_names_are_listed_and_others_are_read_all_the_same():
    named = narrowed(NextRound, WORDS)
    records = strict_schema(named)["$defs"]
    assert records["Removal"]["properties"]["target"]["enum"] == list(IDS)
    assert records["FollowUp"]["properties"]["targets"]["items"]["enum"] == list(IDS)
    assert records["Override"]["properties"]["key"]["enum"] == ["dropout"]
    assert records["ClaimTest"]["properties"]["claim"]["enum"] == ["c1", "c2"]
    answer = {"removals": [proposal("config:nope").model_dump()] * 20}
    assert [one.target for one in named.model_validate(answer).removals] == ["config:nope"] * 20


def test_lists_are_no_longer_than_the_answer_and_never_longer_than_their_bounds():
    def most(tokens):
        schema = strict_schema(narrowed(FirstPlan, Vocabulary((), (), 2, tokens)))
        lists, records = schema["properties"], schema["$defs"]
        return [
            *(lists[name]["maxItems"] for name in ("removals", "overrides", "edits", "look_up")),
            records["Edit"]["properties"]["blocks"]["maxItems"],
        ]

    assert most(200) == [1, 1, 1, 1, 1]
    assert most(800) == [5, 1, 1, 2, 4]
    assert most(100_000) == [60, 10, 20, 6, 6]


def test_only_ways_of_removal_that_some_component_offers_are_shown():
    parts = [setting("dropout"), module("norm", "bypass", "zero")]
    assert kinds_of(parts) == ("default", "zero", "bypass") and kinds_of(parts[:1]) == ("default",)
    named = narrowed(NextRound, Vocabulary((), (), 0, 800, kinds_of(parts)))
    records = strict_schema(named)["$defs"]
    for name in ("Removal", "FollowUp"):
        assert records[name]["properties"]["how"]["enum"] == ["default", "zero", "bypass"]
    answer = {"removals": [proposal("module:norm", "mean").model_dump()]}
    assert [one.how for one in named.model_validate(answer).removals] == ["mean"]


def test_without_names_the_schema_is_open():
    for answer in ANSWERS:
        removal = strict_schema(narrowed(answer, Vocabulary((), (), 0, 800)))["$defs"]["Removal"]
        assert "enum" not in removal["properties"]["target"]
        assert "claims" not in removal["properties"], "where there are none, none are asked for"


def test_names_that_would_fill_the_context_are_not_listed():
    names = [f"module:blocks.{number}.mlp" for number in range(100)]
    assert listed(names, 100_000, estimate_tokens) == tuple(names)
    assert listed(names, 5_000, estimate_tokens) == ()
