"""The studies of a night: their files read all at once, and what the night has of each."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...executor.errors import LesionError, StudyFileError
from ...executor.worker import Station
from ..ledger import Ledger
from ..ledgerfile import holder
from ..llm.settings import ModelSettings
from ..setting import Setting, prepare
from ..spec import StudySpec
from ..study import Study
from ..studyfile import load_study, state_folder


@dataclass(frozen=True)
class Ready:
    """A study that could be started now."""

    setting: Setting
    state: Path
    ledger: Ledger
    """Open for writing: no other process drives this study."""
    station: Station
    study: Study
    name: str
    """The study's (`names_of`)."""
    model: ModelSettings | None = None
    """The language model that plans; None where the rules do."""


def read_all(paths: Sequence[Path], state: Path | None = None) -> list[Setting]:
    """Every study file with all that it points to, in the given order.

    Args:
        paths: study files, or the folders that hold them.
        state: where the results are kept, where it is not beside the study file.

    Raises:
        StudyFileError: with the problems of all of them: what is wrong in a file, a study that is named twice, two that
            would write into one folder, one that another process runs.
    """
    specs: list[StudySpec] = []
    settings: list[Setting] = []
    problems: list[str] = []
    for path in paths:
        try:
            spec = load_study(path)
            problems += _in_the_way(spec, specs, state)
            specs.append(spec)
            settings.append(prepare(spec))
        except LesionError as error:
            problems.append(str(error) if error.where else f"{path}: {error}")
    if problems:
        raise StudyFileError("\n".join(problems))
    return settings


def names_of(settings: Sequence[Setting]) -> list[str]:
    """What the studies of a night are called: those of one name by their folder too."""
    names = Counter(one.spec.study.name for one in settings)

    def name(spec: StudySpec) -> str:
        own = spec.study.name
        return own if names[own] == 1 else f"{own} ({_apart(spec, settings)})"

    return [name(one.spec) for one in settings]


def _apart(spec: StudySpec, settings: Sequence[Setting]) -> str:
    """As much of the end of its folder's path as tells it from the others of its name."""
    folders = [one.spec.path.resolve().parent for one in settings if one.spec.study.name == spec.study.name]
    own = spec.path.resolve().parent
    for count in range(1, len(own.parts)):
        tail = own.parts[-count:]
        if sum(each.parts[-count:] == tail for each in folders) == 1:
            return "/".join(tail)
    return str(spec.path.resolve())


def _in_the_way(spec: StudySpec, before: Sequence[StudySpec], state: Path | None) -> list[str]:
    """Why a study cannot stand beside those before it, or beside what runs."""
    folder = state_folder(spec, state)
    if any(one.path.resolve() == spec.path.resolve() for one in before):
        return [f"{spec.path}: is named twice"]
    if twin := next((one for one in before if state_folder(one, state) == folder), None):
        return [f"{spec.path}: would write into {folder}, as {twin.path} does: give them different study.name"]
    if pid := holder(folder / "lock"):
        return [f"{spec.path}: another process is running this study (pid {pid}): wait for it, or `lesion stop` it"]
    return []
