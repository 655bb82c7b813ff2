"""From the ledger to every format: one outcome is changed in a ledger of simulated trials, and all of its places change with it."""

import json
import sqlite3

import pytest
from lesion.agent.collect import collect
from lesion.agent.ledger import Ledger
from lesion.agent.planning.plan import BASELINE
from lesion.agent.report import numbers
from lesion.agent.report.write import write_report
from lesion.agent.results import Effect

from tests.agent.report.traced import traced_study


@pytest.fixture
def traced(tmp_path):
    return traced_study(tmp_path)


def told(spec, state, folder):
    """The results, and every text that is written of them, by its path."""
    ledger = Ledger(state, write=False)
    try:
        results = collect(spec, ledger)
    finally:
        ledger.close()
    results = results.model_copy(
        update={"study": results.study.model_copy(update={"generated": "2026-01-01T00:00:00+00:00"})}
    )
    write_report(results, ["md", "html", "tex", "json", "csv"], folder)
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*")}
    texts = {
        name: path.read_text()
        for name, path in files.items()
        if path.suffix in (".md", ".html", ".tex", ".csv", ".json")
    }
    return results, texts


def changed(state, arm, seed, by):
    with sqlite3.connect(state / "ledger.db") as database:
        (metrics,) = database.execute("SELECT metrics FROM trials WHERE arm = ? AND seed = ?", (arm, seed)).fetchone()
        value = json.loads(metrics)["test"]["score"] + by
        database.execute(
            "UPDATE trials SET metrics = ? WHERE arm = ? AND seed = ?",
            (json.dumps({"test": {"score": value}}), arm, seed),
        )


def shown(number, name):
    """A figure as the prose formats print it, and as LaTeX does."""
    return number.replace("−", "$-$") if name.endswith(".tex") else number


@pytest.mark.parametrize("arm", ["config:first", "config:second", BASELINE, "config:second + config:third"])
def test_one_outcome_of_the_ledger_changes_everything_that_rests_on_it_and_nothing_else(traced, tmp_path, arm):
    spec, state = traced
    before, texts = told(spec, state, tmp_path / "before")
    changed(state, arm, 2, -0.0317)
    after, renewed = told(spec, state, tmp_path / "after")
    moved = 0
    for old, new in zip([*before.effects, *before.interactions], [*after.effects, *after.interactions], strict=True):
        estimate = "delta" if isinstance(old, Effect) else "contrast"
        rests = arm in {BASELINE, old.ablation} or (estimate == "contrast" and arm in old.components)
        was, now = (numbers.number(getattr(one, estimate), one.interval, signed=True) for one in (old, new))
        assert (getattr(old, estimate) != getattr(new, estimate)) == rests
        if not rests or was == now:
            continue
        moved += 1
        in_section = estimate == "contrast" or old.role == "confirmatory"
        for name in ("report.md", "report.html", "appendix.tex", *(["ablation.tex"] if in_section else [])):
            places = texts[name].count(shown(was, name))
            assert places > 0, f"{was} of {old.ablation} stands nowhere in {name}"
            assert shown(was, name) not in renewed[name], f"{name} still tells {was} of {old.ablation}"
            assert shown(now, name) in renewed[name]
        exact = json.dumps(getattr(old, estimate))
        for name in ("report.json", "effects.csv" if estimate == "delta" else "interactions.csv"):
            assert exact in texts[name] and exact not in renewed[name]
    assert moved
    said, says = before.drafts[0].text, after.drafts[0].text
    first_round = arm != "config:second + config:third"
    assert (said != says) == first_round  # its interval rests on the noise of every arm of its round
    for name in ("report.md", "drafts/narrative.md"):
        assert said in texts[name] and says in renewed[name]
        assert (said in renewed[name]) != first_round
