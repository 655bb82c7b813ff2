"""How much fine-tuning gave back, in words."""

import re
from collections.abc import Iterator
from dataclasses import replace

from ...report import numbers
from ...results import Effect
from .clauses import Clause
from .finding import Outcome
from .ground import Ground, Scope
from .held import found_of
from .stated import Stated, subjects_of

_GIVEN_BACK = re.compile(
    r"\b(?:giv(?:es?|en|ing) back|gave back|recover(?:s|ed)?|restor(?:es?|ed)|regain(?:s|ed)?|undo(?:es)?|repairs?)\s+(?:almost |nearly |virtually |practically )?(?P<how>all|everything|nothing|most|none|little|fully|completely|half)\b"
    r"|\b(?P<whole>fully|completely|entirely|mostly|largely) (?:recover(?:s|ed|able)?|restored|regained|given back)\b|\b(?P<none>(?:not|never|n['’]t) (?:recover|give back|restore)\w*|irrecoverable|unrecoverable)\b",
    re.IGNORECASE,
)


_FRACTIONS = {
    "all": (0.95, 1.5), "everything": (0.95, 1.5), "fully": (0.95, 1.5), "completely": (0.95, 1.5), "entirely": (0.95, 1.5),
    "most": (0.5, 1.5), "mostly": (0.5, 1.5), "largely": (0.5, 1.5), "half": (0.45, 0.55), "little": (-1.0, 0.25), "nothing": (-1.0, 0.05),
    "none": (-1.0, 0.05), "not": (-1.0, 0.05),
}  # fmt: skip


def given_back(ground: Ground, clause: Clause) -> Iterator[Stated]:
    """How much fine-tuning gave back, in words."""
    for said_so in _GIVEN_BACK.finditer(clause.words):
        start, end = clause.start + said_so.start(), clause.start + said_so.end()
        low, high = _FRACTIONS[(said_so["how"] or said_so["whole"] or "not").lower()]
        scope = Scope(("recover",), clause.scope.metrics, clause.scope.kinds)
        for subject in subjects_of(clause, start, end):
            if not found_of(ground, replace(clause, scope=scope), subject):
                yield Stated(
                    start, end, said_so[0], "unbacked", "nothing was fine-tuned after cutting it", None, "changed"
                )
            for one in found_of(ground, replace(clause, scope=scope), subject):
                fraction = one.recovered.fraction if isinstance(one, Effect) and one.recovered is not None else None
                outcome: Outcome = (
                    "unbacked" if fraction is None else "backed" if low <= fraction <= high else "contradicted"
                )
                told = (
                    "it is not known how much was given back"
                    if fraction is None
                    else f"{numbers.percent(fraction, 2)} was given back"
                )
                yield Stated(start, end, said_so[0], outcome, told, one, "changed")
