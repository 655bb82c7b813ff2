"""What to do next, what is still missing, and what threatens: from the facts of this study, whatever it is."""

import pytest
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.more import more_units
from lesion.agent.results import Accounting, Advice
from markdown_it import MarkdownIt
from simulated_results import by_examples, effect, joint, results, study

HOST = MarkdownIt("gfm-like", {"linkify": False})
"""As code hosts read Markdown."""


def section(found, heading, figures=()):
    text = markdown_report(found, figures)
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_more_seeds_come_with_what_they_cost():
    found = [
        effect("a", "undecided", -0.006, seeds_to_settle=9),
        effect("b", "detected", -0.009, seeds_to_settle=12),
        effect("c", "undecided", -0.0099),
        effect("d", "undecided", -0.004, seeds_to_settle=60),
        effect("e", "undecided", None),
    ]
    more = more_units(results(effects=found), "retrain")
    assert more is not None
    assert [(one.effect.labels, one.units, one.further) for one in more.within] == [(["a"], 9, 4), (["b"], 12, 7)]
    assert [one.effect.labels for one in more.beyond] == [["d"]]
    assert [one.labels for one in more.unknown] == [["c"]]  # e has not had its seeds yet: that is missing, not open
    assert more.trials == 4 + 7 + (12 - 5)
    assert more.seconds == pytest.approx(18 * 71.2 / 2)
    text = section(results(effects=found), "What to do next")
    assert "a at 9 (4 more, about 2 min 22 s), b at 12 (7 more, about 4 min 09 s)" in text
    assert "All of these: 18 further trials, the baseline's included, about 10 min 41 s at 1 min 11 s a trial" in text
    assert "max_seeds = 60" in text


def test_examples_are_more_data_and_no_runs():
    open_ = effect("a", "undecided", -0.006, seeds_to_settle=9000, mode="reevaluate", unit="example", n=800)
    found = results(
        study=study(modes=["reevaluate"]), baseline={"reevaluate": {"accuracy": by_examples()}}, effects=[open_]
    )
    text = section(found, "What to do next")
    assert "a at 9,000 (8,200 more)" in text
    assert "a larger evaluation set" in text
    assert "trials" not in text.partition("Beyond")[2]


def test_what_runs_would_not_answer_is_named_with_its_reason():
    text = section(results(), "What to do next")
    for name, advice in (
        ("head a + head b", "Keep at least one of each group"),
        ("identity", "Try another kind of removal"),
        ("embedding", "Try a removal that keeps the program running"),
        ("layer norm", "Find out why runs failed"),
    ):
        assert any(f"**{advice}:** {name}" in line for line in text.splitlines()), advice


def test_an_unfinished_study_says_what_is_missing():
    waiting = [effect("a", "undecided"), effect("b", "undecided", -0.01, n=3), effect("c", "matters", -0.05)]
    found = results(
        study=study(complete=False, state="interrupted; 10 planned trials are still to run", split="validation"),
        effects=waiting,
        interactions=[],
        accounting=Accounting(planned=20, ok=10, failed={}, skipped=10, pending=10, checks=3, pending_seconds=356.0),
    )
    text = section(found, "What is still missing")
    assert "10 planned trials are still to run, about 5 min 56 s at the wall time of a trial" in text
    assert "not run yet: a." in text
    assert "fewer seeds than the first look needs: b." in text
    assert "No joint removal has been measured" in text
    assert "validation split" in text
    assert "What is still missing" not in markdown_report(results())


def test_threats_come_from_what_happened():
    threats = markdown_report(results()).partition("**Threats to validity**")[2]
    assert "3 of the 10 sealed removals have no Δ" in threats
    assert "verdicts of the sealed family are open" in threats
    calm = results(effects=[effect("a", "matters", -0.05)], interactions=[joint(["a", "b"], "additive")])
    quiet = markdown_report(calm).partition("**Threats to validity**")[2]
    assert "have no Δ" not in quiet
    assert "open" not in quiet


def test_the_reviewer_finds_how_it_was_computed_and_at_which_seeds():
    found = results(effects=[effect("a", "matters", -0.05, by_seed={0: -0.05, 2: -0.06, 1: -0.04})])
    text = section(found, "For the reviewer")
    assert "seeds 0, 1, 2" in text
    for told in (
        *("Test", "Family and corrections", "Stopping rule", "SD and SE", "Assumptions", "Noise and δ"),
        *("Failures and exclusions", "Hyperparameters", "How it is computed", "Seeds", "Plans", "Split", "Intervals"),
    ):
        assert f"*{told}" in text, told
    for told in ("compute in total", "compute per trial", "of that, in runs that failed", "peak memory", "torch"):
        assert told in text


def test_a_code_host_shows_tables_and_figures():
    text = markdown_report(results(), ("forest", "interactions", "predictions"))
    tokens = HOST.parse(text)
    inline = [child for token in tokens for child in token.children or []]
    images = [child.attrs["src"] for child in inline if child.type == "image"]
    assert images == [f"figures/{name}.svg" for name in ("forest", "interactions", "predictions")]
    assert all(child.content for child in inline if child.type == "image")
    assert sum(token.type == "table_open" for token in tokens) >= 6
    assert not any("|" in child.content and "---" in child.content for child in inline if child.type == "text")
    lists = [token for token in tokens if token.type == "inline" and token.content.startswith("**What")]
    assert all("**What" not in token.content[6:] for token in lists)


def test_what_was_never_removed_together_is_not_advised_to_go_together():
    def advised(tested, *names):
        parts = [f"module:{name}" for name in names]
        return Advice(what="prune", mode="retrain", components=parts, labels=list(names), tested_together=tested)

    found = [effect(name, "negligible", 0.0004) for name in ("a", "b", "c")]
    found.append(effect("d", "negligible", 0.0004, same_as=found[0].ablation))
    groups = [advised(True, "a", "b"), advised(False, "c", "d")]
    pairs = [joint(["a", "b"], "additive", 0.001)]
    text = section(results(effects=found, interactions=pairs, advice=groups), "What to do next")
    (bullet,) = [line for line in text.splitlines() if "Could be left out" in line]
    assert "a, b. Each was shown negligible alone; all at once they were shown negligible together." in bullet
    assert (
        "**Or instead:** c, d. Each was shown negligible alone; all at once they were not tested, nor with those before: not all"
        in bullet
    )
    assert "a and d gave the same results, bit for bit" in bullet
    assert "not both, for these were never removed together" in bullet
    single = section(
        results(effects=found, interactions=pairs, advice=[groups[0], advised(False, "d")]), "What to do next"
    )
    assert "d. It was shown negligible, alone; not both" in single
    whole = results(effects=found, interactions=[*pairs, joint(["a", "d"], "additive")], advice=groups)
    assert "bit for bit" not in section(whole, "What to do next")
