"""From a model's proposals to typed ablations: ids that exist, removals that fit, values that JSON can carry."""

import json
import math
import re
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ....executor.interventions import Block, ConfigOverride, Intervention, SourceEdit, needs_reference, removal_name
from ...components import Component
from ...reading.words import is_bookkeeping, is_scale, words
from ...results import Direction, Mode, Prediction, Role
from ..plan import Ablation, Dropped, Supports, nearest, signature
from ..rules import MOST_SINGLES
from .answers import ClaimTest, Edit, Override, Proposal, Removal

EDIT, CONFIG = "edit:", "config:"
EVALUATION = frozenset("test val valid validation dev holdout split splits metric metrics".split())
"""Words in names of settings that are the evaluation's."""
MOST_WORDS, LONGEST_LABEL = 5, 50
"""Words and characters of a label."""
QUOTES = str.maketrans("“”„‟«»", "'" * 6)


@dataclass
class Typed:
    """What proposals came to."""

    ablations: list[Ablation] = field(default_factory=list[Ablation])
    components: list[Component] = field(default_factory=list[Component])
    """Those that the proposals bring in."""
    problems: list[tuple[Proposal, str]] = field(default_factory=list[tuple[Proposal, str]])
    """Proposals that mean nothing here, and why."""
    dropped: list[Dropped] = field(default_factory=list[Dropped])
    """Proposals of what was proposed already."""


@dataclass(frozen=True)
class Ground:
    """What proposals are held against."""

    known: Mapping[str, Component]
    """Every component by its id, those of earlier plans too."""
    config: Mapping[str, Any]
    """Dotted key of the configuration → its value."""
    claims: int
    """Of the study."""
    modes: Sequence[Mode]
    by: str
    """Who proposes."""
    measured: frozenset[str] = frozenset()
    """Names of settings that the evaluation may read."""
    round: int = 1
    taken: Mapping[str, str] = field(default_factory=dict[str, str])
    """What earlier ablations remove, by signature → ablation."""


def typed(proposals: Iterable[Proposal], ground: Ground) -> Typed:
    """Every proposal as an ablation, or as a problem or a repetition with its reason; the first of two alike stays."""
    found, counts = Typed(), Counter[Mode]()
    taken, ids = dict(ground.taken), set(ground.taken.values())
    for proposal in proposals:
        made = _made(proposal, ground)
        if isinstance(made, str):
            found.problems.append((proposal, made))
            continue
        for component, intervention in made:
            ablation = _ablation(proposal, component, intervention, ground)
            same, modes = taken.get(signature([intervention])), _room(ablation, counts)
            if reason := _superfluous(ablation, same, ids, modes):
                found.dropped.append(Dropped(id=ablation.id, reason=reason, by=ground.by))
                continue
            counts.update(modes)
            taken[signature([intervention])] = ablation.id
            ids.add(ablation.id)
            found.ablations.append(ablation.model_copy(update={"modes": modes}))
            if component.id not in ground.known:
                found.components.append(component)
    return found


def _room(ablation: Ablation, counts: Counter[Mode]) -> list[Mode]:
    """Its modes in which one more single removal is worth its trials."""
    return [mode for mode in ablation.modes if counts[mode] < MOST_SINGLES[mode]]


def _superfluous(ablation: Ablation, same: str | None, ids: Container[str], modes: Sequence[Mode]) -> str | None:
    """Why an ablation adds nothing to those before it."""
    if same and same != ablation.id:
        return f"removes the same as {same}"
    if ablation.id in ids:
        return "proposed twice"
    mode = ablation.modes[0]
    return None if modes else f"beyond the first {MOST_SINGLES[mode]} ({mode})"


def prediction_of(direction: Direction, size: float, percent: int) -> Prediction:
    """What was predicted; a size without the sign of its direction gets it."""
    sized = {"worse": abs(size), "better": -abs(size), "none": size}[direction]
    return Prediction(direction=direction, size=sized, confidence=percent / 100)


def supports(tests: Sequence[ClaimTest], ground: Ground) -> list[Supports]:
    """The claims that a proposal puts to the test, of those that there are, each once."""
    known = {f"c{at + 1}" for at in range(ground.claims)}
    named: dict[str, Direction] = {one.claim: one.outcome for one in tests if one.claim in known}
    return [Supports(claim=claim, outcome=outcome) for claim, outcome in named.items()]


def _made(proposal: Proposal, ground: Ground) -> list[tuple[Component, Intervention]] | str:
    """Component and removal, one or, by a pattern, several; else why there is none."""
    if isinstance(proposal, Edit):
        return _edit(proposal, ground)
    return _override(proposal, ground) if isinstance(proposal, Override) else _known(proposal, ground)


def _known(proposal: Removal, ground: Ground) -> list[tuple[Component, Intervention]] | str:
    if "*" in proposal.target or "?" in proposal.target:
        matching = [one for name, one in ground.known.items() if fnmatchcase(name, proposal.target)]
        fitting = [(one, found) for one in matching if not isinstance(found := removal(one, proposal.how), str)]
        fitting = [(one, found) for one, found in fitting if problem_in_modes(found, ground.modes) is None]
        if not fitting:
            return f"no component that can be removed so fits the pattern {proposal.target!r}"
        return fitting
    component = ground.known.get(proposal.target)
    if component is None:
        return f"there is no component {proposal.target!r}{nearest(proposal.target, list(ground.known))}"
    found = removal(component, proposal.how)
    if isinstance(found, str):
        return found
    return problem_in_modes(found, ground.modes) or [(component, found)]


