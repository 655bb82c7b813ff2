"""`lesion report` from outside, on one tiny study that was run: drafts, with a language model and without, and wrong input."""

import json
import os
import stat

import pytest

from tests.experiments import project
from tests.llm.server import ModelServer, says

from .planning_desk import environment
from .test_cli_power import OFFSET, REEVALUATE

OUTCOME = 'Removing `module:mix` {{ effect("module:mix", kind="zero").outcome }}.'


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    made = project(tmp_path_factory.mktemp("reported"), experiment=OFFSET, study=REEVALUATE)
    ended = made.lesion("run", "--interactions", "none", "--planner", "rules")
    assert ended.code == 0, ended.err
    return made


def written(*sentences):
    return says(json.dumps({"paragraphs": [{"sentences": list(sentences)}]}))


def test_a_draft_by_the_rules_stands_in_the_report_and_beside_it(made):
    ended = made.lesion("report", "--style", "narrative", "--planner", "rules")
    assert ended.code == 0, ended.err
    assert "narrative draft written by rules" in ended.err
    draft = (made.state / "report" / "drafts" / "narrative.md").read_text().strip()
    assert "costs more than δ" in draft
    assert draft in (made.state / "report" / "report.md").read_text()
    assert made.results()["drafts"][-1]["style"] == "narrative"


def test_a_draft_by_a_model_is_filled_and_can_be_printed(made):
    with ModelServer(written(OUTCOME, "Removing `module:shift` costs 4.99.")) as server:
        ended = made.lesion("report", "--style", "terse", "--planner", "llm", "-o", "-", **environment(server))
    assert ended.code == 0, ended.err
    assert ended.out == "Removing `module:mix` costs more than δ.\n"
    assert "left out: Removing `module:shift` costs 4.99." in ended.err
    assert "word-that-opens" not in "".join(path.read_text() for path in (made.state / "drafts").iterdir())


def test_a_rebuttal_answers_and_queues_what_was_not_measured(made):
    asked = ("--style", "rebuttal", "--question", "What if mix and shift are both removed?", "--planner", "rules")
    ended = made.lesion("report", *asked, "--queue", "-o", "-")
    assert ended.code == 0, ended.err
    assert "removing mix (Linear) costs more than δ" in ended.out
    assert "Not measured: removing module:mix and module:shift together" in ended.out
    assert "in the queue as 0001" in ended.err
    assert "module:mix + module:shift" in (made.state / "queue" / "0001.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--style", "florid"], "'terse', 'narrative', 'rebuttal'"),
        (["--style", "rebuttal"], "say what the reviewer asks"),
        (["--question", "Why?"], "goes with --style rebuttal"),
        (["--queue"], "goes with --style rebuttal"),
        (["-o", "-"], "printing takes"),
        (["--style", "terse", "--planner", "llm"], "LESION_MODEL"),
    ],
)
def test_wrong_input_is_one_clear_error(made, arguments, told):
    ended = made.lesion("report", *arguments)
    assert ended.code == 2
    assert told in " ".join(ended.err.replace("│", " ").split())
    assert "Traceback" not in ended.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(made):
    made.state.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        ended = made.lesion("report", "--style", "terse", "--planner", "rules")
    finally:
        made.state.chmod(stat.S_IRWXU)
    assert ended.code == 2 and "cannot be kept" in ended.err
