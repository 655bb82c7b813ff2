"""Commands that a project's own documentation gives for its scripts."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ...executor.experiments.commandline import CommandLine, command_line

NAMES = re.compile(r"(readme|usage|getting_?started|install|training)[^/]*\.(md|rst|txt)|readme", re.IGNORECASE)
LARGEST = 1 << 19
STARTS = re.compile(
    r"^(?:[$>%]\s+)?(?:(?:CUDA_VISIBLE_DEVICES|OMP_NUM_THREADS)=\S+\s+)*(?P<rest>(?:python[0-9.]*|torchrun|accelerate)\s.+)$"
)
INLINE = re.compile(r"`(python[0-9.]*\s[^`\n]+)`")
COMMENT = re.compile(r"\s#\s.*$")
UNFINISHED = re.compile(r"[<>\[\]|]|\.\.\.|…|/path/|path/to|\$\w|\$\{|YOUR_|XXX", re.IGNORECASE)
"""What stands for something that the reader puts in."""


class Told(NamedTuple):
    """One command, as it is documented."""

    where: str
    """`file:line`."""
    command: CommandLine
    """With `{python}` in place of the interpreter."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing in it is left to be filled in."""
        return not UNFINISHED.search(self.command.text)


def told(root: Path) -> list[Told]:
    """Every Python command in the documentation at the top of `root`, in its order; README first."""
    files = sorted(path for path in root.iterdir() if NAMES.fullmatch(path.name) and path.is_file())
    files.sort(key=lambda path: not path.name.lower().startswith("readme"))
    return [one for path in files for one in _of(path)]


def _of(path: Path) -> Iterator[Told]:
    if path.stat().st_size > LARGEST:
        return
    for number, line in _lines(path.read_text(encoding="utf-8", errors="replace")):
        match = STARTS.match(line.strip())
        found = [match["rest"]] if match else INLINE.findall(line)
        for text in found:
            if (command := _command(text)) is not None:
                yield Told(f"{path.name}:{number}", command)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends in a backslash goes on in the next."""
    begun, held = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        begun = begun if held else number
        if line.rstrip().endswith("\\"):
            held += line.rstrip()[:-1] + " "
            continue
        yield begun, held + line
        held = ""


def _command(text: str) -> CommandLine | None:
    text = COMMENT.sub("", text).strip().rstrip(".,;:")
    text = re.sub(r"^python[0-9.]*\s", "{python} ", text)
    try:
        words = shlex.split(text)
        found = command_line(text) if words else None
    except ValueError:
        return None
    return found if found and (found.script or found.module) and not found.needs_shell else None
