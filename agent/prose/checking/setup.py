"""What a text says of the study itself: its split, and metrics that it never measured."""

import re
from collections.abc import Iterator, Sequence

from .causes import Caused
from .clauses import METRIC, Clause
from .ground import Ground
from .lexicon import said

_SPLIT = re.compile(r"\b(?P<split>test|validation)(?: split| set| data)\b", re.IGNORECASE)
_FIGURES = re.compile(
    r"\b(?:numbers|results|figures|tables?|effects|values|computed|reported|come from|measured on|evaluated on)\b",
    re.IGNORECASE,
)
_FOREIGN = re.compile(
    r"\b(?:accuracy|perplexity|bleu|rouge|f1|auc|auroc|precision|recall|miou|map|top-5|wer|psnr|fid)\b", re.IGNORECASE
)


def setup(ground: Ground, sentence: str, parts: Sequence[Clause]) -> Iterator[Caused]:
    """Claims about the split, and numbers or directions of a metric that was not measured."""
    split = ground.results.study.split
    found = _SPLIT.search(sentence)
    if (
        found
        and split in ("test", "validation")
        and _FIGURES.search(sentence)
        and not re.search(r"\b(?:test|validation)\b", sentence[: found.start()], re.IGNORECASE)
    ):
        planning = re.search(
            r"\b(?:plan\w*|search\w*|look\w*|explor\w*|choos\w*|tun\w*|select\w*|follow-ups?|held out|not|never)\b",
            sentence,
            re.IGNORECASE,
        )
        if found["split"].lower() != split and not planning:
            yield Caused(
                found.start(), found.end(), found[0], "verdict", "contradicted", f"the figures are of the {split} split"
            )
    masked = parts[0].masked if parts else sentence
    for foreign in _FOREIGN.finditer(masked):
        if (
            METRIC in foreign[0]
            or ground.results.classes
            or not (re.search(r"\d", masked) or any(True for _ in said(masked)))
        ):
            continue
        yield Caused(foreign.start(), foreign.end(), foreign[0], "name", "unbacked", "the study did not measure this")
