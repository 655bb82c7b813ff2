"""The claims of a study, from its file or from a text file beside it, and what is wrong with them."""

import re
from collections.abc import Iterator
from pathlib import Path

from ..executor.errors import StudyFileError
from .reading.digest.secrets import withheld
from .spec import StudySpec, absolute
from .studychecks import Problem, Table, as_table

MOST_CLAIMS = 50
LONGEST_CLAIM = 1000
LARGEST_FILE = 1_000_000
"""Bytes."""
CLAIMS, FILE = ("study", "claims"), ("study", "claims_file")

_BULLET = re.compile(r"\s*(?:[-*+•–]|\(?\d{1,3}[.)])\s+")


def claims_of(spec: StudySpec) -> list[str]:
    """The study's claims; the first is named c1. `StudyFileError` where the file has changed for the worse."""
    if spec.study.claims_file is None:
        return [" ".join(one.split()) for one in spec.study.claims]
    read = _read(spec.path.parent, spec.study.claims_file)
    if isinstance(read, str):
        raise StudyFileError(read, where=f"{spec.path.name}: study.claims_file")
    return read


def check_claims(raw: Table, folder: Path) -> Iterator[Problem]:
    """Every problem of a study file's claims; what is of a wrong type is left to the types."""
    study = as_table(raw.get("study"))
    stated, name = study.get("claims"), study.get("claims_file")
    if stated is not None and name is not None:
        yield Problem(FILE, "both claims and claims_file are given (keep one of them)")
    texts = [stated] if isinstance(stated, str) else stated
    if isinstance(texts, list) and all(isinstance(one, str) for one in texts):
        yield from (Problem(CLAIMS, told) for told in _about([" ".join(one.split()) for one in texts]))
    if isinstance(name, str):
        read = _read(folder, name)
        yield from (Problem(FILE, told) for told in ([read] if isinstance(read, str) else _about(read)))


def _about(claims: list[str]) -> Iterator[str]:
    if len(claims) > MOST_CLAIMS:
        yield f"{len(claims)} claims are more than {MOST_CLAIMS} (keep what the ablations can speak to)"
    for number, text in enumerate(claims, 1):
        if not text:
            yield f"claim {number} is empty (write it out, or take it away)"
        elif len(text) > LONGEST_CLAIM:
            yield f"claim {number} has {len(text)} characters, more than {LONGEST_CLAIM} (say one thing a claim)"


def _read(folder: Path, name: str) -> list[str] | str:
    """The claims of a file, or what is wrong with it."""
    path = absolute(folder, name)
    if not path.is_relative_to(folder.resolve()):
        return f"{path} lies outside the study's folder {folder.resolve()} (move it there)"
    if withheld(path.relative_to(folder.resolve()).as_posix()) or withheld(name.rpartition("/")[2]):
        return f"{path} is named like a file of secrets, which is never read (give the claims a file of another name)"
    if path.is_dir():
        return f"{path} is a folder (name a text file in it, a claim a paragraph)"
    if not path.is_file():
        return f"there is no file {path}"
    try:
        if path.stat().st_size > LARGEST_FILE:
            return f"{path} is larger than {LARGEST_FILE:,} bytes (a claim a paragraph, and nothing else)"
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    except UnicodeDecodeError:
        return f"{path} is not UTF-8 text (save the claims as plain text, a claim a paragraph)"
    if "\0" in text:
        return f"{path} is not text (save the claims as plain text, a claim a paragraph)"
    return paragraphs(text) or f"{path} holds no claim (write a claim a paragraph)"


def paragraphs(text: str) -> list[str]:
    """Each paragraph on one line, without its bullet or number; a bullet begins a paragraph, headings (`# …`) are none."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        bullet = _BULLET.match(line)
        if bullet or not line.strip() or line.lstrip().startswith("#"):
            found.append([])
        if not line.lstrip().startswith("#"):
            found[-1].append(line[bullet.end() :] if bullet else line)
    joined = (" ".join(" ".join(lines).split()) for lines in found)
    return [one for one in joined if one]
