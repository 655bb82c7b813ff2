"""`lesion plan`: writes round 1 for a person to read, edit and run."""

from typing import Annotated

import typer

from .options import DEFAULT_STUDY, Json, State, StudyFile, Unsafe, opened, rules_planner


def plan(
    study: StudyFile = DEFAULT_STUDY,
    again: Annotated[bool, typer.Option("--again", help="Write the plan anew over one that was not run yet.")] = False,
    json: Json = False,
    state: State = None,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Plan the single removals and write them to plans/round-1.yaml; nothing is run but one step of the baseline."""
    from ...executor.pool import Pool
    from ..budget import Budget
    from ..dryrun import known_power
    from ..forecasts import forecast_lines
    from ..ledger import Ledger
    from ..planfiles import plan_path
    from ..report.text import plain
    from ..setting import state_folder
    from ..study import Study
    from .signals import listen
    from .watching import watcher

    setting = opened(study)
    folder = state_folder(setting.spec, state)
    path = plan_path(folder, 1)
    watch = watcher(setting.spec.primary, as_json=json)
    ledger = Ledger(folder, write=True)
    listen()
    try:
        station = setting.station(folder, unsafe=unsafe_no_sandbox)
        work = Study(setting, folder, ledger, station, watch, rules_planner(setting))
        with Pool(station, 1) as pool:
            work.survey(pool)
        if again and not ledger.plans(setting.version):
            path.unlink(missing_ok=True)
        existed = path.exists()
        made = work.first_plan()
        known = known_power(setting, ledger, Budget(), None)
    finally:
        watch.close()
        ledger.close()
    if json:
        typer.echo(made.model_dump_json())
        return
    for one in made.ablations:
        expected = f"{one.prediction.direction}, {one.prediction.size:+.1f} δ"
        how = ", ".join(each.describe() for each in one.interventions)
        typer.echo(plain(one.id).ljust(36) + f" {plain(how):<40} expected: {expected}")
    for dropped in made.dropped:
        typer.echo(f"{plain(dropped.id):<36} not planned: {plain(dropped.reason)}")
    for mode, power in known.items():
        typer.echo("\n".join(forecast_lines(power, mode)), err=True)
    kept = " as it was (--again plans anew)" if existed else ""
    typer.echo(f"{len(made.ablations)} ablations in {path}{kept}; edit them, then `lesion run`", err=True)
