"""Sentences written about known results, true and false, and how the checker does on them."""

import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "report"))

from lesion.agent.prose.checking.check import Finding, check, offending
from lesion.agent.prose.facts import Facts
from lesion.agent.results import Results
from simulated_results import minimising, results, three_modes

STUDIES = {
    "S": Facts(results()),
    "M": Facts(three_modes()),
    "L": Facts(minimising()),
    "I": Facts(Results.model_validate_json((HERE / "induction.json").read_text())),
}


class Written(NamedTuple):
    study: str
    kind: str
    text: str


def sentences(name):
    lines = (HERE / name).read_text().splitlines()
    return [Written(*line.split(" ", 2)) for line in lines if line.strip()]


def findings(one) -> tuple[Finding, ...]:
    return check(one.text, STUDIES[one.study], one.kind)


def refused(one) -> bool:
    return bool(offending(findings(one)))
