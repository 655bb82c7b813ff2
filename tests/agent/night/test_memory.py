"""Memory of the workers: against the machine, the control group, the limit of a trial, and the GPU."""

import pytest
from lesion.agent.night import memory
from lesion.agent.night.memory import gpu_memory_found, memory_found, memory_left

GIB = 1 << 30


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)


def test_the_tightest_control_group_counts(tmp_path):
    membership = tmp_path / "membership"
    membership.write_text("0::/slice/job\n")
    groups = tmp_path / "groups"
    assert memory_left(8 * GIB, membership, groups).whose == "this machine"
    write(
        groups / "slice", memory__max=str(4 * GIB), memory__current=str(3 * GIB), memory__stat=f"inactive_file {GIB}\n"
    )
    write(groups / "slice" / "job", memory__max="max", memory__current="5")
    room = memory_left(8 * GIB, membership, groups)
    assert room.size == 2 * GIB and "slice" in room.whose
    assert memory_left(GIB, membership, groups).size == GIB


def test_the_groups_of_version_1_count_too(tmp_path):
    membership = tmp_path / "membership"
    membership.write_text("5:cpu:/x\n4:memory:/job\n")
    files = {"memory__limit_in_bytes": str(2 * GIB), "memory__usage_in_bytes": str(GIB)}
    write(tmp_path / "memory" / "job", **files)
    assert memory_left(8 * GIB, membership, tmp_path).size == GIB
    write(tmp_path / "memory" / "job", memory__limit_in_bytes="9223372036854771712")
    assert memory_left(8 * GIB, membership, tmp_path).size == 8 * GIB


@pytest.mark.parametrize(
    ("peak", "workers", "works", "told"),
    [
        (GIB, 2, True, "2 workers of 1 GiB"),
        (GIB, 4, False, "--workers 3"),
        (4 * GIB, 1, False, "end what else holds memory"),
        (GIB * 19 // 10, 1, None, "limits.trial_memory"),
        (None, 1, None, "not known"),
    ],
)
def test_all_workers_must_fit(monkeypatch, peak, workers, works, told):
    monkeypatch.setattr(memory, "memory_left", lambda: memory.Room(3 * GIB, "this machine"))
    found = memory_found("tiny", peak, 2 * GIB, workers)
    assert found.works is works and told in found.line


@pytest.mark.parametrize(
    ("peak", "workers", "gpus", "works", "told"),
    [
        (3 * GIB, 4, 2, True, "2 workers of 3 GiB (measured) on each of 8 GiB"),
        (3 * GIB, 6, 2, False, "--workers 4"),
        (9 * GIB, 1, 1, False, "a smaller batch"),
        (None, 1, 1, None, "did not use a GPU"),
        (None, 1, 0, None, "no GPU"),
    ],
)
def test_all_workers_of_a_gpu_must_fit(peak, workers, gpus, works, told):
    found = gpu_memory_found("tiny", peak, 8 * GIB if peak else None, workers, gpus)
    assert found.works is works and told in found.line
