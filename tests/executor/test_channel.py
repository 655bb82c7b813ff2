import array
import base64
import json
import math
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.executor.channel import Line, Tail, as_answer, parse, read_available
from lesion.executor.inside.wire import pack, send

RESULT = {"event": "result", "status": "ok", "metrics": {"validation": {"accuracy": 0.9}}}
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


def as_line(message) -> bytes:
    return json.dumps(message).encode()


def test_a_result_line_becomes_an_outcome():
    outcome = as_answer(as_line(RESULT)).outcome
    assert (outcome.status, outcome.metrics) == ("ok", {"validation": {"accuracy": 0.9}})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"status": "ok", "metrics": {"validation": {"loss": NaN}}}', "NaN is not a number"),
        (b'{"status": "ok", "metrics": {"validation": {"loss": Infinity}}}', "Infinity is not a number"),
        (b'{"status": "ok", "metrics": {"validation": {"loss": -1e999}}}', "-1e999 is not a number"),
        (b'{"status": "crashed", "status": "ok"}', "a key appears twice"),
        (b'{"status": "ok", "metrics": {"validation": {"a": 1, "a": 2}}}', "a key appears twice"),
        (b'{"status": "ok", "environment": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "nested too deeply"),
        (b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
        (b'["status", "ok"]', "not an object"),
        (b"null", "not an object"),
        (b"", "Expecting value"),
        (b'{"status": "ok"', "delimiter"),
        (b'{"status": "ok\xff"}', "decode"),
        (b'{"status": "ok", "forwards": ' + b"9" * 5000 + b"}", "integer string conversion"),
        (b'{"status": "ok", "metrics": {"validation": {"a": ' + b"9" * 400 + b"}}}", "metrics.validation.a"),
        (b'{"status": "excellent"}', "status"),
        (b'{"metrics": {}}', "status"),
        (b'{"status": "ok", "verdict": "load-bearing"}', "verdict: Extra inputs"),
        (b'{"status": "ok", "metrics": {"validation": {"accuracy": "high"}}}', "metrics.validation.accuracy"),
        (b'{"status": "ok", "metrics": {"validation": {"accuracy": [1]}}}', "metrics.validation.accuracy"),
        (
            b'{"status": "ok", "proofs": [{"target": "a", "removal": "zero", "calls": "x", "changed": true}]}',
            "proofs.0.calls",
        ),
        (
            b'{"status": "ok", "examples": {"test": {"a": {"length": 1, "data": "", "code": "x"}}}}',
            "examples.test.a.code",
        ),
    ],
)
def test_anything_else_is_invalid_and_says_why(line, reason):
    outcome = as_answer(line).outcome
    assert outcome.status == "invalid"
    assert outcome.message.startswith("malformed result: ")
    assert reason in outcome.message
    assert len(outcome.message) < 1000
    assert not outcome.metrics


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4))
def test_what_json_can_carry_is_read_as_it_was_sent(message):
    assert parse(as_line(message)) == message


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_line_of_bytes_raises(line):
    assert as_answer(line).outcome.status in ("invalid", "ok")


@settings(deadline=None)
@given(st.lists(st.binary(max_size=20).map(lambda part: part.replace(b"\n", b"")), max_size=6), st.integers(1, 7))
def test_lines_come_whole_however_they_are_cut(lines, cut):
    sent = b"".join(line + b"\n" for line in lines) + b"the beginning of another"
    pipe = Line()
    received = [line for start in range(0, len(sent), cut) for line in pipe.feed(sent[start : start + cut])]
    assert received == lines
    assert not pipe.overflowed


def test_half_a_line_is_no_line():
    pipe = Line()
    assert pipe.feed(b'{"status":') == []
    assert pipe.feed(b' "ok"}') == []
    assert pipe.feed(b"\n{") == [b'{"status": "ok"}']


def test_more_than_the_cap_is_refused_for_good():
    pipe = Line(cap=10)
    assert pipe.feed(b"12345\n") == [b"12345"]
    assert pipe.feed(b"678901\n") == []
    assert pipe.overflowed
    assert pipe.feed(b"\n") == []


def test_the_tail_of_a_flood_is_kept():
    tail = Tail(cap=8)
    for piece in (b"x" * 1000, b"12", b"345", b"6\xff8"):
        tail.feed(piece)
    assert tail.text() == "123456�8"


def test_a_message_goes_over_a_pipe_whole_and_the_end_is_told_from_silence():
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    assert read_available(reading) == b""
    send(writing, RESULT)
    assert read_available(reading) == as_line(RESULT) + b"\n"
    os.close(writing)
    assert read_available(reading) is None
    os.close(reading)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_the_worker_itself_sends_no_number_that_is_none(number):
    reading, writing = os.pipe()
    with pytest.raises(ValueError, match="not JSON compliant"):
        send(writing, {"status": "ok", "metrics": {"validation": {"loss": number}}})
    os.close(writing)
    assert os.read(reading, 1) == b""
    os.close(reading)


@settings(deadline=None)
@given(st.lists(st.floats(), max_size=50))
def test_packed_examples_are_little_endian_doubles_bit_for_bit(values):
    outcome = as_answer(as_line({**RESULT, "examples": {"test": {"accuracy": pack(values)}}})).outcome
    packed = outcome.examples["test"]["accuracy"]
    unpacked = np.frombuffer(base64.b64decode(packed.data), "<f8")
    assert packed.length == len(values)
    assert unpacked.tobytes() == array.array("d", values).tobytes()
