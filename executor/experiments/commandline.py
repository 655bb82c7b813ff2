"""A command of the study file, taken apart: which Python script it starts, and where further arguments go."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

PYTHONS = re.compile(r"^(\{python\}|(.*/)?python[0-9.]*)$")
LAUNCHERS = frozenset({"torchrun", "accelerate", "deepspeed"})
OVERRIDES = "{overrides}"
"""Where changed flags go; the end of the command where it is not there."""
SHELL = re.compile(r"[|&;<>`]|\$[({A-Za-z_]|^\s*[A-Za-z_]\w*=")
"""What only a shell understands."""
PLACEHOLDERS = ("python", "config", "seed", "out", "checkpoint", "steps", "overrides")


@dataclass(frozen=True)
class CommandLine:
    """One command: its words as the study file gives them, placeholders included."""

    text: str
    words: tuple[str, ...]
    """Empty where only a shell can take it apart."""
    script: str | None
    """The Python file that it starts, as it is written there; None where none is seen."""
    module: str | None
    """The same for `python -m package.module`."""
    arguments_from: int
    """Index in `words` of the first argument of the script."""

    @property
    def needs_shell(self) -> bool:
        """Whether it runs through `/bin/sh -c`."""
        return not self.words

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the script is given."""
        return self.words[self.arguments_from :]

    @property
    def takes_flags(self) -> bool:
        """Whether further flags reach the script: at its end, or where `{overrides}` stands."""
        return (self.script or self.module) is not None and (not self.needs_shell or OVERRIDES in self.text)

    def entry(self, cwd: Path) -> Path | None:
        """The Python file that it starts, else the first file among its words (a shell script); None where there is none."""
        named = [self.script] if self.script is not None else []
        if self.module is not None:
            base = Path(*self.module.split("."))
            named = [f"{base}.py", str(base / "__main__.py")]
        paths = (cwd / one for one in named or shlex.split(self.text))
        return next((one.resolve() for one in paths if one.is_file()), None)


def command_line(text: str) -> CommandLine:
    """Take a command apart. `ValueError` for an unclosed quotation mark, or where nothing is there."""
    plain = re.sub(r"\{[a-z]+\}", "x", text)
    words = tuple(shlex.split(text))
    if not words:
        raise ValueError("nothing to run")
    script, module, first = _python_of(words)
    if SHELL.search(plain):
        return CommandLine(text, (), script, module, len(words))
    return CommandLine(text, words, script, module, first)


def _python_of(words: tuple[str, ...]) -> tuple[str | None, str | None, int]:
    """Script, module, and where its arguments begin."""
    at = next((index for index, word in enumerate(words) if PYTHONS.match(word) or Path(word).name in LAUNCHERS), None)
    rest = list(enumerate(words))[(0 if at is None else at + 1) :]
    launched = at is not None and Path(words[at]).name in LAUNCHERS
    for index, word in rest:
        if word == "-m" and not launched and index + 1 < len(words):
            return None, words[index + 1], index + 2
        if word.endswith(".py"):
            return word, None, index + 1
    return None, None, len(words)
