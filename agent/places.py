"""Where in a project an intervention may act: in the live model, in the configuration, in the source."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..executor.interventions import Intervention, SourceEdit
from .editing.guard import SourceGuard
from .reading.anatomy import Anatomy
from .setting import Setting


@dataclass(frozen=True)
class Places:
    """Everything of a project that could be cut."""

    anatomy: Anatomy
    source: SourceGuard

    @classmethod
    def of(cls, setting: Setting, anatomy: Anatomy) -> "Places":
        """Those of a setting, once its model was seen."""
        return cls(anatomy, guard_of(setting))

    def problem(self, intervention: Intervention, *, proposed: bool = False) -> str | None:
        """Why an intervention cannot be; None where it can. `proposed`: by a language model, which may do less than a person."""
        if isinstance(intervention, SourceEdit):
            return self.source.problem(intervention, proposed=proposed)
        return self.anatomy.problem(intervention)


def guard_of(setting: Setting) -> SourceGuard:
    """What guards the source of a setting's project."""
    excluded: Sequence[str] = setting.spec.project.exclude
    script = setting.spec.experiment.command is not None
    return SourceGuard(setting.spec.root, setting.experiment.file, excluded, script=script)
