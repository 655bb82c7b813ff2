"""The morning's summary: one screen whatever comes in, counts that add up, the most needed first. Results are made up."""

import re
from pathlib import Path

import pytest
from lesion.agent.night.summary import COLUMNS, LINES, Hours, Told, summary
from lesion.agent.night.verdicts import verdicts
from lesion.agent.records.night import NightTold
from lesion.agent.records.power import Settling
from lesion.agent.report.markdown import markdown_report
from lesion.agent.results import Accounting, Failure
from rich.cells import cell_len

from tests.agent.report.simulated_results import effect, joint, minimising, random_results, results, study, three_modes

HOURS = Hours(began=1_790_000_000.0, deadline=1_790_032_400.0, ended=1_790_032_000.0, code=4)
ODD = [
    "a" * 500,
    "\x1b[31mred\x1b[0m\r\nsecond line\tand a bell \a",
    "注意力机制" * 40,
    "e\u0301" * 120,
    "\u202emirror\u200b",
    "",
    "{{ 7 * 7 }} {% raw %}",
    "🙂👩‍👩‍👧" * 40,
]
ACCOUNTING = Accounting(
    planned=70,
    ok=60,
    failed={"crashed": 3, "timed-out": 1},
    skipped=6,
    pending=4,
    skipped_why={"every one of 3 finished seeds failed": 2},
    pending_seconds=300.0,
    checks=14,
)
OPEN = Settling(settled=6, undecided=3, unknown=1, units=34, trials=40, seconds=3000.0)


def told(name="digits", found=None, **changes):
    fields = {"reason": "the deadline is 07:00:00", "complete": False, "before": {}, "report": Path("/s/report.html")}
    return Told(name=name, results=found, **{**fields, **changes})


def unfinished(**changes):
    return results(**{"accounting": ACCOUNTING, "settling": {"retrain": OPEN}, **changes})


def odd(number):
    """Results whose every name and reason is one that terminals dislike."""
    labels = [ODD[(number + at) % len(ODD)] for at in range(6)]
    found = [
        effect(f"{at} {label}", verdict, -0.02, labels=[label], reason=label)
        for at, (label, verdict) in enumerate(
            zip(labels, ["matters", "hurts", "undecided", "negligible", "detected", "structural"], strict=True)
        )
    ]
    return results(
        effects=found,
        interactions=[joint(labels[:2], "compensation"), joint(labels, "redundancy")],
        accounting=ACCOUNTING.model_copy(update={"skipped_why": {labels[0]: 1, labels[1]: 1}}),
        settling={"retrain": OPEN},
    )


def nights(count):
    found = [odd, lambda _: None, lambda _: unfinished(), lambda n: random_results(n, 60), lambda _: three_modes()]
    return [
        told(
            f"{ODD[number % len(ODD)]}{number}",
            found[number % len(found)](number),
            reason=ODD[(number + 3) % len(ODD)],
            problems=[ODD[number % len(ODD)], *(f"problem {at} of {number}" for at in range(number))],
            report=Path("/" + "deep/" * (9 * number), "report.html"),
        )
        for number in range(count)
    ]


def part(lines, title):
    """The lines of one part."""
    first = next(at for at, line in enumerate(lines) if line.startswith(title))
    more = next((at for at, line in enumerate(lines[first + 1 :]) if not line.startswith(" ")), len(lines))
    return [line[10:] for line in lines[first : first + 1 + more]]


def assert_one_screen(lines):
    assert 3 <= len(lines) <= LINES
    assert max(cell_len(line) for line in lines) <= COLUMNS
    assert [line for line in lines if not line.isprintable()] == []


@pytest.mark.parametrize("count", [1, 3, 12, 40])
@pytest.mark.parametrize("hours", [HOURS, None])
def test_it_fits_one_screen_whatever_comes_in(count, hours):
    assert_one_screen(summary(nights(count), hours))


@pytest.mark.parametrize("number", range(len(ODD)))
def test_it_fits_one_screen_of_one_study_with_odd_names(number):
    lines = summary([told(ODD[number], odd(number), reason=ODD[number], problems=ODD)], HOURS)
    assert_one_screen(lines)
    assert "49" not in "".join(part(lines, "NEW"))


