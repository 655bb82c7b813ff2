"""Which components are crossed, which cells are planned, and what is found of made-up ledgers: nothing was trained here."""

from dataclasses import replace

import numpy as np
import pytest
from lesion.agent.analysis.factorial import cells_of
from lesion.agent.factorials import factorials_of
from lesion.agent.findings import find
from lesion.agent.planning.factorial import MOST_FACTORS, Wish
from lesion.agent.planning.plan import Plan
from lesion.agent.planning.rules import RulesPlanner
from lesion.executor.errors import StudyFileError

from .test_reevaluation import Lab
from .test_rounds import ablation, caps, evidence, row, runs, spec
from .test_rules import effect, ids, learnt, module, setting

CROSS = {"a", "b", "c"}


def planner(*patterns, interactions="auto", modes=("retrain",), wanted=("*",)):
    return RulesPlanner(interactions, wanted, modes=modes, factorial=Wish(patterns, 3, "lesion.toml"))


def found_after(planner, components, effects, *rounds, interactions=()):
    first = planner.first_round("s", components)
    known = learnt(components, effects, *rounds, interactions=interactions)
    known.plans[0] = first
    return planner.next_round(known)


def refused(planner, components):
    with pytest.raises(StudyFileError) as caught:
        planner.first_round("s", components)
    return str(caught.value)


def test_every_combination_is_planned_after_the_singles():
    parts = [setting(name) for name in "abcd"]
    effects = [effect(one, "undecided", p=0.1) for one in parts]
    plan = found_after(planner("config:a", "config:[bc]"), parts, effects)
    assert plan is not None
    cells = [one for one in plan.ablations if one.why == "factorial"]
    assert sorted("".join(name[-1] for name in one.components) for one in cells) == ["ab", "abc", "ac", "bc"]
    for one in cells:
        assert (one.role, one.modes) == ("exploratory", ["retrain"])
        assert len(one.interventions) == len(one.components)
        assert one.prediction.size == pytest.approx(0.5 * len(one.components))
        assert all(name.removeprefix("config:") in one.hypothesis for name in one.components)


def test_without_a_list_it_is_asked_for_by_name_and_takes_what_there_is():
    parts = [setting(name) for name in "ab"]
    effects = [effect(one, "undecided", p=0.1) for one in parts]
    assert ids(found_after(planner(interactions="factorial"), parts, effects)) == ["config:a + config:b"]
    assert found_after(planner(), parts, effects) is None
    assert found_after(planner("config:*", interactions="none"), parts, effects) is None


def test_five_are_thirty_two_cells_and_six_are_refused_with_their_number():
    parts = [setting(name) for name in "abcde"]
    effects = [effect(one, "undecided", p=0.1) for one in parts]
    plan = found_after(planner(interactions="factorial"), parts, effects)
    assert len(ids(plan)) == 32 - 1 - 5
    told = refused(planner(interactions="factorial"), [*parts, setting("f")])
    for part in ("6 components", "config:f", "2^6 = 64 combinations", "192 runs at 3 seeds", f"at most {MOST_FACTORS}"):
        assert part in told


def test_all_that_is_wrong_is_told_at_once():
    parts = [module("block"), module("block.norm", "normalization"), setting("dropout")]
    told = refused(planner("module:*", "config:dropuot"), parts)
    assert "module:block.norm and module:block overlap: one holds the other" in told
    assert "'config:dropuot' (did you mean config:dropout?)" in told
    assert "1 component (config:dropout); two at least" in refused(planner("config:dropout"), parts)


def test_a_switch_of_the_recipe_is_not_crossed_where_nothing_is_trained():
    parts = [module("fc"), module("block"), setting("dropout")]
    modes = ("reevaluate", "retrain")
    effects = [effect(one, "undecided", p=0.1) for one in parts]
    effects += [one.model_copy(update={"mode": "reevaluate"}) for one in effects[:2]]
    plan = found_after(planner("module:fc", "config:*", modes=modes), parts, effects)
    assert {tuple(one.modes) for one in plan.ablations if one.why == "factorial"} == {("retrain",)}
    both = found_after(planner("module:*", modes=modes), parts, effects)
    assert {tuple(one.modes) for one in both.ablations if one.why == "factorial"} == {modes}


