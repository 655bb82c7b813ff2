"""Numbers that no reference backs: what counts as one, what only looks like one, and the mark that follows it."""

import re
import sys
from collections.abc import Collection

from ..report.text import markdown, plain

MARK = "(?)"
"""Follows a number of a model's own: the same in Markdown, in any terminal and in ASCII."""

LONGEST = 120
"""Characters of one chunk; longer ones are judged in parts."""
PHRASE = 60
"""Characters in which a quantity in words is looked for."""
CHUNK = re.compile(r"[^\W_]+(?:[_.,:/+\-−–=’'@^][^\W_]+)*")
"""Words and numbers that hang together, as in `blocks.3.mlp`, `1e-3` or `1,234`."""
GLUE = frozenset("_.,:/+-−–=’'@^")
UNIT_SIGN = re.compile(r" ?[%‰×]")

_SPELLED = re.compile(r"\\(?:x[0-9a-f]{2}|u[0-9a-f]{4}|U[0-9a-f]{8})")
_SPELLED_SO_FAR = re.compile(r"\\(?:x[0-9a-f]?|u[0-9a-f]{0,3}|U[0-9a-f]{0,7})?")

_NUMBER = (
    "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen"
    "|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|million|billion|trillion|dozen"
)
_SMALL = f"{_NUMBER}|zero|one|half|couple"
_BIG = (
    "thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
    "|hundred|thousand|million|billion|trillion|dozen"
)
_PART = "half|third|quarter|fifth|sixth|seventh|eighth|ninth|tenth|hundredth|thousandth"
_PARTS = "halves|thirds|quarters|fifths|sixths|sevenths|eighths|ninths|tenths|hundredths|thousandths"
_MULTIPLE = "doubles|doubled|doubling|triples|tripled|tripling|quadrupled|halved|halving|twice|thrice"
_UNIT = (
    r"per[ -]?cent(?:age)?(?:[ -]points?)?|points?|pp|standard[ -](?:deviations?|errors?)|sigmas?|σ|δ|deltas?|times|fold|orders?"
    r"|seeds?|runs?|trials?|examples?|epochs?|nats?|seconds?|minutes?|hours?"
)
_GAP = r"(?:[ \t*_~\-–]+|[ \t*_]*\n[ \t*_]*)"
_WHOSE = "a|an|the|its|their|all|this|these|that"
_NOT_ONE_OF = r"(?!one\b[\s*_~\-–]+(?:points?|times|seeds?|runs?|trials?|examples?|epochs?|seconds?|minutes?|hours?)\b)"
"""At one point, for one example: no quantities."""
QUANTITY = re.compile(
    rf"(?:(?:{_SMALL}){_GAP}point(?:{_GAP}(?:{_SMALL}))+"
    rf"|{_NOT_ONE_OF}(?:{_SMALL})(?:{_GAP}(?:and{_GAP}|a{_GAP}|of{_GAP})?(?:{_SMALL}))*{_GAP}(?:full{_GAP}|whole{_GAP})?(?:{_UNIT})"
    rf"|(?:{_SMALL}){_GAP}(?:{_PART}|{_PARTS})"
    rf"|(?:{_BIG})s?(?:{_GAP}(?:and{_GAP})?(?:{_SMALL}))*"
    rf"|(?:{_PART}|{_PARTS}){_GAP}(?:of{_GAP}(?:(?:{_WHOSE}){_GAP})?|(?:{_WHOSE}){_GAP})\w+|half{_GAP}(?:as|that)"
    rf"|(?:{_NUMBER})fold|(?:{_MULTIPLE}))(?!\w)",
    re.IGNORECASE,
)
"""A quantity in words that reads as a result: `twenty percent`, `two points`, `threefold`, `half of the accuracy`."""
WORD = re.compile(r"[^\W\d_]+")
STARTERS = frozenset(f"{_SMALL}|{_BIG}|{_PART}|{_PARTS}|{_MULTIPLE}".split("|")) | {
    f"{word}{end}" for word in _NUMBER.split("|") for end in ("fold", "s")
}
"""Words that such a quantity begins with."""

