"""Whether a word of judgement speaks of results at all: adjectives of something else, questions and methods do not."""

import re

from .clauses import METRIC, NAME, Clause, is_carried
from .lexicon import Said

_REMOVING = re.compile(
    r"(?:drop(?:s|ped)?|cuts?|lose|loses|losing|lost|reduc\w+|lower\w*|diverge\w*|masked|loss)", re.IGNORECASE
)


_NEXT_IS_A_NAME = re.compile(rf"^(?:ping)?\s+(?:of |out |both |the |each )*[\ue000\"“]?{NAME}")


_WHETHER = re.compile(
    r"\b(?:whether|if (?=it|the|removing|\ue010)|(?:not|n['’]t|cannot) (?:claim|say|conclude|know|tell|assert|mean|imply|take this)\b|too \w+ to (?:say|tell|conclude)\b)[^.;]*$",
    re.IGNORECASE,
)


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
    r"\b(?:denotes?|marks?(?= )|indicates? (?:significan|p)|daggers?|asterisks?|we (?:zero|leave|remove|set|keep|train|evaluate|replace|number|plan|run|study|investigate|examine|analy[sz]e|quantify|assess|ablate|call|say|test|tested|report|define|declare|use|used|consider|correct|compare|measure|ask)|is called|are called|(?:is|are|was|were) (?:removed|ablated|zeroed|dropped) by|means? that|Holm|Bonferroni|Benjamini|two one-sided|tests? (?:whether|for|of)|hypothes[ie]s|criterion|correct(?:ed|ion)"
    r"|declared|by convention|where (?:a|the) removal|if (?:the|its|an?) |whether|(?:larger|lower|higher|smaller) (?:\S+ )?(?:is|are|means?) (?:better|worse)|in bold|threshold|question|verdicts? (?:are|is|of)\b|smallest effect of interest|power\b|expected|predicted|prediction|would)",
    re.IGNORECASE,
)


_GENERIC = re.compile(
    r"\b(?:removals?|components?|heads?|layers?|parts?|modules?|ablations?|everything|nothing|model|network|recipe|training|architecture|interaction)\b",
    re.IGNORECASE,
)


_NO_OTHER = re.compile(r"\bno other\b[^.;]*\b(?:as (?:\w+ )?(?:much|strongly|large|many|\w+ly)|so much|\w+er|more) (?:as|than)\b|\bno other\b[^.;]*\bas much\b", re.IGNORECASE)
_SO_MANY = re.compile(r"\s+(?:[\w-]+\s+){0,2}[\d,]+\s+(?:\w+\s+)?(?:seeds?|runs?|examples?|trials?)\b")


PERFORMANCE = re.compile(r"\b(?:performance|quality|scores?|results?|accuracy)\b", re.IGNORECASE)


def speaks(clause: Clause, phrase: Said, start: int, end: int) -> bool:
    """Whether it is a claim at all, and no word of removing, no adjective of something else."""
    before, after = clause.masked[clause.start : start], clause.masked[end : clause.end]
    if _REMOVING.fullmatch(phrase.text) and _NEXT_IS_A_NAME.match(after):
        return False
    if phrase.removed == "nothing" and re.match(r"[^.;,]{0,30}\b(?:by more than|beyond|larger than)\b", after):
        return False
    if phrase.removed in ("large", "small") and re.match(r"\s+(?:more|less|larger|smaller|higher|lower)\b[^.;,]{0,24}\bthan\b", after):
        return False
    if _NO_OTHER.search(clause.words):
        return False
    if re.search(r"\bsuch\s+$", before, re.IGNORECASE):
        return False
    if re.search(r"\b(?:second|other)\s+adds\s+$", before):
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
        r"\b(?:may|might|could) (?:be |lie )?$|\binterval\b[^.;]*\b(?:includ|contain|reach|extend|straddl|cross|overlap)\w*[^.;]*$",
        before,
    ):
        return False
    if re.search(rf"{NAME}\ue001?\s+(?:is|are|was|were|has been)\s+$", before) and _REMOVING.fullmatch(phrase.text):
        return False
    if phrase.text.lower() == "losses" and re.match(r"\s+of\b", after):
        return False
    if re.search(r"\bwhat\b[^.;,]{0,40}$", before):
        return False
    if re.fullmatch(r"need\w*|requir\w+", phrase.text, re.IGNORECASE) and re.search(
        r"\b(?:seeds?|runs?|examples?|work|study|studies|experiments?|analys[ei]s|investigation|evidence|data|research)\b[^.;]{0,20}$", before
    ):
        return False
    if re.fullmatch(r"need\w*|requir\w+", phrase.text, re.IGNORECASE) and _SO_MANY.match(after):
        return False
    if _WHETHER.search(before) and phrase.removed not in ("undecided", "size uncertain"):
        return False
    if phrase.removed in ("confirmatory", "exploratory") and not before.strip() and after.startswith(","):
        return False
    if phrase.removed in ("confirmatory", "exploratory") and not (clause.groups or is_carried(clause.words)):
        return False
    return not re.match(r"-(?:than|of|wise)|\s+(?:dropout rate|level|of the (?:nine|ten))", after)


def is_orphan(clause: Clause, phrase: Said) -> bool:
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
        or PERFORMANCE.search(clause.words) is not None
    )
