"""A conversation without a terminal: text or records, and what becomes of an output that nobody takes."""

import io
import json
import subprocess
import sys

import pytest
from lesion.agent.chat.screen.pipe import Pipe
from lesion.agent.chat.shown import Note, Prose
from lesion.executor.errors import LesionError

from .test_drawing import ALL, APPROVAL, FOREST, HOSTILE, LONG, TABLE

TO_A_FULL_DISK = """
import sys
from lesion.agent.chat.screen.pipe import Pipe
from lesion.agent.chat.shown import Prose
from lesion.executor.errors import LesionError
try:
    Pipe(["x"]).show(Prose(text="hello"))
except LesionError as error:
    sys.exit(str(error))
"""
FOR_EVER = """
from lesion.agent.chat.screen.pipe import Pipe
from lesion.agent.chat.shown import Prose
pipe = Pipe(["x"], as_json={as_json})
while True:
    pipe.show(Prose(text="again and again"))
"""


def piped(*, as_json=False, messages=("x",), stdin="", encoding="utf-8"):
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    err = io.StringIO()
    return Pipe(messages, as_json=as_json, stdin=io.StringIO(stdin), stdout=out, stderr=err), out, err


def text_of(stream):
    stream.flush()
    return stream.buffer.getvalue().decode(stream.encoding)


def test_each_thing_is_a_record_and_nothing_else_is_written():
    pipe, out, err = piped(as_json=True)
    pipe.show(*(thing for kind, thing in ALL.items() if kind != "approval"))
    assert pipe.approve(APPROVAL) is None
    with pipe.answering() as stream:
        stream.add("The an")
        assert text_of(out).count("\n") == 8
        stream.add("swer")
        stream.end(Prose(text="The answer", own_numbers=("3",)))
    records = [json.loads(line) for line in text_of(out).splitlines()]
    assert [record["event"] for record in records] == [*ALL, "prose"]
    assert records[2]["rows"] == TABLE.rows
    assert records[3]["rows"][2] == {
        "name": "module:one-sided", "delta": 0.003, "low": -0.02, "high": None, "verdict": "undecided",
    }  # fmt: skip
    assert records[7]["price"]["most"] == 40
    assert records[8] == {"event": "prose", "text": "The answer", "own_numbers": ["3"], "complete": True}
    assert not err.getvalue()


def test_a_broken_answer_is_recorded_as_far_as_it_came():
    pipe, out, _ = piped(as_json=True)
    with pytest.raises(KeyboardInterrupt), pipe.answering() as stream:
        stream.add("half")
        raise KeyboardInterrupt
    assert json.loads(text_of(out)) == {"event": "prose", "text": "half", "own_numbers": [], "complete": False}


def test_records_are_ascii_whatever_they_hold():
    pipe, out, _ = piped(as_json=True)
    pipe.show(Note(text=HOSTILE))
    assert text_of(out).isascii()
    assert json.loads(text_of(out))["text"] == HOSTILE


def test_text_is_whole_aligned_and_without_escapes():
    pipe, out, err = piped()
    pipe.show(TABLE, FOREST, ALL["prose"], Note(text="by the way"))
    pipe.approve(APPROVAL)
    with pipe.busy("thinking"), pipe.answering() as stream:
        stream.add("so ")
        stream.end(Prose(text="so be it"))
    shown = text_of(out)
    assert f"{LONG}  attention       1234567  model.py:120\n" in shown
    assert "──●──" in shown
    assert "# Head" in shown
    assert "at most $2.50" in shown
    assert shown.endswith("so be it\n")
    assert "\x1b" not in shown
    assert not any(line.endswith(" ") for line in shown.splitlines())
    assert err.getvalue() == "by the way\nthinking\n"


def test_text_is_safe_and_fits_the_encoding():
    pipe, out, _ = piped(encoding="ascii")
    pipe.show(Prose(text=HOSTILE + " ±δ"), FOREST)
    shown = text_of(out)
    assert r"\x1b[2J" in shown
    assert "+/-delta" in shown
    assert "--*--" in shown


def test_messages_come_from_the_command_line_or_from_lines():
    given, *_ = piped(messages=["one", " ", "two"], stdin="never read")
    assert [given.read(), given.read(), given.read()] == ["one", "two", None]
    lines, *_ = piped(messages=(), stdin="first\n\n  second \r\n")
    assert [lines.read(), lines.read(), lines.read()] == ["first", "second", None]


def test_input_that_is_no_text_is_an_error():
    pipe = Pipe(stdin=io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), "utf-8"))
    with pytest.raises(LesionError, match="standard input"):
        pipe.read()


@pytest.mark.parametrize("as_json", [False, True])
def test_a_reader_that_goes_ends_it_quietly(as_json):
    with subprocess.Popen(
        [sys.executable, "-c", FOR_EVER.format(as_json=as_json)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_full_disk_is_one_clear_error():
    with open("/dev/full", "w") as full:  # noqa: PTH123
        ended = subprocess.run(
            [sys.executable, "-c", TO_A_FULL_DISK], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert ended.returncode == 1
    assert ended.stderr.startswith("standard output: cannot be written: No space left on device\n  → ")
    assert ended.stderr.count("\n") == 2
