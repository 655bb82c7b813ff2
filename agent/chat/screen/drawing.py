"""Everything that a conversation shows, as renderables of rich: cleaned, laid out for any width, in Unicode or in ASCII."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.text import Text

from ....executor.units import format_duration
from ....prompts import phrases
from ...report.text import lines, plain
from ..approval import Approval, Asked, Price
from ..shown import Diff, Forest, Note, Prose, Shown, Source, Step, Table
from .ascii import spelled
from .drawforest import ForestDrawing
from .drawtable import TableDrawing

WORDS = "chat/screen.j2"
_TONES = {"plain": "", "good": "green", "warning": "yellow", "error": "bold red"}
_DIFF_STYLES = {"+": "green", "-": "red", "@": "cyan"}
_HEADERS = ("+++", "---")


@dataclass(frozen=True)
class Drawing:
    """Draws for one kind of output: `is_ascii` where it can show nothing else."""

    is_ascii: bool = False

    def line(self, text: str) -> str:
        """One clean line."""
        return self._spell(plain(text))

    def block(self, text: str) -> str:
        """Clean lines: control characters are spelled out, line ends stay."""
        return self._spell(lines("\n".join(text.splitlines())))

    def stretch(self, text: str) -> str:
        """A piece of a longer text: cleaned piece by piece it is what it would be as a whole."""
        return self._spell(lines(text))

    def draw(self, thing: Shown | Approval) -> RenderableType:
        """A renderable, that fits whatever width it is printed at."""
        match thing:
            case Note():
                return self._note(thing)
            case Prose():
                return self._prose(thing)
            case Table():
                return TableDrawing(
                    self.line(thing.title),
                    tuple(map(self.line, thing.columns)),
                    tuple(tuple(map(self.line, row)) for row in thing.rows),
                    self.line(thing.more),
                    self.line(phrases(WORDS).left_out),
                )
            case Forest():
                return ForestDrawing(thing, self.line, is_ascii=self.is_ascii)
            case Diff():
                return Group(Text(self.line(thing.title), "bold"), self._diff(thing.text))
            case Source():
                return self._source(thing)
            case Step():
                said = self.line(phrases(WORDS).step(thing.tool, thing.text))
                return _OneLine(said, self.line("…"), "dim")
            case Approval():
                return self._approval(thing)

    def _spell(self, text: str) -> str:
        return spelled(text) if self.is_ascii else text

    def _note(self, note: Note) -> Text:
        return Text(phrases(WORDS).marks[note.tone] + self.block(note.text), _TONES[note.tone])

    def _prose(self, prose: Prose) -> RenderableType:
        from .drawmarkdown import MarkdownDrawing

        return MarkdownDrawing(self.stretch(prose.text))

    def _diff(self, text: str) -> Text:
        drawn = Text()
        for number, each in enumerate(self.block(text).split("\n")):
            style = "bold" if each.startswith(_HEADERS) and number < 2 else _DIFF_STYLES.get(each[:1], "")
            drawn.append(("\n" if number else "") + each, style)
        return drawn

    def _source(self, source: Source) -> Group:
        from rich.syntax import Syntax

        from .drawmarkdown import CODE_THEME

        code, path = self.block(source.text), self.line(source.path)
        syntax = Syntax(
            code,
            Syntax.guess_lexer(path),
            theme=CODE_THEME,
            background_color="default",
            line_numbers=True,
            start_line=source.first,
            word_wrap=True,
        )
        return Group(Text(path, "dim"), syntax)

    def _approval(self, approval: Approval) -> Group:
        parts: list[RenderableType] = [Text(self.line(approval.what), "bold")]
        for asked in approval.ablations:
            parts += [Text(), *self._asked(asked)]
        parts += [Text()] if approval.ablations and (approval.price or approval.notes) else []
        parts += self._price(approval.price) if approval.price else []
        parts += [Text(phrases(WORDS).marks["warning"] + self.block(note), "yellow") for note in approval.notes]
        return Group(*parts)

    def _asked(self, asked: Asked) -> list[RenderableType]:
        named = partial(self._named, indent=True)
        words = phrases(WORDS).approval
        parts: list[RenderableType] = [
            Text(self.line(asked.id), "bold cyan"),
            _indented(Text(self.block(asked.how))),
            named(words["expected"], asked.expected),
            named(words["hypothesis"], asked.hypothesis),
        ]
        if asked.diff is not None:
            shown = Group(Text(self.line(asked.diff.title), "bold"), self._diff(asked.diff.text))
            parts.append(_indented(shown))
        return parts

    def _price(self, price: Price) -> list[RenderableType]:
        words = phrases(WORDS).approval
        nothing = price.first_look == price.most == 0
        trials = words["nothing"] if nothing else _between(price.first_look, price.most, str)
        drawn = [self._named(words["trials"], trials)]
        if nothing:
            return [*drawn]
        drawn.append(self._named(words["time"], _between(price.seconds, price.most_seconds, format_duration)))
        if price.dollars is not None or price.most_dollars is not None:
            drawn.append(self._named(words["cost"], _between(price.dollars, price.most_dollars, dollars)))
        return [*drawn]

    def _named(self, name: str, text: str, *, indent: bool = False) -> RenderableType:
        drawn = Text.assemble((f"{self.line(name)}: ", "dim"), self.block(text))
        return _indented(drawn) if indent else drawn


def _indented(drawn: RenderableType) -> Padding:
    return Padding(drawn, (0, 0, 0, 2), expand=False)


def dollars(amount: float) -> str:
    """With cents, and below ten cents with two figures that count."""
    return f"${amount:.2f}" if amount >= 0.1 or amount == 0 else f"${amount:.2g}"


def _between(first: float | None, most: float | None, written: Callable[[float], str]) -> str:
    words = phrases(WORDS)
    if first is None and most is None:
        return words.approval["unknown"]
    unknown = words.approval["unknown"]
    return words.between(*(unknown if each is None else written(each) for each in (first, most)))


@dataclass(frozen=True)
class _OneLine:
    """One line, whatever the width."""

    text: str
    ellipsis: str
    style: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        text = Text(self.text, self.style, no_wrap=True, overflow="crop")
        if text.cell_len > options.max_width:
            text.truncate(max(0, options.max_width - len(self.ellipsis)), overflow="crop")
            text.append(self.ellipsis)
        yield text
