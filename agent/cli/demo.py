"""`lesion demo`: an example from start to report, in a folder of its own."""

import shutil
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Unsafe


class Example(StrEnum):
    """The examples that come with this package."""

    DIGITS = "digits"
    INDUCTION = "induction"
    UNMODIFIED = "unmodified"


MAIN = {Example.DIGITS: "experiment", Example.INDUCTION: "experiment", Example.UNMODIFIED: "train"}
"""The module that each example begins with."""


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the example is copied to and run.")] = Path("lesion-demo"),
    example: Annotated[
        Example,
        typer.Option(
            help="digits: a recipe, trained anew for each part. induction: the heads of a trained model. "
            "unmodified: a script that knows nothing of this."
        ),
    ] = Example.DIGITS,
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once.")] = None,
    json: Json = False,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Copy an example into FOLDER and run its whole study; run again, it goes on where it stopped."""
    from ...executor.errors import ExperimentError
    from .options import PlannerKind
    from .run import Interactions, run

    if example is not Example.INDUCTION and find_spec("sklearn") is None:
        raise ExperimentError(
            "the demo's data come with scikit-learn, which is not installed", to_do="pip install 'lesion[demo]'"
        )
    here = folder / example.value
    here.mkdir(parents=True, exist_ok=True)
    for file in _files(example):
        if not (here / file.name).exists():
            shutil.copyfile(file, here / file.name)
    run(
        here / "lesion.toml",
        planner=PlannerKind.RULES,
        workers=workers,
        interactions=Interactions.AUTO,
        json=json,
        unsafe_no_sandbox=unsafe_no_sandbox,
    )


def _files(example: Example) -> list[Path]:
    """The files of an example, wherever this package is installed."""
    found = find_spec(f"lesion.examples.{example.value}.{MAIN[example]}")
    assert found is not None and found.origin is not None
    return [path for path in sorted(Path(found.origin).parent.iterdir()) if path.suffix in (".py", ".yaml", ".toml")]
