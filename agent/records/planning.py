"""Who planned a study, and what asking a language model took, as records."""

from .base import Record

RULES = "rules"
"""The name of the built-in planner."""
LEFT_OUT = "the language model left it out"
"""Why something of the rules' list is not in a model's plan: it was never a proposal."""


class Planning(Record):
    """All exchanges with the language model, over every round."""

    model: str
    server: str = ""
    """Its host; never a path or a name and a password."""
    exchanges: int = 0
    """Questions that were sent, answered or not."""
    repaired: int = 0
    """Of these, those that showed the model the error in its answer."""
    tokens_sent: int = 0
    tokens_received: int = 0
    unknown: int = 0
    """Exchanges whose server told no usage: the tokens above are without theirs."""
    cost: float | None = None
    """Dollars; None: unknown, which is not zero."""
    ended: str | None = None
    """Why it was asked no more before it had nothing left to propose."""
    last: str | None = None
    """What came of its last answer, where that planned nothing: no plan lists it."""
    waited: float = 0.0
    """Seconds spent waiting because the server asked for it."""


class RoundPlanned(Record):
    """Who planned one round."""

    round: int
    planner: str
    ablations: int
    dropped: int
    remarks: list[str] = []
    """What a reader should know of how it was planned."""
