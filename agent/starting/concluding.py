"""From a brief run to metrics, limits, and what is still open."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...prompts import phrases
from ..reading.script.source import Source
from .brief import Ran
from .chance import classes_of
from .draft import Draft
from .findings import Finding, Gap, MetricFound
from .limits import limits_of
from .messages import messages
from .metricfiles import written
from .metrics import Sought, metrics_of, named, selected, with_goal
from .naming import split_of
from .questions import Questions
from .wishes import Wishes


def concluded(
    draft: Draft,
    files: Sequence[Source],
    settings: Mapping[str, Any],
    wishes: Wishes,
    questions: Questions,
    share: float,
) -> Draft:
    """The draft with what the brief run showed.

    Args:
        draft: With the run, where there was one.
        files: The source of the experiment.
        settings: Dotted key → value.
        wishes: What a person said beforehand.
        questions: Whom to ask.
        share: How much of the whole training the run did.
    """
    ran = draft.ran
    from_file = written(files) if draft.metrics_file else []
    where = from_file[0].where if from_file and ran and ran.metrics else ""
    sought = Sought(ran, messages(files), where, classes_of(settings, files))
    metrics = _chosen_metrics(metrics_of(sought), wishes, questions)
    uses_file = (
        bool(ran and ran.metrics) and not draft.candidate.functions and any(one.pattern is None for one in metrics)
    )
    gaps, stops = [*draft.gaps, *_open_metrics(metrics)], [*draft.stops]
    if metrics and metrics[0].seen is None:
        words = phrases("init/open.j2")
        unseen = Gap(words.not_seen(metrics[0].name), words.check_pattern())
        (stops if ran and ran.finished else gaps).append(unseen)
    if not metrics:
        gaps.append(_nothing(ran))
    return replace(
        draft,
        metrics=tuple(metrics),
        metrics_file=draft.metrics_file if uses_file else None,
        limits=limits_of(ran, share),
        findings=(*draft.findings, *(Finding("metric", one.name, one.where, _how(one)) for one in metrics)),
        gaps=tuple(gaps),
        stops=tuple(stops),
    )


def _chosen_metrics(found: list[MetricFound], wishes: Wishes, questions: Questions) -> list[MetricFound]:
    """The primary one first: asked for by name, chosen by a person, or the likeliest."""
    name = wishes.metric
    words = phrases("init/asking.j2")
    if name is None and found and questions.asks:
        name = questions.choose(words.metric(), [one.name for one in found])
    if name is None and not found:
        return []
    first = with_goal(named(found, name) if name is not None else found[0], wishes.goal)
    if first.goal is None and questions.asks:
        said = questions.choose(words.goal(first.name), ["maximize", "minimize"])
        first = with_goal(first, "minimize" if said.startswith("min") else "maximize")
    return selected(found, first)


def _nothing(ran: Ran | None) -> Gap:
    """That no metric is known."""
    words = phrases("init/open.j2")
    return Gap(words.no_metric(ran.finished if ran else False), words.give_metric())


def _open_metrics(metrics: Sequence[MetricFound]) -> list[Gap]:
    """What is not known of the primary metric, or wrong with it."""
    words = phrases("init/open.j2")
    gaps: list[Gap] = []
    for first in metrics[:1]:
        if first.goal is None:
            gaps.append(Gap(words.no_goal(first.name), words.give_goal(first.name)))
        if split_of(first.name) == "train":
            gaps.append(Gap(words.training_only(first.name), words.give_validation()))
    return gaps


def _how(metric: MetricFound) -> str:
    seen = f"last value {metric.seen:g}" if metric.seen is not None else "read in the source, not seen yet"
    return f"{metric.goal or 'which way is better is not known'}; {seen}"
