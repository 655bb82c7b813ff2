"""What a conversation and its study have taken so far: tokens and dollars against their caps, trials and hours."""

from typing import TYPE_CHECKING

from ...prompts import phrases
from ..report import numbers
from .desk import Desk
from .shown import Shown, Table

if TYPE_CHECKING:
    from ..llm.spending import Usage


def costs_shown(desk: Desk, usage: "Usage | None") -> list[Shown]:
    """A table; what is unknown says so."""
    words = phrases("chat/costs.j2")
    rows: list[list[str]] = []
    if usage is not None:
        caps = desk.spec.planner
        counted = usage.tokens_sent + usage.tokens_received + usage.tokens_estimated
        rows += [
            [words.exchanges(), words.counted(usage.exchanges, usage.unknown)],
            [words.tokens(), words.of(counted, caps.max_tokens_total)],
            [words.both_ways(), words.ways(usage.tokens_sent, usage.tokens_received, usage.tokens_estimated)],
            [words.dollars(), words.cost(usage.cost, usage.cost_at_least, caps.max_cost)],
        ]
    with desk.ledger() as ledger:
        spent = ledger.compute(desk.setting.version) if ledger else None
    if spent:
        hours = (spent["seconds_total"] + spent["checks_seconds"]) / 3600
        price = desk.spec.limits.price_hour
        rows += [
            [words.trials(), f"{spent['attempts']}"],
            [words.time(), numbers.duration(spent["seconds_total"] + spent["checks_seconds"])],
            [words.machine(), words.machine_cost(None if price is None else hours * price / desk.spec.limits.workers)],
        ]
    what, value = (words.column(name) for name in ("what", "value"))
    return [Table(title=words.title(), columns=[what, value], rows=rows or [[words.nothing(), "–"]])]
