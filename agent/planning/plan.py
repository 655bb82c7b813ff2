"""A plan: ablations with hypotheses and predictions, as a YAML file that people read and edit, sealed by its hash."""

import difflib
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, ValidationError, model_serializer
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, ScalarString, preserve_literal, walk_tree

from ...executor.errors import PlanError
from ...executor.interventions import ConfigOverride, Intervention, acts_on_program, needs_reference, removal_name
from ..components import Component
from ..records.planning import LEFT_OUT, RULES
from ..results import Direction, Mode, Prediction, Role

HEADER = """Edit freely before `lesion run`: the plan is sealed by its hash when its first trial starts.
Predictions are in units of δ, the smallest effect of interest; positive sizes are losses."""
BASELINE = "baseline"
SEARCH = "search"
"""`why` of the removals that an interaction search has proposed."""
DEFAULTS: tuple[Role, ...] = ("confirmatory", "exploratory")
"""Roles of what interactions are made of: no other kinds of removal, no controls."""


SILENT: dict[str, Any] = {"modes": [], "by": "", "claims": [], "priority": 3, "change_of_mind": ""}
"""Fields of an ablation that are left out where they say nothing."""


class Supports(BaseModel):
    """Which outcome of an ablation would support a claim."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str
    """Its id: `c1`, `c2`, … in the order of the study."""
    outcome: Direction
    """worse: the claim holds if the removal costs; none: if it costs less than δ; better: if it helps."""


class Ablation(BaseModel):
    """Components, how each is removed, and what was expected before the run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1, max_length=1000)
    components: list[str] = Field(min_length=1)
    interventions: list[Intervention] = Field(min_length=1)
    hypothesis: str = Field(max_length=2000)
    prediction: Prediction
    role: Role = "confirmatory"
    modes: list[Mode] = []
    """In which modes it is asked; empty: in all of the study's that it fits (source edits: retraining, unless said otherwise)."""
    why: str = Field(default="", max_length=2000)
    """What would be learnt: the planner's reason to spend trials on it."""

    by: str = ""
    """Who proposed it; empty: the plan's planner."""
    claims: list[Supports] = []
    """Which claims of the study it puts to the test."""
    priority: int = Field(default=3, ge=1, le=5)
    """1 runs first."""
    change_of_mind: str = Field(default="", max_length=2000)
    """Which outcome would change the planner's mind."""

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without(SILENT, handler(self))

    @property
    def removal(self) -> str:
        """The kind that its delta is reported under."""
        return "+".join(dict.fromkeys(removal_name(one) for one in self.interventions))

    def asks(self, mode: Mode) -> bool:
        """Whether it is asked in `mode`: configuration and source act on training, unless `modes` says otherwise."""
        switches = any(acts_on_program(one) for one in self.interventions)
        return mode in self.modes if self.modes else mode == "retrain" or not switches


class Dropped(BaseModel):
    """A proposal that will not run, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    reason: str
    by: str = ""
    """Who proposed it; empty: the plan's planner."""
    interventions: list[Intervention] = []
    """As last proposed, where it was more than a name."""

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return _without({"by": "", "interventions": []}, handler(self))

    @property
    def left_out(self) -> bool:
        """Whether it stood in the rules' list only, and the language model did not take it up."""
        return self.by == RULES and self.reason == LEFT_OUT


