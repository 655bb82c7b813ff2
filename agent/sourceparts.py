"""Components that only the source of an experiment shows: what no setting and no module of its model covers."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from ..executor.interventions import ConfigOverride
from .components import Component
from .places import guard_of
from .reading.digest.imports import distances
from .reading.source.find import Covered, source_components
from .reading.words import is_clip, kind_of, words
from .setting import Setting


def components_from_source(setting: Setting, earlier: Sequence[Component]) -> list[Component]:
    """What could be edited in the files that the experiment reaches, beside the `earlier` components."""
    spec, entry = setting.spec, setting.experiment.file
    if not entry.is_file():
        return []
    reached = distances(spec.root, entry)
    files = [name for name in sorted(reached, key=lambda one: (reached[one], one)) if not _excluded(name, setting)]
    guard = guard_of(setting)
    return source_components(
        spec.root, files, covered_by(earlier), lambda edit: guard.problem(edit, proposed=False) is None
    )


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
