"""The anatomy of a script's model, watched from its first call on."""

from contextlib import ExitStack
from typing import Any, Dict

from .anatomy import Anatomist
from .roots import Root

PATHS = ("path", "module", "projection", "name")


class Look:
    """One root under an anatomist; `watching` is closed when the run ends."""

    def __init__(self, root: Root, watching: ExitStack) -> None:
        assert root.module is not None
        self.root = root
        self.anatomist = Anatomist(root.module)
        watching.enter_context(self.anatomist.watching())

    def add_to(self, report: "Dict[str, Any]") -> None:
        """Add `anatomy`, `heads`, `tensors` and `flops` to a report."""
        found = {
            "anatomy": self.anatomist.describe(),
            "heads": self.anatomist.heads(),
            "tensors": self.anatomist.parameters(),
        }
        for name, records in found.items():
            report[name] = [*report.get(name, []), *(_below(self.root.prefix, one) for one in records)]
        report["flops"] = report.get("flops") or self.anatomist.flops


def _below(prefix: str, record: "Dict[str, Any]") -> "Dict[str, Any]":
    if not prefix:
        return record
    renamed = {key: (prefix + record[key]).rstrip(".") for key in PATHS if record.get(key) is not None}
    return {
        **record,
        **renamed,
        **({"aliases": [prefix + one for one in record["aliases"]]} if "aliases" in record else {}),
    }
