"""A wall clock that is set while a program runs, faked inside its process: a `sitecustomize` that a file moves."""

from pathlib import Path

SITECUSTOMIZE = """
import time

FILE = {file!r}
_time = time.time


def _moved():
    try:
        with open(FILE) as file:
            return _time() + float(file.read() or 0)
    except OSError:
        return _time()


time.time = _moved
"""


def fake_clock(folder: Path) -> tuple[Path, dict[str, str]]:
    """The file whose number of seconds the clock is ahead, and the environment of a program that goes by it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "seconds"
    file.write_text("0")
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE.format(file=str(file)))
    return file, {"PYTHONPATH": str(folder)}