def test_what_stops_the_program_alone_is_left_out_and_named():
    parts = [setting(name) for name in "abc"]
    effects = [effect(one, "undecided", p=0.1) for one in parts[:2]] + [effect(parts[2], "structural")]
    plan = found_after(planner("config:*"), parts, effects)
    assert ids(plan) == ["config:a + config:b"]
    (dropped,) = plan.dropped
    assert dropped.id.startswith("config:c")
    assert "structural" in dropped.reason


def test_it_is_planned_once_and_beside_what_other_rounds_have_planned():
    parts = [setting(name) for name in "abc"]
    effects = [effect(one, "negligible", p=0.9) for one in parts]
    auto = found_after(planner(), parts, effects)
    assert "config:a + config:b" in ids(auto)
    later = found_after(planner("config:*"), parts, effects, auto)
    assert later is not None
    assert later.round == 3
    assert len(later.ablations) == 4
    assert not set(ids(later)) & set(ids(auto))
    assert found_after(planner("config:*"), parts, effects, auto, later) is None
    together = found_after(planner("config:*"), parts, effects)
    assert len(ids(together)) == len(set(ids(together))) == 4
    assert {one.why for one in together.ablations} == {"factorial"}


# made-up ledgers


def crossing(rows, names="abc", *, study=None, **more):
    seen = evidence(rows, tuple(names), study=study or spec(max_seeds=3), **more)
    subsets = [tuple(sorted(cell)) for cell in cells_of(names) if len(cell) > 1]
    cells = [ablation(*parts).model_copy(update={"why": "factorial"}) for parts in subsets]
    seen.plans.append(Plan(study="s", round=2, planner="rules", ablations=cells))
    return seen


def arms(names, loss, seeds=3, sd=1.0, but=()):
    """Runs of every cell; `loss` gives that of a set."""
    made = []
    for i, cell in enumerate(cells_of(names)):
        arm = " + ".join(sorted(cell)) or "baseline"
        made += [] if arm in but else runs(arm, loss(cell), seeds, noise=i % 12, sd=sd)
    return made


def backup(cell):
    return 6.0 * ({"a", "b"} <= cell) + 2.0 * ("c" in cell)


@pytest.mark.parametrize("goal", ["maximize", "minimize"])
def test_two_that_back_each_other_up_and_one_that_adds(goal):
    sign = 1 if goal == "maximize" else -1
    seen = crossing(arms("abc", lambda cell: sign * backup(cell)), study=spec(goal=goal, max_seeds=3))
    found, twin = factorials_of(seen)
    assert (found.components, found.metric, found.n, found.reason) == (["a", "b", "c"], "score", 3, None)
    rows = {"".join(one.components): one for one in found.rows}
    assert {key: one.verdict for key, one in rows.items() if key in ("ab", "c", "ac", "bc")} == {
        **{"ab": "compensation", "c": "matters", "ac": "additive", "bc": "additive"}
    }
    assert rows["ab"].contrast == pytest.approx(6, abs=0.3)
    assert rows["a"].contrast == pytest.approx(3, abs=0.2)
    a, _, c = found.in_context
    assert (a.first, a.last) == (pytest.approx(0, abs=0.3), pytest.approx(6, abs=0.3))
    assert (c.first, c.average, c.last) == (pytest.approx(2, abs=0.3),) * 3
    means = {"".join(one.removed): one.mean for one in found.cells}
    assert means["abc"] == pytest.approx(10 - sign * 8, abs=0.3)
    assert [one.contrast for one in twin.rows] == pytest.approx([one.contrast for one in found.rows])


def test_a_cell_that_crashes_leaves_no_analysis_and_the_interactions_that_can_be_told():
    rows = arms("abc", backup, but=("a + c",))
    rows += [row("a + c", seed, status="crashed", reason="KeyError: 'x'") for seed in range(3)]
    seen = crossing(rows)
    found = next(iter(factorials_of(seen)))
    assert (found.rows, found.in_context, found.total) == ([], [], None)
    assert found.reason is not None
    assert "1 of 8 cells have no value (a + c: KeyError: 'x')" in found.reason
    cells = {tuple(one.removed): one for one in found.cells}
    assert (cells["a", "c"].missing, cells["a", "c"].mean, cells["a", "b"].n) == ("KeyError: 'x'", None, 3)
    verdicts = {tuple(one.components): one.verdict for one in find(seen, "score").interactions}
    assert verdicts["a", "b"] == "compensation"
    assert verdicts["b", "c"] == "additive"


