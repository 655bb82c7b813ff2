"""Drafts as they are kept: a file each in the state folder, written whole or not at all."""

import hashlib
from pathlib import Path

from pydantic import ValidationError

from ...executor.errors import ReportError
from ..records.drafts import Draft, Drafted
from ..wholefile import whole

FOLDER = "drafts"


def name_of(draft: Draft | Drafted) -> str:
    """`narrative`; of a rebuttal also what tells its question from others."""
    if draft.question is None:
        return draft.style
    return f"{draft.style}-{hashlib.sha256(draft.question.encode()).hexdigest()[:8]}"


def keep(state: Path, draft: Draft) -> Path:
    """Write a draft over the last one of its style and question.

    Raises:
        ReportError: the folder cannot be written.
    """
    path = state / FOLDER / f"{name_of(draft)}.json"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole(path) as file:
            file.write(draft.model_dump_json(indent=1).encode())
    except OSError as error:
        raise ReportError(
            f"the draft cannot be kept: {error.strerror}",
            where=str(path),
            to_do="make room, or see who may write there",
        ) from error
    return path


def kept(state: Path) -> list[Draft]:
    """Every draft of a study, the latest last.

    Raises:
        ReportError: a file is none.
    """
    return sorted((_read(path) for path in sorted((state / FOLDER).glob("*.json"))), key=lambda one: one.written)


def _read(path: Path) -> Draft:
    try:
        return Draft.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ReportError(
            f"this draft cannot be read ({type(error).__name__})",
            where=str(path),
            to_do="delete it, and have it written anew",
        ) from error
