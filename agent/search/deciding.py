"""Deciding whether sets hold a hidden group: each is measured until that is sure, and groups are narrowed down by halving."""

from collections.abc import Generator, Sequence

from .expectation import Expectation
from .system import Members, Runs

SURE = 4.0
"""Log likelihood ratio at which a set is decided: an error of about 2%."""
LIKELY = 2.0
"""Log likelihood ratio from which a set is taken to hold a group; between 0 and this another set may tell."""
MOST_REPEATS = 6
MOST_MEMBERS = 5
"""Larger minimal groups are not narrowed down."""

Halving = Generator[Members, bool, Members | None]


def decide(runs: Runs, expectation: Expectation, sets: Sequence[Members]) -> list[float]:
    """Measure every set until it is clean (≤ −SURE), holds a group (≥ SURE), or was measured often enough.

    Wald's sequential probability ratio test (Annals of Mathematical Statistics 16:117, 1945), side by side.

    Returns:
        Log likelihood ratio of every set, of a group that costs δ against none; NaN where its runs gave nothing.
    """
    most = MOST_REPEATS if runs.system.repeatable else 1
    wanted = list(dict.fromkeys(one for one in sets if one not in runs.values))
    while True:
        runs.measure(wanted)
        found = {one: evidence(runs, expectation, one) for one in sets}
        wanted = [one for one, ratio in found.items() if not abs(ratio) >= SURE and len(runs.values[one]) < most]
        if not wanted:
            return [found[one] for one in sets]


def evidence(runs: Runs, expectation: Expectation, members: Members) -> float:
    """Log likelihood ratio of a group in a measured set."""
    value, count = runs.mean(members)
    return expectation.evidence(value, len(members), count) if count else float("nan")


def narrow(runs: Runs, expectation: Expectation, suspects: Sequence[Sequence[int]]) -> list[Members | None]:
    """A minimal group of every suspect set, all narrowed down side by side; None where it did not hold one after all."""
    halvings = [minimal_group(list(one)) for one in suspects]
    found: list[Members | None] = [None] * len(halvings)
    asked = {at: next(one) for at, one in enumerate(halvings)}
    while asked:
        ratios = decide(runs, expectation, list(asked.values()))
        answers = dict(zip(asked, ratios, strict=True))
        asked = {}
        for at, ratio in answers.items():
            try:
                asked[at] = halvings[at].send(ratio > 0)
            except StopIteration as end:
                found[at] = end.value
    return found


def minimal_group(suspects: list[int]) -> Halving:
    """Ask whether sets hold a group, and end with a minimal one inside `suspects`, which are known to hold one.

    The shortest prefix that still holds it ends in a member; with that one always included, the next is looked for before
    it: order · log₂ of the size questions, whatever the order (after Angluin & Chen, JMLR 7:2215, 2006).
    """
    group: list[int] = []
    while suspects and len(group) < MOST_MEMBERS:
        clean, holds = 0, len(suspects)
        while holds - clean > 1:
            middle = (clean + holds) // 2
            if (yield frozenset([*group, *suspects[:middle]])):
                holds = middle
            else:
                clean = middle
        if group and holds == 1 and (yield frozenset(group)):
            return frozenset(group)  # it never needed the others
        group.append(suspects[holds - 1])
        suspects = suspects[: holds - 1]
        if len(group) > 1 and (yield frozenset(group)):
            return frozenset(group)
    return frozenset(group) if len(group) == 1 and (yield frozenset(group)) else None
