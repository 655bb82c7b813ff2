"""The study file of a draft: rendered, read back, put in its place in one piece."""

import json
import os
import re
from pathlib import Path
from typing import Any

from ...executor.errors import StudyFileError
from ...prompts import render
from ..report.text import plain
from ..studyfile import load_study
from .draft import Draft
from .trouble import last_lines

BARE = re.compile(r"[A-Za-z0-9_-]+")


def study_text(draft: Draft) -> str:
    """The commented file."""
    output = last_lines(draft.ran) if draft.ran else []
    root = os.path.relpath(draft.root, draft.path.parent)
    text = render(
        "init/study.j2",
        draft=draft,
        root=root,
        output=output,
        findings=draft.findings,
        toml=toml,
        key=key,
        name=name,
        pattern=pattern,
        comment=plain,
    )
    return text.rstrip() + "\n"


def write(draft: Draft) -> None:
    """Write the file, whole or not at all. `StudyFileError` where it does not load although nothing is missing in it; `OSError`."""
    unfinished = draft.path.with_name(f".{draft.path.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8") as file:
            file.write(study_text(draft))
            file.flush()
            os.fsync(file.fileno())
        if draft.is_complete:
            _require_sound(unfinished, draft.path.name)
        unfinished.replace(draft.path)
    finally:
        unfinished.unlink(missing_ok=True)


def _require_sound(unfinished: Path, name: str) -> None:
    """`StudyFileError`, with the name that the file was to have, where it does not load."""
    try:
        load_study(unfinished)
    except StudyFileError as error:
        raise StudyFileError(
            str(error).replace(unfinished.name, name), to_do="see the options of `lesion init`"
        ) from None


def toml(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml(one) for one in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def pattern(text: str) -> str:
    """A regular expression as TOML, without doubled backslashes where that is possible."""
    return f"'{text}'" if "'" not in text and text.isprintable() else toml(text)


def name(text: str) -> str:
    """One key."""
    return text if BARE.fullmatch(text) else toml(text)


def key(dotted: str) -> str:
    """A dotted key; a part that is not bare in quotation marks."""
    return ".".join(map(name, dotted.split(".")))
