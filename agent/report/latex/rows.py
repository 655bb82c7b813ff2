"""What a float in the paper shows of many findings: the rows a reader must know, and the marks and notes on them."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from string import ascii_lowercase
from typing import TypeVar

from ....prompts import phrases
from ...results import Effect, Interaction, Mode, Results
from .. import numbers, selection
from .escaping import latex
from .references import other_mean

MOST_EFFECTS, MOST_JOINTS = 24, 14
_LINES, _LINE = 42, 22
"""Lines of a float, and letters of a name in one of them, in the narrowest of columns."""
_FEWEST = 12
_MOST_NOTES = 12
_COMMANDS = re.compile(r"\\(?:allowbreak|[A-Za-z]+(?=\{\}))|[\\{}$]")
_ROUNDING = 1e-6
"""Of float32, with room: differences that vary by less do not vary."""
DIFFERENT = ("matters", "hurts", "detected")
TOGETHER = ("compensation", "irreducible", "redundancy", "synergy", "saturation-limited")


_F = TypeVar("_F", Effect, Interaction)


@dataclass
class Notes:
    """Footnotes of one table: every text once, under a letter; past the last letter that fits, verdicts without reasons."""

    texts: list[str] = field(default_factory=list[str])

    def letter(self, text: str, shorter: str) -> str:
        """The letter of a note."""
        told = text if text in self.texts or len(self.texts) < _MOST_NOTES else shorter
        if told not in self.texts:
            self.texts.append(told)
        return ascii_lowercase[self.texts.index(told)]

    @property
    def lettered(self) -> list[tuple[str, str]]:
        """Every letter with its text."""
        return list(zip(ascii_lowercase, self.texts, strict=False))


def shown_effects(results: Results, mode: Mode) -> list[Effect]:
    """The sealed family on the primary metric; of a large one what made a difference, or what comes closest to it."""
    family = selection.confirmatory(results, mode)
    if len(_fitting(family)) == len(family) <= MOST_EFFECTS:
        return family
    measured = sorted((e for e in family if _loss(results, e) is not None), key=lambda e: -abs(_loss(results, e) or 0))
    different = [e for e in measured if e.verdict in DIFFERENT]
    closest = [e for e in measured if e not in different][: max(0, _FEWEST - len(different))]
    return selection.by_loss(results, _fitting([*different[:MOST_EFFECTS], *closest]))


def _loss(results: Results, e: Effect) -> float | None:
    return None if e.verdict in selection.UNMEASURED else selection.loss(results, e)


def shown_joints(results: Results, mode: Mode) -> list[Interaction]:
    """Joint removals on the primary metric, those that interact first."""
    joints = [j for j in selection.interactions(results, mode) if j.metric == results.study.primary]
    order = {verdict: at for at, verdict in enumerate(TOGETHER)}
    return _fitting(sorted(joints, key=lambda j: order.get(j.verdict, len(order)))[:MOST_JOINTS])


def _fitting(found: list[_F]) -> list[_F]:
    """As many as a page holds, also in a narrow column that wraps long names."""
    lines = accumulate(-(-len(_COMMANDS.sub("", selection.name(each))) // _LINE) for each in found)
    return [each for each, so_far in zip(found, lines, strict=True) if so_far <= _LINES]


def left_out(all_of: Sequence[Effect | Interaction], shown: Iterable[Effect | Interaction]) -> dict[str, int]:
    """Verdict → how many are not shown."""
    ids = {id(each) for each in shown}
    return dict(Counter(str(each.verdict) for each in all_of if id(each) not in ids).most_common())


@dataclass(frozen=True)
class Shown:
    """What one cell of a table holds, as LaTeX; `marks` stand behind the interval, or behind the dash without one."""

    mean: str
    delta: str
    interval: str
    marks: tuple[str, ...]


def shown(results: Results, e: Effect | None, notes: Notes) -> Shown:
    """Mean, delta and interval of one effect, with its marks; a dash and a note where there is none."""
    words = phrases("report/latex/words.j2")
    if e is None:
        return Shown(words.dash, words.dash, "", ())
    if e.verdict in selection.UNMEASURED or e.delta is None:
        why = notes.letter(words.why_none(e.verdict, e.reason, e.n), words.why_none(e.verdict, None, e.n))
        return Shown(words.dash, words.dash, "", tuple(dict.fromkeys((why, *_lettered(notes, failures(e))))))
    text = latex(numbers.number(e.delta, e.interval, signed=True))
    return Shown(
        mean=latex(numbers.number(e.ablated, e.interval)),
        delta=words.bold(text) if e.verdict in ("matters", "hurts") else text,
        interval=in_row(numbers.interval(e.interval)) if e.interval else "",
        marks=(*(words.signs[each] for each in _signs(e)), *_remarks(results, e, notes)),
    )


def in_row(interval: str) -> str:
    """An interval as LaTeX; its bracket needs no brace where it does not begin a row."""
    return latex(interval).removeprefix("{[}").join(("[", ""))


def _signs(e: Effect) -> list[str]:
    signs = ["different"] if e.verdict in DIFFERENT or e.nonzero else []
    return [*signs, "negligible"] if e.verdict == "negligible" else signs


def _remarks(results: Results, e: Effect, notes: Notes) -> list[str]:
    words = phrases("report/latex/words.j2")
    other = other_mean(results, e)
    same = next((selection.name(o) for o in results.effects if e.same_as and o.ablation == e.same_as), e.same_as)
    told = [
        failures(e),
        words.other_baseline(e.metric, other, e.unit) if other else "",
        words.same_as(same) if same else "",
        words.equal_at_every(e.unit) if _keeps_the_pool(results, e) else "",
        words.masked if e.masked else "",
        words.edited if e.scored_by == "edited" else "",
    ]
    return _lettered(notes, *told)


def _lettered(notes: Notes, *told: str) -> list[str]:
    return [notes.letter(text, text) for text in map(str.strip, told) if text]


def failures(found: Effect | Interaction) -> str:
    """How many units of a row failed, as a note; nothing where none did."""
    words = phrases("report/latex/words.j2")
    return words.failed_units(found.failed, found.n, found.unit).strip() if found.failed else ""


def _keeps_the_pool(results: Results, e: Effect) -> bool:
    """Whether an arm tested alone has the pooled variance after all: its differences do not vary (`analysis.contrasts`)."""
    if results.study.method == "pooled" or e.unit in selection.SAMPLED or e.interval is None or len(e.by_seed) < 2:
        return False
    spread = max(e.by_seed.values()) - min(e.by_seed.values())
    return spread <= _ROUNDING * max(1.0, abs(e.baseline or 0.0)) < e.interval[1] - e.interval[0]
