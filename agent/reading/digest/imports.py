"""How far each file of the project is from the entry point, in imports."""

import os
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from ...editing.modules import Modules, import_statements
from ...editing.names import Imported
from ...keys import entered

MOST = 1000
"""Files after which no more are followed: no context holds as many."""
TARGET = re.compile(r"""^[ \t-]*_target_:[ \t]*["']?([A-Za-z_][\w.]*)\.([A-Za-z_]\w*)""", re.MULTILINE)
"""What Hydra's `instantiate` imports: `_target_: src.models.Net`."""
LARGEST = 1 << 18


def distances(root: Path, entry: Path) -> dict[str, int]:
    """The files below `root` that `entry` reaches by imports, the nearest, also those inside functions: relative path → imports between.

    Where one of them imports Hydra, what the project's YAML files name as a `_target_` is imported too.
    """
    start = entry.parent.resolve() / entry.name
    modules = Modules(root, entry=start)
    found = {start: 0}
    waiting = deque([start])
    with_targets = False
    while waiting and len(found) < MOST:
        file = waiting.popleft()
        statements = _statements(modules, file)
        if not with_targets and any(one.module.partition(".")[0] == "hydra" for one in statements):
            statements, with_targets = [*statements, *_targets(modules.root)], True
        for one in _files(modules, statements, file):
            if one not in found:
                found[one] = found[file] + 1
                waiting.append(one)
    return {modules.relative(file): count for file, count in found.items()}


def _statements(modules: Modules, file: Path) -> list[Imported]:
    tree = modules.module(file).tree
    return list(import_statements(tree, functions=True)) if tree else []


def _files(modules: Modules, statements: list[Imported], file: Path) -> list[Path]:
    places = [
        place
        for one in statements
        for way in modules.places(one, file)
        for place in (*way, *([way[-1] / one.name] if one.name and one.name != "*" else []))
    ]
    return [path for place in places for path in modules.files(place)]


def _targets(root: Path) -> Iterator[Imported]:
    """What the YAML files below the root name to be made, each once."""
    named: dict[tuple[str, str], None] = {}
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if entered(Path(folder) / name))
        for path in (Path(folder) / name for name in sorted(files) if name.endswith((".yaml", ".yml"))):
            if path.is_file() and path.stat().st_size <= LARGEST:
                named |= dict.fromkeys(TARGET.findall(path.read_text(encoding="utf-8", errors="replace")))
    return (Imported(name, module, name=name) for module, name in named)