class Mended(BaseModel):
    """A proposal that failed its check and came back better."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    problems: list[str] = Field(min_length=1)
    """What each failed check said, in order."""


class Plan(BaseModel):
    """One round."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str
    round: int = Field(ge=1)
    planner: str
    ablations: list[Ablation]
    dropped: list[Dropped] = []
    components: list[Component] = []
    """Components that the planner has found itself and this plan brings in: what its source edits remove."""
    mended: list[Mended] = []
    more_seeds: list[str] = []
    """Ablations of earlier rounds that go on to their next look as long as they are open, whatever its chance."""
    remarks: list[str] = []
    """What a reader should know of how this round was planned, e.g. why the rules planned in the model's place."""
    request: str = Field(default="", pattern=r"^(\d{4,})?$")
    """The request of the queue that it was made from; empty where a planner planned it."""

    @model_serializer(mode="wrap")
    def _sparse(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        silent = {"components": [], "mended": [], "more_seeds": [], "remarks": [], "request": ""}
        return _without(silent, handler(self))

    @property
    def hash(self) -> str:
        """SHA-256 of the plan's content; comments and layout are no part of it."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    @property
    def is_screen(self) -> bool:
        """Whether it confirms what a search proposed: its family controls the false discovery rate."""
        return bool(self.ablations) and all(one.why == SEARCH for one in self.ablations)

    def as_yaml(self) -> str:
        """The plan as a readable YAML document."""
        stream = io.StringIO()
        yaml = YAML()
        yaml.default_flow_style = False
        yaml.width = 110
        document = self.model_dump(mode="json")
        walk_tree(document, map={"\n": _lines})  # several lines of source read as several lines
        yaml.dump(document, stream)
        return "".join(f"# {line}\n" for line in HEADER.splitlines()) + stream.getvalue()


def _lines(text: str) -> ScalarString:
    """As a block of lines; in quotation marks where it holds what no block may."""
    plain = all(one.isprintable() or one == "\n" for one in text)
    return preserve_literal(text) if plain else DoubleQuotedScalarString(text)


def _without(silent: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    """Without what says nothing: plans read better, and the hashes of sealed ones outlive new fields."""
    return {key: value for key, value in data.items() if silent.get(key, ...) != value}


def joint_id(parts: list[str]) -> str:
    """The id of a joint removal."""
    return " + ".join(sorted(parts))


def same_runs(plans: Iterable[Plan]) -> dict[str, str]:
    """Ablation → the first one that removes exactly the same: they share their trials."""
    first: dict[str, str] = {}
    found: dict[str, str] = {}
    for one in (one for plan in plans for one in plan.ablations):
        found[one.id] = first.setdefault(signature(one.interventions), one.id)
    return found


def signature(interventions: Iterable[Intervention]) -> str:
    """What is removed, in whatever order it is named."""
    return json.dumps(sorted(each.model_dump_json() for each in interventions))


def sealed_plans(rows: Iterable[tuple[int, str, str]]) -> list[Plan]:
    """The plans of (round, hash, document), as `Ledger.plans` gives them."""
    return [Plan.model_validate_json(document) for _, _, document in rows]


def read_plan(path: Path, components: list[Component], place: "Place", modes: Sequence[Mode]) -> Plan:
    """Read a plan and hold it against what the project has. `PlanError` names every problem at once."""
    plan = parse_plan(path)
    problems = list(_problems(plan, components, place, modes))
    if problems:
        raise PlanError("the plan does not fit this project:\n  " + "\n  ".join(problems), where=str(path), to_do=_MEND)
    return plan


def parse_plan(path: Path) -> Plan:
    """Read a plan, whatever project it is for. `PlanError` where it is malformed."""
    try:
        data: Any = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        return Plan.model_validate(data)
    except OSError as error:
        raise PlanError(
            f"cannot read the plan: {error.strerror}", where=str(path), to_do="write one with `lesion plan`"
        ) from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise PlanError(f"this is not YAML: {error}", where=str(path), to_do=_MEND) from None
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
        raise PlanError("the plan is malformed:\n  " + "\n  ".join(problems), where=str(path), to_do=_MEND) from None


class Place(Protocol):
    """What says where in a project an intervention may act."""

    def problem(self, intervention: Intervention) -> str | None:
        """Why it cannot be; None where it can."""
        ...


def _problems(plan: Plan, components: list[Component], place: Place, modes: Sequence[Mode]) -> Iterator[str]:
    known = {one.id: one for one in components}
    for one in plan.components:
        if one.id in known:
            yield f"{one.id}: the project has a component of this name already"
        known[one.id] = one
    seen: set[str] = {BASELINE}
    for ablation in plan.ablations:
        if ablation.id in seen:
            yield f"{ablation.id}: this id appears twice or is reserved"
        seen.add(ablation.id)
        for name in ablation.components:
            if name not in known:
                yield f"{ablation.id}: no component {name!r}{nearest(name, list(known))}"
        for one in ablation.interventions:
            if found := place.problem(one):
                yield f"{ablation.id}: {found}"
        yield from (f"{ablation.id}: {found}" for found in mode_problems(ablation, modes))


def mode_problems(ablation: Ablation, modes: Sequence[Mode]) -> Iterator[str]:
    """Why the modes of the study cannot ask for an ablation."""
    asked = [mode for mode in modes if ablation.asks(mode)]
    if unknown := [mode for mode in ablation.modes if mode not in modes]:
        yield f"study.modes does not ask for {', '.join(unknown)}"
    elif not asked:
        yield _ONLY_RETRAINING if _is_configured(ablation) else _NOT_RETRAINED
    if "retrain" in asked and any(needs_reference(one) for one in ablation.interventions):
        yield "mean and resample take their values from a trained model: no removal for retraining (give it modes)"
    if _is_configured(ablation) and set(asked) - {"retrain"}:
        yield "a configuration override is a question of retraining only (modes: [retrain])"


def _is_configured(ablation: Ablation) -> bool:
    return any(isinstance(one, ConfigOverride) for one in ablation.interventions)


def nearest(name: str, known: list[str]) -> str:
    """Names that were perhaps meant, in brackets."""
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.5)
    return f" (did you mean {' or '.join(close)}?)" if close else ""


_ONLY_RETRAINING = "a configuration override is a question of retraining, which study.modes does not ask for"
_NOT_RETRAINED = (
    "a source edit is a question of retraining, which study.modes does not ask for (give it modes to see what an edited "
    "forward makes of the trained weights)"
)
_MEND = "mend the file, or delete it and let `lesion plan` write it again"