def removal(component: Component, how: str) -> Intervention | str:
    """How a known component is removed so; a sentence where it is not."""
    if not component.interventions:
        return f"{component.id} is never removed: it is the output, or on the only path"
    if how == "default":
        return component.interventions[0]
    fitting = (one for one in component.interventions if removal_name(one) == how)
    offered = ", ".join(dict.fromkeys(removal_name(one) for one in component.interventions))
    return next(fitting, f"{component.id} cannot be removed by {how!r}; it can by {offered}")


def problem_in_modes(intervention: Intervention, modes: Sequence[Mode]) -> str | None:
    """Why the study's modes do not ask for it; None where one does."""
    if isinstance(intervention, (ConfigOverride, SourceEdit)) and "retrain" not in modes:
        return f"{intervention.describe()}: a question of retraining, which study.modes does not ask for"
    if needs_reference(intervention) and list(modes) == ["retrain"]:
        return f"{intervention.describe()}: takes its values from a trained model, which retraining does not have"
    return None


def _edit(proposal: Edit, ground: Ground) -> list[tuple[Component, Intervention]] | str:
    if not all(one.file and one.search for one in proposal.blocks):
        return "an edit needs blocks, each with a file, the lines to search for, and what replaces them"
    edit = SourceEdit(blocks=[Block(**one.model_dump()) for one in proposal.blocks])
    return problem_in_modes(edit, ground.modes) or [(_component(name_of(proposal), proposal, edit), edit)]


def _override(proposal: Override, ground: Ground) -> list[tuple[Component, Intervention]] | str:
    key = proposal.key.removeprefix(CONFIG)
    if key not in ground.config:
        return f"there is no configuration key {key!r}{nearest(key, list(ground.config))}"
    if is_scale(key, ground.config[key]):
        return f"{key} says how much of everything there is: less of it is no ablation"
    if is_bookkeeping(key):
        return f"{key} is a setting of the run or of its evaluation, not of what is learnt"
    override = ConfigOverride(key=key, value=_value(proposal.value))
    if override.value == ground.config[key] and type(override.value) is type(ground.config[key]):
        return f"{key} is {proposal.value} already"
    for one in ground.known.values():
        if override in one.interventions:
            return problem_in_modes(override, ground.modes) or [(one, override)]
    if key.rpartition(".")[2] in ground.measured or not EVALUATION.isdisjoint(words(key)):
        return f"{key} may be read by what evaluates: that stays as it is"
    return problem_in_modes(override, ground.modes) or [(_component(name_of(proposal), proposal, override), override)]


def name_of(proposal: Proposal) -> str:
    """The component that a proposal is about, by its id."""
    if isinstance(proposal, Removal):
        return one_line(proposal.target) or "unnamed"
    if isinstance(proposal, Edit):
        return EDIT + (slug(proposal.label.removeprefix(EDIT)) or "unnamed")
    return f"{CONFIG}{one_line(proposal.key.removeprefix(CONFIG))}={json.dumps(_value(proposal.value))}"[:200]


def _value(text: str) -> Any:
    """A value written as JSON; what is not JSON is a string."""
    try:
        return json.loads(text, parse_constant=str, parse_float=_finite)
    except (ValueError, RecursionError):
        return text


def _finite(digits: str) -> float | str:
    return number if math.isfinite(number := float(digits)) else digits


def _component(name: str, proposal: Edit | Override, intervention: Intervention) -> Component:
    where = intervention.blocks[0].file if isinstance(intervention, SourceEdit) else None
    label = short_label(proposal.label) or name.partition(":")[2].replace("-", " ")
    evidence = "proposed by the language model"
    return Component(
        id=name, kind=proposal.kind, label=label, where=where, evidence=evidence, interventions=[intervention]
    )


def _ablation(proposal: Proposal, component: Component, intervention: Intervention, ground: Ground) -> Ablation:
    default = component.interventions[0] == intervention
    role: Role = "sensitivity" if not default else "confirmatory" if ground.round == 1 else "exploratory"
    return Ablation(
        id=component.id if default else f"{component.id}@{removal_name(intervention)}",
        components=[component.id],
        interventions=[intervention],
        hypothesis=one_line(proposal.hypothesis),
        prediction=prediction_of(proposal.direction, proposal.size, proposal.confidence),
        role=role,
        modes=modes_of(intervention, ground.modes),
        by=ground.by,
        claims=supports(proposal.claims, ground),
        priority=proposal.priority,
        change_of_mind=one_line(proposal.change_of_mind),
    )


def modes_of(intervention: Intervention, modes: Sequence[Mode]) -> list[Mode]:
    """The study's modes in which a removal is asked."""
    if isinstance(intervention, (ConfigOverride, SourceEdit)):
        return ["retrain"]
    return [mode for mode in modes if mode != "retrain"] if needs_reference(intervention) else list(modes)


def slug(text: str) -> str:
    """`Auxiliary loss!` is `auxiliary-loss`."""
    return re.sub(r"[\W_]+", "-", text.lower()).strip("-")[:60]


def short_label(text: str) -> str:
    """A model's name for a component: a few words without marks, since tables and summaries print it as a name."""
    return " ".join(re.findall(r"[^\W_]+(?:[-_.][^\W_]+)*", one_line(text))[:MOST_WORDS])[:LONGEST_LABEL]


def quotation(text: str) -> str:
    """A model's words where a reader could take them for the study's own."""
    return f"“{one_line(text).translate(QUOTES)}”"


def one_line(text: str) -> str:
    """A model's text as one line of printable characters."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
