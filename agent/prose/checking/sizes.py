"""How many removals there are to be counted."""

import re
from collections.abc import Iterable

from ...results import Interaction
from .clauses import Clause
from .ground import Found, Ground


def pool_of(ground: Ground, clause: Clause, words: str) -> list[Found]:
    """The removals that a noun counts."""
    if re.search(r"\b(?:pairs?|joint|groups?|interactions?|combinations?|together)\b", words, re.IGNORECASE):
        return list(ground.pairs(clause.scope))
    if layer := re.search(r"\bheads (?:of|in) (?:the )?\W?(?P<path>\w[\w.]*\w)", clause.text):
        inside = [
            e for e in ground.family(clause.scope, "head") if e.components[0].startswith(f"head:{layer['path']}/")
        ]
        if inside:
            return list(inside)
    return list(ground.family(clause.scope, "head" if re.search(r"\bheads?\b", words, re.IGNORECASE) else ""))


def sizes_of(ground: Ground, clause: Clause, words: str) -> set[int]:
    """How many removals there are of what is counted."""
    pool = pool_of(ground, clause, words)
    study = ground.results.study
    sizes = {distinct(pool)}
    if not re.search(r"\bheads?\b|joint|pairs?|groups?", words):
        sizes |= {study.family_size, *study.family_sizes.values()}
    return sizes


def total_sizes(ground: Ground, words: str) -> set[int]:
    """Counts of removals that stand in a report; where parts are counted, and not removals, each counts once."""
    effects, joints = ground.results.effects, ground.results.interactions
    by_role = [
        [e for e in effects if e.role == role] for role in ("confirmatory", "sensitivity", "control", "exploratory")
    ]
    parts = _heads_of_each(c for e in effects for c in e.components)
    parts |= {len({tuple(e.components) for e in effects if len(e.components) == 1})}
    parts |= {len({c for e in effects for c in e.components})}
    parts |= {len({e.ablation for role in (1, 3) for e in by_role[role] if e.mode == mode}) for mode in ground.modes}
    if re.match(r"\s*(?:\w+ )?(?:components?|parts?|modules?|layers?|heads?|blocks?)\b", words):
        return parts
    removals = {
        len({(e.ablation, e.mode) for e in effects}),
        len({(j.ablation, j.mode) for j in joints}),
        len({j.ablation for j in joints}),
    }
    return parts | removals | {len({(e.ablation, e.mode) for e in one}) for one in by_role}


def _heads_of_each(components: Iterable[str]) -> set[int]:
    """How many heads stand in one layer."""
    layers = [
        component.rpartition("/")[0]
        for component in set(components)
        if component.startswith("head:") and "/" in component
    ]
    return {layers.count(layer) for layer in layers}


def distinct(pool: list[Found]) -> int:
    """How many different removals."""
    return len(
        {(one.ablation, tuple(one.components)) if isinstance(one, Interaction) else (one.ablation, ()) for one in pool}
    )
