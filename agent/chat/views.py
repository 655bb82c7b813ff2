"""What there is to show of a study: components, results, one removal in full, what would settle the rest. Data in, data out."""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from ...executor.errors import StudyFileError
from ...executor.interventions import described
from ...prompts import phrases, render
from ..planning.plan import nearest
from ..records.base import OPEN
from ..report import numbers, selection
from ..report.text import plain
from .diffs import diffs_of, edits
from .shown import Forest, Interval, Note, Prose, Shown, Table

if TYPE_CHECKING:
    from ..components import Component
    from ..planning.plan import Ablation
    from ..results import Effect, Interaction, Results

MOST_ROWS = 60


def components_shown(known: "Mapping[str, Component]", patterns: Sequence[str]) -> list[Shown]:
    """What could be removed and how, of those that a pattern names; all of them where none is given."""
    chosen = matching(known, patterns)
    words = phrases("chat/words.j2")
    rows = [
        [one.id, one.kind, described(one.interventions[:1]) if one.interventions else words.never(), *_place(one)]
        for one in chosen
    ]
    columns = [words.column[name] for name in ("component", "kind", "removal", "size", "where")]
    return [_table(words.components(len(chosen)), columns, rows)]


def matching(known: "Mapping[str, Component]", patterns: Sequence[str]) -> "list[Component]":
    """Those that the patterns name, each once. `StudyFileError` for a pattern that names none."""
    found: dict[str, Component] = {}
    for pattern in patterns or ("*",):
        exact = [known[pattern]] if pattern in known else []
        hits = exact or [one for name, one in known.items() if fnmatchcase(name, pattern)]
        if not hits:
            raise StudyFileError(
                f"no component is named {pattern!r}{nearest(pattern, list(known))}", to_do="/components lists them"
            )
        found |= {one.id: one for one in hits}
    return list(found.values())


def results_shown(results: "Results | None", patterns: Sequence[str] = ()) -> list[Shown]:
    """Every verdict so far, and the plot of the differences, of what the patterns name."""
    words = phrases("chat/words.j2")
    if results is None:
        return [Note(text=words.nothing_measured())]
    primary = results.study.primary
    effects = [one for one in results.effects if one.metric == primary and _named(one.ablation, patterns)]
    joint = [one for one in results.interactions if one.metric == primary and _named(one.ablation, patterns)]
    if patterns and not effects and not joint:
        known = [one.ablation for one in (*results.effects, *results.interactions)]
        raise StudyFileError(
            f"no result is named {patterns[0]!r}{nearest(patterns[0], known)}", to_do="/results lists them"
        )
    shown: list[Shown] = []
    for mode in results.study.modes:
        own = selection.by_loss(results, [one for one in effects if one.mode == mode])
        if own:
            shown += [_effects(own, results, mode), *_forest(own, results, mode)]
        both = [one for one in joint if one.mode == mode]
        if both:
            shown.append(_joint(both, mode))
    return shown or [Note(text=words.nothing_measured())]


def why_shown(
    results: "Results | None",
    planned: "Mapping[str, Ablation]",
    known: "Mapping[str, Component]",
    name: str,
    root: Path | None = None,
) -> list[Shown]:
    """Everything that is known of one removal, or of a component and all that was removed with it.

    With the project's `root`, edits of the source are shown in the files as they are now.
    """
    effects = [] if results is None else [one for one in results.effects if _about(one, name, results)]
    joint = [] if results is None else [one for one in results.interactions if _joint_about(one, name, results)]
    fates = [] if results is None else [one for one in results.planned if one.ablation == name]
    ablation, component = planned.get(name), known.get(name)
    if not (effects or joint or fates or ablation or component):
        names = list(dict.fromkeys([*known, *planned, *(one.ablation for one in (results.planned if results else []))]))
        raise StudyFileError(
            f"nothing is named {name!r}{nearest(name, names)}", to_do="/components and /results list the names"
        )
    text = render(
        "chat/why.j2",
        name=name,
        component=component,
        ablation=ablation,
        how=described(ablation.interventions) if ablation else "",
        effects=effects,
        joint=joint,
        fates=fates,
        results=results,
        num=numbers,
        plain=plain,
        loss=loss_in_delta,
    )
    return [Prose(text=text.strip()), *diffs_of([ablation] if ablation and edits([ablation]) else [], fates, root)]


