"""Verdicts and directions in a writer's own words: in a template they stand as references alone, so that they follow the results."""

import re

from ..prose.references import REFERENCE

_VERDICTS = (
    r"matter(?:s|ed|ing)?|hurt(?:s|ing)?|negligible|detected|undecided|structural|untestable|compensat\w+|redundan\w+|synerg\w+"
    r"|additive|irreducible|saturat\w+|masked|(?:in)?significan\w+|(?:un)?important(?:ly)?|crucial\w*|essential\w*|(?:un)?necessary"
    r"|no[ -]op|no effect|useless|indispensable|irrelevant"
)
_DIRECTIONS = (
    r"worse\w*|better|improv\w+|degrad\w+|harm\w*|decreas\w+|increas\w+|drops?|dropped|rises?|rose|raises?|raised|lower(?:s|ed)?"
    r"|higher|gain(?:s|ed)?|loses?|lost|reduc(?:e|es|ed|tion)|helps?|helped"
)
_OWN = re.compile(rf"\b(?:(?P<verdict>{_VERDICTS})|(?:{_DIRECTIONS}))\b", re.IGNORECASE)
_TURNED = re.compile(
    r"\b(?:not|never|no|none|neither|nor|nothing|nowhere|hardly|barely|scarcely|rarely|seldom|untrue|false|wrong(?:ly)?|cannot"
    r"|den(?:y|ies|ied)|contrary|fails?|instead|rather|unlike|except|without\s+reason)\b|n['’]t\b",
    re.IGNORECASE,
)
_SAYS = re.compile(r"\.(?:outcome|verdict|meaning|direction|status)\s*\}\}")
_CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)


def own_words(template: str) -> list[str]:
    """The words of a template that say a verdict or a direction, each once; code and references are left out of it."""
    bare = _CODE.sub(" ", REFERENCE.sub(" ", template))
    return list(dict.fromkeys(found[0] for found in _OWN.finditer(bare)))


def turned(template: str) -> list[str]:
    """Words that may turn around what a reference in the same sentence says, each once; none where no reference says a verdict."""
    if not _SAYS.search(template):
        return []
    bare = _CODE.sub(" ", REFERENCE.sub(" ", template))
    return list(dict.fromkeys(found[0] for found in _TURNED.finditer(bare)))
