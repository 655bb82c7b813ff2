"""Whether a word of judgement speaks of results at all: adjectives of something else, questions and methods do not."""

import re
from typing import NamedTuple

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


PERFORMANCE = re.compile(r"\b(?:performance|quality|scores?|results?|accuracy)\b", re.IGNORECASE)


class _Silent(NamedTuple):
    """Where a phrase of these claims, after and before such words, says nothing of a result."""

    claims: tuple[str, ...]
    before: str = ""
    after: str = ""
    phrase: str = ""

    def applies(self, phrase: Said, before: str, after: str) -> bool:
        """Whether all that it asks for is there."""
        return (
            (not self.claims or phrase.removed in self.claims)
            and (not self.phrase or re.fullmatch(self.phrase, phrase.text, re.IGNORECASE) is not None)
            and (not self.before or re.search(self.before, before, re.IGNORECASE) is not None)
            and (not self.after or re.match(self.after, after, re.IGNORECASE) is not None)
        )


_NEED = r"need\w*|requir\w+"
_SILENT = (
    _Silent((), after=_NEXT_IS_A_NAME.pattern, phrase=_REMOVING.pattern),
    _Silent((), before=rf"{NAME}\ue001?\s+(?:is|are|was|were|has been)\s+$", phrase=_REMOVING.pattern),
    _Silent((), after=r"-(?:than|of|wise)|\s+(?:dropout rate|level|of the (?:nine|ten))"),
    _Silent((), before=r"\bwhat\b[^.;,]{0,40}$"),
    _Silent((), before=r"\bsuch\s+$"),
    _Silent((), before=r"\b(?:second|other)\s+adds\s+$"),
    _Silent((), after=r"\s+of\b", phrase="losses"),
    _Silent(("nothing",), after=r"[^.;,]{0,30}\b(?:by more than|beyond|larger than)\b"),
    _Silent(("large", "small"), after=r"\s+(?:more|less|larger|smaller|higher|lower)\b[^.;,]{0,24}\bthan\b"),
    _Silent(("worse",), after=_WITHIN.pattern),
    _Silent(("worse",), after=r"\s+(?:an?|one|two|three|its|\d+)\s+(?:seeds?|runs?)\b"),
    _Silent(("beyond δ", "within δ"), before=r"\b(?:may|might|could) (?:be |lie )?$"),
    _Silent(("beyond δ", "within δ"), before=r"\binterval\b[^.;]*\b(?:includ|contain|reach|extend|straddl|cross|overlap)\w*[^.;]*$"),
    _Silent((), before=r"\b(?:seeds?|runs?|examples?|work|study|studies|experiments?|analys[ei]s|investigation|evidence|data|research)\b[^.;]{0,20}$", phrase=_NEED),
    _Silent((), after=r"\s+(?:[\w-]+\s+){0,2}[\d,]+\s+(?:\w+\s+)?(?:seeds?|runs?|examples?|trials?)\b", phrase=_NEED),
    _Silent(("confirmatory", "exploratory"), before=r"^\s*$", after=","),
)  # fmt: skip
_NO_OTHER = re.compile(
    r"\bno other\b[^.;]*\b(?:as (?:\w+ )?(?:much|strongly|large|many|\w+ly)|so much|\w+er|more) (?:as|than)\b|\bno other\b[^.;]*\bas much\b",
    re.IGNORECASE,
)


def speaks(clause: Clause, phrase: Said, start: int, end: int) -> bool:
    """Whether it is a claim at all, and no word of removing, no adjective of something else."""
    before, after = clause.masked[clause.start : start], clause.masked[end : clause.end]
    if _NO_OTHER.search(clause.words) or any(one.applies(phrase, before, after) for one in _SILENT):
        return False
    if phrase.removed in ("large", "small") and not _is_adverb(phrase):
        if re.match(r"\s+(?:as|enough|seeds?|model|network|set|than)\b", after):
            return False
        return _SIZE_NOUN.match(after) is not None or _IS.search(before) is not None
    if phrase.removed in ("confirmatory", "exploratory"):
        return bool(clause.groups) or is_carried(clause.words)
    return not _WHETHER.search(before) or phrase.removed in ("undecided", "size uncertain")


def _is_adverb(phrase: Said) -> bool:
    text = phrase.text.lower()
    return text.endswith("ly") or text in ("hardly", "barely", "much of")


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
