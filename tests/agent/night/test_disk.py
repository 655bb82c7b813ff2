"""Room on the disk: what is planned against what is there, and the guard that starts nothing more."""

from lesion.agent.night.disk import free_bytes, guard, mount_point
from lesion.agent.night.diskneeds import BESIDE, Need, disk_found


def test_a_guard_refuses_once_too_little_is_left_and_looks_once_a_second(tmp_path):
    now = [0.0]
    state = tmp_path / "not" / "yet"
    assert guard(state, 1)(5.0) is None
    full = guard(state, 1 << 60, clock=lambda: now[0])
    told = full(0.0)
    assert "is free on" in told and "1024 PiB is kept free (--keep-free)" in told
    (tmp_path / "not").mkdir()
    assert full(0.0) is told
    now[0] = 1.0
    assert full(0.0) is not told, "looked again"


def test_studies_on_one_disk_share_what_is_free(tmp_path):
    free = free_bytes(tmp_path)
    half = Need(tmp_path / "a", checkpoints=int(free * 0.6), ledger=0)
    assert disk_found([half], 0)[0].works
    (found,) = disk_found([half, half._replace(folder=tmp_path / "b")], 0)
    assert found.works is False and "--keep-free" in found.to_do and str(mount_point(tmp_path)) in found.detail
    assert half.size == int(free * 0.6) + BESIDE
    assert disk_found([], 0) == []
