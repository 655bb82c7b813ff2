import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lesion.executor.units import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        *(("90s", 90), ("5m", 300), ("1h30m", 5400), (" 1h 30m ", 5400), ("2d", 172800), ("250ms", 0.25)),
        *(("1.5h", 5400), (90, 90), (0.5, 0.5), ("90", 90), ("2H", 7200)),
    ],
)
def test_durations_are_seconds(written, seconds):
    assert parse_duration(written) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("4GiB", 4 * 1024**3),
        ("500MB", 500_000_000),
        ("1.5 kib", 1536),
        ("12", 12),
        (12, 12),
        ("7B", 7),
        ("1TiB", 2**40),
    ],
)
def test_sizes_are_bytes(written, size):
    assert parse_size(written) == size


@pytest.mark.parametrize(
    "wrong", ["", "5 parsecs", "m", "1h30", "-5m", "0s", 0, -1, True, None, [5], math.inf, math.nan]
)
def test_what_is_no_duration_says_what_would_be(wrong):
    with pytest.raises(ValueError, match=r'not a duration.*write "90s"'):
        parse_duration(wrong)


@pytest.mark.parametrize("wrong", ["", "4 GB of it", "GiB", "-1GB", "0B", 0, False, None, math.inf, math.nan])
def test_what_is_no_size_says_what_would_be(wrong):
    with pytest.raises(ValueError, match=r'not a size.*write "4GiB"'):
        parse_size(wrong)


def test_they_are_shown_in_units_people_read():
    shown = [format_duration(seconds) for seconds in (0.84, 9.99, 60, 125, 3600, 5400, 90061)]
    assert shown == ["0.8s", "10.0s", "1m", "2m 5s", "1h", "1h 30m", "1d 1h"]
    assert [format_size(size) for size in (0, 512, 1024, 1536, 4 * 1024**3, 1024**2 - 1)] == [
        *("0 B", "512 B", "1 KiB", "1.5 KiB", "4 GiB", "1 MiB")
    ]


@given(st.floats(10, 1e7))
def test_a_shown_duration_reads_back_as_nearly_itself(seconds):
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=0.05)


@given(st.integers(1, 2**55))
def test_a_shown_size_reads_back_as_nearly_itself(size):
    assert parse_size(format_size(size)) == pytest.approx(size, rel=0.06)
