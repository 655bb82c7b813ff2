"""Tiny studies as a night has them: opened, locked, with a planner."""

import io
import os
from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal

from lesion.agent.cli.watching import Lines
from lesion.agent.ledger import Ledger
from lesion.agent.night.ready import Ready, read_all
from lesion.agent.planners import Asked, choose, model_of
from lesion.agent.study import Study
from lesion.agent.studyfile import state_folder

from tests.experiments import CONFIG, EXPERIMENT, project


def readied(
    stack: ExitStack,
    *folders,
    environment: dict[str, str] | None = None,
    allowance: Callable[[], Decimal | None] | None = None,
) -> list[Ready]:
    """The studies in these folders; closed with `stack`."""
    found = []
    for setting in read_all([folder / "lesion.toml" for folder in folders]):
        state = state_folder(setting.spec, None)
        ledger = Ledger(state, write=True)
        stack.callback(ledger.close)
        watch, asked = Lines(setting.spec.primary, io.StringIO()), Asked()
        model = model_of(setting, asked, environment or {})
        planner = choose(setting, model, asked, state, watch, allowance=allowance)
        station = setting.station(state, unsafe=False)
        study = Study(setting, state, ledger, station, watch, planner)
        found.append(Ready(setting, state, ledger, station, study, setting.spec.study.name, model))
    return found


def short(folder, **changes):
    """A tiny project whose training takes a few steps."""
    experiment = changes.pop("experiment", EXPERIMENT).replace("range(60)", "range(5)")
    return project(folder, experiment=experiment, config=changes.pop("config", CONFIG), **changes)


def said(findings, what):
    """The findings on one thing."""
    return [one for one in findings if what in one.what]


def without_environment(monkeypatch):
    """No language model is configured here."""
    for name in [name for name in os.environ if name.startswith(("LESION", "OPENAI"))]:
        monkeypatch.delenv(name)
