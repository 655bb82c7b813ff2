import json
import tomllib

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.executor.errors import EditError
from lesion.executor.experiments.formats import written
from lesion.executor.experiments.knobs import AssignKnob, FileKnob, FlagKnob, LiteralKnob, Turned, VariableKnob
from lesion.executor.experiments.literals import as_literal, replaced
from lesion.executor.experiments.turning import changed_settings, turned
from omegaconf import OmegaConf
from ruamel.yaml import YAML

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")))
    | st.sampled_from(
        ["off", "yes", "NULL", "~", "1e-4", "0o7", "1_000", "12:30", "2026-01-01", "=", "<<", "#", "a: b"]
    )
)
VALUES = SCALARS | st.lists(SCALARS, max_size=3)


def test_only_what_differs_is_changed_and_0_is_not_false():
    before = {"a": 0, "b": {"c": 1.0, "d": [1, 2], "e": {}}, "f": True}
    after = {"a": False, "b": {"c": 1, "d": [1, True], "e": {}}, "f": True}
    assert changed_settings(before, after) == {"a": False, "b.c": 1, "b.d": [1, True]}
    assert changed_settings(before, before) == {}


@pytest.mark.parametrize(
    ("knob", "value", "drop", "append"),
    [
        (FlagKnob("--lr"), 1e-5, ("--lr",), ("--lr", "1e-05")),
        (FlagKnob("--lr"), -1e-5, ("--lr",), ("--lr=-1e-05",)),
        (FlagKnob("--lr", "equals", aliases=("-l",)), 0, ("--lr", "-l"), ("--lr=0",)),
        (FlagKnob("--widths"), [1, 2], ("--widths",), ("--widths", "1", "2")),
        (FlagKnob("--name"), None, ("--name",), ()),
        (FlagKnob("--name"), "a b", ("--name",), ("--name", "a b")),
        (FlagKnob("--ema"), False, ("--ema",), ("--ema", "False")),
        (FlagKnob("--ema", booleans=("True", "")), False, ("--ema",), ("--ema", "")),
        (FlagKnob("--quick", "switch"), True, ("--quick",), ("--quick",)),
        (FlagKnob("--quick", "switch"), False, ("--quick",), ()),
        (FlagKnob("--no-bias", "switch", on=False), False, ("--no-bias",), ("--no-bias",)),
        (FlagKnob("--no-bias", "switch", on=False), True, ("--no-bias",), ()),
        (FlagKnob("--bias", "switch", other="--no-bias"), True, ("--bias", "--no-bias"), ("--bias",)),
        (FlagKnob("--bias", "switch", other="--no-bias"), False, ("--bias", "--no-bias"), ("--no-bias",)),
        (AssignKnob("model.dropout"), 0.0, (), ("model.dropout=0.0",)),
        (AssignKnob("a", "++"), None, (), ("++a=null",)),
        (AssignKnob("a"), ["x", True, None], (), ("a=[x,true,null]",)),
        (AssignKnob("a"), "true", (), ("a='true'",)),
        (AssignKnob("a"), "it's", (), (r"a='it\'s'",)),
    ],
)
def test_a_setting_becomes_words(tmp_path, knob, value, drop, append):
    result = turned({"key": knob}, {"key": value}, tmp_path, None)
    alone = drop if isinstance(knob, FlagKnob) and knob.style == "switch" else ()
    assert result == Turned(drop=drop, alone=alone, append=append)


@pytest.mark.parametrize(("value", "text"), [(0.0, "0.0"), (True, "1"), (False, "0"), (None, ""), ("x", "x")])
def test_a_variable_is_text(tmp_path, value, text):
    assert turned({"env.X": VariableKnob("X")}, {"env.X": value}, tmp_path, None).environment == {"X": text}


def literals(text, *pairs):
    """A knob for each piece of text, which stands in it once."""
    knobs = []
    for piece in pairs:
        at = text.index(piece)
        line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1)
        knobs.append(LiteralKnob("a.py", (line, column), (line, column + len(piece)), piece))
    return knobs


def test_what_no_flag_can_say_is_said_at_its_default(tmp_path):
    text = 'add("--schedule", default="cosine")\nadd("--ema", action="store_true", default=True)\n'
    (tmp_path / "a.py").write_text(text)
    schedule, ema = literals(text, '"cosine"', "True")
    knobs = {"schedule": FlagKnob("--schedule", default=schedule), "ema": FlagKnob("--ema", "switch", default=ema)}
    result = turned(knobs, {"schedule": None, "ema": False}, tmp_path, None)
    assert (result.append, result.drop, result.alone) == ((), ("--schedule", "--ema"), ("--ema",))
    assert result.texts == {"a.py": text.replace('"cosine"', "None").replace("=True", "=False")}
    assert turned(knobs, {"schedule": "none", "ema": True}, tmp_path, None).texts == {}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_several_literals_of_a_file_are_replaced_and_its_line_ends_stay(tmp_path, end):
    lines = ["a, ä = 1, 'x'  # keep", "b = (1,", "     2)", "c = 3"]
    text = end.join(lines)
    (tmp_path / "a.py").write_bytes(text.encode())
    plain = "\n".join(lines)
    one, other, last = literals(plain, "1", "'x'", "3")
    several = LiteralKnob("a.py", (2, 4), (3, 7), "(1,\n     2)")
    knobs = {"a": one, "ä": other, "b": several, "c": last}
    result = turned(knobs, {"a": 10, "ä": 'it"s', "b": [5], "c": None}, tmp_path, None)
    assert result.texts["a.py"] == end.join(["a, ä = 10, 'it\"s'  # keep", "b = (5,)", "c = None"])
    assert (tmp_path / "a.py").read_bytes() == text.encode()


