"""Sentences written about known results, true and false, and how the checker does on them."""

from pathlib import Path
from typing import NamedTuple

from lesion.agent.prose.checking.check import check
from lesion.agent.prose.checking.finding import offending
from lesion.agent.prose.facts import Facts
from lesion.agent.results import Results
from simulated_results import minimising, results, three_modes

HERE = Path(__file__).parent
STUDIES = {
    "S": Facts(results()),
    "M": Facts(three_modes()),
    "L": Facts(minimising()),
    **{
        name[0].upper(): Facts(Results.model_validate_json((HERE / f"{name}.json").read_text()))
        for name in ("induction", "planted", "digits")
    },
}
"""Simulated (accuracy), simulated in three modes, simulated on a loss, and three real ones: the heads of a
small transformer, a network with planted structure, a recipe on digits."""


class Written(NamedTuple):
    study: str
    kind: str
    text: str


def sentences(name):
    """One a line: study, format, sentence."""
    lines = (HERE / name).read_text().splitlines()
    return [Written(*line.split(" ", 2)) for line in lines if line.strip()]


def findings(one):
    return check(one.text, STUDIES[one.study], one.kind)


def refused(one):
    return bool(offending(findings(one)))
