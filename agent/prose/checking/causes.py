"""Causal words. That a removal changes a metric is measured, and is held as a claim of direction; why it does is not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .clauses import METRIC, NAME, Clause
from .finding import Kind, Outcome
from .lexicon import said

_CAUSE = re.compile(
    r"\b(?P<because>because(?: of)?|due to|owing to|thanks to|since(?= (?!round|then|epoch))|on account of|by virtue of|as a (?:result|consequence)(?: of)?|attribut(?:ed|able|es?) to|stems? from|driven by|explained by|caused by|for this reason|the reason|which is why)\b"
    r"|\b(?P<leads>leads? to|led to|causes?|caused|causing|results? in|resulted in|produc(?:es?|ed)|induc(?:es?|ed)|triggers?|brings? about|gives? rise to|translates? into)\b"
    r"|\b(?P<explains>responsible for|explains?|explained|account(?:s|ed)? for|prevent(?:s|ed|ing)?|enabl(?:es?|ed|ing)|allows? (?:the|it|for)|allowing|ensur(?:es?|ing)|forc(?:es?|ing)|encourag(?:es?|ing)|drives?|underl(?:ies|ying)|mediates?)\b"
    r"|\b(?P<thus>therefore|thus|hence|consequently|accordingly|so that)\b",
    re.IGNORECASE,
)
_MECHANISM = re.compile(
    r"\b(?:over-?fit\w*|under-?fit\w*|regulari[sz](?:es?|ing|ation of|er of)|generali[sz]\w+|memori[sz]\w+|co-?adapt\w*|(?:vanishing |exploding )?gradients?(?: flow)?|landscape|representations?|encod(?:es?|ing)|(?<!nothing was )learn(?:s|ed|t)?|copy(?:ing)?|copies|attends? to|attending|previous tokens?|next tokens?"
    r"|stabili[sz]\w+|converge\w*|inductive bias\w*|capacity|smooth(?:s|es|ing)|information flow|long-range|context(?:ual)?|semantic\w*|syntactic\w*|signal|attention patterns?|invarian\w+|diversity|expressiv\w+|feature (?:extraction|maps?)|extracts?|captures?|stores?|routes?|computes?|performs? the|implements?|mechanism|circuit|specialis\w+|specializ\w+|noise in the (?:labels|data)|cop(?:y|ies) of|same features?|robustness|calibrat\w+|spurious|shortcut\w*|bottleneck (?:for|of) information|internal|knowledge|understands|understood|acts? as|serves? as|functions? as|responsible)\b",
    re.IGNORECASE,
)
_OVERCLAIM = re.compile(
    r"\b(?:prov(?:es?|en|ed|ing) (?:that|to be|beyond|conclusively|it|the|this|\ue010)|proof that|undoubtedly|without (?:a )?doubt|clearly the|always|never (?:\w+ ){0,2}(?:matter|hurt|help|need)\w*|guarantee\w*|definitive(?:ly)?|conclusive(?:ly)?|any (?:model|architecture|network|dataset|task)|all (?:models|architectures|networks|datasets|tasks)|in general|generally|universal(?:ly)?|state[- ]of[- ]the[- ]art|optimal|regardless of|in every (?:case|setting)|robust across|other (?:datasets|tasks|models|architectures)|larger models|at scale|as is well known)\b",
    re.IGNORECASE,
)
_WE = re.compile(r"\b(?:we|report|reported|there is no|nothing was)\b", re.IGNORECASE)
_LIKELY = re.compile(
    r"\b(?:presumably|likely|probably|arguably|we (?:believe|suspect|conjecture|hypothesi[sz]e|speculate)|(?:may|might|could) be (?:because|explained|due)|suggest(?:s|ing)? that|impl(?:ies|ying) that|indicat(?:es|ing) that|plausibl[ey]|intuitively)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Caused:
    """A causal word, and what came of it."""

    start: int
    end: int
    text: str
    kind: Kind
    outcome: Outcome
    why: str


def causes(sentence: str, parts: list[Clause]) -> Iterator[Caused]:
    """Causal words, mechanisms and claims beyond the study, of one sentence."""
    masked = parts[0].masked if parts else sentence
    about = (
        NAME in masked
        or any(p.carried for p in parts)
        or METRIC in masked
        or re.search(r"\b(?:removals?|components?|heads?|ablations?)\b", masked) is not None
    )
    if not about:
        return
    mechanism = _MECHANISM.search(masked)
    if mechanism and (NAME in masked or any(p.carried for p in parts) or _CAUSE.search(masked)):
        yield Caused(
            mechanism.start(),
            mechanism.end(),
            sentence[mechanism.start() : mechanism.end()],
            "causal",
            "unbacked",
            "a mechanism that nothing in the study measured",
        )
    for found in _OVERCLAIM.finditer(masked):
        yield Caused(
            found.start(),
            found.end(),
            sentence[found.start() : found.end()],
            "verdict",
            "unbacked",
            "no result of this study says so much",
        )
    for found in _CAUSE.finditer(masked):
        if not mechanism:
            yield _caused(sentence, masked, found)
    likely = _LIKELY.search(masked)
    if likely and not mechanism and not any(True for _ in said(masked[likely.end() :])):
        yield Caused(
            likely.start(),
            likely.end(),
            sentence[likely.start() : likely.end()],
            "causal",
            "unbacked",
            "nothing measured is concluded here",
        )


def _caused(sentence: str, masked: str, found: re.Match[str]) -> Caused:
    before, after = masked[: found.start()], masked[found.end() :]
    text = sentence[found.start() : found.end()]
    measured = _measured(after) or (
        found["thus"] is not None and _WE.search(before[-16:] + text + after[:24]) is not None
    )
    if found["leads"]:
        measured = _measured(after)
    if found["because"] and re.match(
        r"\s*\ue010+\ue001?\s+(?:is|are|was|were)\s+(?:removed|ablated|dropped|disabled|zeroed|bypassed|cut)", after
    ):
        measured = _measured(before)
    if (
        found["because"]
        and re.match(
            r"\s*(?:the |its )?(?:removal|ablation|removing|ablating|dropping|cutting|zeroing|bypassing|disabling|loss of|absence)",
            after,
        )
        and not found[0].lower().startswith("since")
    ):
        measured = _measured(before) or METRIC in before
    if found["because"] and re.search(
        r"\b(?:interval|seeds?|runs?|crosses|undecided|hook|crash\w*|program|shape|diverge\w*|no delta|weight)\b", after
    ):
        measured = True
    if found["explains"]:
        measured = (
            re.match(r"\s*(?:an?|the)?\s*(?:\ue012+ )?(?:loss|drop|decrease|gain) of\s*[\d.+−-]", after) is not None
        )
    why = "why it is so was not measured"
    return Caused(
        found.start(), found.end(), text, "causal", "backed" if measured else "unbacked", "" if measured else why
    )


def _measured(text: str) -> bool:
    strong = any(one.removed not in ("large", "small", "dramatic") for one in said(text))
    return strong or re.search(r"\d", text) is not None
