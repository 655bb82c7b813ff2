"""What is asked of a night."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..planners import Asked
from .clock import Deadline


@dataclass(frozen=True)
class Wishes:
    """What the command line says."""

    studies: Sequence[Path]
    """Study files, or their folders."""
    state: Path | None
    """Where the results are kept, where it is not beside the one study file."""
    deadline: Deadline
    max_cost: float | None
    """Dollars."""
    notify: str | None
    keep_free: int
    """Bytes."""
    workers: int | None
    asked: Asked
    unsafe: bool
    as_json: bool
    resumed: bool = False
    """Whether it goes on with one that was begun before: a model that is away then is gone on without."""
    launched: bool = False
    """Whether it was looked at already by the process that launched this one."""

    @property
    def new(self) -> bool:
        """Whether it begins here and now."""
        return not (self.resumed or self.launched)

    def words(self) -> list[str]:
        """The command line that means the same in any folder, without its deadline and without `--detach`."""
        asked = self.asked
        options = {
            "--state": self.state.resolve() if self.state else None,
            "--max-cost": self.max_cost,
            "--notify": self.notify,
            "--keep-free": f"{self.keep_free}B",
            "--workers": self.workers,
            "--planner": asked.kind,
            "--model": asked.model,
            "--base-url": asked.base_url,
            "--interactions": asked.interactions,
        }
        flags = {"--json": self.as_json, "--unsafe-no-sandbox": self.unsafe}
        given = [text for name, value in options.items() if value is not None for text in (name, str(value))]
        return [
            "overnight",
            *(str(one.resolve()) for one in self.studies),
            *given,
            *(name for name, wanted in flags.items() if wanted),
        ]
