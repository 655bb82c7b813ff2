"""Prints error rates of arms that stop once their verdicts are settled: `pytest -m benchmark --capture=no`."""

from collections.abc import Iterator

import pytest
from lesion.executor.inside import stopping as rule

from .rates import Row, show
from .stopping import Answers, Shape, Study, Triggered, errors, heavy, normal, skewed, sorted_batches, spikes

STUDIES = 400
MOST = 0.06
KEPT = (Shape("normal", normal), Shape("t with 3 degrees of freedom", heavy))
"""What the usual test keeps its errors for."""
HARDER = (
    Shape("lognormal", skewed),
    *(Shape(f"spikes in {often:.0%} of examples", spikes(often)) for often in (0.1, 0.03, 0.01)),
)
NAMES = {0.0: "no loss", 0.5: "losses of ±δ/2", 1.0: "losses of ±δ"}


def side_by_side(study: Study, what: str, most: float | None = MOST) -> Iterator[Row]:
    """With stopping early and without."""
    early, whole = errors(study, STUDIES)
    where = f"{what}, {NAMES[study.loss]}"
    for told, one, other in (("beyond", early.beyond, whole.beyond), ("within δ", early.within, whole.within)):
        if told == "beyond" or study.loss == 1:
            measured = {"early": one, "whole": f"{other}", "examples": f"{early.used:.2f}"}
            yield Row(f"stopped early: any falsely {told}", where, measured, most=most)


def over_shapes() -> Iterator[Row]:
    """Values on a scale."""
    for shapes, most in ((KEPT, MOST), (HARDER, None)):
        for shape in shapes:
            for loss in NAMES:
                yield from side_by_side(Study(shape, loss), shape.name, most)


def over_triggers() -> Iterator[Row]:
    """The blind spot, at different numbers of examples below which nothing stops."""
    usual = rule.FEWEST_BY_T
    for fewest in (16, 32, 64, 96, 128):
        rule.FEWEST_BY_T = fewest
        for often in (0.2, 0.1, 0.05, 0.03):
            study = Triggered(Shape("triggered", normal), 1.0, often=often)
            yield from side_by_side(study, f"{often:.0%} of examples cost all, none below {fewest}", None)
    rule.FEWEST_BY_T = usual


def over_answers() -> Iterator[Row]:
    """Right or wrong."""
    for loss in NAMES:
        study = Answers(Shape("answers", normal), loss)
        yield from side_by_side(study, "answers, up to 30% of them changed to and fro", MOST)


def over_sorted_batches() -> Iterator[Row]:
    """Batches whose examples resemble each other, with the look at their differences and without."""
    usual = rule.UNLIKELY
    for share in (0.02, 0.1, 0.3):
        for unlikely, told in ((usual, "looked at"), (0.0, "not looked at")):
            rule.UNLIKELY = unlikely
            shape = Shape("sorted", sorted_batches(share, 16))
            yield from side_by_side(Study(shape, 1.0), f"batches share {share:.0%} of the variance, {told}", None)
    rule.UNLIKELY = usual


@pytest.mark.benchmark
def test_calibration_of_stopping_early() -> None:
    rows = sorted([*over_shapes(), *over_answers(), *over_triggers(), *over_sorted_batches()], key=lambda row: row.what)
    print()
    show(rows)
    assert [broken for row in rows for broken in row.broken()] == []
