"""The one table in which modes stand beside each other: a row per component, never averaged, never tested across."""

from collections import Counter, defaultdict
from dataclasses import dataclass

from ...prompts import phrases
from ..results import Effect, Mode, Recovered, Results
from . import selection
from .numbers import MISSING, with_interval
from .rows import Row, delta, from_rows
from .selection import UNMEASURED, intervention, loss, name
from .table import Table

MOST = 40
"""Components that the table shows; each mode's own table has them all."""

_Row = dict[Mode, Effect]


@dataclass(frozen=True)
class SideBySide:
    """What each mode found about the same components."""

    modes: list[Mode]
    table: Table
    left: int
    """Components that are not shown."""


def side_by_side(results: Results) -> SideBySide | None:
    """The sealed families on the primary metric, the largest loss in any mode first; None for a single mode."""
    modes: list[Mode] = [mode for mode in selection.modes(results) if selection.confirmatory(results, mode)]
    if len(modes) < 2:
        return None
    rows = sorted(_rows(results, modes), key=lambda row: _order(results, row))
    keys = ["component", "intervention"]
    for mode in modes:
        keys += [f"mode_{mode}", *(["given_back"] if mode == "recover" else [])]
    return SideBySide(modes, from_rows(" ".join(keys), [_cells(row) for row in rows[:MOST]]), max(0, len(rows) - MOST))


def _rows(results: Results, modes: list[Mode]) -> list[_Row]:
    """By component; where one was removed in several ways, by the order of these."""
    rows: defaultdict[tuple[tuple[str, ...], int], _Row] = defaultdict(dict)
    for mode in modes:
        seen: Counter[tuple[str, ...]] = Counter()
        for effect in results.effects:
            if (effect.mode, effect.metric, effect.role) == (mode, results.study.primary, "confirmatory"):
                component = tuple(effect.components)
                rows[component, seen[component]][mode] = effect
                seen[component] += 1
    return list(rows.values())


def _order(results: Results, row: _Row) -> float:
    losses = [loss(results, effect) for effect in row.values() if effect.verdict not in UNMEASURED]
    return -max((each for each in losses if each is not None), default=float("-inf"))


def _cells(row: _Row) -> Row:
    effects = list(row.values())
    removals = list(dict.fromkeys(intervention(effect) for effect in effects))
    cells = {f"mode_{mode}": _cell(effect, several=len(removals) > 1) for mode, effect in row.items()}
    recovered = row["recover"].recovered if "recover" in row else None
    given = _given_back(recovered) if recovered else MISSING
    return {"component": name(effects[0]), "intervention": "; ".join(removals), **cells, "given_back": given}


def _given_back(recovered: Recovered) -> str:
    fraction = with_interval(recovered.fraction, recovered.interval)
    unknown = recovered.fraction is not None and recovered.interval is None
    return phrases("report/words.j2").without_interval(fraction) if unknown else fraction


def _cell(effect: Effect, *, several: bool) -> str:
    words = phrases("report/words.j2")
    shown = "" if effect.delta is None or effect.verdict in UNMEASURED else delta(effect)
    agreed = words.agreed(effect.verdict, effect.agreement) if selection.disputed(effect) else ""
    return words.side_cell(effect.intervention_kind if several else "", shown, effect.verdict, agreed)
