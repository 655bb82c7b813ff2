"""`lesion report --bundle`: all that it takes to run any row again, as one file."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from ..spec import StudySpec


def bundled(
    spec: "StudySpec", folder: Path, output: Path | None, size: str | None, against: Mapping[str, object]
) -> None:
    """Pack it; the file's path on stdout, what was left out on stderr. `against`: options that do not go with it."""
    from ...executor.units import parse_size
    from ..bundle.pack import BUNDLE, LIMIT, write_bundle
    from ..report.text import lines

    if given := [name for name, value in against.items() if value]:
        raise typer.BadParameter(
            f"a bundle is one file with all of it: leave out {', '.join(given)}", param_hint="--bundle"
        )
    try:
        limit = parse_size(size) if size else LIMIT
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--bundle-size") from None
    path, told = write_bundle(spec, folder, output or folder / "report" / BUNDLE, limit)
    typer.echo(lines("\n".join(told)), err=True)
    typer.echo(str(path))
