"""Words of judgement in a clause: whose they are, what they claim of it, and whether its verdict backs that."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ...report import numbers
from ...results import Effect
from .amounts import Held, found_of
from .clauses import METRIC, NAME, Clause, Subject, is_carried, metric_at
from .finding import Outcome
from .ground import Found, Ground, Scope
from .lexicon import Said, resolved, said
from .verdicts import JOINT, Claim, Judgement, judged

_REMOVING = re.compile(
    r"(?:drop(?:s|ped)?|cuts?|lose|loses|losing|lost|reduc\w+|lower\w*|diverge\w*|masked|loss)", re.IGNORECASE
)
_NEXT_IS_A_NAME = re.compile(rf"^(?:ping)?\s+(?:of |out |both |the |each )*[\ue000\"“]?{NAME}")
_NOUN_AFTER = re.compile(r"^\s+(?:of|in|for|when|if|without|from|is|was|at|\ue012+ (?:drop|loss))\b")
_NOUN_BEFORE = re.compile(
    rf"(?:\b(?:an?|the|any|no|most|more|least|less|greatest|biggest|largest|smallest|small|large|clear|significant|this|shown|of|{METRIC}+)\s+|{METRIC}\s)$",
    re.IGNORECASE,
)
_NOUN = re.compile(
    r"^(?:drop|decrease|reduction|decline|increase|improvement|gain|loss|degradation|rise|fall|harm|cost|jump|growth|dip|damage)s?$",
    re.IGNORECASE,
)
_WHOSE = re.compile(
    r"\b(?:(?:whose|its|their|the|upon|on) (?:removal|ablation|absence|loss)|removing|when removed|if removed|once removed|without|ablating|removal)\b",
    re.IGNORECASE,
)
_WHETHER = re.compile(
    r"\b(?:whether|if (?=it|the|removing|\ue010)|(?:not|n['’]t|cannot) (?:claim|say|conclude|know|tell|assert|mean|imply|take this)\b)[^.;]*$",
    re.IGNORECASE,
)
_INTERACTION = re.compile(r"\b(?:interaction|contrast)\b", re.IGNORECASE)
_WITHIN = re.compile(
    r"^\s+(?:(?:that is|which is|of) )?(?:below|under|within|smaller than|less than|at most|no more than|inside)\b",
    re.IGNORECASE,
)
_SIZE_NOUN = re.compile(
    r"^\s+(?:but |and |though )?(?:[\w-]+\s+){0,3}?(?:effects?|loss(?:es)?|drops?|changes?|costs?|decreases?|increases?|gains?|improvements?|differences?|impacts?|influence|role|penalty|harm|degradation|contribution|reductions?|declines?|deficit|part|details?|factors?|components?|players?|issue|thing|\ue012+\s*(?:loss|drop|change|gain)?)",
    re.IGNORECASE,
)
_IS = re.compile(
    r"\b(?:is|are|was|were|remains?|be|but|and|proved?|seems?|appears?|looks?|contribut\w+|matters?|changes?|costs?|does|adds?)\s+(?:an?\s+|the\s+|\w+ly\s+|very\s+|rather\s+|quite\s+|too\s+|only\s+|not\s+|so\s+|un)*$",
    re.IGNORECASE,
)
_METHOD = re.compile(
    r"\b(?:denotes?|marks?(?= )|indicates? (?:significan|p)|daggers?|asterisks?|we (?:zero|leave|remove|set|keep|train|evaluate|replace|number|plan|run|ablate|call|say|test|tested|report|define|declare|use|used|consider|correct|compare|measure|ask)|is called|are called|means? that|Holm|Bonferroni|Benjamini|two one-sided|tests? (?:whether|for|of)|hypothes[ie]s|criterion|correct(?:ed|ion)"
    r"|declared|by convention|where (?:a|the) removal|if (?:the|its|an?) |whether|larger is worse|lower is better|higher is better|in bold|threshold|question|verdicts? (?:are|is|of)\b|smallest effect of interest|power\b|expected|predicted|prediction|would)",
    re.IGNORECASE,
)
_GENERIC = re.compile(
    r"\b(?:removals?|components?|heads?|layers?|parts?|modules?|ablations?|everything|nothing|model|network|recipe|training|architecture|interaction)\b",
    re.IGNORECASE,
)
_PERFORMANCE = re.compile(r"\b(?:performance|quality|scores?|results?|accuracy)\b", re.IGNORECASE)
_ERROR = re.compile(r"\b(?:loss|error|perplexity|nll)\b", re.IGNORECASE)


_HEDGES = ("undecided", "not significant", "size uncertain", "negligible", "within δ", "unimportant", "small")


@dataclass(frozen=True)
class Stated:
    """A claim in words, and what came of it."""

    start: int
    end: int
    text: str
    outcome: Outcome
    why: str
    found: Found | None
    claim: Claim


def statements(
    ground: Ground, clause: Clause, taken: Sequence[tuple[int, int]], held: Sequence[Held], sentence: str
) -> Iterator[Stated]:
    """Every judgement of a clause, outside of the spans that are `taken` by comparisons and counts."""
    phrases = list(said(clause.words))
    yield from _given_back(ground, clause)
    for phrase in phrases:
        start, end = clause.start + phrase.start, clause.start + phrase.end
        if any(start < b and end > a for a, b in taken) or not _speaks(clause, phrase, start, end):
            continue
        yield from _stated(ground, clause, phrase, held, sentence)


_GIVEN_BACK = re.compile(
    r"\b(?:giv(?:es?|en|ing) back|gave back|recover(?:s|ed)?|restor(?:es?|ed)|regain(?:s|ed)?|undo(?:es)?|repairs?)\s+(?:almost |nearly |virtually |practically )?(?P<how>all|everything|nothing|most|none|little|fully|completely|half)\b"
    r"|\b(?P<whole>fully|completely|entirely|mostly|largely) (?:recover(?:s|ed|able)?|restored|regained|given back)\b|\b(?P<none>(?:not|never|n['’]t) (?:recover|give back|restore)\w*|irrecoverable|unrecoverable)\b",
    re.IGNORECASE,
)
_FRACTIONS = {
    "all": (0.95, 1.5), "everything": (0.95, 1.5), "fully": (0.95, 1.5), "completely": (0.95, 1.5), "entirely": (0.95, 1.5),
    "most": (0.5, 1.5), "mostly": (0.5, 1.5), "largely": (0.5, 1.5), "half": (0.45, 0.55), "little": (-1.0, 0.25), "nothing": (-1.0, 0.05),
    "none": (-1.0, 0.05), "not": (-1.0, 0.05),
}  # fmt: skip


def _given_back(ground: Ground, clause: Clause) -> Iterator[Stated]:
    """How much fine-tuning gave back, in words."""
    for said_so in _GIVEN_BACK.finditer(clause.words):
        start, end = clause.start + said_so.start(), clause.start + said_so.end()
        low, high = _FRACTIONS[(said_so["how"] or said_so["whole"] or "not").lower()]
        scope = Scope(("recover",), clause.scope.metrics, clause.scope.kinds)
        for subject in subjects_of(clause, start, end):
            if not found_of(ground, replace(clause, scope=scope), subject):
                yield Stated(
                    start, end, said_so[0], "unbacked", "nothing was fine-tuned after cutting it", None, "changed"
                )
            for one in found_of(ground, replace(clause, scope=scope), subject):
                fraction = one.recovered.fraction if isinstance(one, Effect) and one.recovered is not None else None
                outcome: Outcome = (
                    "unbacked" if fraction is None else "backed" if low <= fraction <= high else "contradicted"
                )
                told = (
                    "it is not known how much was given back"
                    if fraction is None
                    else f"{numbers.percent(fraction, 2)} was given back"
                )
                yield Stated(start, end, said_so[0], outcome, told, one, "changed")


def _speaks(clause: Clause, phrase: Said, start: int, end: int) -> bool:
    """Whether it is a claim at all, and no word of removing, no adjective of something else."""
    before, after = clause.masked[clause.start : start], clause.masked[end : clause.end]
    if _REMOVING.fullmatch(phrase.text) and _NEXT_IS_A_NAME.match(after):
        return False
    if (
        phrase.removed in ("large", "small")
        and not phrase.text.lower().endswith("ly")
        and phrase.text.lower() not in ("hardly", "barely", "much of")
    ):
        if re.match(r"\s+(?:as|enough|seeds?|model|network|set|than)\b", after):
            return False
        return _SIZE_NOUN.match(after) is not None or _IS.search(before) is not None
    if phrase.removed == "worse" and (
        _WITHIN.match(after) or re.match(r"\s+(?:an?|one|two|three|its|\d+)\s+(?:seeds?|runs?)\b", after)
    ):
        return False
    if phrase.removed in ("beyond δ", "within δ") and re.search(
        r"\binterval\b[^.;]*\b(?:includ|contain|reach|extend|straddl|cross|overlap)\w*[^.;]*$", before
    ):
        return False
    if re.search(rf"{NAME}\ue001?\s+(?:is|are|was|were|has been)\s+$", before) and _REMOVING.fullmatch(phrase.text):
        return False
    if re.search(r"\bwhat\b[^.;,]{0,40}$", before):
        return False
    if re.fullmatch(r"need\w*|requir\w+", phrase.text, re.IGNORECASE) and re.search(
        r"\b(?:seeds?|runs?|examples?)\b[^.;]{0,20}$", before
    ):
        return False
    if _WHETHER.search(before) and phrase.removed not in ("undecided", "size uncertain"):
        return False
    if phrase.removed in ("confirmatory", "exploratory") and not (clause.groups or is_carried(clause.words)):
        return False
    return not re.match(r"-(?:than|of|wise)|\s+(?:dropout rate|level|of the (?:nine|ten))", after)


def _stated(ground: Ground, clause: Clause, phrase: Said, held: Sequence[Held], sentence: str) -> Iterator[Stated]:
    start, end = clause.start + phrase.start, clause.start + phrase.end
    subjects = subjects_of(clause, start, end)
    if not subjects:
        if _orphan(clause, phrase):
            yield Stated(
                start,
                end,
                phrase.text,
                "unbacked",
                "it is not clear which removal this is about",
                None,
                _claim(ground, clause, phrase, None, start, end),
            )
        return
    claim = _claim(ground, clause, phrase, subjects[0], start, end)
    numbered = any(h.role in ("change", "level", "relative") and h.outcome == "backed" for h in held)
    hedged = any(one.removed in _HEDGES for one in said(sentence))
    judgement = judge_all(
        ground, metric_at(clause, start, end, following=True), claim, subjects, numbered=numbered, hedged=hedged
    )
    yield Stated(start, end, phrase.text, judgement.outcome, judgement.why, judgement.found, claim)


def _orphan(clause: Clause, phrase: Said) -> bool:
    """Claims about nothing that is named are unbacked, but for sentences on how things were done."""
    if clause.quantities and phrase.removed in ("worse", "better", "up", "down", "changed"):
        return False
    if phrase.removed in (
        "significant",
        "not significant",
        "within δ",
        "beyond δ",
        "exploratory",
        "confirmatory",
        "masked",
        "changed",
        "worse",
        "undecided",
        "untestable",
        "structural",
        "no-op",
        "verdict redundancy",
    ):
        return False
    return _METHOD.search(clause.text) is None and (
        _GENERIC.search(clause.words) is not None
        or METRIC in clause.words
        or _PERFORMANCE.search(clause.words) is not None
    )


def _in_parenthesis(clause: Clause, start: int) -> Subject | None:
    """`A (structural), B (no-op)`: what stands in parentheses right after a name is said of that alone."""
    flat = [s for group in clause.groups for s in group if s.end <= start]
    near = flat and re.fullmatch(r"[\ue001\"”]?\s*\([^()]*", clause.masked[flat[-1].end : start]) is not None
    return flat[-1] if near else None


def subjects_of(clause: Clause, start: int, end: int) -> tuple[Subject, ...]:
    """What a phrase at that place is said of."""
    own = _in_parenthesis(clause, start)
    if own is not None:
        return (own,)
    before = [group for group in clause.groups if group[0].start < start]
    after = [group for group in clause.groups if group[0].start >= end]
    if before:
        return before[-1]
    if after:
        between = clause.masked[end : after[0][0].start]
        pronoun = re.search(
            r"\b(?:it|its|this|they|their|which|both)\b", clause.masked[clause.start : start], re.IGNORECASE
        )
        if pronoun and clause.carried and not re.search(r"\b(?:without|when|if|by|removing|w/o)\b", between):
            return clause.carried
        return after[0]
    return clause.carried


def _claim(ground: Ground, clause: Clause, phrase: Said, subject: Subject | None, start: int, end: int) -> Claim:
    whose = (
        subject is not None
        and subject.end <= start
        and _WHOSE.search(clause.masked[max(clause.start, subject.end) : start]) is not None
    )
    removed = (
        subject is None
        or subject.removed
        or subject.together
        or whose
        or _is_noun(clause, phrase, start, end)
        or _metric_speaks(clause, subject, start)
    )
    word = phrase.removed if removed else phrase.present
    if re.search(
        r"\b(?:this|the|that|which) (?:component|part|head|layer|module|block)\s+$",
        clause.masked[clause.start : start],
        re.IGNORECASE,
    ):
        word = phrase.present
    if word == "undecided" and re.search(
        r"\b(?:exceed\w*|size|larger than|beyond|above)\b|δ|smallest effect", clause.masked[end : end + 60]
    ):
        return "size uncertain"
    word = _redundant(ground, clause, phrase, subject) or word
    if word == "costs" and not clause.quantities:
        word = "better"
    if (
        word == "better"
        and phrase.present == "worse"
        and re.match(r"\s+(?:off )?(?:without|w/o)", clause.masked[end : clause.end])
    ):
        word = "better"
    return resolved(
        word, maximise=_maximise(ground, metric_at(clause, start, end, following=True)), negated=phrase.negated
    )


def _redundant(ground: Ground, clause: Clause, phrase: Said, subject: Subject | None) -> Claim | None:
    """Of two parts that were removed together, `redundant` says that one backs the other up."""
    named = {c for g in clause.groups for s in g for c in s.components} or {
        c for s in clause.carried for c in s.components
    }
    together = len(named) > 1 and ground.joints(named, clause.scope)
    return "compensation" if phrase.text.lower() == "redundant" and subject is not None and together else None


def _is_noun(clause: Clause, phrase: Said, start: int, end: int) -> bool:
    if not _NOUN.match(phrase.text):
        return False
    return (
        _NOUN_AFTER.match(clause.masked[end : clause.end]) is not None
        or _NOUN_BEFORE.search(clause.masked[clause.start : start]) is not None
    )


def _metric_speaks(clause: Clause, subject: Subject, start: int) -> bool:
    """`Accuracy falls … for dropout`: the metric is what falls, and the part is named after it."""
    if subject.start < start or subject.end == 0:
        return False
    before = clause.masked[clause.start : start]
    return METRIC in before or re.search(r"\b(?:model|network|performance|it)\b", before) is not None


def _maximise(ground: Ground, clause: Clause) -> bool:
    floors = ground.floors(clause.scope)
    goal = floors[0][2].goal if floors else "maximize"
    if METRIC not in clause.words:
        if _ERROR.search(clause.words):
            return False
        if _PERFORMANCE.search(clause.words):
            return True
    return goal == "maximize"


def judge_all(
    ground: Ground,
    clause: Clause,
    claim: Claim,
    subjects: Sequence[Subject],
    *,
    numbered: bool = False,
    hedged: bool = False,
) -> Judgement:
    """Hold a claim against every subject: all must back it; one that contradicts it is enough."""
    if (
        claim in ("significant", "important", "large", "beyond δ")
        and _INTERACTION.search(clause.words)
        and any(len(s.components) > 1 for s in subjects)
    ):
        claim = "interact"
    if claim in JOINT:
        return _judge_joint(ground, clause, claim, subjects)
    results = [_judge_one(ground, clause, claim, subject, numbered=numbered, hedged=hedged) for subject in subjects]
    worst = next((r for r in results if r.outcome == "contradicted"), None) or next(
        (r for r in results if r.outcome == "unbacked"), None
    )
    if worst is None:
        return results[0]
    everything = tuple(sorted({c for s in subjects for c in s.components}))
    if (
        len(subjects) > 1
        and subjects[0].removed
        and (ground.joints(everything, clause.scope) or ground.joint_effects(everything, clause.scope))
    ):
        joint = _judge_one(
            ground, clause, claim, Subject(everything, True, True, 0, 0), numbered=numbered, hedged=hedged
        )
        return joint if joint.outcome == "backed" else worst
    return worst


def _judge_one(
    ground: Ground, clause: Clause, claim: Claim, subject: Subject, *, numbered: bool, hedged: bool
) -> Judgement:
    found = found_of(ground, clause, subject)
    if len(subject.components) > 1 and ground.joints(subject.components, clause.scope):
        found = list(ground.joints(subject.components, clause.scope))
    missing_modes = [m for m in clause.scope.modes if m not in {one.mode for one in found}]
    if not found or missing_modes:
        name, where = " + ".join(subject.components), " and ".join(missing_modes)
        missing = "were not removed together" if len(subject.components) > 1 else "was not measured"
        return Judgement("unbacked", f"{name} {missing}{f' in {where}' if where else ''}")
    results = [
        _hedged(ground, claim, one, judged(ground, claim, one, numbered=numbered), hedged and numbered) for one in found
    ]
    outcomes = {r.outcome for r in results}
    if outcomes == {"backed"}:
        return results[0]
    if len(outcomes) > 1 and len({one.mode for one in found}) > 1:
        return Judgement(
            "unbacked", f"{' and '.join(dict.fromkeys(r.why for r in results))}: say in which mode", results[0].found
        )
    return next((r for r in results if r.outcome == "contradicted"), None) or next(
        r for r in results if r.outcome != "backed"
    )


def _hedged(ground: Ground, claim: Claim, found: Found, judgement: Judgement, hedged: bool) -> Judgement:
    """The estimate of what is undecided may be told where the sentence says that it is undecided."""
    if not hedged or judgement.outcome == "backed" or not isinstance(found, Effect):
        return judgement
    open_ = found.verdict in ("undecided", "negligible")
    if open_ and claim in ("worse", "better"):
        right = ((ground.loss(found) or 0) > 0) == (claim == "worse")
        return Judgement("backed" if right else "contradicted", judgement.why, found)
    floor = ground.floor(found)
    little = claim == "small" and floor is not None and abs(found.delta or 0) <= floor.smallest_effect
    if (open_ and claim == "changed") or (found.verdict == "detected" and little):
        return Judgement("backed", judgement.why, found)
    return judgement


def _judge_joint(ground: Ground, clause: Clause, claim: Claim, subjects: Sequence[Subject]) -> Judgement:
    named = {c for group in clause.groups for s in group for c in s.components}
    everything = named if len(named) > 1 else named | {c for s in (*subjects, *clause.carried) for c in s.components}
    joints = ground.joints(everything, clause.scope)
    if joints:
        results = [judged(ground, claim, joint) for joint in joints]
        return next((r for r in results if r.outcome != "backed"), results[0])
    around = [j for j in ground.pairs(clause.scope) if everything <= set(j.components)]
    results = [judged(ground, claim, joint) for joint in around]
    if len(everything) == 1 and results and claim not in ("no interaction",):
        return next((r for r in results if r.outcome == "backed"), results[0])
    return Judgement("unbacked", f"{' + '.join(sorted(everything))} were not removed together")


def claim_of_many(ground: Ground, clause: Clause, phrase: Said, noun: str) -> Claim:
    """What a phrase claims of each of many: removals, or parts as they work in the model."""
    removed = (
        re.search(r"\b(?:removals?|ablations?|arms?|pairs?|joint|effects?|removing)\b", noun, re.IGNORECASE) is not None
        or _WHOSE.search(clause.words[: phrase.start]) is not None
    )
    word = phrase.removed if removed else phrase.present
    negated = phrase.negated and re.match(r"\s*(?:no|none|neither|nothing)\b", noun, re.IGNORECASE) is None
    return resolved(word, maximise=_maximise(ground, clause), negated=negated)
