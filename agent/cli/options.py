"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..planning.rules import Interactions, RulesPlanner
    from ..setting import Setting

StudyFile = Annotated[
    Path, typer.Argument(help="The study file, or the folder that holds it.", show_default="./lesion.toml")
]
State = Annotated[
    Path | None,
    typer.Option("--state", help="Where results are kept.", show_default=".lesion/<study>/ beside the study file"),
]
Json = Annotated[bool, typer.Option("--json", help="Records on stdout and nothing else; progress goes to stderr.")]
Unsafe = Annotated[
    bool,
    typer.Option("--unsafe-no-sandbox", help="Run the experiment as a plain process. Only for code that you trust."),
]
DEFAULT_STUDY = Path("lesion.toml")


def opened(study: Path) -> "Setting":
    """Read the study file and everything that it points to."""
    from ..setting import prepare
    from ..studyfile import load_study

    return prepare(load_study(study))


def rules_planner(setting: "Setting", interactions: "Interactions" = "auto") -> "RulesPlanner":
    """The built-in planner, as the study file sets it."""
    from ..planning.factorial import Wish
    from ..planning.rules import RulesPlanner

    study = setting.spec.study
    wish = Wish(study.factorial, study.seeds, str(setting.spec.path))
    return RulesPlanner(interactions, study.components, study.kinds, setting.modes, wish)
