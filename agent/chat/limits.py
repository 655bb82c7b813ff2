"""What a run may take at most."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Trials and time; None: as many, or as long, as it takes."""

    trials: int | None = None
    seconds: float | None = None

    def within(self, other: "Limits") -> "Limits":
        """The tighter of both."""
        trials = [one for one in (self.trials, other.trials) if one is not None]
        seconds = [one for one in (self.seconds, other.seconds) if one is not None]
        return Limits(min(trials, default=None), min(seconds, default=None))
