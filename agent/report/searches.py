"""Interaction searches as the report tells them: the runs by stage, every group with the verdict it came to, the certificate."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...prompts import phrases
from ..records.base import Unit
from ..records.search import InteractionSearch
from ..results import Interaction, Results
from .numbers import percent
from .table import Table, columns

_MOST_GROUPS = 30


@dataclass(frozen=True)
class SearchView:
    """One search beside what became of its candidates."""

    search: InteractionSearch
    labels: dict[str, str]
    """Component → what a table calls it."""
    confirmed: list[Interaction]
    """Candidates that came out as compensation, redundancy or irreducible."""
    refuted: list[Interaction]
    """Candidates that were shown additive."""
    open: list[Interaction]
    """Candidates with any other verdict."""
    waiting: list[list[str]]
    """Candidates that have not been measured on fresh units."""
    steps: Table
    unit: Unit | None
    """What candidates were confirmed over; None before any was."""
    confirmation_runs: int | None
    """None: examples confirm, in one evaluation each."""

    @property
    def uncleared(self) -> int:
        """Pairs that are neither cleared nor inside a group that was found."""
        return self.search.pairs - self.search.pairs_cleared - self.search.pairs_found


def search_views(results: Results) -> list[SearchView]:
    """One a mode that was searched."""
    labels = {one: label for each in results.effects for one, label in zip(each.components, each.labels, strict=False)}
    return [_view(one, results.interactions, labels) for one in results.searches]


def _view(search: InteractionSearch, joint: Sequence[Interaction], labels: dict[str, str]) -> SearchView:
    tested = {frozenset(one.components): one for one in joint if (one.mode, one.metric) == (search.mode, search.metric)}
    groups = [frozenset(one) for one in search.groups]
    found = [tested[one] for one in groups if one in tested]
    hidden = [one for one in found if one.verdict in ("compensation", "redundancy", "irreducible")]
    additive = [one for one in found if one.verdict == "additive"]
    return SearchView(
        search=search,
        labels=labels,
        confirmed=hidden,
        refuted=additive,
        open=[one for one in found if one not in hidden and one not in additive],
        waiting=[sorted(one) for one in groups if one not in tested][:_MOST_GROUPS],
        steps=_steps(search),
        unit=found[0].unit if found else None,
        confirmation_runs=sum(one.n for one in found) if found and found[0].unit == "seed" else None,
    )


def _steps(search: InteractionSearch) -> Table:
    stages = phrases("report/words.j2").search_stages
    rows = [
        (stages[one.what], one.sets, f"{one.size:.0f}", one.runs, None if one.clean is None else percent(one.clean, 3))
        for one in search.steps
    ]
    return Table(columns("stage sets set_size runs clean", ("sets", "set_size", "runs", "clean")), tuple(rows))
