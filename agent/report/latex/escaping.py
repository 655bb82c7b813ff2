"""Any text as LaTeX in plain ASCII: nothing in it is a command, and it compiles with pdfTeX, XeTeX and LuaTeX and no package.

What pylatexenc has a command of the LaTeX kernel for becomes that command; compatibility forms (`ﬁ`, `𝛼`) become what
they stand for; every other character is shown by its number, `\\ablationchar{4E2D}`, which the section defines."""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pylatexenc.latexencode import get_builtin_uni2latex_dict

from ..text import plain

_SPECIAL = {
    **{c: f"\\{c}" for c in "#$%&_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "|": r"$|$",
    '"': r"\textquotedblright{}",
    "`": "{`}",
}
_OURS = {
    **{"→": r"$\rightarrow$", "←": r"$\leftarrow$"},
    **{"↑": r"$\uparrow$", "↓": r"$\downarrow$"},
    **{"×": r"$\times$", "÷": r"$\div$", "µ": r"$\mu$", "√": r"$\surd$"},
    **{"°": r"$^\circ$", "²": r"$^2$", "³": r"$^3$", "¹": r"$^1$"},
    **{"“": r"\textquotedblleft{}", "”": r"\textquotedblright{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}"},
    **{"–": r"\textendash{}", "—": r"\textemdash{}", "…": r"\dots{}", "\u00a0": "~"},
    **{"†": r"$\dagger$", "‡": r"$\ddagger$", "·": r"$\cdot$", "½": "1/2"},
    **{"\u2010": "-", "\u2011": "-", "⁄": "/", "∣": r"$|$"},
}
_TEXT = frozenset(
    "' ` ^ \" ~ = . u v H c d b r ss o O ae AE oe OE l L i j textbullet textexclamdown textquestiondown textsection "
    "textparagraph textsterling textcopyright textregistered texttrademark".split()
)
"""Commands that every LaTeX has, in its oldest font encoding too."""
_MATHS = frozenset(
    (
        "not Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega alpha beta gamma delta epsilon varepsilon zeta eta theta "
        "vartheta iota kappa lambda mu nu xi pi varpi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega "
        "pm mp leq geq neq ll gg approx equiv sim simeq cong propto infty in ni subset supset subseteq supseteq cap cup "
        "wedge vee forall exists partial nabla sum prod int oplus ominus otimes circ bullet star cdot times div perp mid "
        "parallel langle rangle lceil rceil lfloor rfloor leftrightarrow updownarrow Leftarrow Rightarrow Uparrow Downarrow "
        "Leftrightarrow mapsto nearrow searrow swarrow nwarrow ell hbar aleph wp angle top bigcirc vdots cdots ddots asymp"
    ).split()
)
"""Likewise, in mathematics."""
_ENSURED = re.compile(r"\\ensuremath\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+|.)")
_TRAPS = re.compile(r"(?<=-)(?=-)|(?<=<)(?=<)|(?<=>)(?=>)|(?<=')(?=')|(?<=,)(?=,)")
PIECE = 12
"""Letters in a row that are never broken apart."""
_PIECES = re.compile(rf"[^\W_]{{1,{PIECE}}}|[\W_]+")
"""What a long word is broken into."""
_ASCII = 127
_BREAK, _NOTHING = "\ue000", "\ue001"
_AT_THE_START = re.compile(r"^[\[*]")


def tex(text: str) -> str:
    """One line of somebody's text, such as a name or a reason: control characters are gone as well."""
    return latex(plain(text))


def latex(text: str, longest: int = 18) -> str:
    """A text as LaTeX; blanks at its ends stay, words of more than `longest` letters may break after punctuation.

    A `[` or `*` in front is braced, so that it can stand after `\\\\` and `\\item`; `--`, `<<`, ``?` `` and their like
    make no ligatures.
    """
    text = unicodedata.normalize("NFC", text).replace(_BREAK, "").replace(_NOTHING, "")
    words = re.split(r"(\s+)", text)
    marked = "".join(" " if word.isspace() else _breakable(word, longest) for word in words)
    escaped = "".join(map(_character, _TRAPS.sub(_NOTHING, marked)))
    return _AT_THE_START.sub(r"{\g<0>}", escaped)


def visible(text: str) -> str:
    """What a reader sees of `latex(text)`, as far as its width goes: characters that are shown by number are long."""
    return text if text.isascii() else "".join(f"[U+{ord(c):04X}] " if "char" in _character(c) else c for c in text)


def symbols(text: str) -> str:
    """LaTeX of our own in which signs such as Δ and ≤ were written as themselves, as plain ASCII."""
    return text if text.isascii() else "".join(c if c.isascii() else _character(c) for c in text)


def _breakable(word: str, longest: int) -> str:
    """Breaks after punctuation, and within what has none."""
    if len(word) <= longest:
        return word
    pieces = _PIECES.findall(word)
    broken = (f"{one}{'' if one.isalnum() and not after.isalnum() else _BREAK}" for one, after in pairwise(pieces))
    return "".join([*broken, pieces[-1]])


@cache
def _character(c: str) -> str:
    special = {**_SPECIAL, **_OURS, _BREAK: r"\allowbreak{}", _NOTHING: "{}"}.get(c)
    if special is not None:
        return special
    if c.isascii():
        return c if c.isprintable() else " "
    known = _commands().get(ord(c))
    if known is not None:
        return known
    simpler = unicodedata.normalize("NFKC", c)
    if simpler != c:
        return "".join(map(_character, simpler))
    return rf"\ablationchar{{{ord(c):04X}}}"


@cache
def _commands() -> dict[int, str]:
    """Character → LaTeX, of those that need no package."""
    known: Mapping[int, str] = get_builtin_uni2latex_dict()
    closed = {code: _closed(told) for code, told in known.items() if code > _ASCII}
    return {code: told for code, told in closed.items() if told is not None}


def _closed(told: str) -> str | None:
    """In braces, so that no letter that follows becomes a part of the command; None where it needs more than the kernel."""
    maths = _ENSURED.fullmatch(told)
    if maths is not None:
        return f"${maths[1]}$" if _MATHS.issuperset(_COMMAND.findall(told[11:])) else None
    if not _TEXT.issuperset(_COMMAND.findall(told)):
        return None
    return told if told.isalnum() else f"{{{told}}}"
