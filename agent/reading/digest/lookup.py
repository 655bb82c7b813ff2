"""What a model may ask to see: a file, lines of one, or a search through the project, under the same rules as the digest."""

import re
import time
from fnmatch import fnmatchcase
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from ....prompts import render
from .fence import Section, word_for
from .readable import Readable, Text

MOST_CHARACTERS = 16_000
WIDEST = 1000
"""Characters of a line that is shown."""
SEARCHED = 300
"""Characters of a line in which a pattern is looked for: what a pattern can cost grows with its cube."""
MOST_HITS = 100
SECONDS = 5.0
"""After which a search stops with what it has."""
SIMPLE = re.compile(r"(?:\\[wdsbWDSB]|\\[^A-Za-z0-9\n]|\[\^?[^\[\]\\]+\]|[^()\[\]{}\\*+?])[*+?]?")
"""One step of a pattern: a character, a class, an escape, and how often."""
QUANTIFIERS = 2
"""Repetitions in a pattern that is taken as a regular expression."""


class Lookup(BaseModel):
    """One thing to see, before anything is proposed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["file", "range", "grep"]
    """A whole file, lines `first` to `last` of one, or the lines that `pattern` is found in."""
    path: str = Field(default="", max_length=500)
    """Relative to the project's root; in a search, a folder, a file or a glob, or empty for all."""
    first: int | None = Field(default=None, ge=1, le=10_000_000)
    last: int | None = Field(default=None, ge=1, le=10_000_000)
    pattern: str = Field(default="", max_length=200)
    """Text, or a simple regular expression: no groups, at most two of `*`, `+`, `?`."""

    def describe(self) -> str:
        """One readable phrase, e.g. `lines 10-20 of 'train.py'`."""
        if self.kind == "grep":
            return f"search for {self.pattern!r}" + (f" in {self.path!r}" if self.path else "")
        return (
            repr(self.path) if self.kind == "file" else f"lines {self.first or 1}-{self.last or 'end'} of {self.path!r}"
        )


def look_up(readable: Readable, lookup: Lookup, *, most: int = MOST_CHARACTERS) -> str:
    """The answer to a look-up, fenced and labelled, in about `most` characters; what may not be shown is said, never raised."""
    found = _found(readable, lookup)
    if isinstance(found, str):
        return render("llm/lookup.j2", asked=lookup.describe(), problem=found, section="", cut="")
    if found is None:
        return _search(readable, lookup, most)
    lines, (first, last) = _lines(found), _range(lookup, len(_lines(found)))
    kept = _fitting([line[:WIDEST] for line in lines[first - 1 : last]], most)
    end = first + len(kept) - 1
    cut = f"line {end} of {len(lines)} is the last one shown; ask for a range" if end < min(last, len(lines)) else ""
    return _answer(Section(f"{found.path}, lines {first}-{end} of {len(lines)}", "\n".join(kept)), cut)


def refusal(readable: Readable, lookup: Lookup) -> str | None:
    """Why it cannot be shown; None: it can."""
    found = _found(readable, lookup)
    return found if isinstance(found, str) else None


def _found(readable: Readable, lookup: Lookup) -> Text | str | None:
    """The file that is asked for, or why there is nothing to show; None for a search."""
    if lookup.kind == "grep":
        return None if lookup.pattern.strip() else "there is nothing to search for"
    found = readable.read(lookup.path)
    if isinstance(found, str):
        return found
    count = len(_lines(found))
    first, last = _range(lookup, count)
    return f"the file has {count} lines" if first > last or first > count else found


def _lines(found: Text) -> list[str]:
    return found.text.rstrip("\n").split("\n")


def _range(lookup: Lookup, count: int) -> tuple[int, int]:
    """First and last line that are asked for, of so many."""
    return (lookup.first or 1, lookup.last or count) if lookup.kind == "range" else (1, count)


def _search(readable: Readable, lookup: Lookup, most: int) -> str:
    pattern, until = _compiled(lookup.pattern), time.monotonic() + SECONDS
    hits: list[str] = []
    cut = ""
    for path in readable.found.files:
        if not _within(path, lookup.path):
            continue
        if time.monotonic() > until:
            cut = f"after {SECONDS:g} seconds the search was ended; name a folder"
            break
        hits += _hits(readable, path, pattern, until)
        if len(hits) > MOST_HITS:
            cut = f"more than {MOST_HITS} lines; narrow the search"
            break
    kept = _fitting(hits[:MOST_HITS], most)
    if len(kept) < len(hits[:MOST_HITS]):
        cut = f"{len(hits) - len(kept)} lines more; narrow the search"
    return _answer(Section(f"lines found, {lookup.describe()}", "\n".join(kept) or "(none)"), cut)


def _hits(readable: Readable, path: str, pattern: re.Pattern[str], until: float) -> list[str]:
    """`path:line: text` of each line; secrets are gone before anything is compared, so that none can be guessed."""
    if not _may_hit(readable, path, pattern, until):
        return []
    found = readable.read(path)
    lines = found.text.split("\n") if isinstance(found, Text) else []
    return [
        f"{path}:{number}: {line[:SEARCHED]}"
        for number, line in enumerate(lines, 1)
        if time.monotonic() <= until and pattern.search(line[:SEARCHED])
    ]


def _may_hit(readable: Readable, path: str, pattern: re.Pattern[str], until: float) -> bool:
    """Whether the raw file holds the pattern: cheaper than taking out the secrets of every file."""
    try:
        text = (readable.root / path).read_bytes().decode("utf-8", "replace")
    except OSError:
        return False
    return any(pattern.search(line[:SEARCHED]) for line in text.split("\n") if time.monotonic() <= until)


def _compiled(pattern: str) -> re.Pattern[str]:
    """As a regular expression where it is a simple one that cannot run for long, else as plain text."""
    steps = SIMPLE.findall(pattern)
    simple = "".join(steps) == pattern and sum(step[-1] in "*+?" and len(step) > 1 for step in steps) <= QUANTIFIERS
    try:
        return re.compile(pattern if simple else re.escape(pattern))
    except re.error:
        return re.compile(re.escape(pattern))


def _within(path: str, asked: str) -> bool:
    asked = asked.strip().removeprefix("./").rstrip("/")
    return asked in ("", ".") or path == asked or path.startswith(asked + "/") or fnmatchcase(path, asked)


def _fitting(lines: list[str], most: int) -> list[str]:
    """The first lines that are no longer than `most` characters together."""
    kept: list[str] = []
    for line in lines:
        most -= len(line) + 1
        if most < 0:
            break
        kept.append(line)
    return kept


def _answer(section: Section, cut: str) -> str:
    return render("llm/lookup.j2", asked="", problem="", section=section.fenced(word_for([section])), cut=cut)