def settle_shown(results: "Results | None") -> list[Shown]:
    """What is open, and what it would take to settle it."""
    words = phrases("chat/words.j2")
    if results is None:
        return [Note(text=words.nothing_measured())]
    primary = results.study.primary
    joint = {one.ablation for one in results.interactions}  # asked for their interaction: their loss is a part of it
    singles = [one for one in results.effects if one.ablation not in joint]
    found = [one for one in (*singles, *results.interactions) if one.metric == primary]
    open_ones = [one for one in found if one.verdict in OPEN]
    counts = {
        mode: (sum(one.mode == mode for one in found), sum(one.mode == mode for one in open_ones))
        for mode in results.study.modes
    }
    rows = [
        [
            one.ablation,
            one.mode,
            one.verdict,
            phrases("report/words.j2").seen(one.n, one.of),
            words.needs(one.seeds_to_settle, one.unit),
            plain(one.reason or ""),
        ]
        for one in open_ones
    ]
    columns = [words.column[name] for name in ("removed", "mode", "verdict", "n", "needs", "reason")]
    text = render("chat/settle.j2", results=results, counts=counts, num=numbers).strip()
    return [*([_table(words.open_ones(len(rows)), columns, rows)] if rows else []), Prose(text=text)]


def loss_in_delta(one: "Effect", results: "Results") -> float | None:
    """The loss of a removal in units of δ; positive: it costs."""
    loss, floor = selection.loss(results, one), selection.noise_floor(results, one.mode, one.metric)
    return None if loss is None or floor is None or floor.smallest_effect <= 0 else loss / floor.smallest_effect


def as_text(things: Iterable[Shown]) -> str:
    """The same in plain text, for a language model."""
    return render("chat/told.j2", things=list(things), num=numbers).strip()


def _effects(effects: "Sequence[Effect]", results: "Results", mode: str) -> Table:
    words = phrases("chat/words.j2")
    looks = [seeds for seeds, _ in results.study.looks]
    rows = [
        [
            one.ablation,
            words.in_a_look() if in_a_look(one, looks) else words.verdict(one),
            numbers.with_interval(one.delta, one.interval, signed=True) if not in_a_look(one, looks) else "",
            words.counted(one.n, one.unit, one.of) if one.unit != "seed" else str(one.n),
            words.expected(one),
            one.role,
        ]
        for one in effects
    ]
    columns = [words.column[name] for name in ("removed", "verdict", "delta", "n", "expected", "role")]
    return _table(words.effects(results.study, mode), columns, rows)


def _joint(joint: "Sequence[Interaction]", mode: str) -> Table:
    words = phrases("chat/words.j2")
    rows = [
        [
            one.ablation,
            one.verdict,
            numbers.with_interval(one.observed, one.observed_interval),
            numbers.number(one.additive, one.interval),
            numbers.with_interval(one.contrast, one.interval, signed=True),
            phrases("report/words.j2").seen(one.n, one.of),
        ]
        for one in joint
    ]
    columns = [words.column[name] for name in ("together", "verdict", "observed", "additive", "contrast", "n")]
    return _table(words.joint(mode), columns, rows)


def _forest(effects: "Sequence[Effect]", results: "Results", mode: str) -> list[Forest]:
    looks = [seeds for seeds, _ in results.study.looks]
    measured = [one for one in effects if one.verdict not in selection.UNMEASURED and one.role != "control"]
    rows = [row for one in measured if not in_a_look(one, looks) and (row := Interval.of(one))]
    if not rows:
        return []
    words = phrases("chat/words.j2")
    band = results.baseline[mode][results.study.primary].smallest_effect
    return [Forest(title=words.forest(results.study.primary, mode), band=band, rows=rows[:MOST_ROWS])]


def in_a_look(one: "Effect", looks: Sequence[int]) -> bool:
    """Whether its seeds are somewhere between two looks: then there is no verdict yet, and no look at the figures."""
    is_open = one.verdict == "undecided" or (one.verdict == "untestable" and one.n > 0)
    return one.unit == "seed" and is_open and one.n + one.failed not in looks


def _table(title: str, columns: list[str], rows: list[list[str]]) -> Table:
    words = phrases("chat/words.j2")
    left = len(rows) - MOST_ROWS
    return Table(title=title, columns=columns, rows=rows[:MOST_ROWS], more=words.more(left) if left > 0 else "")


def _place(one: "Component") -> list[str]:
    return [f"{one.size:,}" if one.size else "", one.where or ""]


def _named(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(name == each or fnmatchcase(name, each) for each in patterns)


def _about(one: "Effect", name: str, results: "Results") -> bool:
    return one.metric == results.study.primary and (one.ablation == name or one.components == [name])


def _joint_about(one: "Interaction", name: str, results: "Results") -> bool:
    return one.metric == results.study.primary and (one.ablation == name or name in one.components)
