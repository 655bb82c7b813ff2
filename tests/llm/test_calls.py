"""Streamed calls as different servers send them, and what of a tool a model is told."""

import pytest
from lesion.agent.llm.calls import Call, CallParts, parsed, told_apart
from lesion.agent.llm.tools import tool_name, tool_spec
from pydantic import BaseModel

from .talk import TOOLS


def delta(arguments=None, name=None, **fields):
    function = {"name": name, "arguments": arguments}
    return {**fields, "function": {key: value for key, value in function.items() if value is not None}}


@pytest.mark.parametrize(
    "deltas",
    [
        [
            delta("", "a", index=0, id="1"),
            delta('{"x":', index=0),
            delta("1}", index=0),
            delta("{}", "b", index=1, id="2"),
        ],
        [delta(None, "a", index=0, id="1"), delta('{"x":1}', index=0), delta("{}", "b", index=1, id="2")],
        [
            delta("", "a", index=0, id="1"),
            delta("", "b", index=1, id="2"),
            delta('{"x":1}', index=0),
            delta("{}", index=1),
        ],
        [delta('{"x":1}', "a", index=0, id="1"), delta("{}", "b", index=0, id="2")],
        [delta('{"x":', "a", index=0, id="1"), delta("1}", "a", index=0, id="1"), delta("{}", "b", index=1, id="2")],
        [delta('{"x":', "a", id="1"), delta("1}"), delta("{}", "b", id="2")],
        [delta({"x": 1}, "a", id="1"), delta({}, "b", id="2")],
    ],
    ids=["openai", "vllm", "interleaved", "one index for all", "names repeated", "no index", "objects"],
)
def test_pieces_are_put_together(deltas):
    parts = CallParts()
    parts.add(deltas)
    made = [(call.id, call.name, call.arguments.replace(" ", "")) for call in parts.calls]
    assert made == [("1", "a", '{"x":1}'), ("2", "b", "{}")]
    assert parts.is_whole


def test_whole_calls_without_index_and_id_are_told_apart_by_being_whole():
    parts = CallParts()
    assert parts.add([delta('{"x": 1}', "a"), delta('{"x": 2}', "a"), delta("", "b")]) == 16
    assert [call.arguments for call in parts.calls] == ['{"x": 1}', '{"x": 2}', ""]
    assert not parts.is_whole


def test_fresh_ids_are_nine_letters_and_digits_and_the_same_again():
    made = (Call(name="a"), Call(id="x", name="a"), Call(id="x", name="b"))
    found = told_apart(made, {"call00002"})
    assert found == told_apart(made, {"call00002"})
    assert found[1].id == "x"
    assert len({call.id for call in found} | {"call00002"}) == 4
    assert all(len(call.id) == 9 and call.id.isalnum() for call in found if call.id != "x")


def test_many_problems_are_told_shortly():
    told = parsed(Call(name="propose", arguments=str({f'"{n}"': n for n in range(99)}).replace("'", "")), TOOLS)
    assert isinstance(told, str) and len(told) < 500 and told.endswith("more")


def test_names_are_those_of_the_classes():
    class ShowHTMLReport2(BaseModel):
        """Show it.

        In full.
        """

    assert tool_name(ShowHTMLReport2) == "show_html_report2"
    assert tool_spec(ShowHTMLReport2, strict=False)["function"] == {
        "name": "show_html_report2",
        "description": "Show it.\n\nIn full.",
        "parameters": {"properties": {}, "type": "object", "required": [], "additionalProperties": False},
    }


def test_a_tool_that_no_strict_schema_can_express_is_an_error():
    class Anything(BaseModel):
        what: dict[str, int]

    with pytest.raises(TypeError, match="open map"):
        tool_spec(Anything, strict=True)
