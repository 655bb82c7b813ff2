"""What a night can settle and what it cannot, by what was measured before it began, as records."""

from .base import Mode, Record
from .power import Power


class ModeAhead(Record):
    """One mode of a study."""

    mode: Mode
    targets: int
    """Ablations of round 1 that are asked in it."""
    first_look: int
    """Trials that are missing until every one of them has had its first look, the baseline's and its training included."""
    one_arm: int
    """Of these, what the baseline and one ablation need."""
    seconds_per_trial: float | None = None
    """Of one worker, measured from the baseline; None where none of this mode has run."""
    first_look_seconds: float | None = None
    """Of the night, with all workers."""
    one_arm_seconds: float | None = None
    most: int
    """Trials that are missing if every ablation went to the last planned look."""
    most_seconds: float | None = None
    power: Power | None = None
    """What these looks can settle; None before the noise is known."""


class StudyAhead(Record):
    """One study of the night, as if it had the night to itself."""

    study: str
    planner: str
    """Whose plan of round 1 this is."""
    stands_in: bool = False
    """Whether it is the rules' in the place of one that a language model is still to make."""
    workers: int
    modes: list[ModeAhead]

    @property
    def first_look_seconds(self) -> float | None:
        """Of all modes; None where one of them was not measured."""
        known = [one.first_look_seconds for one in self.modes]
        return None if any(one is None for one in known) else sum(one or 0.0 for one in known)

    @property
    def least_seconds(self) -> float | None:
        """Until something can be said at all: the baseline and the first look of one ablation, in the mode that comes first."""
        return self.modes[0].one_arm_seconds if self.modes else None
