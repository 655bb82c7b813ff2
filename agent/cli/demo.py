"""`lesion demo`: the digits example from start to report, in a folder of its own."""

import shutil
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from .options import Json, Unsafe


def demo(
    folder: Annotated[Path, typer.Argument(help="Where the example is copied to and run.")] = Path("lesion-demo"),
    workers: Annotated[int | None, typer.Option(min=1, help="Trials at once.")] = None,
    json: Json = False,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Copy the digits example into FOLDER and run its whole study; run again, it goes on where it stopped."""
    from ...executor.errors import ExperimentError
    from .run import Interactions, PlannerKind, run

    if find_spec("sklearn") is None:
        raise ExperimentError(
            "the demo's data come with scikit-learn, which is not installed", to_do="pip install 'lesion[demo]'"
        )
    here = folder / "digits"
    here.mkdir(parents=True, exist_ok=True)
    for file in resources.files("lesion.examples.digits").iterdir():
        target = here / file.name
        if file.name.endswith((".py", ".yaml", ".toml")) and not target.exists():
            with resources.as_file(file) as path:
                shutil.copyfile(path, target)
    run(
        here / "lesion.toml",
        planner=PlannerKind.RULES,
        workers=workers,
        interactions=Interactions.AUTO,
        json=json,
        unsafe_no_sandbox=unsafe_no_sandbox,
    )
