"""Which reference gives a number that somebody typed."""

import re
from collections.abc import Iterator

from ..report.numbers import MINUS
from .attributes import Values, of_accounting, of_baseline, of_effect, of_interaction, of_study
from .facts import Facts

MOST = 3
_NUMBER = re.compile(r"([0-9]+(?:,[0-9]{3})+|[0-9]*)(\.[0-9]+)?(?:e([-+−]?[0-9]{1,2}))?")
_NOT_A_NUMBER = re.compile(r"^[+\-−±]|\s*[%‰×]$")


def references_for(typed: str, facts: Facts) -> list[str]:
    """The first few references whose value is this number, but for its sign and its rounding; a percentage counts as a fraction too."""
    number, decimals = _read(typed)
    if number is None:
        return []
    shares = [(number, decimals)]
    if typed.rstrip().endswith("%"):
        shares.append((number / 100, decimals + 2))
    found = (
        f"{{{{ {subject}.{attribute} }}}}"
        for subject, values in subjects(facts)
        for attribute, value in values.items()
        if value is not None and any(_same(value, share, places) for share, places in shares)
    )
    return [reference for reference, _ in zip(found, range(MOST), strict=False)]


def _same(value: str, number: float, decimals: int) -> bool:
    measured, places = _read(value)
    if measured is None:
        return False
    return measured == number or (0 < decimals <= places and round(measured, decimals) == round(number, decimals))


def _read(text: str) -> tuple[float | None, int]:
    """The size of a number, and its decimals."""
    match = _NUMBER.fullmatch(_NOT_A_NUMBER.sub("", _NOT_A_NUMBER.sub("", text.strip())))
    if match is None or not (match[1] or match[2]):
        return None, 0
    exponent = int((match[3] or "0").replace(MINUS, "-"))
    value = float(f"{(match[1] or '0').replace(',', '')}{match[2] or ''}e{exponent}")
    return value, max(0, len(match[2] or ".") - 1 - exponent)


def subjects(facts: Facts) -> Iterator[tuple[str, Values]]:
    """Every subject of the study as it is written, with its values."""
    raw, shown = facts.results, facts.shown
    primary = raw.study.primary
    many = len(set(raw.baseline) | {effect.mode for effect in raw.effects}) > 1

    def where(mode: str, metric: str, *before: str) -> str:
        given = [f'"{name}"' for name in before]
        return ", ".join(
            [*given, *([f'mode="{mode}"'] if many else []), *([f'metric="{metric}"'] if metric != primary else [])]
        )

    for effect, safe in zip(raw.effects, shown.effects, strict=True):
        sealed = effect.role == "confirmatory" and len(effect.components) == 1
        name = effect.components[0] if sealed else effect.ablation
        yield f"effect({where(effect.mode, effect.metric, name)})", of_effect(shown, safe)
    for joint, safe in zip(raw.interactions, shown.interactions, strict=True):
        yield f"interaction({where(joint.mode, joint.metric, *joint.components)})", of_interaction(shown, safe)
    for mode, metrics in raw.baseline.items():
        for metric, floor in metrics.items():
            yield f"baseline({where(mode, metric)})", of_baseline(mode, metric, floor)
    yield "study()", of_study(shown)
    yield "accounting()", of_accounting(shown)
