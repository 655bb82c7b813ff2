"""Compiles the stand-alone document with the machine's own pdfTeX: no shell, no files but its own, no network, a time limit."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ....executor.errors import ReportError

_MOST_RUNS, _SECONDS = 5, 120
_RERUN = re.compile(r"Rerun to get|Rerun LaTeX|Table widths have changed|There were undefined references")
_MISSING = re.compile(r"File `([^']+)' not found")
_INSTALL = "install a TeX, such as Debian's texlive-latex-recommended, or write --format tex and compile elsewhere"
_INSTEAD = "use --format tex, and see the log of `pdflatex main`"
_SAFE = {"openin_any": "p", "openout_any": "p", "shell_escape": "f", "FORCE_SOURCE_DATE": "1"}


def compiled(files: Mapping[str, bytes], date: int) -> bytes:
    """The PDF of `main.tex` among the files; `date` in seconds since 1970 goes into it, so that it is the same every time.

    Raises:
        ReportError: there is no TeX, it lacks a package, or it fails: with its first error.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise ReportError("a PDF needs pdflatex, which is not on the PATH", to_do=_INSTALL)
    with tempfile.TemporaryDirectory(prefix="lesion-tex-") as place:
        folder = Path(place)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        for _ in range(_MOST_RUNS):
            log = _run(program, folder, date)
            if not _RERUN.search(log):
                break
        made = folder / "main.pdf"
        if not made.exists():
            raise ReportError("pdflatex ended well and wrote no PDF", to_do=_INSTEAD)
        return made.read_bytes()


def _run(program: str, folder: Path, date: int) -> str:
    """One pass; its log."""
    command = [program, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "main.tex"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=_environment(folder, date),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReportError(f"pdflatex did not end within {_SECONDS} s", to_do=_INSTEAD) from error
    log = folder / "main.log"
    text = log.read_text("latin-1") if log.exists() else done.stdout.decode("latin-1")
    if done.returncode != 0:
        raise _failure(text)
    return text


def _environment(folder: Path, date: int) -> dict[str, str]:
    own = {name: str(folder / ".tex") for name in ("HOME", "TEXMFHOME", "TEXMFVAR", "TEXMFCONFIG")}
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, **own, **_SAFE, "SOURCE_DATE_EPOCH": str(date), "max_print_line": "1000"}


def _failure(log: str) -> ReportError:
    missing = _MISSING.search(log)
    if missing:
        return ReportError(f"the TeX on this machine lacks {missing[1]}", to_do=_INSTALL)
    first = next((line[1:].strip() for line in log.splitlines() if line.startswith("!")), "it gave no reason")
    return ReportError(f"pdflatex fails: {first}", to_do=_INSTEAD)
