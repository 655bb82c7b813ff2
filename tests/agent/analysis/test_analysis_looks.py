import pytest
from lesion.agent.analysis.looks import Look, planned_looks


@pytest.mark.parametrize(
    ("seeds", "max_seeds", "looks"),
    [
        (3, 20, [(3, 0.005), (5, 0.01), (10, 0.015), (20, 0.02)]),
        (5, 20, [(5, 0.005), (10, 0.01), (20, 0.035)]),
        (4, 12, [(5, 0.005), (10, 0.045)]),
        (5, 5, [(5, 0.05)]),
        (3, 100, [(3, 0.005), (5, 0.01), (10, 0.015), (20, 0.02)]),
        (6, 9, [(9, 0.05)]),
        (1, 2, [(2, 0.05)]),
        (30, 40, [(40, 0.05)]),
    ],
)
def test_which_looks_and_what_they_spend(seeds, max_seeds, looks):
    planned = planned_looks(seeds, max_seeds, 0.05)
    assert [look.seeds for look in planned] == [count for count, _ in looks]
    assert [look.alpha for look in planned] == pytest.approx([spent for _, spent in looks])


def test_spending_scales_with_alpha():
    assert planned_looks(5, 20, 0.01) == (Look(5, 0.001), Look(10, 0.002), Look(20, pytest.approx(0.007)))


@pytest.mark.parametrize(("seeds", "max_seeds", "alpha"), [(5, 3, 0.05), (0, 3, 0.05), (3, 5, 0.0), (3, 5, 1.0)])
def test_impossible_plans_are_refused(seeds, max_seeds, alpha):
    with pytest.raises(ValueError, match="no looks"):
        planned_looks(seeds, max_seeds, alpha)
