"""Removals that stop early: what jobs are told, why nothing stops, and what made-up ledgers come to; no model was evaluated."""

from dataclasses import replace

import numpy as np
import pytest
from lesion.agent.arms import arms_of, duplicates
from lesion.agent.classes import class_findings
from lesion.agent.cli.watching import delta_so_far, so_far
from lesion.agent.costs import Weighed, cost_of
from lesion.agent.evidence import Evidence
from lesion.agent.factorials import factorials_of
from lesion.agent.findings import find
from lesion.agent.kinds import kind_contrasts
from lesion.agent.ledger import Facts, Ledger
from lesion.agent.notes import notes_on
from lesion.agent.planning.factorial import FACTORIAL
from lesion.agent.planning.plan import SEARCH, Ablation, Plan, joint_id
from lesion.agent.results import Prediction
from lesion.agent.stoppable import why_whole
from lesion.agent.stopping import asking
from lesion.agent.stopreport import early_stopping, replay, told_of_stopping, whole_notes
from lesion.executor.interventions import ModuleIntervention, SourceEdit
from lesion.executor.outcomes import Seen

from .test_reevaluation import component
from .test_rounds import row, spec

N, SIZE = 400, 20
OFFERS = ("batches", "score")
DICE = np.random.default_rng(5)
USUAL = DICE.normal(10, 3, N)
ORDER = DICE.permutation(N)
"""In which examples are gone through: whole batches in the real thing, single examples here."""
METRICS = ("score", "twin")


def removal(*parts, role=None, why="", edit=False):
    gone = [ModuleIntervention(path=part, removal="zero") for part in parts]
    edits = [SourceEdit(blocks=[{"file": "e.py", "search": "a", "replace": "b"}])] if edit else []
    return Ablation(
        id=joint_id(list(parts)),
        components=sorted(parts),
        interventions=[*gone, *edits],
        hypothesis="",
        prediction=Prediction(direction="none", size=0.5),
        role=role or ("confirmatory" if len(parts) == 1 else "exploratory"),
        modes=["reevaluate"],
        why=why,
    )


