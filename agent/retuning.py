"""What an equal tuning of the baseline and of each arm runs: the grid at the tuning seeds, then the choice at fresh ones."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, ConfigDict

from ..executor.interventions import ConfigOverride, Intervention, config_overrides
from .analysis.tuning import best_setting
from .arms import Arm
from .configuration import flatten
from .evidence import Evidence, sign_of
from .ledger import Ledger, Trial
from .planning.plan import BASELINE, Ablation, signature
from .setting import Setting
from .spec import RetuningSection

REMEMBERED = "retuning"


@dataclass(frozen=True)
class Variant:
    """One arm at one setting."""

    arm: str
    """Whose trials these are: at the study's own setting the arm's own."""
    setting: dict[str, Any]
    removed: list[Intervention]
    """What the arm removes, and what the setting changes."""
    own: bool
    """Whether nothing is changed but what is removed."""
    known: bool
    """Whether the plans have this very arm already: then its runs are shared."""

    def trial(self, setting: Setting, seed: int) -> Trial:
        """One trial. Arms of their own have keys of their own: a later plan may come to ask for the same removal."""
        if self.known:
            return setting.trial("retrain", self.arm, self.removed, seed)
        return setting.trial("retrain", self.arm, self.removed, seed, "retuned")


class Tuning(BaseModel):
    """One tuning, the same for everybody; kept in the ledger, since a report is written without the configuration."""

    model_config = ConfigDict(frozen=True)

    version: str
    own: dict[str, Any]
    values: dict[str, list[Any]]
    """All that is tried, the own value among it, in the order of the study file."""
    seeds: int
    """Seeds 0 to this − 1 choose."""
    measured: int
    """So many seeds after those measure what was chosen: run-to-run luck that chose a setting must not be its result."""
    arms: list[str]
    """Ablations of round 1."""

    @property
    def names(self) -> list[str]:
        """All that is tuned, the baseline first."""
        return [BASELINE, *self.arms]

    @property
    def tuning_seeds(self) -> range:
        """Seeds that choose."""
        return range(self.seeds)

    @property
    def fresh_seeds(self) -> range:
        """Seeds that measure."""
        return range(self.seeds, self.seeds + self.measured)

    @property
    def grid(self) -> list[dict[str, Any]]:
        """Every setting."""
        return [dict(zip(self.values, each, strict=True)) for each in product(*self.values.values())]

    def kept(self, interventions: Sequence[Intervention]) -> list[str]:
        """Retuned keys that a removal sets itself, alone or with the table around them."""
        set_there = config_overrides(list(interventions))
        return [key for key in self.values if any(f"{key}.".startswith(f"{each}.") for each in set_there)]

    def variants(self, evidence: Evidence) -> dict[str, list[Variant]]:
        """Ablation → its settings; a removal that sets a retuned key itself keeps its own value there."""
        planned = {one.id: one for plan in evidence.plans for one in plan.ablations}
        index = {signature([]): BASELINE}
        for one in planned.values():
            index.setdefault(signature(one.interventions), one.id)
        removals = {name: planned[name].interventions if name != BASELINE else [] for name in self.names}
        return {name: list(self._variants(removed, index)) for name, removed in removals.items()}

    def _variants(self, removed: list[Intervention], index: dict[str, str]) -> Iterator[Variant]:
        kept, seen = self.kept(removed), set[str]()
        mine = index[signature(removed)]
        for setting in self.grid:
            free = {key: value for key, value in setting.items() if key not in kept}
            changed = {key: value for key, value in free.items() if value != self.own[key]}
            name = f"{mine} ~ {told(changed)}" if changed else mine
            if name in seen:
                continue
            seen.add(name)
            cut = [*removed, *(ConfigOverride(key=key, value=value) for key, value in changed.items())]
            known = index.get(signature(cut))
            yield Variant(known or name, free, cut, own=not changed, known=known is not None)


def told(setting: dict[str, Any]) -> str:
    """A setting as one phrase, e.g. `optimizer.lr=0.03, nesterov=true`."""
    return ", ".join(f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in setting.items())


def planned_tuning(setting: Setting, evidence: Evidence) -> Tuning | None:
    """The tuning that the study asks for, of those arms of round 1 that run; None where there is nothing to tune."""
    section = setting.spec.retuning
    if not section.values or "retrain" not in setting.modes or not evidence.plans:
        return None
    flat = flatten(setting.config)
    own = {key: flat[key] for key in section.values}
    arms = [one.id for one in evidence.family(evidence.plans[0]) if _is_asked(one, section, evidence)]
    if not arms:
        return None
    values = {key: _with_own(tried, own[key]) for key, tried in section.values.items()}
    study = setting.spec.study
    return Tuning(
        version=setting.version,
        own=own,
        values=values,
        seeds=min(section.seeds, study.seeds),
        measured=study.seeds,
        arms=arms,
    )


def recalled_tuning(ledger: Ledger, version: str) -> Tuning | None:
    """The tuning that was begun on this version of the source."""
    kept = ledger.recall(REMEMBERED)
    tuning = Tuning.model_validate(kept) if kept else None
    return tuning if tuning and tuning.version == version else None


def choose(tuning: Tuning, evidence: Evidence, variants: dict[str, list[Variant]]) -> dict[str, Variant] | None:
    """The setting of each with the best mean of the primary metric on the planning split; None before all were tried.

    A pure function of the tuning seeds in the ledger: a study that was killed and resumed chooses alike.
    """
    seen = evidence.looked_at
    if not all(is_over(seen.arm(one.arm), tuning.tuning_seeds) for each in variants.values() for one in each):
        return None
    return {name: each[_best(tuning, seen, each)] for name, each in variants.items()}


class Stage(NamedTuple):
    """Runs of one kind."""

    told: str
    wanted: list[tuple[Variant, int]]
    """Arms and seeds."""


def stages(tuning: Tuning, evidence: Evidence, variants: dict[str, list[Variant]]) -> Iterator[Stage]:
    """First the grid; once that has run, what was chosen. `evidence` must see the runs as they come."""
    who = f"the baseline and {len(tuning.arms)} arms"
    every = [one for each in variants.values() for one in each]
    yield Stage(
        f"retuning: {who}, {len(tuning.grid)} settings of {', '.join(tuning.values)}, {tuning.seeds} seeds each",
        [(one, seed) for one in every for seed in tuning.tuning_seeds],
    )
    if chosen := choose(tuning, evidence, variants):
        yield Stage(
            f"retuned: {who} at the settings they chose, {tuning.measured} further seeds",
            [(one, seed) for one in chosen.values() for seed in tuning.fresh_seeds],
        )


def is_over(arm: Arm, seeds: range) -> bool:
    """Whether nothing more will come of an arm at these seeds."""
    return arm.broken or arm.hopeless or arm.idle or arm.finished_at(seeds)


def _best(tuning: Tuning, seen: Evidence, variants: Sequence[Variant]) -> int:
    metric = seen.spec.primary
    sign = sign_of(seen.spec.metrics[metric].goal)
    rows = [seen.arm(one.arm).values(seen.split, metric, sign, tuning.seeds).values for one in variants]
    return best_setting(np.stack(rows), next(at for at, one in enumerate(variants) if one.own))


def _is_asked(one: Ablation, section: RetuningSection, evidence: Evidence) -> bool:
    arm = evidence.arm(one.id)
    single = len(one.components) == 1
    fits = any(fnmatchcase(one.components[0], glob) for glob in section.components)
    return single and fits and one.role != "control" and not (arm.broken or arm.hopeless or arm.idle)


def _with_own(tried: list[Any], own: Any) -> list[Any]:
    """With the baseline's own value, numbers of its kind."""
    typed = [float(one) if isinstance(own, float) and not isinstance(one, bool) else one for one in tried]
    return typed if own in typed else [own, *typed]
