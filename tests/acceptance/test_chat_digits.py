"""The digits example in a conversation without a model: every slash command, from a first look to the report."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from lesion.agent.chat.commandlist import COMMANDS

from tests.experiments import Ended, Project

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
AUTO = ("--mode", "auto", "--max-trials", "60", "--for", "20m")
SMALL = {
    "lesion.toml": [
        ('["config:*", "module:block"]', '["config:batch_norm", "config:residual"]'),
        ("max_seeds = 10", "max_seeds = 3"),
        ("seeds = 5", "seeds = 3"),
        ("[limits]", "[limits]\nprice_hour = 3600.0"),
    ],
    "config.yaml": [("epochs: 25", "epochs: 4")],
}
"""Fewer parts, seeds and epochs: minutes become seconds, and the verdicts are no matter."""
PARTS = ["config:batch_norm", "config:residual"]
JOINT = " + ".join(PARTS)


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The example, made small."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    shutil.copytree(DIGITS, folder, ignore=shutil.ignore_patterns(".lesion", "__pycache__"))
    made = Project(folder, "digits")
    for name, edits in SMALL.items():
        for old, new in edits:
            made.edit(name, old, new)
    return made


def say(digits: Project, *messages: str) -> Ended:
    """In auto, without a model."""
    said = [part for message in messages for part in ("--message", message)]
    ended = digits.lesion("chat", *said, *AUTO, "--json")
    assert ended.code == 0, ended.out
    assert "Traceback" not in ended.err
    return ended


def told(ended: Ended, event: str) -> list[dict[str, Any]]:
    return [one for one in ended.records if one["event"] == event]


def notes(ended: Ended) -> str:
    return "\n".join(one["text"] for one in told(ended, "note"))


def ran(digits: Project) -> int:
    return digits.rows("SELECT COUNT(*) FROM trials WHERE status = 'ok'")[0][0]


def effects(results: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["ablation"]: one for one in results["effects"] if one["metric"] == "accuracy"}


def test_every_command_from_a_first_look_to_the_report(digits: Project):
    used: list[str] = []

    def chat(*messages: str) -> Ended:
        used.extend(message[1:].split()[0] for message in messages)
        return say(digits, *messages)

    _first_look(chat, digits)
    _one_batch(chat, digits)
    _together(chat, digits)
    _what_it_says(chat, digits)
    _to_the_end(chat, digits)
    assert set(used) == {one.name for one in COMMANDS}


def _first_look(chat, digits: Project) -> None:
    looked = chat(
        *("/help", "/components config:*", "/source experiment.py:1-5", "/plan", "/diff"),
        *("/status", "/results", "/queue", "/stop"),
    )
    commands, components, added, draft = told(looked, "table")
    assert [row[0].split()[0] for row in commands["rows"]] == [f"/{one.name}" for one in COMMANDS]
    known = {row[0]: row for row in components["rows"]}
    assert known["config:dropout"][2] == "dropout = 0.0"
    lines = (digits.folder / "config.yaml").read_text().splitlines()
    assert all(lines[int(row[4].split(":")[1]) - 1].split(":")[0] in row[0] for row in known.values())
    [source] = told(looked, "source")
    assert source["text"] == "\n".join((digits.folder / "experiment.py").read_text().splitlines()[:5])
    assert sorted(row[0] for row in added["rows"]) == sorted(row[0] for row in draft["rows"]) == PARTS
    assert "draft: 2 ablations" in notes(looked)
    assert "Nothing is measured yet" in notes(looked)
    assert "Nothing that was approved waits" in notes(looked)
    assert "Nothing is running" in notes(looked)
    assert not (digits.state / "ledger.db").exists()


def _one_batch(chat, digits: Project) -> None:
    refused = digits.lesion("chat", "--message", "/mode ask", "--message", "/run", "--json")
    [asked] = told(refused, "approval")
    batch = chat("/run", "/status", "/cost")
    assert asked["price"]["first_look"] == asked["price"]["most"] == ran(digits) == 9
    assert told(batch, "forest")[-1]["title"].startswith("round 1 is over")
    assert "9 of 9 trials" in notes(batch)
    [costs] = told(batch, "table")
    rows = dict(costs["rows"])
    assert rows["trials started"] == "9"
    spent = float(rows["dollars for the machine"].removeprefix("about $"))
    assert 0 < spent < asked["price"]["most"] * 120, "at most the time that every trial may take"


def _together(chat, digits: Project) -> None:
    joint = chat(f"/interactions {' '.join(PARTS)}", "/run", "/interactions")
    assert "not in the draft" not in notes(joint)
    assert ran(digits) == 12
    [found] = digits.results()["interactions"][:1]
    shown = told(joint, "table")[-1]["rows"]
    assert [row[:2] for row in shown] == [[JOINT, found["verdict"]]]


def _what_it_says(chat, digits: Project) -> None:
    ended = chat(
        "/results", "/why config:batch_norm", "/settle", "/draft", "/report", "/model none", "/mode ask", "/quit"
    )
    results = digits.results()
    found = effects(results)
    shown = told(ended, "table")[0]["rows"]
    assert [row[0] for row in shown if row[0] in PARTS]
    assert {row[0]: row[1].split(",")[0] for row in shown} == {name: one["verdict"] for name, one in found.items()}
    for row in told(ended, "forest")[0]["rows"]:
        assert (row["delta"], row["verdict"]) == (found[row["name"]]["delta"], found[row["name"]]["verdict"])
    why, *_, paragraph = (one["text"] for one in told(ended, "prose"))
    assert found["config:batch_norm"]["verdict"] in why
    assert "batch_norm = false" in why
    _numbers_are_measured(paragraph, results)
    report = json.loads((digits.state / "report" / "report.json").read_text())
    assert effects(report) == found
    assert "No language model answers" in notes(ended)
    assert "mode: ask" in notes(ended)


def _to_the_end(chat, digits: Project) -> None:
    ended = chat("/run", "/status")
    results = digits.results()
    assert results["study"]["complete"]
    assert "digits: complete" in notes(ended)
    assert results["accounting"]["planned"] == results["accounting"]["ok"] == ran(digits)


def _numbers_are_measured(paragraph: str, results: dict[str, Any]) -> None:
    """Every decimal of the paragraph is one of the report's numbers, rounded."""
    measured = list(_numbers(results))
    typed = re.findall(r"(?<![\w.])[-−+]?\d*\.\d+", paragraph)
    assert len(typed) > 5
    for one in typed:
        digits = len(one.partition(".")[2])
        value = abs(float(one.replace("−", "-")))
        assert any(abs(abs(each) - value) <= 0.51 * 10**-digits for each in measured), one


def _numbers(found: Any) -> list[float]:
    match found:
        case dict():
            return [each for one in found.values() for each in _numbers(one)]
        case list():
            return [each for one in found for each in _numbers(one)]
        case bool():
            return []
        case int() | float():
            return [float(found)]
        case _:
            return []
