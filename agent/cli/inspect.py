"""`lesion inspect`: what could be removed, where it stands, and how."""

import json as jsonlib
from typing import TYPE_CHECKING

import typer

from .options import DEFAULT_STUDY, Json, State, StudyFile, Unsafe, opened

if TYPE_CHECKING:
    from rich.tree import Tree

    from ..components import Component

WHOLE = 10_000
"""Columns of what is no terminal."""


def inspect(
    study: StudyFile = DEFAULT_STUDY, json: Json = False, state: State = None, unsafe_no_sandbox: Unsafe = False
) -> None:
    """List the components of the experiment, from its configuration, its live module tree and its source."""
    from rich.console import Console

    from ...executor.pool import Pool
    from ..studyfile import state_folder
    from ..survey import components_of, survey
    from .signals import listen

    setting = opened(study)
    station = setting.station(state_folder(setting.spec, state), unsafe=unsafe_no_sandbox)
    listen()
    with Pool(station, 1) as pool:
        components = components_of(setting, survey(setting, pool, None))
    if json:
        typer.echo(jsonlib.dumps({"components": [one.model_dump(mode="json") for one in components]}, indent=1))
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=WHOLE)  # a pipe has no edge: every line is whole
    console.print(_tree(setting.spec.study.name, components), no_wrap=True, overflow="ellipsis")


def _tree(name: str, components: "list[Component]") -> "Tree":
    from rich.tree import Tree

    root = Tree(f"[bold]{name}[/]: {len(components)} components")
    settings, modules = root.add("configuration"), root.add("modules")
    source = Tree("source")
    branches: dict[str, Tree] = {}
    for one in components:
        family, _, path = one.id.partition(":")
        if family == "config":
            settings.add(_line(one))
        elif family == "edit":
            source.add(_line(one))
        elif family == "module":
            branches[path] = branches.get(path.rpartition(".")[0], modules).add(_line(one))
        else:
            branches.get(one.where or "", modules).add(_line(one))
    if source.children:
        root.children.append(source)
    return root


def _line(component: "Component") -> str:
    from rich.markup import escape

    removal = component.interventions[0].describe() if component.interventions else "never removed"
    size = f", {component.size:,} parameters" if component.size else ""
    where = f"{component.where}; " if component.where and component.where not in component.id else ""
    return f"{escape(component.id)} [dim]{component.kind}{size}; {escape(removal)}; {escape(where + component.evidence)}[/]"
