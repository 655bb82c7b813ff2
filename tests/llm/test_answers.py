"""Reading answers: the right object among others, hostile nesting, and what is left of one that was cut."""

import pytest
from lesion.agent.llm.answers import Unreadable, lost_only_words, read_answer, salvage
from pydantic import BaseModel


class Edit(BaseModel):
    name: str
    blocks: list[str]


class Edits(BaseModel):
    note: str = ""
    edits: list[Edit]


WHOLE = '{"note": "a, [b} \\"c\\"", "edits": [{"name": "one", "blocks": ["x", "y"]}, {"name": "two", "blocks": ["p", "q"]}]}'


@pytest.mark.parametrize("end", range(len(WHOLE)))
def test_a_cut_answer_loses_whole_items_and_never_half_of_one(end):
    found = salvage(WHOLE[:end], Edits)
    whole = read_answer(WHOLE, Edits)
    complete = 2 if end == len(WHOLE) - 1 else int(end > WHOLE.index("}, {") + 1)
    assert (found is not None) == (complete > 0)
    assert found is None or (found.note, found.edits) == (whole.note, whole.edits[:complete])


def test_what_was_complete_before_a_list_began_is_kept():
    class Plan(BaseModel):
        removals: list[str] = []
        edits: list[Edit] = []
        reason: str = ""

    whole = '{"removals": ["one", "two"], "edits": [{"name": "three", "blocks": ["x"]}], "reason": "because"}'
    assert all(salvage(whole[:end], Plan) is None for end in range(whole.index(",")))
    for end in range(whole.index("]") + 1, whole.index("}")):
        assert salvage(whole[:end], Plan) == Plan(removals=["one", "two"])
    for end in range(whole.index("}]") + 2, len(whole)):
        found = salvage(whole[:end], Plan)
        assert found is not None and (len(found.removals), len(found.edits), found.reason) == (2, 1, "")
        assert lost_only_words(whole[:end], found)
    for end in range(whole.index("]") + 1, whole.index("}]") + 1):
        assert not lost_only_words(whole[:end], Plan.model_validate_json('{"removals": ["one", "two"]}'))


def test_the_object_that_fits_is_taken_whatever_stands_before_it():
    text = f'As asked, {{"edits": []}} or {{"name": "x"}}, and finally: {WHOLE}'
    assert len(read_answer(text, Edits).edits) == 2


@pytest.mark.parametrize(
    "text", ["{" * 100_000, '{"a":' * 20_000, "[" * 100_000, '{"edits": [' + "{" * 5000, "\ud800{", '"' * 9999]
)
def test_hostile_text_is_unreadable_and_no_more(text):
    with pytest.raises(Unreadable):
        read_answer(text, Edits)
    assert salvage(text, Edits) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("<think>{}</think>", "empty"),
        ("<think>for ever", "empty"),
        ("no", "syntax"),
        ('{"edits": 1 2}', "syntax"),
        ('{"edits": [{"na', "cut"),
        ('{"edits": {}}', "misfit"),
        ("[1]", "syntax"),
    ],
)
def test_why_an_answer_cannot_be_read(text, why):
    with pytest.raises(Unreadable) as raised:
        read_answer(text, Edits)
    assert raised.value.why == why
