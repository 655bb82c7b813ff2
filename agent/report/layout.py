"""How a report's tables and figures are laid into its words: the one seam between the templates and every format."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from .table import Table, markdown_table
from .text import fenced

TABLE, FIGURE = "lesion-table", "lesion-figure"
"""What the fenced blocks of a `Document` are: their content is the place of a table, or the name of a figure."""


@dataclass(frozen=True)
class Figure:
    """A figure in the words around it; its images stand apart, under its name."""

    name: str
    """Such as `forest`, in the order of `figures.figures`."""
    alt: str
    """What there is to see, for who does not see it: escaped for Markdown."""
    caption: str
    """Likewise escaped."""


class Layout(Protocol):
    """What the templates are given to place tables and figures with."""

    def table(self, table: Table) -> str:
        """Markdown in the place of a table."""
        ...

    def figure(self, name: str, alt: str, caption: str) -> str:
        """Markdown in the place of a figure; nothing where there is no such figure."""
        ...


@dataclass(frozen=True)
class Plain:
    """Pipe tables, and images in a folder beside the report."""

    figures: Collection[str] = ()
    """Names of those that there are."""
    folder: str = "figures"

    def table(self, table: Table) -> str:
        """The pipe table."""
        return markdown_table(table)

    def figure(self, name: str, alt: str, caption: str) -> str:
        """The image with its caption below."""
        return f"![{alt}]({self.folder}/{name}.svg)\n\n*{caption}*" if name in self.figures else ""


@dataclass(frozen=True)
class Apart:
    """Keeps tables and figures apart, for formats that lay them out from the model: the text holds their places."""

    figures: Collection[str] = ()
    tables: list[Table] = field(default_factory=list[Table])
    pictures: dict[str, Figure] = field(default_factory=dict[str, Figure])

    def table(self, table: Table) -> str:
        """A fenced block with the table's place in `tables`."""
        self.tables.append(table)
        return fenced(str(len(self.tables) - 1), TABLE)

    def figure(self, name: str, alt: str, caption: str) -> str:
        """A fenced block with the figure's name."""
        if name not in self.figures:
            return ""
        self.pictures[name] = Figure(name, alt, caption)
        return fenced(name, FIGURE)
