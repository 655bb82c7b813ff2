"""Checks a file on disk, Markdown or LaTeX, also one that a person edited."""

from pathlib import Path
from typing import Literal

from ....executor.errors import ReportError
from ...results import Results
from ..facts import Facts
from .check import check
from .finding import Finding

_KINDS: dict[str, Literal["md", "tex"]] = {
    ".md": "md",
    ".markdown": "md",
    ".txt": "md",
    ".tex": "tex",
    ".latex": "tex",
    ".ltx": "tex",
}
_MOST = 4_000_000
"""Bytes; what is longer is no paper."""


def check_file(path: Path, results: Results) -> tuple[Finding, ...]:
    """Every claim of a file.

    Raises:
        ReportError: the file is no text that can be checked, nothing was measured yet, or references in it are broken.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ReportError(
            f"cannot tell how to read {path.suffix or 'a file without a suffix'}",
            where=str(path),
            to_do="check a .md or a .tex file",
        )
    text = _text(path)
    if not results.effects and not results.baseline:
        raise ReportError(
            "there are no results to check a text against", where=str(path), to_do="run the study first: lesion run"
        )
    found = check(text, Facts(results), kind)
    broken = [f"line {one.line}: {one.why}" for one in found if one.kind == "reference"]
    if broken:
        count = "1 reference is" if len(broken) == 1 else f"{len(broken)} references are"
        raise ReportError(
            f"{count} broken:\n  " + "\n  ".join(broken), where=str(path), to_do="mend these, and check again"
        )
    return found


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _MOST:
            raise ReportError("the file is too long for a paper", where=str(path), to_do="check the section by itself")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportError(
            "the file is no UTF-8 text",
            where=str(path),
            to_do="save it as UTF-8, or name the source instead of the PDF",
        ) from error
    except OSError as error:
        raise ReportError(
            f"the file cannot be read: {error.strerror or error}",
            where=str(path),
            to_do="name a .md or .tex file that exists",
        ) from error
    if "\0" in text:
        raise ReportError("the file is no text", where=str(path), to_do="name the .md or .tex source")
    if not text.strip():
        raise ReportError(
            "the file is empty: there is nothing to check", where=str(path), to_do="name the file that was written"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")
