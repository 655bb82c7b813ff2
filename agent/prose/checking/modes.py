"""The modes and the kinds of removal that a text names."""

import re

_MODES = {
    "retrain": re.compile(r"\bretrain\w*|\b(?:trained|training|train)(?: the model)?(?: anew| from scratch| without| again)|\bfrom scratch|\btraining (?:needs|relies|runs?)|\bwhen (?:training|trained)\b|what training needs|training-time|during training", re.IGNORECASE),
    "reevaluate": re.compile(r"\bre-?evaluat\w*|\btrained (?:model|network|checkpoint)\b|\bfixed weights|\bwithout (?:any )?(?:retraining|fine-?tuning|re-training|further training)|\b(?:at|during) (?:test|inference|evaluation)(?: time)?|post-training removal|frozen|\bcheckpoints?\b", re.IGNORECASE),
    "recover": re.compile(r"\b(?:recover(?:y|s|ed|ing)?|fine-?tun(?:e[sd]?|ing)|after the cut|gives? back|given back|gave back|regain\w*|restor\w+)\b", re.IGNORECASE),
}  # fmt: skip


_NOT_A_MODE = re.compile(
    r"\b(?:without|no|not?|nor|rather than|instead of|before|than) (?:any |in |under |by |further )?(?:re-?train\w*|fine-?tun\w+|re-?evaluat\w+)|recovery search",
    re.IGNORECASE,
)


_KINDS = {
    "mean": r"\bmean[- ](?:ablat|remov|replac|intervention)\w*|\b(?:replac\w+|set\w*|substitut\w+)\b[^;]{0,60}\b(?:by|with|to) (?:its|their|the) means?\b|\b(?:using|with|by) the mean\b|\(mean\)|\bmean of",
    "zero": r"\bzero[- ](?:ablat|remov)\w*|\bzero(?:ed|ing)\b",
    "resample": r"\bresampl\w+",
    "bypass": r"\bbypass\w*",
}


def said_modes(text: str) -> tuple[str, ...]:
    """The modes that a text names."""
    text = _NOT_A_MODE.sub(lambda found: "\ue013" * len(found[0]), text) if not re.search(r"without (?:any )?(?:re-?training|fine-?tuning)", text, re.IGNORECASE) else text  # fmt: skip
    if re.search(r"without (?:any |further )?(?:re-?training|fine-?tuning)", text, re.IGNORECASE):
        return ("reevaluate",)
    return tuple(mode for mode, pattern in _MODES.items() if pattern.search(text))


def said_kinds(text: str) -> tuple[str, ...]:
    """Kinds of removal that a text names."""
    text = (
        re.split(r"\b(?:instead of|rather than|in place of)\b", text, maxsplit=1)[0]
        if re.search(r"\b(?:instead of|rather than) (?:\w+ing|by)\b", text)
        else text
    )
    return tuple(kind for kind, pattern in _KINDS.items() if re.search(pattern, text, re.IGNORECASE))
