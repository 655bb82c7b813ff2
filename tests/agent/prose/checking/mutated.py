"""Falsehoods made mechanically of true sentences: one digit, component, direction, verdict or mode is changed."""

import re

from hitrate import STUDIES, Written

DIRECTIONS = {
    "lowers": "raises",
    "reduces": "increases",
    "decreases": "increases",
    "falls": "rises",
    "drops": "rises",
    "improves": "degrades",
    "raises": "lowers",
    "increases": "reduces",
    "rises": "falls",
    "matters": "hurts",
    "hurts": "matters",
    "more": "less",
}
VERDICTS = {
    "negligible": "essential",
    "undecided": "negligible",
    "additive": "redundant with each other",
    "matters": "does not matter",
    "hurts": "does not hurt",
    "matter": "do not matter",
    "compensate for": "do not interact with",
    "structural": "negligible",
}
MODES = {"re-evaluation": "retraining", "retraining": "re-evaluation", "fine-tuning": "retraining"}
_NUMBER = re.compile(r"(?<![\w.§~-])(?P<whole>\d*)\.(?P<part>\d+)(?!\.?\d|\.\w)")


def mutated(one):
    """Kind of change and sentence, for each change that the sentence allows."""
    made = {
        "digit": _digit(one.text),
        "component": _component(one),
        "direction": _word(one.text, DIRECTIONS),
        "verdict": _word(one.text, VERDICTS),
        "mode": _word(one.text, MODES) if one.study == "M" else None,
    }
    return [(kind, Written(one.study, one.kind, text)) for kind, text in made.items() if text and text != one.text]


def _digit(text):
    """The first digit that is not zero becomes another."""
    found = next((n for n in _NUMBER.finditer(text) if re.search("[1-9]", n[0])), None)
    if found is None:
        return None
    at = found.start() + re.search("[1-9]", found[0]).start()
    return text[:at] + str((int(text[at]) + 2) % 9 + 1) + text[at + 1 :]


def _component(one):
    """The one component of a study that a sentence names becomes another with another verdict."""
    effects = [e for e in STUDIES[one.study].results.effects if e.role == "confirmatory" and len(e.components) == 1]
    named = {e.labels[0]: e for e in effects if re.search(rf"\b{re.escape(e.labels[0])}\b", one.text, re.IGNORECASE)}
    if len(named) != 1:
        return None
    label, effect = next(iter(named.items()))
    other = next(
        (
            e.labels[0]
            for e in effects
            if e.verdict != effect.verdict and e.mode == effect.mode and e.metric == effect.metric
        ),
        None,
    )
    return re.sub(rf"\b{re.escape(label)}\b", other, one.text, flags=re.IGNORECASE) if other else None


def _word(text, table):
    found = re.search(rf"\b(?:{'|'.join(map(re.escape, table))})\b", text, re.IGNORECASE)
    return text[: found.start()] + table[found[0].lower()] + text[found.end() :] if found else None
