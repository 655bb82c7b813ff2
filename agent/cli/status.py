"""`lesion status`: how far a study is and what it knows, from the ledger, and from the run itself where one goes on."""

import json as jsonlib
from contextlib import closing

from .options import DEFAULT_STUDY, Json, State, StudyFile


def status(study: StudyFile = DEFAULT_STUDY, json: Json = False, state: State = None) -> None:
    """Say how far the study is and what was found so far."""
    import typer

    from ...executor.errors import LesionError, ReportError
    from ..collect import collect
    from ..ledger import Ledger
    from ..night.client import live
    from ..night.told import past_lines
    from ..report.summary import summary_lines
    from ..staleness import is_stale, stale_lines
    from ..studyfile import load_study, state_folder

    spec = load_study(study)
    folder = state_folder(spec, state)
    now = live(folder)
    if now and not json:
        from ..night.shown import live_lines

        typer.echo("\n".join(live_lines(now)))
    try:
        with closing(Ledger(folder, write=False)) as ledger:
            results = collect(spec, ledger)
    except LesionError as error:
        if now and json:
            typer.echo(jsonlib.dumps({"live": now.model_dump(mode="json")}))
        if now:
            return
        unmeasured = isinstance(error, ReportError) or not (folder / "ledger.db").exists()
        for line in past_lines(folder, spec.study.name, None) if unmeasured and not json else ():
            typer.echo(line)
        raise
    if json:
        primary = [effect for effect in results.effects if effect.metric == spec.primary]
        by_mode = {
            mode: {effect.ablation: effect.verdict for effect in primary if effect.mode == mode}
            for mode in results.study.modes
        }
        kept = {"study", "accounting", "compute", "power", "settling", "claims", "rounds", "planning", "night"}
        shown = results.model_dump(mode="json", include=kept)
        first = next((verdicts for verdicts in by_mode.values() if verdicts), {})
        typer.echo(
            jsonlib.dumps(
                {
                    **shown,
                    "live": now and now.model_dump(mode="json"),
                    "stale": is_stale(spec, results.study.version),
                    "verdicts": first,
                    "verdicts_by_mode": by_mode,
                }
            )
        )
        return
    past, stale = past_lines(folder, spec.study.name, results), stale_lines(spec, results.study.version)
    for line in (*past, *stale, *summary_lines(results)):
        typer.echo(line)
