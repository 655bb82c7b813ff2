"""How a night is shared out: most of it is for trials, little for a model that plans, its last minutes belong to the reports."""

from .clock import Deadline

SHARE, SECONDS = 0.02, 20.0
"""Of the night, and for each study at least, that the reports get."""
MOST = 0.2
"""Of the night that they get at most."""
ASKING, LEAST_ASKING, MOST_ASKING = 0.1, 60.0, 900.0
"""Of the night, and in seconds at least and at most, that a language model may take in a turn of its study."""


def last_minutes(seconds: float, studies: int) -> float:
    """Seconds at the end of a night of so many seconds that belong to the reports."""
    return min(MOST * seconds, max(SHARE * seconds, SECONDS * studies))


def night_of(seconds: float, studies: int) -> float:
    """How long a night has to be, so that so many seconds of it are left beside its last minutes."""
    return min(seconds / (1 - MOST), max(seconds / (1 - SHARE), seconds + SECONDS * studies))


def asking_seconds(seconds: float) -> float:
    """How long a turn's planning may wait for a language model in a night of so many seconds; then the rules plan instead."""
    return min(MOST_ASKING, max(LEAST_ASKING, ASKING * seconds))


def working_hours(deadline: Deadline, studies: int) -> Deadline:
    """When the last minutes begin."""
    return deadline.before(last_minutes(max(0.0, deadline.seconds_left()), studies))
