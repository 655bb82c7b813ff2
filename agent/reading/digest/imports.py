"""How far each file of the project is from the entry point, in imports."""

from collections import deque
from pathlib import Path

from ...editing.modules import Modules, import_statements

MOST = 1000
"""Files after which no more are followed: no context holds as many."""


def distances(root: Path, entry: Path) -> dict[str, int]:
    """The files below `root` that `entry` reaches by imports, the nearest, also those inside functions: relative path → imports between."""
    start = entry.parent.resolve() / entry.name
    modules = Modules(root, entry=start)
    found = {start: 0}
    waiting = deque([start])
    while waiting and len(found) < MOST:
        file = waiting.popleft()
        for one in _imported(modules, file):
            if one not in found:
                found[one] = found[file] + 1
                waiting.append(one)
    return {modules.relative(file): count for file, count in found.items()}


def _imported(modules: Modules, file: Path) -> list[Path]:
    tree = modules.module(file).tree
    if tree is None:
        return []
    places = [
        place
        for one in import_statements(tree, functions=True)
        for way in modules.places(one, file)
        for place in (*way, *([way[-1] / one.name] if one.name and one.name != "*" else []))
    ]
    return [path for place in places for path in modules.files(place)]
