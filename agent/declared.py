"""What the study file declared when round 1 was sealed, and what of it says something else now."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from .. import prompts
from .components import Component
from .ledger import Ledger
from .planning.plan import Plan
from .records.base import Record
from .spec import StudySpec

REMEMBERED = "declared"


class Declared(Record):
    """Of one version: what verdicts go by, and what was to be measured."""

    components: list[str]
    """Glob patterns over component ids."""
    verdicts: dict[str, Any]
    """In words → the value; None: left to the noise floor, or not given."""


def declared_by(spec: StudySpec) -> Declared:
    """What the study file says now."""
    study, verdicts = spec.study, dict[str, Any]()
    for name, metric in spec.metrics.items():
        verdicts |= {_delta(name): metric.smallest_effect, f"the floor of {name}": metric.floor}
        verdicts |= {f"the goal of {name}": metric.goal}
    verdicts |= {"the primary metric": spec.primary, "study.alpha": study.alpha}
    verdicts |= {"study.seeds": study.seeds, "study.max_seeds": study.max_seeds}
    return Declared(components=study.components, verdicts=verdicts)


def keep(spec: StudySpec, ledger: Ledger, version: str) -> None:
    """Remember it for good, as round 1 is sealed."""
    known: dict[str, Any] = ledger.recall(REMEMBERED, {})
    if version not in known:
        ledger.remember(REMEMBERED, {**known, version: declared_by(spec).model_dump(mode="json")})


def metrics_redeclared(spec: StudySpec, ledger: Ledger, version: str) -> list[str]:
    """Metrics whose δ is another now."""
    changed = _changed(spec, _kept(ledger, version))
    return [name for name in spec.metrics if _delta(name) in changed]


def declared_notes(
    spec: StudySpec, ledger: Ledger, version: str, components: Iterable[Component], plans: Sequence[Plan]
) -> list[str]:
    """What a reader must know of changes of the study file since round 1 was sealed; nothing where that is not remembered."""
    before = _kept(ledger, version)
    if before is None:
        return []
    planned = {name for plan in plans for one in plan.ablations for name in one.components}
    late = [
        one.id
        for one in components
        if one.interventions and one.id not in planned
        if _allowed(one.id, spec.study.components) and not _allowed(one.id, before.components)
    ]
    text = prompts.render("progress/declared.j2", changed=_changed(spec, before), late=late)
    return [line for line in text.splitlines() if line.strip()]


def _kept(ledger: Ledger, version: str) -> Declared | None:
    found = ledger.recall(REMEMBERED, {}).get(version)
    return Declared.model_validate(found) if found else None


def _changed(spec: StudySpec, before: Declared | None) -> dict[str, tuple[Any, Any]]:
    """In words → (then, now); metrics that came or went are none."""
    now = declared_by(spec).verdicts
    then = before.verdicts if before else {}
    return {what: (value, now[what]) for what, value in then.items() if what in now and value != now[what]}


def _delta(metric: str) -> str:
    return f"δ of {metric}"


def _allowed(name: str, globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
