"""Reads `lesion.toml` into a `StudySpec`, or raises one error that lists every problem with its line."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..executor.errors import StudyFileError
from .claims import check_claims
from .configuration import flatten
from .reading.toml_lines import KeyPath, nearest_line, toml_lines
from .retuningchecks import check_retuning
from .spec import StudySpec
from .studychecks import Problem, as_table, check_study
from .studyproblems import shape_problems

STUDY_FILE = "lesion.toml"
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def load_study(path: Path, adapted: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> StudySpec:
    """The study described by `path`, a study file or a folder with a `lesion.toml`.

    Args:
        path: where it is.
        adapted: what its tables become before they are looked at; the file keeps what it says.

    Raises:
        StudyFileError: it is missing, unreadable or wrong; the message lists all problems, a line each.
    """
    path = _study_file(path)
    raw, lines = _parse(path)
    raw = adapted(raw) if adapted else raw
    spec, problems = _validate(raw, path)
    problems += [*check_study(raw, path.parent), *check_retuning(raw, path.parent)]
    problems += check_claims(raw, path.parent)
    if spec is None or problems:
        raise StudyFileError(_listing(problems, lines, path))
    return spec


def state_folder(spec: StudySpec, chosen: Path | None) -> Path:
    """`--state DIR`, or `.lesion/<study>/` beside the study file."""
    return (chosen or spec.path.parent / ".lesion" / spec.study.name).resolve()


def _study_file(path: Path) -> Path:
    """The absolute path of an existing study file."""
    path = path.expanduser().absolute()
    path = path / STUDY_FILE if path.is_dir() else path
    if not path.is_file():
        raise StudyFileError("there is no study file", where=str(path), to_do="write one with `lesion init`")
    return path


def _parse(path: Path) -> tuple[dict[str, Any], dict[KeyPath, int]]:
    """The file's tables, and the line of each key."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise StudyFileError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise StudyFileError("is not UTF-8 text", where=str(path), to_do="save it as UTF-8") from error
    try:
        return tomllib.loads(text), toml_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyFileError(_malformed(str(error), text, path.name)) from error


def _malformed(message: str, text: str, name: str) -> str:
    """tomllib's message with its line in front."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(place[1]) if place and place[1] else len(text.splitlines())
    return f"{name}:{line}: not valid TOML: {message[: place.start()] if place else message}"


def _validate(raw: dict[str, Any], path: Path) -> tuple[StudySpec | None, list[Problem]]:
    """The spec where the shape is right, else what is wrong with it."""
    experiment = as_table(raw.get("experiment"))
    sandbox = as_table(raw.get("sandbox"))
    tables = {**raw, "path": path}
    if isinstance(experiment.get("set"), dict):
        tables["experiment"] = {**experiment, "set": flatten(experiment["set"])}
    retuning = as_table(raw.get("retuning"))
    if isinstance(retuning.get("values"), dict):
        tables["retuning"] = {**retuning, "values": flatten(retuning["values"])}
    try:
        spec = StudySpec.model_validate(tables)
    except ValidationError as error:
        return None, shape_problems(error, raw)
    if "path" in raw:
        return None, [Problem(("path",), "unknown key (a study's path is where it stands)")]
    if sandbox:
        read = [spec.below_root(name) for name in spec.sandbox.read]
        spec = spec.model_copy(update={"sandbox": spec.sandbox.model_copy(update={"read": read})})
    return spec, []


def _listing(problems: list[Problem], lines: dict[KeyPath, int], path: Path) -> str:
    """One line per problem, in the order of the file."""
    placed = sorted({(nearest_line(lines, problem.path), problem) for problem in problems})
    return "\n".join(f"{path.name}:{line}: {_dotted(problem.path)}: {problem.message}" for line, problem in placed)


def _dotted(path: KeyPath) -> str:
    """A key path as TOML writes it."""
    return ".".join(key if BARE_KEY.fullmatch(key) else f'"{key}"' for key in path)
