"""Components that only the source of an experiment shows: what no setting and no module of its model covers."""

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ..executor.interventions import ConfigOverride
from .components import Component
from .keys import source_files
from .places import guard_of
from .reading.digest.imports import distances
from .reading.source.find import Covered, source_components
from .reading.words import is_clip, kind_of, words
from .setting import Setting


def components_from_source(
    setting: Setting, earlier: Sequence[Component], live: Collection[str] = ()
) -> list[Component]:
    """What could be edited in the files that the experiment reaches, beside the `earlier` components.

    `live`: Names of the classes that its model was seen to be made of; other models than that are not read.
    """
    guard = guard_of(setting)
    return source_components(
        setting.spec.root,
        _reached(setting),
        covered_by(earlier),
        lambda edit: guard.problem(edit, proposed=False) is None,
        live,
    )


def files_of_settings(setting: Setting) -> Iterable[Path]:
    """The files that tell how a setting is used: of a script those that it reaches, as others have their own of that name."""
    if setting.spec.experiment.command is None:
        return source_files(setting.spec)
    return [setting.spec.root / name for name in _reached(setting)]


def _reached(setting: Setting) -> list[str]:
    """Relative to the root, the entry point first, then the nearest to it."""
    entry = setting.experiment.file
    found = distances(setting.spec.root, entry) if entry.is_file() else {}
    return [name for name in sorted(found, key=lambda one: (found[one], one)) if not _excluded(name, setting)]


def covered_by(components: Sequence[Component]) -> Covered:
    """What components that are there already remove, by name."""
    removed = [one for one in components if one.interventions]
    settings = [one for one in removed if isinstance(one.interventions[0], ConfigOverride)]
    modules = [one for one in removed if one not in settings]
    return Covered(
        attributes=frozenset(part for one in modules for part in one.id.partition(":")[2].split(".")[-1:]),
        settings=frozenset(_last(one) for one in settings),
        things=frozenset(thing for one in settings for thing in _things(_last(one))),
    )


def _things(key: str) -> list[str]:
    """What a setting switches, where the source calls it so."""
    if is_clip(key):
        return ["gradient-clipping"]
    if kind_of(key) == "schedule":
        return ["warmup" if "warmup" in words(key) else "schedule"]
    return []


def _last(component: Component) -> str:
    return component.id.partition(":")[2].partition("=")[0].rpartition(".")[2]


def _excluded(name: str, setting: Setting) -> bool:
    return any(fnmatchcase(name, glob.rstrip("/")) for glob in setting.spec.project.exclude)
