"""LaTeX as its reader sees it: without comments, citations, markup and what a macro takes for itself."""

import re

from ..facts import Facts
from .markdown import plain_value
from .source import CODE, CODE_ENDS, OPAQUE, SYMBOLS, Plain, Writer

_ARGUMENT = r"(?:\s*\[[^\]]{0,300}\])*\s*\{(?:[^{}]|\{[^{}]*\}){0,400}\}"
_TOKEN = re.compile(
    r"(?P<reference>\{\{(?P<expression>.{0,296}?)\}\})"
    r"|(?P<comment>(?<!\\)%[^\n]*(?:\n[ \t]*(?=\S)|\n?))"
    r"|(?P<verbatim>\\begin\{(?P<env>verbatim|lstlisting|minted|comment|thebibliography|tikzpicture|algorithm|algorithmic|alltt)\*?\}.*?(?:\\end\{(?P=env)\*?\}|\Z))"
    r"|(?P<verb>\\(?:verb|lstinline)\*?(?P<mark>[^\w\s{]).{0,200}?(?P=mark))"
    rf"|(?P<begin>\\(?:begin|end)\{{(?P<what>[A-Za-z*]{{1,30}})\}}(?:\s*\[[^\]\n]{{0,80}}\])?(?:(?<=\{{tabular\}})\s*\{{(?:[^{{}}]|\{{[^{{}}]*\}}){{0,200}}\}}|(?<=\{{tabular\*\}}){_ARGUMENT}{_ARGUMENT}|(?<=\{{tabularx\}}){_ARGUMENT}{_ARGUMENT}|(?<=\]|\}}){_ARGUMENT}(?=\s*\\toprule))?)"
    rf"|(?P<cited>\\(?:[Cc]ite\w*|[Pp]arencite|[Tt]extcite|ref|eqref|autoref|[Cc]ref|pageref|nameref|url|footnotemark|footcite)\*?(?:\s*\[[^\]]{{0,100}}\])*\s*\{{[^{{}}]{{0,400}}\}})"
    rf"|(?P<dropped>\\(?:label|includegraphics|input|include|bibliography\w*|usepackage|documentclass|[vh]space\*?|phantom|setlength|addtolength|setcounter|renewcommand|newcommand|definecolor|color|graphicspath|tag|hyphenation|pagestyle|cmidrule(?:\([lr]*\))?|cline|addlinespace|arraystretch|sisetup|captionsetup|rule){_ARGUMENT}(?:{_ARGUMENT})?)"
    r"|(?P<first>\\(?:href|textcolor|resizebox|scalebox|multirow|colorbox|parbox|raisebox)\s*(?:\[[^\]]*\])?\{[^{}]{0,300}\}(?:\{[!*][^{}]*\})?)"
    r"|(?P<columns>\\multicolumn\s*\{[^{}]*\}\s*\{(?:[^{}]|\{[^{}]*\})*\})"
    r"|(?P<heading>\\(?:part|chapter|(?:sub)*section|paragraph|subparagraph|caption|title|item|footnote)\*?(?:\[[^\]]{0,120}\])?)"
    r"|(?P<code>\\(?:texttt|code|path|lstinline|mintinline\{\w+\})\s*\{(?P<inside>(?:[^{}]|\{[^{}]*\}){0,200})\})"
    r"|(?P<row>\\\\(?:\[[^\]]*\])?|\\(?:top|mid|bottom)rule(?:\[[^\]]*\])?|\\hline|\\newline|\\tabularnewline)"
    r"|(?P<exponent>10\s*\^\s*\{?\s*(?P<power>-?\s*\d{1,3})\}?)"
    r"|(?P<script>[_^]\s*(?:\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}|\\[A-Za-z]+\s*(?:\{[^{}]*\})?|[A-Za-z0-9*+]))"
    r"|(?P<accent>\\(?P<literal>[%&#$_{}]))"
    r"|(?P<space>~|\\[,;:! ]|\\quad|\\qquad)"
    r"|(?P<command>\\(?P<symbol>[A-Za-z]+)\*?)"
    r"|(?P<dash>-{2,3})|(?P<quote>``|''|`)"
    r"|(?P<math>\$+|\\[()\[\]])|(?P<bar>\s*&\s*)|(?P<brace>[{}])|(?P<minus>(?<=[$\[(,\s=])-(?=\s?[.\d]))",
    re.DOTALL,
)
_START = re.compile(r"\\begin\{document\}")
_UNITS = {"percent": "%", "textpercent": "%"}


def read_latex(text: str, facts: Facts) -> Plain:
    """The plain text of a LaTeX document or a part of one, its references filled."""
    begins = _START.search(text)
    writer, done = Writer(facts), begins.end() if begins else 0
    for token in _TOKEN.finditer(text, done):
        writer.copy(text[done : token.start()], done)
        _write(writer, token)
        done = token.end()
    writer.copy(text[done:], done)
    return writer.done()


def _write(writer: Writer, token: re.Match[str]) -> None:
    at = token.start()
    match token:
        case _ if token["reference"]:
            writer.reference(token["expression"], at, plain_value)
        case _ if token["code"]:
            _code(writer, token["inside"], token.start("inside"))
        case _ if token["exponent"]:
            writer.put(f"1e{token['power'].replace(' ', '')}", at)
        case _ if token["accent"]:
            writer.put(token["literal"], at + 1)
        case _ if token["space"]:
            writer.put("" if token[0] in ("\\!", "\\,") else " ", at)
        case _ if token["command"]:
            writer.put(SYMBOLS.get(token["symbol"], " " if token["symbol"] == "par" else ""), at)
        case _ if token["dash"]:
            writer.put("–" if token[0] == "--" else "—", at)
        case _ if token["minus"]:
            writer.put("−", at)
        case _ if token["bar"]:
            writer.put(" | ", at)
        case _ if token["cited"] or token["verb"]:
            writer.put(OPAQUE, at)
        case _ if token["heading"] or token["row"] or token["verbatim"] or token["begin"]:
            writer.put("\n\n", at)
        case _:
            pass


def _code(writer: Writer, inside: str, at: int) -> None:
    code = re.sub(r"\\(?:allowbreak|-|/|hspace\{[^}]*\})\s*|\\textunderscore\s*", "", inside).replace("\\_", "_")
    code = re.sub(r"\\([%&#$_{}])", r"\1", code).replace("\\textbackslash", "\\")
    if not re.search(r"[^\W\d_]", code):
        return writer.put(code, at)
    return writer.put(f"{CODE}{code.strip()}{CODE_ENDS}" if len(code) < 80 else OPAQUE, at)


__all__ = ["read_latex"]