_FILES = "py|toml|yaml|yml|json|md|txt|cfg|ini|sh|db|j2|csv|pt|safetensors"
_NAME = re.compile(
    rf"(?:\w+[/.])*[A-Za-z_][\w.-]*\.(?:{_FILES})(?::[0-9]+(?:[-–][0-9]+)?)?"  # train.py:12
    r"|(?:config|module|head|neurons|weight|edit|control|joint):[A-Za-z_][\w./+-]*"  # config:dropout
    r"|[A-Za-z_]+(?:\.[A-Za-z_]+|\.[0-9]{1,3}(?=\.))+"  # blocks.3.mlp
    r"|(?:round|seed|look)-[0-9]{1,3}|c[0-9]{1,3}"  # round-1, c1
    r"|v?[0-9]+\.[0-9]+\.[0-9]+(?:[.+-][0-9A-Za-z]+)*|v[0-9]+(?:\.[0-9]+)?"  # 2.13.0, v2
    r"|(?:fp|bf|int|uint|float|tf)[0-9]{1,2}|[Cc]onv[123]d"
    r"|[A-Z][0-9]|(?=\w*[A-Z]\w*[A-Z])[A-Za-z]+-?[0-9]{1,3}[A-Za-z]?"  # L2, GPT-2, ResNet-18
)


def is_numeric(text: str) -> bool:
    """Whether any character is a digit or a number of its own, in any script."""
    return any(c.isnumeric() for c in text)


def spelled(text: str, *, final: bool) -> int | None:
    """Characters at the start of a text that spell a character which cannot be seen, as in `\\x1b`: no number.

    None where more of the text may make it one.
    """
    found = _SPELLED.match(text)
    if found is None:
        return None if not final and _SPELLED_SO_FAR.fullmatch(text) else 0
    code = int(found[0][2:], 16)
    return found.end() if code <= sys.maxunicode and not chr(code).isprintable() else 0


def _without_spelled(code: str) -> str:
    return _SPELLED.sub(lambda found: " " if spelled(found[0], final=True) else found[0], code)


def is_name(chunk: str, ids: Collection[str]) -> bool:
    """Whether the numbers in it are part of a name: an id of the study, a path, a version, `GPT-2`."""
    if chunk in ids:
        return not re.fullmatch(r"[\W\d]+", chunk)
    return chunk.isascii() and _NAME.fullmatch(chunk) is not None and chunk.partition("-")[0].lower() not in ids


def may_begin_a_quantity(word: str, *, complete: bool) -> bool:
    """Whether a quantity in words may begin with it, or with what it may grow to."""
    word = word.lower()
    return word in STARTERS if complete else any(each.startswith(word) for each in STARTERS)


def is_bare(code: str, ids: Collection[str]) -> bool:
    """Whether code holds a quantity and nothing that makes it code."""
    code = _without_spelled(code)
    if not is_numeric(code):
        return QUANTITY.fullmatch(code.strip()) is not None
    first, rest = CHUNK.search(code), re.sub(_UNIT, "", code, flags=re.IGNORECASE)
    begins = first is not None and (is_numeric(first[0]) or len(first[0]) == 1)
    return begins and not is_name(code.strip(), ids) and re.search(r"[^\W\d_]{2,}", rest) is None


def as_shown(text: str) -> str:
    """A text of the study's inside of prose: escaped, and as code where it holds what would read as a measured number."""
    line = plain(text)
    if not is_numeric(line) and not any(QUANTITY.match(line, word.start()) for word in WORD.finditer(line)):
        return markdown(line)
    line = line.replace("|", "¦")  # nothing may split it where it stands in a table
    ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", line)), default=0))
    return f"{ticks}{line}{ticks}" if len(ticks) == 1 else f"{ticks} {line} {ticks}"