def test_what_changes_nothing_stands_as_the_baseline_itself():
    """A perfect backup: alone and in pairs bit for bit the baseline, all three together everything is lost."""
    rows = []
    for cell in cells_of("abc"):
        arm = " + ".join(sorted(cell)) or "baseline"
        idle = 0 < len(cell) < 3
        usual = runs(arm, 6.0 * (len(cell) == 3), 2 if idle else 3, status="no-op" if idle else "ok")
        rows += [*usual, row(arm, 2, status="skipped")] if idle else usual
    seen = crossing(rows)
    found = next(iter(factorials_of(seen)))
    assert [one.n for one in found.cells] == [3] * 8
    assert found.rows[-1].contrast == pytest.approx(6)
    (whole,) = [one for one in find(seen, "score").interactions if len(one.components) == 3]
    assert whole.verdict == "irreducible"


@pytest.mark.parametrize(("order", "verdict"), [(4, "irreducible"), (3, "compensation")])
def test_four_are_irreducible_only_where_no_three_of_them_matter(order, verdict):
    seen = crossing(arms("abcd", lambda cell: 6.0 * (len(cell & set("abcd"[:order])) == order)), "abcd")
    verdicts = {"".join(one.components): one.verdict for one in find(seen, "score").interactions}
    assert verdicts["abcd"] == verdict
    assert verdicts["abc"] == ("irreducible" if order == 3 else "additive")


def test_all_cells_get_the_seeds_that_any_of_their_effects_asks_for():
    """Planned for other reasons, each of these goes on by itself, and the table would lose its balance."""
    rows = arms("abc", lambda cell: 0.9 * ({"a", "b"} <= cell) + 5.0 * ("c" in cell), sd=3)
    seen = crossing(rows, study=spec(max_seeds=5))
    assert caps(seen, 2) == dict.fromkeys(["a + b", "a + c", "b + c", "a + b + c"], 5)
    alone = [one.model_copy(update={"why": "quiet"}) for one in seen.plans[1].ablations]
    apart = replace(seen, plans=[seen.plans[0], seen.plans[1].model_copy(update={"ablations": alone})])
    assert set(caps(apart, 2).values()) == {3, 5}
    settled = crossing(arms("abc", backup, sd=0.3), study=spec(max_seeds=5))
    assert set(caps(settled, 2).values()) == {3}


def test_seeds_that_failed_in_one_cell_are_left_out_of_all_and_counted():
    rows = [one for one in arms("abc", backup, 5) if (one.arm, one.seed) != ("b + c", 1)]
    seen = crossing([*rows, row("b + c", 1, status="diverged", reason="nan")], study=spec(seeds=5, max_seeds=5))
    found = next(iter(factorials_of(seen)))
    assert (found.n, found.incomplete, found.residual_df) == (4, 1, 21)


def test_cells_at_the_floor_are_marked_and_cap_what_can_be_told():
    rows = arms("abc", lambda cell: min(5.0, 4.0 * len(cell)))
    found = next(iter(factorials_of(crossing(rows, study=spec(max_seeds=3, floor=5.0)))))
    assert {len(one.removed) for one in found.cells if one.at_floor} == {2, 3}
    assert {one.verdict for one in found.rows if len(one.components) == 2} == {"saturation-limited"}


def test_over_examples_each_trained_model_is_judged_and_the_first_one_tabled():
    lab = Lab(2, smallest_effect=0.5)
    for cell in [cell for cell in cells_of("ab") if cell]:
        losses = [3.0 * (len(cell) == 2), 1.5 * len(cell)]
        lab.add(" + ".join(sorted(cell)), *losses)
    seen = lab.evidence("a", "b")
    cell = ablation("a", "b").model_copy(update={"why": "factorial", "modes": ["reevaluate"]})
    seen.plans.append(Plan(study="s", round=2, planner="rules", ablations=[cell]))
    found = next(iter(factorials_of(seen)))
    assert (found.unit, found.n, found.error, found.bartlett_p) == ("example", 400, "own", None)
    _, _, both = found.rows
    assert (both.verdict, both.f_pooled) == ("compensation", None)
    assert both.contrast == pytest.approx(3, abs=0.2)
    assert both.agreement == {"compensation": 1, "additive": 1}
    assert np.isfinite(both.f_own)