@pytest.mark.parametrize("count", [1, 5])
def test_what_was_planned_is_what_was_ok_failed_and_skipped(count):
    text = "\n".join(summary([told(f"study {at}", unfinished()) for at in range(count)], HOURS))
    line = r"(\d+) planned = (\d+) ok \+ (\d+) failed \+ (\d+) skipped \((\d+) of them still to run\)"
    planned, ok, failed, skipped, pending = map(int, re.search(line, text).groups())
    assert (planned, ok, failed, skipped, pending) == (70 * count, 60 * count, 4 * count, 6 * count, 4 * count)
    assert planned == ok + failed + skipped


def test_what_did_not_run_comes_first_and_then_the_rest_in_its_order():
    known = unfinished()
    before = {**verdicts(known), "retrain drop warmup": "undecided"}
    del before["retrain drop dropout"]
    problems = ["the model's endpoint was down from 02:10: the rules planned"]
    lines = summary([told(found=known, before=before, problems=problems)], HOURS)
    titles = [line[:9].strip() for line in lines[3:] if not line.startswith(" ")]
    assert titles == ["NOT RUN", "TROUBLE", "CHANGED", "NEW", "SURPRISE", "TOGETHER", "OPEN", "REPORT"]
    assert lines[0].endswith(": exit code 4")
    said = " ".join(part(lines, "NOT RUN"))
    for each in ("the deadline is 07:00:00; 4 trials still to run", "3 crashed, 1 timed-out", "2 skipped: every one"):
        assert each in said
    assert "1 proposal dropped before any trial: drop pooling" in said
    assert part(lines, "TROUBLE") == problems
    assert part(lines, "CHANGED") == ["warmup: undecided → detected"]
    assert part(lines, "NEW") == ["1 matters: dropout"]
    assert part(lines, "SURPRISE")[0].startswith("head a: expected to cost, negligible, Δ −0.0009")
    assert part(lines, "TOGETHER") == ["compensation: head a + head b, loss 0.0900, sum of singles 0.002"]
    assert "3 undecided: 40 trials, about 50 min" in " ".join(part(lines, "OPEN"))
    assert "would settle 2; beyond reach: 1" in " ".join(" ".join(part(lines, "OPEN")).split())
    assert part(lines, "REPORT") == ["/s/report.html"]


def test_a_night_without_a_gap_says_so():
    whole = Accounting(planned=70, ok=70, failed={}, skipped=0, checks=14)
    lines = summary([told(found=results(accounting=whole, planned=[]), complete=True, reason="complete")])
    assert lines[0] == "digits: complete (accuracy, test)"
    assert part(lines, "NOT RUN") == ["nothing: all that was planned ran"]


def test_a_study_without_results_stands_before_everything_else_and_says_why():
    found = [told(f"study {at}", unfinished()) for at in range(11)] + [told("lost", None, reason="no room on /data")]
    lines = summary(found, HOURS)
    assert lines[1] == "12 studies: 0 complete, 11 not complete, 1 without results"
    assert part(lines, "NOT RUN")[0].startswith("lost: nothing was measured: no room on /data")
    assert part(lines, "REPORT") == ["study 0, study 1 and 10 more: /s/report.html"]


def test_what_does_not_fit_is_counted():
    many = [effect(f"part {at}", "negligible", 0.0001) for at in range(50)]
    lines = summary([told(found=unfinished(effects=many))], HOURS)
    shown = part(lines, "SURPRISE")
    assert shown[-1] == f"and {50 - (len(shown) - 1)} more: lesion report"
    assert_one_screen(lines)


def test_a_loss_that_is_minimised_surprises_the_other_way():
    text = "\n".join(summary([told(found=minimising())]))
    assert "weight decay: expected to cost, hurts, Δ −0.040" in text
    assert "attention: expected" not in text