def test_a_file_that_has_changed_since_it_was_read_is_refused_with_all_that_is_wrong(tmp_path):
    (tmp_path / "a.py").write_text("a = 2\n")
    (tmp_path / "c.yaml").write_text("x: 1\n")
    knobs = {
        "a": LiteralKnob("a.py", (1, 4), (1, 5), "1"),
        "b": LiteralKnob("a.py", (9, 4), (9, 5), "1"),
        "c": LiteralKnob("gone.py", (1, 0), (1, 1), "1"),
        "d": FileKnob("c.yaml", ("y",)),
    }
    with pytest.raises(EditError) as caught:
        turned(knobs, {**dict.fromkeys(knobs, 3), "e": 1}, tmp_path, None)
    problems = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 5
    for part in ("a.py:1: '2' stands where '1' was read", "a.py:9", "gone.py", "c.yaml: no longer has", "e: nothing"):
        assert part in problems


@settings(deadline=None)
@given(VALUES, st.sampled_from(["1", "(1, 2)", "[1]", "'x'", "None"]))
def test_a_literal_reads_back_as_the_value(value, before):
    text = f"a = {before}\nb = 7\n"
    knob = LiteralKnob("a.py", (1, 4), (1, 4 + len(before)), before)
    names: dict[str, object] = {}
    exec(replaced("a.py", text, [(knob, value)]), names)
    assert names["b"] == 7
    assert names["a"] == (tuple(value) if before == "(1, 2)" and isinstance(value, list) else value)
    assert type(names["a"]) is type(eval(as_literal(value, before)))


CONFIG = "# top\na:\n  x: 1  # one\n  y: &shared {k: 1}\nb: *shared\nc: 1e-4\n"


@settings(deadline=None)
@given(VALUES, st.sampled_from([("a", "x"), ("a", "y", "k"), ("c",), ("b",)]))
def test_yaml_reads_back_exactly_in_both_versions_and_nothing_else_changes(value, key):
    text = written("c.yaml", CONFIG, [(key, value)])
    for load in (yaml.safe_load, YAML(typ="safe", pure=True).load):
        wanted = json.loads(json.dumps(load(CONFIG)))
        at = wanted
        for part in key[:-1]:
            at = at[part]
        at[key[-1]] = value
        read = load(text)
        assert [type(one) for one in _flat(read)] == [type(one) for one in _flat(wanted)]
        assert read == wanted


def _flat(value):
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return [value] if inner is None else [one for item in inner for one in _flat(item)]


@settings(deadline=None)
@given(VALUES.filter(lambda value: value is not None and not (isinstance(value, list) and None in value)))
def test_toml_and_json_read_back_exactly(value):
    text = '# top\nx = 1  # one\n[a]\ny = "z"\n'
    assert tomllib.loads(written("c.toml", text, [(("a", "y"), value)])) == {"x": 1, "a": {"y": value}}
    assert json.loads(written("c.json", '{"x": 1, "a": {"y": 2}}', [(("a", "y"), value)])) == {
        "x": 1,
        "a": {"y": value},
    }


def test_comments_of_a_configuration_file_stay():
    assert written("c.yaml", CONFIG, [(("a", "x"), 2)]) == CONFIG.replace("x: 1", "x: 2")
    assert written("c.toml", "a = 1  # one\n", [(("a",), 2)]) == "a = 2  # one\n"


def test_toml_has_no_null():
    with pytest.raises(EditError, match="TOML has no null"):
        written("c.toml", "a = 1\n", [(("a",), None)])


def test_the_configuration_file_is_given_as_it_is_and_written_anew_in_both_places(tmp_path):
    (tmp_path / "c.yaml").write_text(CONFIG)
    knobs = {"a.x": FileKnob("c.yaml", ("a", "x"))}
    assert turned(knobs, {}, tmp_path, tmp_path / "c.yaml") == Turned(config_text=CONFIG)
    result = turned(knobs, {"a.x": 0}, tmp_path, tmp_path / "c.yaml")
    assert result.config_text == result.texts["c.yaml"] == CONFIG.replace("x: 1", "x: 0")


@settings(deadline=None)
@given(VALUES)
def test_an_assignment_reads_back_in_hydras_grammar(value):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    items = value if isinstance(value, list) else [value]
    (word,) = turned({"k": AssignKnob("k")}, {"k": value}, None, None).append
    read = OverridesParser.create().parse_override(word).value()
    read = [getattr(one, "text", one) for one in read] if isinstance(read, list) else getattr(read, "text", read)
    assert (read if isinstance(value, list) else [read]) == items


def test_omegaconf_reads_plain_assignments_too():
    knobs = {key: AssignKnob(key) for key in "abcd"}
    words = turned(knobs, {"a": 1e-5, "b": "off", "c": None, "d": [1, True]}, None, None).append
    assert OmegaConf.to_container(OmegaConf.from_cli(list(words))) == {"a": 1e-5, "b": "off", "c": None, "d": [1, True]}
