"""Arguments and options that several commands share."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from ..setting import Setting


class PlannerKind(StrEnum):
    """Who plans."""

    AUTO = "auto"
    LLM = "llm"
    RULES = "rules"


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
WhoPlans = Annotated[
    PlannerKind | None,
    typer.Option("--planner", help="Who plans.", show_default="planner.kind of the study file"),
]
Model = Annotated[
    str | None,
    typer.Option("--model", help="The language model that plans.", show_default="LESION_MODEL, planner.model"),
]
BaseUrl = Annotated[
    str | None,
    typer.Option("--base-url", help="Its server.", show_default="OPENAI_BASE_URL, planner.base_url, OpenAI"),
]
Replay = Annotated[
    Path | None,
    typer.Option("--replay", metavar="TRANSCRIPT", help="Take the model's answers from a transcript; nothing is sent."),
]
DEFAULT_STUDY = Path("lesion.toml")


def opened(study: Path) -> "Setting":
    """Read the study file and everything that it points to."""
    from ..setting import prepare
    from ..studyfile import load_study

    return prepare(load_study(study))
