"""Who gets which GPU: two studies of one night that want the only one, two workers that have one each.

The device nodes are faked, no CUDA is behind them.
"""

import pytest

from tests.experiments import EXPERIMENT, STUDY, project
from tests.faults.gpus import fake_gpus
from tests.faults.night import QUICK, Night

HOLDS = EXPERIMENT.replace(
    "import torch\n", "import os\nimport time\n\nimport torch\n\nSINCE = time.monotonic()\n", 1
).replace(
    '"error": error.item()}',
    '"error": error.item(), "gpu": float(os.environ.get("CUDA_VISIBLE_DEVICES", "-1")), '
    '"since": SINCE, "until": time.monotonic()}',
)
"""Tells which GPU it was given, and from when to when it had it, by the machine's own clock."""
SMALL = STUDY.replace("seeds = 3\nmax_seeds = 3", "seeds = 2\nmax_seeds = 2").replace(
    '["config:use_*", "config:unused_dropout"]', '["config:use_left"]'
)
TOLD = "".join(f'\n[metrics.{name}]\ngoal = "minimize"\nsmallest_effect = 1.0\n' for name in ("gpu", "since", "until"))
HELD = (
    "SELECT metrics ->> '$.validation.gpu', metrics ->> '$.validation.since', metrics ->> '$.validation.until' "
    "FROM trials WHERE status = 'ok'"
)


def held(made):
    """GPU, since, until of every trial that went well."""
    return [(int(gpu), since, until) for gpu, since, until in made.rows(HELD)]


def overlapping(spans):
    """Pairs that held the same GPU at the same time."""
    spans = sorted(spans, key=lambda one: one[1])
    return [
        (one, other)
        for index, one in enumerate(spans)
        for other in spans[index + 1 :]
        if one[0] == other[0] and other[1] < one[2]
    ]


def test_two_workers_with_a_gpu_each_never_share_one(tmp_path):
    """The first trial takes long; those that follow the second run beside it, on the other GPU."""
    uneven = HOLDS.replace(
        "    for step in range(60):\n", "    time.sleep(8 * (seed == 0))\n    for step in range(60):\n"
    )
    made = project(tmp_path / "tiny", experiment=uneven, study=SMALL.replace("seeds = 2", "seeds = 4") + TOLD)
    ended = made.lesion("run", "--planner", "rules", "--max-trials", "4", **fake_gpus(tmp_path / "gpus", 2))
    assert ended.code == 4, ended.err
    spans = held(made)
    assert len(spans) == 4 and {gpu for gpu, *_ in spans} == {0, 1}
    assert overlapping(spans) == []


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    study = SMALL.replace("workers = 2", "workers = 1") + TOLD
    both = [
        project(folder / name, experiment=HOLDS, study=study.replace('"tiny"', f'"{name}"'), name=name)
        for name in ("one", "other")
    ]
    studies = [made.folder / "lesion.toml" for made in both]
    with Night(folder, studies, both[0].state, fake_gpus(folder / "gpus", 1)) as night:
        night.begin(*QUICK, "--planner", "rules")
        assert night.ends() == 0, night.log.read_text()
    return both, night


def test_two_studies_never_hold_the_one_gpu_at_once(night):
    (one, other), _ = night
    spans = held(one) + held(other)
    assert len(held(one)) == len(held(other)) == 4
    assert {gpu for gpu, *_ in spans} == {0}
    assert overlapping(spans) == []


def test_what_tells_of_an_overlap_sees_one():
    assert overlapping([(0, 1.0, 3.0), (0, 2.0, 4.0)]) == [((0, 1.0, 3.0), (0, 2.0, 4.0))]
    assert overlapping([(0, 1.0, 3.0), (1, 2.0, 4.0), (0, 3.0, 4.0)]) == []
