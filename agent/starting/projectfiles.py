"""The Python files of a folder, parsed, and which of them are no experiments."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..keys import entered
from ..reading.script.source import Source, parsed

MOST = 1500
"""Files that are looked at."""
DEEPEST = 5
ASIDE = frozenset("tests test docs doc setup.py conftest.py noxfile.py versioneer.py hubconf.py __init__.py".split())


def python_files(root: Path) -> list[Source]:
    """Every Python file below `root` that can be parsed, the shallowest first; no environments, nothing hidden or built."""
    names = sorted(_names(root), key=lambda path: (len(path.parts), path))[:MOST]
    found = (parsed(root, path) for path in names)
    return [one for one in found if one is not None]


def is_aside(name: str) -> bool:
    """Whether a file serves tests, packaging or documentation."""
    path = PurePosixPath(name)
    return not ASIDE.isdisjoint(path.parts) or path.name.startswith("test_") or path.stem.endswith("_test")


def _names(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        deep = len(here.relative_to(root).parts) >= DEEPEST
        folders[:] = [] if deep else sorted(name for name in folders if entered(here / name))
        yield from (here / name for name in files if name.endswith(".py"))
