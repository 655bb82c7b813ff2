"""Whether results are of the files as they are now."""

from .. import prompts
from ..executor.errors import LesionError
from .setting import version_now
from .spec import StudySpec


def is_stale(spec: StudySpec, version: str) -> bool | None:
    """Whether source, configuration or inputs were edited since `version` was measured; None where they cannot be read."""
    try:
        return version_now(spec) != version
    except (LesionError, OSError):
        return None


def stale_lines(spec: StudySpec, version: str) -> list[str]:
    """What is said of it; nothing where the results are of these files."""
    return prompts.render("progress/stale.j2").splitlines() if is_stale(spec, version) else []
