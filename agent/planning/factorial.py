"""A full factorial: which components are crossed, and every combination of them as an ablation of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import combinations
from typing import NamedTuple

from ... import prompts
from ...executor.errors import StudyFileError
from ...executor.interventions import SWITCHES
from ..components import Component, overlap
from ..results import Mode, Prediction
from .plan import Ablation, Dropped, Plan, joint_id, nearest
from .planner import Learnt

FACTORIAL = "factorial"
"""`why` of the ablations that are its cells."""
MOST_FACTORS = 5
UNUSABLE = ("structural", "untestable")


@dataclass(frozen=True)
class Wish:
    """What the study says about its factorial."""

    patterns: Sequence[str]
    """`study.factorial`: ids or glob patterns; empty: whatever is removed alone in round 1."""
    seeds: int
    """Of the first look, to say what it would take."""
    where: str
    """The study file."""


class Cells(NamedTuple):
    """A factorial's ablations, and what was left out of it with the reason."""

    ablations: list[Ablation]
    dropped: list[Dropped]


def factors_of(wish: Wish, allowed: Mapping[str, Sequence[Mode]], known: Mapping[str, Component]) -> list[str]:
    """The ids of the two to five components to be crossed.

    Args:
        wish: what the study says.
        allowed: component → the modes it is asked in, of those with a single removal.
        known: every component by its id.

    Raises:
        StudyFileError: too few or too many, one holds another, a pattern fits none, no mode fits all; all at once.
    """
    globs = wish.patterns or ["*"]
    found = [name for name in allowed if any(fnmatchcase(name, glob) for glob in globs)]
    problems = [
        f"no component that is removed alone in round 1 is named {glob!r}{nearest(glob, list(allowed))}"
        for glob in wish.patterns
        if not any(fnmatchcase(name, glob) for name in allowed)
    ]
    problems += _number_problems(found, wish)
    if len(found) <= MOST_FACTORS:
        problems += [
            f"{first} and {second} overlap: one holds the other, so they cannot be removed apart"
            for first, second in combinations(found, 2)
            if overlap(known[first], known[second])
        ]
        if len(found) > 1 and not _shared_modes([allowed[one] for one in found]):
            problems.append("no mode can ask for all of them: what the configuration switches acts on training alone")
    if problems:
        raise StudyFileError(
            "study.factorial: a full factorial cannot be planned:\n  " + "\n  ".join(problems),
            where=wish.where,
            to_do=f"name 2 to {MOST_FACTORS} components that stand apart, as in "
            'factorial = ["config:dropout", "config:augment"]; see `lesion inspect` for their ids',
        )
    return found


def _number_problems(found: Sequence[str], wish: Wish) -> list[str]:
    named = ", ".join(found[:12]) + (f" and {len(found) - 12} more" if len(found) > 12 else "")
    asked = f"{', '.join(map(repr, wish.patterns))} fit" if wish.patterns else "without such a list all are crossed:"
    if len(found) > MOST_FACTORS:
        arms = (
            f"2^{len(found)} = {1 << len(found):,} combinations" if len(found) <= 20 else f"2^{len(found)} combinations"
        )
        runs = f", {(1 << len(found)) * wish.seeds:,} runs at {wish.seeds} seeds" if len(found) <= 20 else ""
        return [f"{asked} {len(found)} components ({named}), {arms}{runs}; at most {MOST_FACTORS} can be crossed"]
    return [
        f"{asked} {len(found)} component{'s' * (len(found) != 1)} ({named or 'none'}); two at least are crossed"
    ] * (len(found) < 2)


def _shared_modes(modes: Sequence[Sequence[Mode]]) -> list[Mode]:
    return [mode for mode in modes[0] if all(mode in each for each in modes)]


def cross(learnt: Learnt, factors: Sequence[str], allowed: Mapping[str, Sequence[Mode]]) -> Cells:
    """Every combination of the factors that no round has crossed yet, mode by mode; what cannot be removed is left out."""
    modes: dict[frozenset[str], list[Mode]] = {}
    dropped: dict[str, Dropped] = {}
    for mode in _shared_modes([allowed[one] for one in factors]):
        left_out = {one: reason for one in factors if (reason := _unusable(learnt, mode, one))}
        usable = [one for one in factors if one not in left_out]
        if len(usable) < 2 or any(set(usable) == set(crossed(plan, mode)) for plan in learnt.plans):
            continue
        dropped |= {one: Dropped(id=f"{one} in the factorial", reason=reason) for one, reason in left_out.items()}
        for size in range(2, len(usable) + 1):
            for parts in combinations(usable, size):
                modes.setdefault(frozenset(parts), []).append(mode)
    planned = {one.id: one for plan in learnt.plans for one in plan.ablations}
    known = {one.id: one for one in learnt.components}
    number = len(learnt.plans) + 1
    return Cells([_cell(parts, asked, planned, known, number) for parts, asked in modes.items()], [*dropped.values()])


def merged(others: Sequence[Ablation], cells: Sequence[Ablation]) -> list[Ablation]:
    """One round's ablations: a cell stands for a follow-up of the same name, unless that is asked in further modes too."""
    by_id = {one.id: one for one in cells}
    covered = {one.id for one in others if one.id in by_id and set(one.modes) <= set(by_id[one.id].modes)}
    kept = [one for one in others if one.id not in covered]
    taken = {one.id for one in kept}
    return [*kept, *(_renamed(one) if one.id in taken else one for one in cells)]


def crossed(plan: Plan, mode: Mode) -> list[str]:
    """The components that a round crosses in one mode, in a fixed order; empty where it crosses none."""
    cells = [one for one in plan.ablations if one.why == FACTORIAL and one.asks(mode)]
    return sorted({part for one in cells for part in one.components})


def _unusable(learnt: Learnt, mode: Mode, component: str) -> str | None:
    """Why no cell without this component can be run, as its single removal has shown."""
    found = [one for one in learnt.effects if one.ablation == component and one.mode == mode]
    if not found:
        return f"its single removal was not run ({mode})"
    first = found[0]
    idle = first.verdict == "no-op" and first.intervention_kind not in SWITCHES
    if first.verdict in UNUSABLE or idle:
        return f"its single removal came out as {first.verdict} ({mode}): the others are crossed without it"
    return None


def _cell(
    parts: frozenset[str],
    modes: Sequence[Mode],
    planned: Mapping[str, Ablation],
    known: Mapping[str, Component],
    number: int,
) -> Ablation:
    members = [known[part] for part in sorted(parts)]
    singles = [planned[one.id] for one in members]
    size = sum(one.prediction.size for one in singles)
    cell = Ablation(
        id=joint_id(list(parts)),
        components=[one.id for one in members],
        interventions=[each for one in singles for each in one.interventions],
        hypothesis=prompts.render("rules/joint.j2", why=FACTORIAL, labels=[one.label for one in members]),
        prediction=Prediction(direction="worse" if size >= 1 else "none" if size > -1 else "better", size=size),
        role="exploratory",
        modes=list(modes),
        why=FACTORIAL,
    )
    return _renamed(cell, number) if cell.id in planned else cell


def _renamed(cell: Ablation, number: int | None = None) -> Ablation:
    """A cell that shares its runs with an ablation of another round or purpose, under a name of its own."""
    return cell.model_copy(update={"id": f"factorial{f' of round {number}' if number else ''}: {cell.id}"})
