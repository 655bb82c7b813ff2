"""Room for the end of a night, taken from the disk while it runs."""

from lesion.agent.night.reserve import BYTES, NAME, hold, release


def test_it_takes_real_blocks_until_it_is_released(tmp_path):
    hold(tmp_path)
    found = (tmp_path / NAME).stat()
    assert found.st_size == BYTES and found.st_blocks * 512 >= BYTES
    release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_where_there_is_no_place_a_night_goes_without(tmp_path):
    hold(tmp_path / "none")
    release(tmp_path / "none")
