"""The numbers of a sentence, in digits and in words, with the unit and the comparison that stand beside them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

Unit = Literal[
    "", "percent", "points", "times", "delta", "sigma", "seeds", "trials", "things", "time", "bytes", "magnitudes"
]
Op = Literal["=", "<", ">", "about"]

_UNITS: dict[Unit, str] = {
    "points": r"percentage[ -]points?|%[ -]?points?|% absolute|percent absolute|pp\b|p\.p\.|pts?\b|points?\b",
    "percent": r"%|percent\b|per cent\b",
    "times": r"×|x\b|times(?! the smallest effect| δ| the δ)|[ -]?fold\b",
    "delta": r"(?:× ?|times (?:the )?)?(?:δ|deltas?\b|smallest effects?)(?! ?[=:])",
    "sigma": r"σ|sigmas?\b|standard (?:deviation|error)s?\b",
    "seeds": r"(?:\w+ing |whole |independent |paired |random |evaluation |test |held-out |validation |trained |baseline |different |further |more ){0,3}(?:seeds?|runs?|examples?|trained models?|checkpoints?|models?|clusters?|fine-tunings?|repetitions?|replicates?|steps?)\b",
    "trials": r"(?:(?!on |in |of |the |at |for |and |to |by |with |from )\w+ ){0,2}?(?:trials?|checks?|predictions?|directions?|claims?|pairs?|triples?|rounds?|experiments?|evaluations?|exchanges?|tokens?|looks?|targets?|comparisons?|hypothes[ei]s|tests?(?! split| set| loss| accuracy| data)|jobs?|workers?|threads?|cores?|gpus?)\b",
    "time": r"(?:ms|s|sec|secs|seconds?|min|mins|minutes?|h|hrs?|hours?)\b",
    "bytes": r"[KMGT]i?B\b|bytes\b",
}  # fmt: skip
_UNIT = re.compile("|".join(rf"(?P<{name}>\s?(?:{pattern}))" for name, pattern in _UNITS.items()), re.IGNORECASE)
_DIGITS = re.compile(
    r"(?<![\w.])(?P<sign>[+−±~≈<>≤≥-]|–(?=[\d.]))?\s?(?P<number>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d+\.\d+|\.\d+|\d+)"
    r"(?:(?:e|E)(?P<exponent>[-−+]?\d{1,3})|\s?[×x·]\s?(?:10\s?\^?\s?|1e)(?P<power>[-−+]?\d{1,3}))?(?![\w]*[A-Za-z_][\w]*[./:]\w)"
)
_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
    )
}
_TENS = {
    word: 10 * value for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_LARGE = {"hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "dozen": 12}
_PARTS = {
    "half": 1 / 2,
    "third": 1 / 3,
    "quarter": 1 / 4,
    "fifth": 1 / 5,
    "tenth": 1 / 10,
    "sixth": 1 / 6,
    "eighth": 1 / 8,
}
_FOLD = {"twice": 2.0, "double": 2.0, "doubles": 2.0, "doubled": 2.0, "doubling": 2.0, "thrice": 3.0, "triple": 3.0, "triples": 3.0, "tripled": 3.0, "tripling": 3.0, "quadruple": 4.0, "quadruples": 4.0, "quadrupled": 4.0, "half": 0.5, "halves": 0.5, "halved": 0.5, "halving": 0.5}  # fmt: skip
_WORDS = re.compile(
    rf"\b(?P<fold>(?:{'|'.join([*_SMALL, *_TENS])})-?fold|{'|'.join(_FOLD)})\b"
    rf"|\b(?P<magnitudes>(?:(?:an|one|{'|'.join(_SMALL)})\s+)?(?:full\s+)?orders?\s+of\s+magnitudes?)\b"
    rf"|\b(?P<part>(?:(?P<top>a|an|one|two|three|four)[\s-]+)(?P<bottom>{'|'.join(_PARTS)})s?)\b(?=\s+(?:of|as|the))"
    rf"|\b(?P<spelled>(?:{'|'.join([*_SMALL, *_TENS, *_LARGE])})(?:[\s-]+(?:and\s+)?(?:{'|'.join([*_SMALL, *_TENS, *_LARGE, 'point'])}))*)\b",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    r"(?:\b(?:[Ss]ections?|[Ss]ecs?\.?|[Tt]ables?|[Tt]abs?\.?|[Ff]igures?|[Ff]igs?\.?|[Ee]quations?|[Ee]qs?\.?|[Aa]ppendix|[Cc]hapter|[Pp]ages?|pp\.|[Ss]tep|[Ll]ines?|[Rr]ound|[Ss]eed|[Ee]xample|"
    r"[Ss]eeds|[Vv]ersions?|v|[Pp]ython|[Tt]orch|PyTorch|[Nn]um[Pp]y|[Ss]ci[Pp]y|CUDA|Adam|RTX|TITAN|Tesla|EPYC|[Hh]eads?|[Ll]ayers?|[Bb]locks?|[Cc]lass(?:es)?|[Ii]tems?|ImageNet|CIFAR|[Nn]eurons?|[Ee]poch|[Rr]ef\.?)[\s~]*\(?(?:\d+(?:\.\d+)*(?:,|–|-|\sand)\s?)*|#|\d{4}-\d\d-|\d{4}-|No\.\s)$"
)
_ONE_OF = re.compile(
    r"\s+(?:\w+ )?(?:component|head|removal|part|ablation|layer|hurts|matters|is (?:undecided|negligible|structural|detected)|arm)\b"
)
_YEAR = re.compile(r"(?:19|20)\d\d$")
_OPS: dict[Op, str] = {
    ">": r"(?:more than|greater than|larger than|higher than|above|over|exceed(?:s|ed|ing)?|at least|no less than|beyond|>|≥|upwards of|in excess of|as (?:much|many|high) as(?! )|up from)\s*$",
    "<": r"(?:less than|fewer than|smaller than|lower than|below|under|at most|no more than|no larger than|up to|<|≤|within|not exceed(?:ing)?|just under|nearly|almost)\s*(?:±\s?)?$",
    "about": r"(?:about|roughly|around|approximately|some|approx\.?|~|≈|circa)\s*(?:a\s|an\s)?$",
}


_TURNED: dict[Op, Op] = {">": "<", "<": ">"}
"""`More than halved` leaves less than half."""


@dataclass(frozen=True)
class Quantity:
    """One number as it is printed."""

    start: int
    end: int
    text: str
    value: float
    """Without its sign."""
    decimals: int
    sign: Literal["", "+", "−", "±"]
    unit: Unit
    op: Op
    spelled: bool = False
    unit_text: str = ""

    @property
    def signed(self) -> float:
        """With its sign."""
        return -self.value if self.sign == "−" else self.value

    def is_of(self, number: float) -> bool:
        """Whether this is that number, to the rounding printed."""
        if self.op == "<":
            return self.value > number - self._half()
        if self.op == ">":
            return self.value < number + self._half()
        return self.rounds(number)

    def rounds(self, number: float) -> bool:
        """Likewise, whatever comparison stands before it."""
        if self.value == 0:
            return number == 0 or (self.decimals >= 2 and abs(number) < self._half())
        return abs(self.value - number) <= self._half() * (1 + 1e-9) + 1e-12 * abs(number)

    def _half(self) -> float:
        loose = 1.2 if self.op == "about" else 1.0
        return 0.5 * 10.0**-self.decimals * loose


def quantities(text: str, taken: Sequence[tuple[int, int]]) -> list[Quantity]:
    """All of a sentence, outside of the names that are `taken`."""
    found = [*_in_digits(text), *_in_words(text)]
    free = [one for one in found if not any(one.start < end and one.end > start for start, end in taken)]
    return _units_shared(text, sorted(free, key=lambda one: one.start))


_LISTED = re.compile(
    r"\s*(?:,|;)?\s*(?:to|and|or|–|-|against|vs\.?|versus|,|compared (?:to|with)|instead of|rather than)?\s*"
)
_LEVEL = re.compile(r"\s*(?:\w+-wise |simultaneous |confidence )*(?:intervals?|CI|C\.I\.|confidence)\b")
_SHARED = ("percent", "points", "seeds", "trials", "delta", "time")


def _units_shared(text: str, found: list[Quantity]) -> list[Quantity]:
    """`3.5 to 4.3 points`: what stands behind the last number of a list is the unit of all."""
    for at in range(len(found) - 2, -1, -1):
        one, following = found[at], found[at + 1]
        if (
            one.unit == ""
            and following.unit in _SHARED
            and _LISTED.fullmatch(text[one.end : following.start])
            and not _LEVEL.match(text[following.end :])
        ):
            found[at] = replace(one, unit=following.unit, unit_text=following.unit_text)
    return found


def _in_digits(text: str) -> Iterator[Quantity]:
    for found in _DIGITS.finditer(text):
        start, end = found.start("number"), found.end()
        before = text[: found.start("sign") if found["sign"] else start]
        rest = text[end:]
        if _is_no_quantity(found["number"], before, rest):
            continue
        unit, unit_text = _unit(rest)
        exponent = int((found["exponent"] or found["power"] or "0").replace("−", "-"))
        digits = found["number"].replace(",", "")
        sign = found["sign"] or ""
        begin = found.start("sign") if sign else start
        yield Quantity(
            begin,
            end + (len(unit_text) if unit in ("percent", "points", "times", "delta", "sigma") else 0),
            text[begin : end + len(unit_text)].strip(),
            float(digits) * 10.0**exponent,
            len(digits.partition(".")[2]) - exponent,
            "−" if sign in ("-", "−", "–") else "+" if sign == "+" else "±" if sign == "±" else "",
            unit,
            _op(before, sign),
            unit_text=unit_text.strip().lower(),
        )  # fmt: skip


def _is_no_quantity(number: str, before: str, rest: str) -> bool:
    """Numbers of sections, of seeds, versions, years and what else is a name."""
    labelled = _LABELLED.search(before[-60:]) and not (before.endswith("(") and "." in number)
    if labelled or re.match(r"[A-Za-z]{3,}|[-‑][A-Za-z]{2,}(?!old)(?<!-fold)|\.\d+\.|-\d\d-\d\d", rest):
        return not re.match(r"\s?(?:percent|seeds|runs|times|points|trials)\b|[-‑](?:fold|point|seed)", rest)
    if re.match(r"\s(?:more|others?)(?:$|[.,;:)]| (?:came|were|are|and)\b)", rest) and re.search(
        r"(?:^|\b(?:and|is|are) |\+)\s?$", before
    ):
        return True
    if re.match(r"\s?[×x]\s?\d", rest) or re.search(r"\d\s?[×x]\s?$", before):
        return True
    if re.search(r"[A-Za-z][-‑]$|[/:]$", before) and not re.search(r"(?<![A-Za-z])[np][:/]$", before):
        return True
    year = _YEAR.match(number) and not rest.lstrip().startswith(("%", "trial", "example", "seed", "run", "point"))
    return bool(year) and re.search(r"(?:\bin|\bof|\bsince|[,(;]|¤)\s*$|[A-Z][\w.]+,?\s*$", before) is not None


def _in_words(text: str) -> Iterator[Quantity]:
    for found in _WORDS.finditer(text):
        rest, start, end = text[found.end() :], found.start(), found.end()
        op = _op(text[:start], "")
        if found["fold"]:
            if found[0].lower() in ("triple", "double") and re.search(
                r"\b(?:an?|the|this|each|every|any)\s+(?:\w+\s+)?$", text[:start], re.IGNORECASE
            ):
                continue
            if found[0].lower() == "half" and not re.match(r"\s+(?:of|as|the|that|its|their)\b", rest):
                continue
            word = re.sub(r"-?fold$", "", found["fold"].lower())
            value = _FOLD.get(word, float(_SMALL.get(word, _TENS.get(word, 0))))
            if value < 1 and found[0].lower() != "half":
                op = _TURNED.get(op, op)
            yield Quantity(start, end, found[0], value, 0, "", "times", op, spelled=True)
        elif found["magnitudes"]:
            many = _SMALL.get(found[0].split()[0].lower(), 1)
            yield Quantity(start, end, found[0], float(many), 0, "", "magnitudes", op, spelled=True)
        elif found["part"]:
            top = {"a": 1, "an": 1}.get(found["top"].lower(), _SMALL.get(found["top"].lower(), 1))
            yield Quantity(
                start, end, found[0], top * _PARTS[found["bottom"].lower()], 2, "", "times", op, spelled=True
            )
        else:
            value = _spelled(found["spelled"])
            unit, unit_text = _unit(rest)
            if (
                found[0].lower() == "one"
                and unit == "seeds"
                and (text[:start].endswith("of ") or re.match(r"\s+\w+ to ", rest))
            ):
                continue
            if value is None or (
                found[0].lower() in ("one", "zero", "second")
                and not unit_text
                and not (found[0].lower() == "one" and _ONE_OF.match(rest))
            ):
                continue
            decimals = 1 if "point" in found[0].lower() else 0
            yield Quantity(start, end + len(unit_text), text[start : end + len(unit_text)], value, decimals, "", unit, op, spelled=True, unit_text=unit_text.strip().lower())  # fmt: skip


def _spelled(words: str) -> float | None:
    whole, point, fraction = words.lower().replace("-", " ").partition(" point ")
    total, current = 0.0, 0.0
    for word in whole.split():
        if word in _LARGE:
            current = max(1.0, current) * _LARGE[word]
            total, current = (total + current, 0.0) if _LARGE[word] >= 1000 else (total, current)
        elif word != "and":
            value = _SMALL.get(word, _TENS.get(word))
            if value is None:
                return None
            current += value
    if not point:
        return total + current
    digits = "".join(str(_SMALL.get(word, "")) for word in fraction.split())
    return float(f"{int(total + current)}.{digits or '0'}")


def _unit(rest: str) -> tuple[Unit, str]:
    found = _UNIT.match(rest)
    if found is None:
        return "", ""
    unit: Unit = next(name for name in _UNITS if found[name] is not None)
    return unit, found[0]


def _op(before: str, sign: str) -> Op:
    if sign and sign in "<>≤≥~≈":
        return "<" if sign in "<≤" else ">" if sign in ">≥" else "about"
    text = before[-28:].lower()
    for op, pattern in _OPS.items():
        if re.search(rf"(?:^|[\s(]){pattern}" if pattern[3].isalpha() else pattern, text):
            return op
    return "="
