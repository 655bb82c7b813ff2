"""What the exchanges of a study took, and whether another one may be asked for."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from ...executor.errors import ModelError, PlanningOver
from .settings import ModelSettings
from .transcript import Exchange

MILLION = Decimal(1_000_000)


@dataclass(frozen=True)
class Usage:
    """Totals over a study, earlier processes included; what came from the transcript again is counted once."""

    exchanges: int = 0
    """Requests that the model worked on, or may have."""
    repaired: int = 0
    """Of these, turns that asked to mend an answer."""
    tokens_sent: int = 0
    """As the servers counted."""
    tokens_received: int = 0
    unknown: int = 0
    """Exchanges of which the server reported no usage: their cost is unknown, not zero."""
    tokens_estimated: int = 0
    """Of those: counted against the caps, and in no other total."""
    cost: Decimal | None = None
    """Dollars; None where prices are not given, or some usage is unknown."""
    cost_at_least: Decimal | None = None
    """Dollars for what the servers reported; None where prices are not given."""


def usage_of(exchanges: Iterable[Exchange], settings: ModelSettings) -> Usage:
    """The totals of `exchanges`, at the prices of `settings`."""
    counted = [each for each in exchanges if each.outcome != "refused"]
    reported = [(each.response.sent, each.response.received) for each in counted if each.response is not None]
    known = [(sent, received) for sent, received in reported if sent is not None and received is not None]
    sent, received = sum(each[0] for each in known), sum(each[1] for each in known)
    least = price_of(sent, received, settings)
    return Usage(
        exchanges=len(counted),
        repaired=sum(each.repair > 0 for each in counted),
        tokens_sent=sent,
        tokens_received=received,
        unknown=len(counted) - len(known),
        tokens_estimated=sum(sum(each.estimate) for each in counted if not _is_known(each)),
        cost=least if len(known) == len(counted) else None,
        cost_at_least=least,
    )


def dollars_of(exchanges: Iterable[Exchange], settings: ModelSettings) -> Decimal | None:
    """What exchanges cost, estimated where a server reported no usage; None without prices."""
    spent = [_tokens(each) for each in exchanges if each.outcome != "refused"]
    return price_of(sum(each[0] for each in spent), sum(each[1] for each in spent), settings)


def check_caps(
    exchanges: Iterable[Exchange], settings: ModelSettings, question: int, allowance: Decimal | None = None
) -> None:
    """Whether one more exchange fits under the caps, at its largest.

    Args:
        exchanges: so far.
        settings: with the caps.
        question: tokens of what is to be asked.
        allowance: dollars that are left of what several studies may spend together; None: any number.

    Raises:
        ModelError: the study's caps do not allow even the first exchange.
        PlanningOver: they allow no further one, or the allowance does not.
    """
    counted = [each for each in exchanges if each.outcome != "refused"]
    spent = [_tokens(each) for each in counted]
    sent, received = sum(each[0] for each in spent), sum(each[1] for each in spent)
    tokens, dollars = question + settings.answer_tokens, price_of(question, settings.answer_tokens, settings)
    before = price_of(sent, received, settings)
    if sent + received + tokens > settings.max_tokens_total:
        cap = f"max_tokens_total = {settings.max_tokens_total:,}"
        raise _over(f"{tokens:,} tokens", f"{sent + received:,}", cap, began=bool(counted))
    most = None if settings.max_cost is None else Decimal(str(settings.max_cost))
    if most is not None and dollars is not None and before is not None and before + dollars > most:
        raise _over(f"${dollars:.4f}", f"${before:.4f}", f"max_cost = {most}", began=bool(counted))
    if allowance is not None and dollars is not None and dollars > allowance:
        raise PlanningOver(
            f"the next exchange may take ${dollars:.4f}, and ${max(allowance, Decimal(0)):.4f} is left of --max-cost",
            to_do="raise --max-cost, or lower [planner] answer_tokens and context_tokens",
        )


def _over(wanted: str, spent: str, cap: str, *, began: bool) -> ModelError | PlanningOver:
    name, _, _ = cap.partition(" ")
    to_do = f"raise [planner] {name}, or lower answer_tokens and context_tokens"
    if began:
        return PlanningOver(f"the next exchange may take {wanted} after {spent} so far, and {cap}", to_do=to_do)
    return ModelError(
        f"a budget too small for one call: it may take {wanted}, and {cap}", where="[planner]", to_do=to_do
    )


def _is_known(exchange: Exchange) -> bool:
    reply = exchange.response
    return reply is not None and reply.sent is not None and reply.received is not None


def _tokens(exchange: Exchange) -> tuple[int, int]:
    reply = exchange.response
    if reply is None or reply.sent is None or reply.received is None:
        return exchange.estimate
    return reply.sent, reply.received


def price_of(sent: int, received: int, settings: ModelSettings) -> Decimal | None:
    """Dollars for so many tokens each way; None where prices are not given."""
    if settings.price_input is None or settings.price_output is None:
        return None
    return (sent * Decimal(str(settings.price_input)) + received * Decimal(str(settings.price_output))) / MILLION
