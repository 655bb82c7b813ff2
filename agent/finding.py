"""One thing that was looked at before anything is run, and what to do about it."""

from typing import NamedTuple


class Finding(NamedTuple):
    """Whether something works here."""

    what: str
    works: bool | None
    """None: not needed and not there, or worth knowing without being in the way."""
    detail: str
    to_do: str = ""

    @property
    def line(self) -> str:
        """For people: a mark, what was found, and below it what to do."""
        mark = {True: "ok  ", False: "FAIL", None: "–   "}[self.works]
        return f"{mark} {self.what}: {self.detail}" + (f"\n       → {self.to_do}" if self.to_do else "")
