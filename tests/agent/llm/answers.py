"""Components, and answers as a language model would write them."""

from lesion.agent.components import Component
from lesion.agent.planning.llm.answers import Edit, FollowUp, Override, Removal
from lesion.executor.interventions import ConfigOverride, HeadIntervention, ModuleIntervention

MODEL = "llm:scripted"
EXPECTED = {
    **{"hypothesis": "it helps", "direction": "worse", "size": 2.0, "confidence": 80, "claims": [], "priority": 3},
    "change_of_mind": "none",
}


def setting(key, value=0):
    override = ConfigOverride(key=key, value=value)
    return Component(
        id=f"config:{key}", kind="regularization", label=key, evidence="on", interventions=[override], where="c.yaml:1"
    )


def module(path, *removals, kind="layer", size=10):
    interventions = [ModuleIntervention(path=path, removal=one) for one in removals or ("zero", "bypass")]
    return Component(
        id=f"module:{path}", kind=kind, label=path, size=size, evidence="called", interventions=interventions
    )


def head(path, number):
    cut = HeadIntervention(path=path, projection=f"{path}.out", heads=[number], width=4, removal="zero")
    mean = cut.model_copy(update={"removal": "mean"})
    return Component(
        id=f"head:{path}/{number}",
        kind="attention_head",
        label=f"{path}/{number}",
        evidence="seen",
        interventions=[cut, mean],
    )


def proposal(target, how="default", **facts):
    return Removal.model_validate({"target": target, "how": how, **EXPECTED, **facts})


def override(key, value, **facts):
    return Override.model_validate({"key": key, "value": value, "label": key, "kind": "other", **EXPECTED, **facts})


def edit(label, *blocks, **facts):
    made = [
        {"file": file, "search": search, "replace": replace[0] if replace else ""} for file, search, *replace in blocks
    ]
    return Edit.model_validate({"label": label, "kind": "loss_term", "blocks": made, **EXPECTED, **facts})


def follow_up(what, *targets, **facts):
    usual = {
        **{"how": "default", "mode": "all", "hypothesis": "they back each other up", "direction": "worse", "size": 3.0},
        **{"confidence": 70, "claims": [], "priority": 2, "why": "each alone was negligible"},
    }
    return FollowUp.model_validate({"what": what, "targets": list(targets), **usual, **facts})
