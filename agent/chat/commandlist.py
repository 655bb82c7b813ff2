"""Which slash commands there are, what they take, and what the prompt offers after them."""

from dataclasses import dataclass

from ...prompts import phrases

ID, FILE = "id", "file"
"""What follows a command: ids of components, files of the project."""
FORMATS = ("md", "json", "csv", "html")
MODES = ("ask", "auto", "plan-only")


@dataclass(frozen=True)
class Command:
    """One slash command."""

    name: str
    takes: str = ""
    """Its arguments, as the help shows them."""
    offers: tuple[str, ...] = ()
    """What the prompt offers after it: words, or `ID` and `FILE`."""

    @property
    def does(self) -> str:
        """What it does, in a line."""
        return phrases("chat/commands.j2").does[self.name]


COMMANDS = (
    Command("help"),
    Command("components", "[PATTERN …]", (ID,)),
    Command("source", "FILE[:FIRST-LAST]", (FILE,)),
    Command("plan", "[ID or PATTERN … | drop ID … | clear]", ("drop", "clear", ID)),
    Command("interactions", "[ID ID …]", (ID,)),
    Command("diff", "[ID …]", (ID,)),
    Command("run", "[all] [N trials] [for 30m]", ("all", "for")),
    Command("queue", "[drop NAME …]", ("drop",)),
    Command("stop"),
    Command("status"),
    Command("results", "[PATTERN …]", (ID,)),
    Command("why", "ID", (ID,)),
    Command("settle"),
    Command("draft"),
    Command("report", "[md] [json] [csv] [html]", FORMATS),
    Command("cost"),
    Command("model", "[NAME | none]", ("none",)),
    Command("mode", "[ask | auto [N trials] [for 1h] | plan-only]", MODES),
    Command("quit"),
)
