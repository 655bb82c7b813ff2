"""What one study has to say in the morning, a short line a point, in the order in which it is needed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from ...prompts import phrases
from ..firstline import first_line
from ..records.base import OPEN, EffectVerdict, InteractionVerdict, Mode
from ..report import numbers, selection
from ..report.text import plain, prepared
from ..results import Effect, Interaction, Results
from .columns import fitted, fitted_names
from .failed import failed
from .verdicts import changed, surprises

Part = Literal["NOT RUN", "TROUBLE", "CHANGED", "NEW", "SURPRISE", "TOGETHER", "OPEN", "REPORT"]
FOUND: tuple[InteractionVerdict, ...] = ("compensation", "irreducible", "redundancy", "synergy")
"""Verdicts that are interactions."""
_NAME = 34
"""Columns of a removal's name."""
_REASON = 160
"""Characters of a reason, before the line is cut to fit."""


@dataclass(frozen=True)
class Told:
    """All that a night knows of one study when it is over."""

    name: str
    results: Results | None
    """None: nothing was measured."""
    reason: str
    """`complete`, or what stopped it."""
    complete: bool
    before: Mapping[str, str]
    """Verdicts when the night began (`verdicts`)."""
    problems: Sequence[str] = ()
    """What went wrong and was gone on from."""
    report: Path | None = None


class Point(NamedTuple):
    """One line of one study."""

    part: Part
    rank: int
    """Smaller stands first among the points of all studies."""
    text: str


def points(told: Told) -> list[Point]:
    """Everything, each part from its beginning."""
    safe = None if told.results is None else prepared(told.results, plain)
    found: list[Point] = [
        *_not_run(told, safe),
        *(Point("TROUBLE", rank, plain(first_line(text))) for rank, text in enumerate(told.problems)),
        *_retried(told, safe),
    ]
    if safe is not None:
        found += _learnt(told, safe)
    if told.report is not None:
        found.append(Point("REPORT", 0, plain(str(told.report))))
    return found


def _not_run(told: Told, results: Results | None) -> Iterator[Point]:
    """Whole studies first, then what failed, what was skipped, and what never became a trial."""
    reason = plain(first_line(told.reason))[:_REASON]
    if results is None:
        yield Point("NOT RUN", 0, _words().nothing(reason))
        return
    a = results.accounting
    if not told.complete:
        lasting = numbers.duration(a.pending_seconds) if a.pending_seconds else None
        yield Point("NOT RUN", 1, _words().stopped(reason, a.pending, lasting, planned=bool(results.planned)))
    elif a.pending:
        yield Point("NOT RUN", 1, _words().skipped(a.pending, "still to run"))
    yield from (Point("NOT RUN", 2, text) for text in failed(results, _NAME))
    for why, count in a.skipped_why.items():
        yield Point("NOT RUN", 3, _words().skipped(count, plain(why)[:_REASON]))
    if unexplained := a.skipped - a.pending - sum(a.skipped_why.values()):
        yield Point("NOT RUN", 3, _words().skipped(unexplained, None))
    if dropped := [one for one in results.planned if one.fate == "dropped"]:
        reason = first_line(dropped[0].reason or "")[:_REASON]
        yield Point("NOT RUN", 4, _words().dropped(len(dropped), fitted(dropped[0].ablation, _NAME), reason))


def _retried(told: Told, results: Results | None) -> Iterator[Point]:
    if results and results.accounting.retried:
        yield Point("TROUBLE", len(told.problems), _words().retried(results.accounting.retried))


def _learnt(told: Told, results: Results) -> Iterator[Point]:
    effects = {(one.mode, one.ablation): one for one in results.effects if one.metric == results.study.primary}
    joints = {(one.mode, one.ablation): one for one in results.interactions if one.metric == results.study.primary}
    several = len(selection.modes(results)) > 1
    before = {plain(key): verdict for key, verdict in told.before.items()}

    def mode(one: Mode) -> str | None:
        return one if several else None

    changes = changed(before, results)
    others = [one for one in changes if one.before is not None]
    yield from _otherwise(results, split=bool(others))
    for rank, one in enumerate(others):
        found = (joints if one.interaction else effects)[one.mode, one.ablation]
        yield Point("CHANGED", rank, _words().changed(_name(found), plain(one.before or ""), one.now, mode(one.mode)))
    fresh = [effects[one.mode, one.ablation] for one in changes if one.before is None and not one.interaction]
    for each in selection.modes(results):
        yield from _fresh([one for one in fresh if one.mode == each], mode(each))
    for rank, each in enumerate(surprises(before, results)):
        found = effects[each.mode, each.ablation]
        delta = None if found.delta is None else numbers.number(found.delta, found.interval, signed=True)
        text = _words().surprise(_name(found), each.expected, each.verdict, delta, mode(each.mode), each.new)
        yield Point("SURPRISE", rank, text)
    yield from _together(joints.values(), mode)
    yield from _open(results, mode)


def _otherwise(results: Results, *, split: bool) -> Iterator[Point]:
    """What of the evening is not to be compared, before verdicts are; `split`: whether any differs."""
    night = results.night
    if night and night.edited_from:
        yield Point("CHANGED", -2, _words().edited(plain(night.edited_from[:8])))
    if night and night.split_from and split:
        yield Point("CHANGED", -1, _words().other_split(plain(night.split_from), results.study.split))


def _fresh(effects: Sequence[Effect], mode: str | None) -> Iterator[Point]:
    """First verdicts: one line a verdict, with names where it is a finding by itself."""
    for rank, verdict in enumerate(("matters", "hurts")):
        if same := [one for one in effects if one.verdict == verdict]:
            yield Point(
                "NEW", rank, _words().fresh(verdict, len(same), ", ".join(_name(one, 20) for one in same), mode)
            )
    rest = {verdict: sum(one.verdict == verdict for one in effects) for verdict in get_args(EffectVerdict)}
    if counts := {verdict: count for verdict, count in rest.items() if count and verdict not in ("matters", "hurts")}:
        yield Point("NEW", 2, _words().others(counts, mode))


def _together(joints: Any, mode: Callable[[Mode], str | None]) -> Iterator[Point]:
    found: list[Interaction] = sorted(
        (one for one in joints if one.verdict in FOUND), key=lambda one: -abs(one.contrast or 0.0)
    )
    for rank, one in enumerate(found):
        observed = numbers.number(one.observed, one.observed_interval)
        additive = numbers.number(one.additive, one.interval)
        yield Point("TOGETHER", rank, _words().together(_name(one), one.verdict, observed, additive, mode(one.mode)))


def _open(results: Results, mode: Callable[[Mode], str | None]) -> Iterator[Point]:
    for rank, each in enumerate(selection.modes(results)):
        open_ = [one for one in selection.confirmatory(results, each) if one.verdict in OPEN]
        known = results.settling.get(each)
        if known and known.undecided:
            first = results.study.looks[0][0] if results.study.looks else 1
            short = [one for one in open_ if one.n < (first if one.unit == "seed" else 1)]
            bare = sum(one.seeds_to_settle is None for one in short)
            lasting = None if known.seconds is None else numbers.duration(known.seconds)
            beyond = max(0, known.unknown - bare)
            text = _words().undecided(known.undecided, (beyond, bare), known.trials, lasting, mode(each))
            yield Point("OPEN", rank, text)
        elif not known and open_:
            yield Point("OPEN", rank, _words().left_open(len(open_), mode(each)))


def _name(found: Effect | Interaction, columns: int = _NAME) -> str:
    return fitted_names(found.labels or found.components or [found.ablation], columns)


def _words() -> Any:
    return phrases("night/words.j2")
