"""`lesion plan`: writes round 1 for a person to read, edit and run; shows what a language model would be told."""

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import DEFAULT_STUDY, BaseUrl, Json, Model, Replay, State, StudyFile, Unsafe, WhoPlans, opened

if TYPE_CHECKING:
    from ..planning.plan import Plan
    from ..setting import Setting


MOST_OF_A_REASON = 200
"""Characters of why a proposal was mended or dropped; the plan has all of them."""


def plan(
    study: StudyFile = DEFAULT_STUDY,
    planner: WhoPlans = None,
    model: Model = None,
    base_url: BaseUrl = None,
    replay: Replay = None,
    again: Annotated[bool, typer.Option("--again", help="Write the plan anew over one that was not run yet.")] = False,
    show_prompt: Annotated[
        bool,
        typer.Option("--show-prompt", help="Print what a language model would be told, and ask none. Needs no key."),
    ] = False,
    json: Json = False,
    state: State = None,
    unsafe_no_sandbox: Unsafe = False,
) -> None:
    """Plan the single removals and write them to plans/round-1.yaml; nothing is run but steps of what is planned."""
    from ...executor.pool import Pool
    from ..budget import Budget
    from ..dryrun import known_power
    from ..forecasts import forecast_lines
    from ..ledger import Ledger
    from ..planfiles import plan_path
    from ..planners import Asked, choose, model_of, require_model
    from ..study import Study
    from ..studyfile import state_folder
    from .signals import listen
    from .watching import watcher

    setting = opened(study)
    if show_prompt:
        _show_prompt(setting, state_folder(setting.spec, state), unsafe=unsafe_no_sandbox)
        return
    who = Asked(planner.value if planner else None, model, base_url, replay, stream=sys.stderr.isatty(), again=again)
    settings = model_of(setting, who)
    folder = state_folder(setting.spec, state)
    path = plan_path(folder, 1)
    watch = watcher(setting.spec.primary, as_json=json)
    listen()
    with closing(watch):
        require_model(setting, settings, who, folder, watch)
        with closing(Ledger(folder, write=True)) as ledger:
            station = setting.station(folder, unsafe=unsafe_no_sandbox)
            work = Study(setting, folder, ledger, station, watch, choose(setting, settings, who, folder, watch))
            existed = bool(ledger.plans(setting.version)) or (path.exists() and not again)
            with Pool(station, 1) as pool:
                work.survey(pool)
                made = work.first_plan(pool, anew=again)
            known = known_power(setting, ledger, Budget(), None)
    if json:
        typer.echo(made.model_dump_json())
        return
    _show(made)
    for mode, power in known.items():
        typer.echo("\n".join(forecast_lines(power, mode)), err=True)
    began = " as it was: the study has begun, and its plan is sealed" if again else " as it was (--again plans anew)"
    kept = began if existed else ""
    typer.echo(f"{len(made.ablations)} ablations in {path}{kept}; edit them, then `lesion run`", err=True)


def _show(made: "Plan") -> None:
    from ...executor.interventions import described
    from ..firstline import first_line
    from ..report.text import clipped, plain

    for one in made.ablations:
        expected = f"{one.prediction.direction}, {one.prediction.size:+.1f} δ"
        how = described(one.interventions)
        typer.echo(f"{plain(one.id):<36} {plain(how):<40} expected: {expected}")
    for mended in made.mended:
        typer.echo(
            f"{plain(mended.id):<36} mended: {clipped(plain(first_line(mended.problems[-1])), MOST_OF_A_REASON)}"
        )
    for dropped in made.dropped:
        typer.echo(
            f"{plain(dropped.id):<36} not planned: {clipped(plain(first_line(dropped.reason)), MOST_OF_A_REASON)}"
        )
    for remark in made.remarks:
        typer.echo(plain(remark), err=True)


def _show_prompt(setting: "Setting", folder: Path, *, unsafe: bool) -> None:
    """Exactly what the first question would send, for whoever wants to see it before it leaves the machine."""
    from ...executor.pool import Pool
    from ..planners import first_question
    from ..report.text import lines
    from ..survey import components_of, survey
    from .watching import watcher

    with Pool(setting.station(folder, unsafe=unsafe), 1) as pool:
        components = components_of(setting, survey(setting, pool, None))
    watch = watcher(setting.spec.primary, as_json=True)
    messages, left_out = first_question(setting, components, folder, watch)
    for message in messages:
        typer.echo(f"── {message.role} " + "─" * 60)
        typer.echo(lines(message.content) if sys.stdout.isatty() else message.content)
    for reason, count in left_out.items():
        typer.echo(f"never shown: {count} {reason}", err=True)
