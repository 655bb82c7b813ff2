"""`lesion report --check`: says what of a text the results do not back."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import typer

if TYPE_CHECKING:
    from ..results import Results

NOT_BACKED = 3
"""The exit code where anything is contradicted or unbacked."""


def require_check(file: Path | None, *, as_json: bool, others: Mapping[str, object]) -> None:
    """A check writes no report, and records are those of a check."""
    if file is None and as_json:
        raise typer.BadParameter("goes with --check; a report as JSON is --format json -o -", param_hint="--json")
    given = [name for name, value in others.items() if value]
    if file is not None and given:
        raise typer.BadParameter(f"writes nothing, and takes no {', '.join(given)}", param_hint="--check")


def checked(file: Path, results: "Results", *, as_json: bool) -> int:
    """Print every claim that is not backed and the counts, or all of them as records; returns the exit code."""
    from ...prompts import render
    from ..prose.checking.file import check_file
    from ..prose.checking.finding import Outcome
    from ..report.text import plain

    findings = check_file(file, results)
    counted = Counter(one.outcome for one in findings)
    counts = {outcome: counted[outcome] for outcome in get_args(Outcome)}
    if as_json:
        records = {"file": str(file), "findings": [asdict(one) for one in findings], "counts": counts}
        typer.echo(json.dumps(records, ensure_ascii=False))
    else:
        told = render("report/check.j2", file=plain(str(file)), findings=findings, counts=counts, clip=_clipped)
        typer.echo(told, nl=False)
    return 0 if len(findings) == counts["backed"] else NOT_BACKED


def _clipped(text: str, length: int) -> str:
    from ..report.text import clipped, plain

    return clipped(plain(text), length)
