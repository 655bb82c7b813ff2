"""Components that the source shows: what could be ablated there, where it stands, and a mechanical edit where one is safe."""

import ast
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ....executor.errors import EditError
from ....executor.interventions import Block, Intervention, SourceEdit
from ....executor.overlay import edited
from ...components import Component
from .blocks import blocks
from .file import SourceFile
from .found import Found
from .layers import layers
from .losses import loss_terms
from .naming import last, names_in, slug
from .pipelines import steps
from .regularizers import regularizers
from .training import course

READERS: tuple[Callable[[SourceFile], Iterator[Found]], ...] = (loss_terms, steps, regularizers, course, layers)
"""Those whose findings are most worth asking first."""
MOST = 48
"""Components of one project."""
MOST_FILES = 100
LARGEST = 400_000
"""Bytes of a file that is read."""
MOST_BLOCKS = 8
MOST_PLACES = 4
"""Places that are named with a component."""


@dataclass(frozen=True)
class Covered:
    """What earlier components remove already."""

    attributes: frozenset[str] = frozenset()
    """Last names of modules and parameters that can be cut in the live model."""
    settings: frozenset[str] = frozenset()
    """Last names of settings that can be switched off."""
    things: frozenset[str] = frozenset()
    """Names of findings that a setting switches off."""

    def __contains__(self, one: object) -> bool:
        if not isinstance(one, Found):
            return False
        if one.name in self.things:
            return True
        return bool(one.attributes & self.attributes or (one.mentions | _conditions(one)) & self.settings)


def source_components(
    root: Path,
    files: Sequence[str],
    covered: Covered | None = None,
    accepts: Callable[[SourceEdit], bool] = lambda _: True,
    live: Collection[str] = (),
) -> list[Component]:
    """What the source of a project could be relieved of, at most `MOST`.

    Args:
        root: The project's folder.
        files: Relative to it, the entry point first, then the nearest to it; tests among them are not read.
        covered: What other components remove; nothing is listed twice.
        accepts: Whether an edit may be tried; what it refuses is not listed.
        live: Names of the classes that the live model is made of; of other modules nothing is listed.
    """
    groups: dict[tuple[str, str], list[Found]] = {}
    own = [name for at, name in enumerate(files) if at == 0 or not is_test(name)]
    sources = [one for name in own[:MOST_FILES] if (one := _read(root, name))]
    alive = _with_bases(sources, live)
    for reader in READERS:
        for source in sources:
            for one in reader(source):
                if (covered is None or one not in covered) and _is_alive(one, alive):
                    groups.setdefault((one.name, f"{source.name}:{one.scope}" if one.scope else ""), []).append(one)
    taken: set[str] = set()
    components: list[Component] = []
    for one in _things(groups):
        made = _component(root, one, taken)
        if made and all(accepts(each) for each in made.interventions if isinstance(each, SourceEdit)):
            taken.add(made.id)
            components.append(made)
        if len(components) == MOST:
            break
    return components


def _with_bases(sources: Sequence[SourceFile], live: Collection[str]) -> set[str]:
    """Those classes, and all that they inherit from."""
    nodes = [node for source in sources for node in source.nodes if isinstance(node, ast.ClassDef)] if live else []
    found, waiting = set[str](), list(live)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [last(base) for node in nodes if node.name == name for base in node.bases]
    return found


def _is_alive(one: Found, alive: Collection[str]) -> bool:
    """Whether a place of a module's code is run at all, as far as is known."""
    owner = one.source.owner(one.node)
    if not alive or owner is None or owner.name in alive or not one.source.in_model(one.node):
        return True
    methods = {each.name for each in owner.body if isinstance(each, ast.FunctionDef)}
    return "forward" not in methods or "training_step" in methods  # Lightning calls the steps, and never the module


def is_test(name: str) -> bool:
    """Whether a file is of tests or of packaging."""
    path = PurePosixPath(name)
    folders = {"tests", "test", "testing", "docs", "benchmarks"} & {*path.parts[:-1]}
    stem = path.stem
    return bool(folders) or stem.startswith("test_") or stem.endswith("_test") or stem in ("setup", "conftest")


def _read(root: Path, name: str) -> SourceFile | None:
    path = root / name
    if path.suffix != ".py":
        return None
    try:
        return SourceFile.of(name, path.read_bytes().decode()) if path.stat().st_size <= LARGEST else None
    except (OSError, UnicodeDecodeError):
        return None


def _things(groups: dict[tuple[str, str], list[Found]]) -> Iterator[list[Found]]:
    """What is removed together: all places of one name where they are one thing, else each alone."""
    for (_, scope), members in groups.items():
        if not scope:
            yield members
        else:
            yield from ([one] for one in members)


def _component(root: Path, members: Sequence[Found], taken: Collection[str]) -> Component | None:
    first = members[0]
    edit = _edit(members)
    if edit and not _applies(root, edit):
        return None
    return Component(
        id=_id(first, taken),
        kind=first.kind,
        label=first.label,
        where=", ".join(f"{one.source.name}:{_line(one)}" for one in members[:MOST_PLACES]),
        evidence=first.evidence + (f", at {len(members)} places" if len(members) > 1 else ""),
        interventions=[edit] if edit else [],
    )


def _id(one: Found, taken: Collection[str]) -> str:
    """The name; with its scope where another has it already; with a number where that is not enough."""
    names = [f"edit:{one.name}", f"edit:{slug(one.name, one.scope)}"]
    numbered = (f"{names[-1]}-{number}" for number in range(2, len(taken) + 3))
    return next(name for name in [*names, *numbered] if name not in taken)


def _edit(members: Sequence[Found]) -> Intervention | None:
    """One edit for all places; None where one of them has none, or there are too many."""
    if not all(one.changes for one in members):
        return None
    found = [
        block
        for source in dict.fromkeys(one.source.name for one in members)
        for block in _of_file([one for one in members if one.source.name == source]) or [None]
    ]
    whole = [one for one in found if one is not None]
    return SourceEdit(blocks=whole) if len(whole) == len(found) <= MOST_BLOCKS else None


def _of_file(members: Sequence[Found]) -> list[Block] | None:
    return blocks(members[0].source, [change for one in members for change in one.changes])


def _applies(root: Path, edit: Intervention) -> bool:
    try:
        edited(root, [edit] if isinstance(edit, SourceEdit) else [])
    except EditError:
        return False
    return True


def _conditions(one: Found) -> set[str]:
    """Names in the conditions under which a place is come to."""
    around = one.source.around(one.node)
    return {name for each in around if isinstance(each, ast.If | ast.IfExp) for name in names_in(each.test)}


def _line(one: Found) -> int:
    return getattr(one.node, "lineno", 1)
