"""The last lines of the screen, redrawn in place: only from the first that changed, and erased after writing, so nothing flickers."""

from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.segment import Segment, Segments

_TO_START, _UP, _ERASE_LINE, _ERASE_BELOW = "\r", "\x1b[{}A", "\x1b[K", "\x1b[J"


class Line(NamedTuple):
    """A line as it is written, escape sequences included, and the columns that it takes."""

    text: str
    columns: int


class Region:
    """What stands below everything that is finished. The cursor rests at the end of its last line."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn: list[Line] = []
        self._width = 0

    def rendered(self, thing: RenderableType) -> list[Line]:
        """The lines of a renderable at the console's present width."""
        lines = self._console.render_lines(thing, pad=False)
        return [self._line(line) for line in lines]

    def draw(self, lines: list[Line]) -> None:
        """Show these instead, as many of the last as the screen holds."""
        self._write(lines[-max(1, self._console.height - 1) :])

    def leave(self, lines: list[Line]) -> None:
        """Show these instead, all of them, and never touch them again."""
        self._write(lines)
        self._drawn = []
        if lines:
            self._console.file.write("\n")
            self._console.file.flush()

    def _write(self, lines: list[Line]) -> None:
        self._let_go_after_resize()
        kept = next((at for at, (old, new) in enumerate(zip(self._drawn, lines, strict=False)) if old != new), None)
        first = min(len(self._drawn), len(lines)) if kept is None else kept
        if first == len(lines) == len(self._drawn):
            return
        width = self._console.width
        ended = [line.text + (_ERASE_LINE if line.columns < width else "") for line in lines[first:]]
        self._console.file.write(self._to_line(first) + "\r\n".join(ended) + self._rest(lines, first))
        self._console.file.flush()
        self._drawn, self._width = lines, width

    def _to_line(self, first: int) -> str:
        """Moves the cursor to the start of a line, which may be a new one just below."""
        if not self._drawn:
            return ""
        if first == len(self._drawn):
            return "\r\n"
        up = len(self._drawn) - 1 - first
        return _TO_START + (_UP.format(up) if up else "")

    def _rest(self, lines: list[Line], first: int) -> str:
        """Erases what was below; the cursor ends on the last line that stays."""
        if len(lines) >= len(self._drawn):
            return ""
        if first < len(lines):
            return f"\r\n{_ERASE_BELOW}{_UP.format(1)}"
        return _ERASE_BELOW + (_UP.format(1) if lines else "")

    def _let_go_after_resize(self) -> None:
        """Some terminals wrap their lines anew when they get narrower, others cut them: then nobody knows how many there are.

        What was drawn stays as it stands, and everything is drawn again beneath it. Nothing is lost or written over.
        """
        width, height = self._console.size
        widest = max((line.columns for line in self._drawn), default=0)
        if self._drawn and (widest > width or len(self._drawn) > height):
            self._console.file.write("\r\n")
            self._drawn = []

    def _line(self, segments: list[Segment]) -> Line:
        while segments and not segments[-1].text.strip() and not segments[-1].is_control:
            segments = segments[:-1]
        with self._console.capture() as captured:
            self._console.print(Segments(segments), end="")
        return Line(captured.get(), Segment.get_line_length(segments))