def test_modes_are_named_where_there_are_several():
    lines = summary([told(found=three_modes(), before={"retrain head:1": "negligible"})])
    assert part(lines, "CHANGED") == ["head 1: negligible → undecided (retrain)"]
    assert all(re.search(r"\((reevaluate|retrain|recover)\)", line) for line in part(lines, "NEW"))


def test_a_study_of_which_nobody_knows_what_settling_takes():
    lines = summary([told(found=results(study=study(complete=False)))])
    assert part(lines, "OPEN") == ["2 undecided; what would settle them is not known"]


def failures(*found):
    """Accounting of trials that failed as (arm, status, reason, trials), and of 60 that did not."""
    told = [Failure(arm=arm, mode="retrain", status=how, reason=why, trials=n) for arm, how, why, n in found]
    counts = {}
    for one in told:
        counts[one.status] = counts.get(one.status, 0) + one.trials
    failed = sum(counts.values())
    return Accounting(planned=60 + failed, ok=60, failed=counts, failures=told, skipped=0, checks=1)


def test_what_failed_is_named_with_what_it_said_most_trials_first():
    found = failures(
        ("drop warmup", "timed-out", "after 120 s", 1),
        ("drop dropout", "crashed", "KeyError: 'x'", 3),
        ("baseline", "out-of-memory", "", 2),
        ("drop blocks.3.mlp", "crashed", "KeyError: 'x'", 3),
        ("\x1b[31munknown\n", "crashed", "KeyError: 'x'", 1),
    )
    lines = summary([told(found=results(accounting=found, planned=[]), complete=True, reason="complete")])
    assert part(lines, "NOT RUN") == [
        "7 trials crashed: dropout, blocks.3.mlp and 1 more (KeyError: 'x')",
        "2 trials out-of-memory: baseline",
        "1 trial timed-out: warmup (after 120 s)",
    ]
    assert_one_screen(lines)


def test_what_is_structural_is_no_failure():
    found = failures(("drop dropout", "crashed", "no such key", 2), ("drop embed", "crashed", "no weights", 3))
    known = results(accounting=found, planned=[], effects=[effect("embed", "structural"), effect("dropout", "matters")])
    lines = summary([told(found=known, complete=True, reason="complete")])
    assert part(lines, "NOT RUN") == [
        "2 trials crashed: dropout (no such key)",
        "structural, the model does not run without: embed (3 trials, no",
        "  weights)",
    ]
    night = NightTold(began="", deadline="", ended=None, died=True, pid=1)
    text = markdown_report(known.model_copy(update={"night": night}))
    assert "5 trials failed: 5 crashed (3 of them structural," in text


def test_what_was_tried_again_is_trouble_that_was_overcome():
    found = ACCOUNTING.model_copy(update={"retried": {"killed": 1, "timed-out": 2}})
    lines = summary([told(found=unfinished(accounting=found), problems=["the model was away"])])
    assert part(lines, "TROUBLE") == ["the model was away", "3 trials were tried again: killed, timed-out"]


def test_a_night_that_saw_the_baseline_only_planned_nothing_yet():
    only = Accounting(planned=3, ok=3, failed={}, skipped=0, checks=1)
    lines = summary([told(found=results(accounting=only, planned=[], effects=[], interactions=[]))])
    assert part(lines, "NOT RUN") == ["stopped: the deadline is 07:00:00; no ablation was planned yet"]


def test_a_source_that_was_edited_and_another_split_are_said_before_what_changed():
    night = NightTold(
        began="", deadline="", ended=None, died=False, pid=1, edited_from="1a2b3c4d5e6f", split_from="validation"
    )
    known = unfinished(night=night)
    before = {**verdicts(known), "retrain drop warmup": "undecided"}
    lines = " ".join(part(summary([told(found=known, before=before)]), "CHANGED"))
    assert " ".join(lines.split()) == (
        "source, configuration or inputs were edited: what was known when the night began (version 1a2b3c4d) is of another "
        "version verdicts of before are on validation, those of now on test warmup: undecided → detected"
    )
    unchanged = " ".join(part(summary([told(found=known, before=verdicts(known))]), "CHANGED"))
    assert "1a2b3c4d" in unchanged and "validation" not in unchanged