class Lab:
    """One trained model: the values of all arms are deterministic, and known as far as they were evaluated."""

    def __init__(self, *, usual=USUAL, batches=True, sizes=None, splits=("validation",), more=None, **study):
        self.rows, self.columns, self.parts, self.truth = [], {}, {}, {}
        self.more = more or {}
        self.splits = splits
        early = study.pop("stop_early", None)
        made = spec(seeds=1, max_seeds=1, smallest_effect=study.pop("smallest_effect", 0.5), **study)
        self.spec = made.model_copy(update={"study": made.study.model_copy(update={"stop_early": early})})
        told = {split: sizes or [SIZE] * (N // SIZE) for split in splits} if batches else {}
        self._put("baseline", usual, Facts(batches=told))

    def add(self, name, loss, *, seen=N, ruled=True, spread=0.5, **facts):
        """An arm evaluated on the first `seen` examples of the order."""
        self.truth.setdefault(name, USUAL - loss - spread * DICE.normal(0, 1, N))
        told = {split: Seen(examples=seen, of=N) for split in self.splits} if ruled else {}
        return self._put(name, self.far(name, seen), Facts(seen=told, **facts))

    def far(self, name, seen):
        return np.where(np.isin(np.arange(N), ORDER[:seen]), self.truth[name], np.nan)

    def brings(self, joint, seen, *names):
        """The parts that a joint removal measured along with itself."""
        self.parts[f"{joint}/0"] = {one: {"score": self.far(one, seen), "twin": -self.far(one, seen)} for one in names}
        return self

    def _put(self, name, values, facts):
        mean = float(np.nanmean(values))
        metrics = {split: {"score": mean, "twin": -mean} for split in self.splits}
        made = row(name, 0)._replace(mode="reevaluate", metrics=metrics, facts=facts, changed=True)
        self.rows = [one for one in self.rows if one.arm != name] + [made]
        hidden = {key: np.where(np.isnan(values), np.nan, one) for key, one in self.more.items()}
        self.columns[made.key] = {"score": values, "twin": -values, **hidden}
        return self

    def evidence(self, *rounds):
        plans = [
            Plan(study="s", round=number, planner="rules", ablations=list(one)) for number, one in enumerate(rounds, 1)
        ]
        return Evidence(
            spec=self.spec,
            mode="reevaluate",
            plans=plans,
            components={name: component(name) for plan in plans for one in plan.ablations for name in one.components},
            arms=arms_of(self.rows)["reevaluate"],
            stopped={},
            dropped={},
            split=self.splits[0],
            examples=lambda one, _split: self.columns.get(one.key, {}),
            parts=lambda one, _split: self.parts.get(one.key, {}),
        )


def effects(seen, metric="score"):
    return {one.ablation: one for one in find(seen, metric).effects}


def asked(lab, *rounds):
    seen = lab.evidence(*rounds)
    return asking(seen, OFFERS, seen.plans[-1])(0)


SINGLES = [removal(one) for one in "abc"]


class TestWhatJobsAreTold:
    def test_singles_are_corrected_over_the_round_and_joint_removals_among_each_other(self):
        told = asked(Lab(), [*SINGLES, removal("a", "b"), removal("b", "c")])
        assert [told.of(one)["family"] for one in ("a", "c", "a + b", "b + c")] == [5, 5, 2, 2]
        assert told.of("baseline") == {"family": None, "parts": {}}

    def test_the_rule_has_the_deltas_of_every_split_and_metric(self):
        told = asked(Lab(splits=("validation", "test"), smallest_effect=0.25), SINGLES).message(edited=False)
        both = {"score": 0.25, "twin": 0.25}
        rule = {"alpha": 0.05, "share": 0.2, "deltas": {"validation": both, "test": both}, "order": 0}
        assert (told["stream"]["test"], told["stopping"]) == ([SIZE] * (N // SIZE), rule)

    def test_a_proposed_delta_is_that_of_the_tables(self):
        lab = Lab(smallest_effect=None)
        told = asked(lab, SINGLES).stopping["deltas"]["validation"]["score"]
        assert told == pytest.approx(2 * USUAL.std(ddof=1) / np.sqrt(N))
        assert told == find(lab.evidence(SINGLES), "score").noise.smallest_effect

    def test_an_edited_program_has_another_baseline_and_streams_nothing(self):
        told = asked(Lab(), [*SINGLES, removal("d", edit=True)])
        assert told.of("d")["family"] is None and told.of("a")["family"] == 4
        assert (told.message(edited=True)["stream"], told.message(edited=True)["stopping"]) == ({}, None)

    def test_what_a_search_found_and_the_cells_of_a_factorial_see_everything(self):
        second = [removal("a", "b", why=SEARCH), removal("b", "c", why=FACTORIAL), removal("a", "c")]
        lab = Lab().add("a", 0.0, seen=60).add("b", 0.0).add("c", 0.0)
        told = asked(lab, SINGLES, second)
        assert [told.of(one.id)["family"] for one in second] == [None, None, 3]
        assert {one: list(told.of(one)["parts"]) for one in ("a + b", "b + c", "a + c")} == {
            "a + b": ["a"],
            "b + c": [],
            "a + c": ["a", "c"],
        }
        assert told.of("a + b")["parts"]["a"] == [removal("a").interventions[0].model_dump()]

    def test_members_that_did_nothing_or_failed_are_no_parts(self):
        lab = Lab().add("a", 0.0).add("b", 0.0)
        lab.rows = [one if one.arm != "a" else one._replace(status="no-op") for one in lab.rows]
        assert list(asked(lab, SINGLES, [removal("a", "b")]).of("a + b")["parts"]) == ["b"]
        lab.rows = [one if one.arm != "b" else one._replace(status="crashed", reason="x") for one in lab.rows]
        assert asked(lab, SINGLES, [removal("a", "b")]).of("a + b")["parts"] == {}

    def test_without_told_batches_nothing_is_streamed_and_in_other_modes_nothing_is_told(self):
        told = asked(Lab(batches=False), SINGLES)
        assert (told.stream, told.stopping, told.of("a")["family"]) == ({}, None, None)
        seen = replace(Lab().evidence(SINGLES), mode="retrain")
        assert asking(seen, OFFERS, seen.plans[0]) is None

    def test_sets_of_a_search_are_streamed_and_see_everything(self):
        told = asking(Lab().evidence(SINGLES))(0)
        assert told.message(edited=False)["stream"]
        assert (told.stopping, told.of("search:0123")) == (None, {"family": None, "parts": {}})

    def test_memory_is_what_the_study_says_else_a_part_of_the_trials_own(self):
        lab = Lab()
        assert asked(lab, SINGLES).memory == 2**30
        small = lab.spec.limits.model_copy(update={"trial_memory": 2**30})
        lab.spec = lab.spec.model_copy(update={"limits": small})
        assert asked(lab, SINGLES).memory == 2**28


class TestWhyNothingStops:
    def why(self, lab, offers=OFFERS):
        found = why_whole(lab.evidence(SINGLES), offers)
        return found and found.why

    def test_nothing_speaks_against_it(self):
        assert self.why(Lab()) is None

    def test_the_study_says_so(self):
        assert self.why(Lab(stop_early=False)) == "asked"

    def test_there_is_nothing_to_stop_between(self):
        assert self.why(Lab(batches=False), ()) == "no-batches"
        assert self.why(Lab(batches=False)) == "order"
        assert self.why(Lab(sizes=[SIZE] * 3)) == "order"
        lab = Lab()
        del lab.columns["baseline/0"]["twin"]
        assert why_whole(lab.evidence(SINGLES), OFFERS).model_dump(exclude_none=True) == {
            "why": "no-value",
            "metric": "twin",
        }

    def test_a_table_needs_all_examples(self):
        classes = {"target": np.arange(N) % 3.0, "prediction": np.arange(N) % 2.0}
        assert self.why(Lab(more=classes)) == "classes"
        assert self.why(Lab(more=classes, stop_early=True)) is None
        assert self.why(Lab(more={"cluster": np.arange(N) // 4.0}, stop_early=True)) == "clusters"
        assert self.why(Lab(more={"own/score": USUAL, "public/score": USUAL}, stop_early=True)) == "datasets"

    def test_a_sorted_set_is_seen_on_the_baseline(self):
        found = why_whole(Lab(usual=np.sort(USUAL)).evidence(SINGLES), OFFERS)
        assert (found.why, found.metric, found.split) == ("alike", "score", "validation")
        binary = (np.arange(N) < 200).astype(float)
        assert self.why(Lab(usual=binary)) == "alike", "every batch constant: F is infinite"
        assert self.why(Lab(usual=np.sort(USUAL), sizes=[1] * N)) is None, "single examples are in random order"
        assert self.why(Lab(usual=np.ones(N))) is None

    def test_one_split_or_model_speaks_for_all(self):
        lab = Lab(splits=("validation", "test"))
        facts = lab.rows[0].facts
        lab.rows[0] = lab.rows[0]._replace(facts=facts.model_copy(update={"batches": {"validation": [N - 9, 9]}}))
        assert self.why(lab) == "order"

    def test_a_set_without_a_look_before_its_end(self):
        assert self.why(Lab(sizes=[N])) == "few"


class TestEffects:
    def test_an_arm_that_stopped_is_told_with_what_it_saw_and_its_verdict_holds(self):
        lab = Lab().add("a", 3.0, seen=40).add("b", 0.0, seen=120).add("c", 0.4)
        found = effects(lab.evidence(SINGLES))
        assert {name: (one.n, one.of) for name, one in found.items()} == {"a": (40, N), "b": (120, N), "c": (N, N)}
        assert (found["a"].verdict, found["b"].verdict) == ("matters", "negligible")
        first = ORDER[:40]
        assert found["a"].delta == pytest.approx((lab.truth["a"] - USUAL)[first].mean())
        assert found["a"].baseline == pytest.approx(USUAL[first].mean())
        assert found["c"].level == pytest.approx(1 - 0.8 * 0.05 / 3)
        assert found["a"].level == pytest.approx(1 - 0.2 * 0.05 / 3)

    def test_what_did_nothing_has_no_examples_to_be_counted(self):
        lab = Lab().add("a", 0.0, seen=40)
        lab.rows[1] = lab.rows[1]._replace(status="no-op", reason="nothing")
        one = effects(lab.evidence(SINGLES[:1]))["a"]
        assert (one.verdict, one.n, one.of) == ("no-op", 0, None)

    def test_without_the_rule_nothing_changes(self):
        lab = Lab().add("a", 3.0, ruled=False).add("b", 0.0, ruled=False)
        found = effects(lab.evidence(SINGLES[:2]))
        assert {(one.n, one.of) for one in found.values()} == {(N, None)}
        assert found["a"].level == pytest.approx(1 - 0.05 / 2)

    def test_what_the_set_can_find_does_not_depend_on_who_stopped(self):
        def detectable(seen):
            lab = Lab()
            for name in "abc":
                lab.truth[name] = USUAL - 1.0 - np.tile([-0.5, 0.5], N // 2)
                lab.add(name, 0.0, seen=seen)
            return find(lab.evidence(SINGLES), "score").noise.minimum_detectable_effect

        assert detectable(100) == pytest.approx(detectable(N), rel=0.15)

    def test_targets_need_to_agree_only_where_both_were_evaluated(self):
        lab = Lab(more={"target": np.arange(N) % 2.0}, stop_early=True).add("a", 3.0, seen=40)
        seen = lab.evidence(SINGLES[:1])
        assert seen.fits("a") and "other examples" not in " ".join(notes_on(seen, arms_of(lab.rows)))
        lab.columns["a/0"]["target"] = lab.columns["a/0"]["target"] + 1
        assert not lab.evidence(SINGLES[:1]).fits("a")

    def test_few_equal_means_make_no_twins(self):
        lab = Lab().add("a", 0.0, seen=20).add("b", 0.0, seen=20)
        same = {"fingerprint": None, "metrics": {"validation": {"score": 1.0}}}
        arms = arms_of([one if one.arm == "baseline" else one._replace(**same) for one in lab.rows])["reevaluate"]
        assert duplicates(arms, ["a", "b"]) == {}
        printed = [one if one.arm == "baseline" else one._replace(fingerprint="p") for one in lab.rows]
        for one in printed[1:]:
            one.metrics.update(same["metrics"])
        known = arms_of([one._replace(metrics=same["metrics"]) if one.arm != "baseline" else one for one in printed])
        assert duplicates(known["reevaluate"], ["a", "b"]) == {"b": "a"}

    def test_no_mean_of_other_examples_is_shown_while_it_runs(self):
        arms = arms_of(Lab().add("a", 3.0, seen=40).add("b", 3.0).rows)["reevaluate"]
        assert delta_so_far(arms["a"], arms["baseline"], "score") == ("settled early", f"40 of {N} examples")
        assert so_far(arms["a"], arms["baseline"], "score") == f"a settled early (40 of {N} examples)"
        assert delta_so_far(arms["b"], arms["baseline"], "score")[1] == "1"


class TestJointRemovals:
    def backup(self, lab, seen=200, **more):
        """a and b hide each other, and were left early."""
        lab.add("a", 0.0, seen=60).add("b", 0.0, seen=80)
        return lab.add("a + b", 3.0, seen=seen, **more)

    def test_an_interaction_takes_the_parts_and_singles_keep_their_own(self):
        pair = [removal("a", "b")]
        lab = self.backup(Lab()).brings("a + b", 200, "a", "b")
        before = effects(lab.evidence(SINGLES[:2]))
        seen = lab.evidence(SINGLES[:2], pair)
        (found,) = find(seen, "score").interactions
        assert (found.n, found.of, found.verdict) == (200, N, "compensation")
        first = ORDER[:200]
        contrast = (lab.truth["a"] + lab.truth["b"] - USUAL - lab.truth["a + b"])[first].mean()
        assert found.contrast == pytest.approx(contrast)
        after = effects(seen)
        assert [(after[one].n, after[one].p, after[one].interval) for one in "ab"] == [
            (before[one].n, before[one].p, before[one].interval) for one in "ab"
        ]
        assert after["a"].n == 60

    def test_without_parts_the_contrast_rests_on_what_all_have_seen(self):
        (found,) = find(self.backup(Lab()).evidence(SINGLES[:2], [removal("a", "b")]), "score").interactions
        assert (found.n, found.of) == (60, N)

    def test_later_rounds_bring_nothing_to_earlier_ones(self):
        lab = self.backup(Lab(), seen=200).add("a + c", 0.0).brings("a + c", N, "a")
        lab.add("c", 0.0)
        plans = SINGLES, [removal("a", "b")], [removal("a", "c")]
        first, second = find(lab.evidence(*plans), "score").interactions
        assert first.n == 60 and second.n == N

    def test_what_a_search_found_is_judged_on_its_whole_half_at_all_of_alpha(self):
        lab = self.backup(Lab(), seen=N, ruled=False).brings("a + b", N, "a", "b")
        (found,) = find(lab.evidence(SINGLES[:2], [removal("a", "b", why=SEARCH)]), "score").interactions
        assert (found.n, found.of, found.verdict) == (N // 2, None, "compensation")
        assert found.level == pytest.approx(0.95)

    def test_a_factorial_takes_parts_or_says_what_is_short(self):
        cell = [removal("a", "b", why=FACTORIAL)]
        lab = self.backup(Lab(), seen=N, ruled=False)
        short = next(iter(factorials_of(lab.evidence(SINGLES[:2], cell))))
        assert short.rows == [] and f"evaluated on 60 of {N} examples: it stopped early" in short.reason
        whole = next(iter(factorials_of(lab.brings("a + b", N, "a", "b").evidence(SINGLES[:2], cell))))
        assert (whole.n, whole.rows[-1].verdict) == (N, "compensation")


def test_kinds_are_held_against_each_other_where_both_were_evaluated():
    lab = Lab().add("a", 3.0, seen=40).add("a@mean", 0.0, seen=100)
    other = removal("a", role="sensitivity").model_copy(
        update={"id": "a@mean", "interventions": [ModuleIntervention(path="a", removal="mean")]}
    )
    seen = lab.evidence(SINGLES[:1], [other])
    (found,) = kind_contrasts(seen, "score", find(seen, "score").effects)
    assert (found.n, found.outcome) == (40, "conflict")


def test_classes_are_told_of_whole_sets_alone():
    classes = {"target": np.arange(N) % 2.0, "prediction": np.arange(N) % 2.0}
    lab = Lab(more=classes, stop_early=True).add("a", 3.0, seen=40).add("b", 3.0)
    found = class_findings(lab.evidence(SINGLES[:2]))
    assert {one.ablation for one in found.effects} == {"b"}
    alone = lab.evidence(SINGLES[:1])
    assert "every removal stopped early" in " ".join(notes_on(alone, arms_of(lab.rows)))


def test_what_it_saved_is_added_up():
    lab = Lab(splits=("validation", "test")).add("a", 3.0, seen=40, replayed=0.5, held_memory=1000)
    lab.add("b", 0.0, replayed=0.25, held_memory=3000).add("c", 0.0, ruled=False)
    found = early_stopping(lab.spec, lab.rows)
    assert (found.trials, found.stopped, found.evaluations, found.of) == (2, 1, 2 * (40 + N), 4 * N)
    again = replay(lab.rows)
    assert (again.trials, again.share, again.held_memory) == (2, 0.375, 3000)
    assert early_stopping(lab.spec, lab.rows[:1]) is None and replay(lab.rows[:1]) is None


def test_seconds_of_what_was_not_computed_are_no_cost_of_the_arm():
    lab = Lab().add("a", 3.0, seen=40, seconds={"evaluate": 0.1}).add("b", 0.0, ruled=False, seconds={"evaluate": 2.0})
    lab.add("c", 0.0, ruled=False, replayed=0.5, seconds={"evaluate": 1.0})
    arms = arms_of(lab.rows)["reevaluate"]
    found = [cost_of(removal(one), arms[one], None, Weighed()).seconds for one in "abc"]
    assert found == [None, 2.0, None]


def test_why_nothing_stops_is_said_at_once_and_repeated_by_the_report(tmp_path):
    ledger = Ledger(tmp_path, write=True)
    ledger.remember("version", "v")
    lab = Lab(more={"cluster": np.arange(N) // 4.0})
    (said,) = told_of_stopping(lab.evidence(SINGLES), OFFERS, ledger)
    assert said == "no early stopping: every removal is evaluated on all examples, since examples come in clusters"
    assert whole_notes(ledger, "v") == [f"Re-evaluation: {said}"]
    assert whole_notes(ledger, "another") == [], "of another version nothing is known"
    (said,) = told_of_stopping(Lab().evidence(SINGLES), OFFERS, ledger)
    assert said.startswith("early stopping: ") and "20% of α = 0.05" in said
    assert whole_notes(ledger, "v") == []
    ledger.close()
