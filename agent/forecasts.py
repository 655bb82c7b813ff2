"""Forecasts in the ledger and in words: kept as they were made before any ablation ran."""

from .. import prompts
from .evidence import Evidence
from .ledger import Ledger
from .planning.plan import BASELINE
from .records.power import Power
from .report import numbers
from .results import Mode

FORECAST = "forecast"


def foretold(ledger: Ledger, version: str, mode: Mode) -> Power | None:
    """The forecast as it was made before any ablation ran; None where none was kept."""
    kept = ledger.recall(FORECAST, {}).get(f"{version}:{mode}")
    return Power.model_validate(kept) if kept else None


def keep(evidence: Evidence, ledger: Ledger, version: str, power: Power) -> None:
    """Remember a forecast; one that ablations have followed is not replaced."""
    place = f"{version}:{evidence.mode}"
    known = ledger.recall(FORECAST, {})
    started = any(name != BASELINE and arm.measured for name, arm in evidence.arms.items())
    if place not in known or not started:
        ledger.remember(FORECAST, {**known, place: power.model_dump(mode="json")})


def forecast_lines(power: Power, mode: Mode) -> list[str]:
    """A forecast for people: printed before any ablation runs."""
    text = prompts.render("progress/power.j2", power=power, mode=mode, num=numbers)
    return [line for line in text.splitlines() if line.strip()]
