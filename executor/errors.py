"""Every expected error, in one tree; the command line prints these without a traceback and exits with `exit_code`.

LesionError                 what happened, where, what to do
├── StudyFileError          lesion.toml is missing or wrong: all problems at once
├── ConfigurationError      the experiment's configuration file, or an override of it
├── ExperimentError         the user's experiment fails to import, crashes, or returns no usable metric
├── PlanError               a plan that was edited into nonsense, or after its hash was sealed
│   └── EditError           source edits that do not apply to the project's files
├── SandboxError            no sandbox works here
├── LedgerError             the state folder: locked, newer, read-only, full
├── PlannerError            the planner that was asked for cannot plan
│   ├── ModelError          the language model is not configured, not reachable, or refuses: wrong key, address, name
│   ├── PlanningOver        no more may be asked of it: quota used up, or a cap on tokens or dollars reached
│   └── BadAnswerError      it gave no usable answer, after every repair
├── OutOfTime               the run's time ends before the planner can be asked
├── BundleError             a reproducibility bundle that cannot be packed, or is damaged, or asks for what is not there
└── ReportError             nothing to report, or nowhere to write it
"""

from collections.abc import Sequence


class LesionError(Exception):
    """An expected error: `what` happened, `where` (file, line, key), and what `to_do` about it."""

    exit_code = 2

    def __init__(self, what: str, *, where: str | None = None, to_do: str | None = None) -> None:
        super().__init__(what)
        self.what, self.where, self.to_do = what, where, to_do

    def __str__(self) -> str:
        where = f"{self.where}: " if self.where else ""
        to_do = f"\n  → {self.to_do}" if self.to_do else ""
        return f"{where}{self.what}{to_do}"


class StudyFileError(LesionError):
    """The study file is missing or malformed; the message lists every problem with its line."""


class ConfigurationError(LesionError):
    """The experiment's configuration cannot be read, or an override names a key that does not exist."""


class ExperimentError(LesionError):
    """The user's experiment fails before anything can be measured; carries the user's own traceback."""


class PlanError(LesionError):
    """A plan that cannot be used: malformed, naming unknown components, or changed after its runs began."""


class EditError(PlanError):
    """Source edits that do not apply; `problems` holds every one of them, with the file that it is about."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class SandboxError(LesionError):
    """No sandbox works on this machine, and running without one was not asked for."""


class LedgerError(LesionError):
    """The state folder cannot be used: another process holds it, a newer version wrote it, the disk is full."""


class PlannerError(LesionError):
    """The planner that was asked for is not available."""


class ModelError(PlannerError):
    """The language model cannot be asked at all: no key, no such server or model, access denied, a context too small."""


class PlanningOver(PlannerError):
    """Nothing more may be asked of the model: its quota is used up, or a cap of the study is reached. The study goes on."""


class BadAnswerError(PlannerError):
    """The model's answer was unusable, after every repair. The study goes on."""


class OutOfTime(LesionError):
    """The run's time ends before the language model can answer; nothing is lost, and the next run asks it."""

    exit_code = 4


class ReportError(LesionError):
    """There is nothing to report yet, or the report cannot be written."""


class BundleError(LesionError):
    """A reproducibility bundle that cannot be packed, is damaged, or asks for something that is not on this machine."""


class NightError(LesionError):
    """A night that cannot begin, or that nobody runs."""
