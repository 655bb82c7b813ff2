"""`lesion report --check`: says what of a text the results do not back."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

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
    from ..report.text import clipped, plain

    findings = check_file(file, results)
    counts = {outcome: 0 for outcome in ("backed", "contradicted", "unbacked")} | Counter(f.outcome for f in findings)
    if as_json:
        typer.echo(json.dumps({"file": str(file), "findings": [asdict(one) for one in findings], "counts": counts}, ensure_ascii=False))  # fmt: skip
    else:
        typer.echo(render("report/check.j2", file=plain(str(file)), findings=findings, counts=counts, clip=lambda text, length: clipped(plain(text), length)), nl=False)  # fmt: skip
    return 0 if len(findings) == counts["backed"] else NOT_BACKED
