"""What the report's templates are given: the findings of each mode, grouped by what was concluded, and their tables."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from ...prompts import phrases
from ..records.datasets import DatasetContrast
from ..records.kinds import KindContrast
from ..records.power import Power, Settling
from ..results import (
    BaselineMetric,
    Effect,
    EffectVerdict,
    Interaction,
    InteractionVerdict,
    Mode,
    Results,
    Unit,
)
from . import costs, datasets, footnotes, kinds, numbers, selection, tables
from .classes import Classes, classes
from .controls import Controls, controls
from .more import More, more_units
from .noisy import far_noisier
from .retuning import TunedView, tuned_view
from .suggestions import Suggestion, closer_looks, suggestions
from .table import Cell, Table, columns


@dataclass(frozen=True)
class ModeView:
    """One mode's findings; `found` and `joint` have a list for every verdict there is."""

    mode: Mode
    floor: BaselineMetric | None
    found: dict[str, list[Effect]]
    """The sealed family on the primary metric."""
    joint: dict[str, list[Interaction]]
    unit: Unit
    """What n counts on the primary metric."""
    same: list[tuple[list[str], str]]
    """Removals whose results were equal to another's bit for bit."""
    agreed: bool
    """Whether other trained models were tested as well."""
    disagreeing: list[Effect]
    """Confirmatory effects about which trained models came to different verdicts."""
    disagreeing_joints: list[Interaction]
    whole: list[str]
    """Metrics of a re-evaluation that have no value per example: trained models are the units."""
    differing: list[tuple[Effect, Effect]]
    """A component's confirmatory effect and another kind of removal, where one stands without a loss to compare."""
    levels: list[str]
    main: Table
    further: Table
    exploratory: Table
    recovery: Table
    costs: Table
    controls: Controls
    advice: dict[str, list[Suggestion]]
    more: More | None
    """What more units would settle."""
    closer: dict[str, list[Effect] | list[Interaction]]
    """What calls for another look than more units, by why."""
    interactions: Table
    predictions: Table
    noise: Table
    differing_datasets: list[DatasetContrast]
    """Removals that cost more on one data set than on another, by more than δ."""
    datasets: Table
    classes: Classes
    power: Power | None
    settling: Settling | None
    kinds: list[KindContrast]
    """On the primary metric, conflicts first."""
    kinds_table: Table
    tuned: TunedView
    """Effects with the baseline and the arm tuned alike."""
    begun: list[Effect]
    """Of the sealed family on the primary metric: fewer seeds so far than the first look needs."""
    sealed: int
    """Single removals of round 1."""
    tested: int
    """Of these, what p values and intervals are corrected over: without those that their check stopped."""
    noisy: float | None
    """Median half-width of the arms' intervals, where arms were far noisier than the baseline."""

    @property
    def measured(self) -> bool:
        """Whether anything of the sealed family was, on the primary metric."""
        return any(e.n or e.verdict != "undecided" for some in self.found.values() for e in some)

    @property
    def calls(self) -> bool:
        """Whether anything here calls for doing something next."""
        return bool(self.more or self.closer or any(self.advice.values()))


def mode_view(results: Results, mode: Mode) -> ModeView:
    """Everything the report says about one mode."""
    family = selection.confirmatory(results, mode)
    joints = selection.interactions(results, mode)
    return ModeView(
        mode=mode,
        floor=selection.noise_floor(results, mode, results.study.primary),
        found={verdict: [e for e in family if e.verdict == verdict] for verdict in get_args(EffectVerdict)},
        joint={verdict: [j for j in joints if j.verdict == verdict] for verdict in get_args(InteractionVerdict)},
        unit=selection.unit(results, mode),
        same=footnotes.equals(results, [e for e in results.effects if e.mode == mode]),
        agreed=any(each.agreement is not None for each in (*family, *joints)),
        disagreeing=[e for e in family if selection.disputed(e)],
        disagreeing_joints=[j for j in joints if selection.disputed(j) and j.metric == results.study.primary],
        whole=[metric for metric, each in results.baseline.get(mode, {}).items() if each.unit == "checkpoint"],
        differing=_differing(results, mode),
        levels=sorted({numbers.percent(e.level) for e in family if e.level is not None}),
        main=tables.main_table(results, mode),
        further=tables.further_table(results, mode),
        exploratory=tables.exploratory_table(results, mode),
        recovery=costs.recovery_table(results, mode),
        costs=costs.cost_table(results, mode),
        controls=controls(results, mode),
        advice=suggestions(results, mode),
        more=more_units(results, mode),
        closer=closer_looks(results, mode),
        interactions=tables.interaction_table(results, mode),
        predictions=tables.prediction_table(results, mode),
        noise=tables.noise_table(results, mode),
        differing_datasets=datasets.differing(results, mode),
        datasets=datasets.dataset_table(results, mode),
        classes=classes(results, mode),
        power=results.power.get(mode),
        settling=results.settling.get(mode),
        kinds=kinds.of_mode(results, mode),
        kinds_table=kinds.kinds_table(results, mode),
        tuned=tuned_view(results, mode),
        begun=_begun(results, family),
        sealed=len(family),
        tested=min(len(family), results.study.family_sizes.get(mode, len(family))),
        noisy=far_noisier(results, mode),
    )


def _begun(results: Results, family: list[Effect]) -> list[Effect]:
    first = results.study.looks[0][0] if results.study.looks else 0
    open_ = [e for e in family if e.verdict == "undecided" and e.unit not in selection.SAMPLED]
    return [e for e in open_ if 0 < e.n < first and not e.failed]


def fates(results: Results) -> dict[str, int]:
    """How many proposals came to which end, the most frequent first."""
    return dict(Counter(each.fate for each in results.planned if each.fate != "left out").most_common())


def facts(values: Mapping[str, Any]) -> Table:
    """An open map as a table of two columns."""
    words = phrases("report/words.j2")
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (words.label_of(key), _fact(key, value)) for key, value in values.items()
    )
    return Table(columns("key value"), rows)


def _fact(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return phrases("report/words.j2").truth[value]
    if isinstance(value, int | float):
        return _quantity(key, value)
    if isinstance(value, Mapping):
        return "; ".join(f"{inner} {_fact(f'{key} {inner}', item)}" for inner, item in value.items()) or numbers.MISSING
    if isinstance(value, list | tuple):
        return ", ".join(_fact(key, item) for item in value) or numbers.MISSING
    return numbers.MISSING if value is None else str(value)


def _quantity(key: str, value: float) -> str:
    if "seconds" in key:
        return numbers.duration(value)
    if "bytes" in key:
        return numbers.size(value)
    return str(value) if isinstance(value, int) else numbers.number(value)


def _differing(results: Results, mode: Mode) -> list[tuple[Effect, Effect]]:
    family = {tuple(e.components): e for e in selection.confirmatory(results, mode)}
    return [
        (family[tuple(e.components)], e)
        for e in selection.exploratory(results, mode)
        if e.metric == results.study.primary
        and tuple(e.components) in family
        and family[tuple(e.components)].verdict != e.verdict
        and {family[tuple(e.components)].verdict, e.verdict} & {*selection.UNMEASURED}
    ]
