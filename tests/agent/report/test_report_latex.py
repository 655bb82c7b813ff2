"""The section for a paper and its appendix, as text: what stands where, and that nothing of the user's is a command."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lesion.agent.records.drafts import Drafted
from lesion.agent.report.latex.escaping import latex, tex
from lesion.agent.report.latex.markup import from_markdown
from lesion.agent.report.latex.section import section
from lesion.agent.report.latex.standalone import latex_files
from lesion.agent.report.write import write_report
from pylatexenc import latexwalker, macrospec
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from simulated_results import DELTA, effect, effects, floor, joint, minimising, results, study, three_modes

NASTY = r"\input{/etc/passwd} ^^5c %% $x_1$ & # ~ <<5>> -- ?` {*} [0] 'a''b' 层 🙂 Δσ−→é"


def shown(text):
    """What a reader sees of LaTeX, by another library's reading."""
    walker, printed = latexwalker.get_default_latex_context_db(), get_default_latex_context_db()
    walker.add_context_category("ours", macros=[macrospec.std_macro("ablationchar", "{")], prepend=True)
    by_number = MacroTextSpec(
        "ablationchar", lambda node, l2tobj: chr(int(l2tobj.nodelist_to_text([node.nodeargd.argnlist[0]]), 16))
    )
    none = [MacroTextSpec(name, "") for name in ("allowbreak",)]
    printed.add_context_category("ours", macros=[by_number, *none], prepend=True)
    nodes = latexwalker.LatexWalker(text, latex_context=walker).get_latex_nodes()[0]
    told = LatexNodes2Text(latex_context=printed, strict_latex_spaces=True, math_mode="text").nodelist_to_text(nodes)
    return told.translate(str.maketrans("ˆ˜", "^~"))


def row(text, name):
    return next(line for line in text.splitlines() if line.startswith(rf"\ablationlabel{{w/o {name}}}"))


def caption(text, which=0):
    return [line for line in text.splitlines() if line.startswith(r"\caption{")][which]


PLAIN = "abc XYZ 019 ()[]{}\\/*_^~$%&#@!?+=-:;,.|<>Δσαβλ−→←↑↓≤≥±×∞é ñ ü å ø ß æ ł 中 я 🙂".replace(" ", "")


@given(st.text(alphabet=PLAIN, max_size=60))
def test_what_is_escaped_reads_as_it_was(text):
    assert re.sub(r"\s", "", shown(latex(text))) == text.replace("−", "-")


@given(st.text(max_size=60))
@settings(max_examples=300)
def test_no_text_is_a_command_or_leaves_ascii(text):
    escaped = latex(text)
    assert escaped.isascii()
    assert "\n" not in escaped
    assert not escaped.startswith(("[", "*"))
    assert not re.search(r"--|<<|>>|\?`|!`|''|``|,,", escaped)
    bare = re.sub(r"\\[#$%&_{}]|\\(?:[A-Za-z]+|['`^\"~=.])", "", escaped)
    assert not re.search(r"[#%&_~\\]", re.sub(r"\$[^$]*\$", "", bare).replace("~", ""))
    assert bare.count("{") == bare.count("}")


def test_long_words_may_break_and_the_words_of_our_own_records_stay():
    assert r"\allowbreak{}" in latex("blocks.3.attention.query_projection")
    assert r"\allowbreak{}" in latex("a" * 40)
    for word in ("saturation-limited", "not-told-apart", "no-op", "confirmatory", "reevaluate"):
        assert tex(word) == word


def test_the_full_model_is_the_reference_and_every_removal_a_row_with_its_marks():
    text = section(results())
    assert r"\ablationlabel{Full model} & 0.9125 & & (SD 0.0040)" in text
    assert re.search(
        r"0\.8713 & \\textbf\{\\boldmath \$-\$0\.0412\} & \[\$-\$0\.0455, \$-\$0\.0369\]\\textsuperscript\{\$\\dagger\$\}",
        row(text, "dropout"),
    )
    assert r"$\dagger$,$\ddagger$" in row(text, "head a")
    assert r"\dagger" not in row(text, "label smoothing")
    assert r"\textbf" not in row(text, "warmup")
    assert r"accuracy $\uparrow$" in text
    assert r"val\_loss $\downarrow$" in section(minimising())


def test_what_has_no_delta_is_a_dash_with_a_note_that_says_why():
    text = section(results())
    for name, why in {"embedding": "structural: ", "identity": "no-op: ", "layer norm": "untestable"}.items():
        line = row(text, name)
        letter = re.search(r"--\\textsuperscript\{(\w)[,}]", line)[1]
        note = next(each for each in text.splitlines() if each.startswith(rf"\textsuperscript{{{letter}}}"))
        assert why in note
        assert not re.search(r"\d\.\d", line)
    assert "1 of 5 runs failed" in text


def test_the_caption_states_interval_level_n_test_family_split_and_delta():
    told = caption(section(results()))
    for each in (
        "99.5\\%",
        "t interval",
        "4 to 5 seeds",
        "Holm",
        "10 removals",
        "test split",
        r"\delta=0.01",
        "declared",
        r"\alpha=.05",
    ):
        assert each in told, each
    told = caption(section(three_modes()))
    assert "800 evaluation examples" in told
    assert "McNemar" in told


def test_modes_have_tables_of_their_own():
    text = section(three_modes())
    for mode in ("reevaluate", "retrain", "recover"):
        assert text.count(rf"\label{{tab:ablation-{mode}}}") == 1
    first = text[: text.index(r"\label{tab:ablation-reevaluate-joint}")]
    assert "w/o augmentation" not in first


def test_joint_removals_stand_beside_the_sum_and_those_that_hide_something_come_first():
    text = section(results())
    line = next(each for each in text.splitlines() if each.startswith(r"\ablationlabel{head a + head b}"))
    assert (
        line.index("+0.0900")
        < line.index("+0.002")
        < line.index("+0.088 & [0.078, 0.098]")
        < line.index("compensation")
    )
    order = [text.index(name) for name in (r"{head a + head b}", r"{dropout + warmup}", r"{dropout + blocks.3.mlp}")]
    assert order == sorted(order)
    assert "only 2 seeds finished" in text


def test_sixty_components_leave_what_a_reader_must_know_and_say_what_is_elsewhere():
    many = [effect(f"part {i}", "undecided", -0.002 - i * 1e-5) for i in range(57)]
    many += [
        effect("worst", "matters", -0.09),
        effect("harmful", "hurts", 0.05),
        effect("odd", "structural", reason="stops"),
    ]
    text = section(results(study=study(family_size=60), effects=many, interactions=[]))
    assert row(text, "worst")
    assert row(text, "harmful")
    rows = len(re.findall(r"\\ablationlabel\{w/o ", text))
    assert rows == 12
    left = [int(each) for each in re.findall(r"(\d+) \w+", re.search(r"Not shown here: ([^;]*);", text)[1])]
    assert sum(left) == 60 - rows
    files = latex_files(results(effects=many), {})
    assert all(f"part {i}" in files["appendix.tex"].decode() for i in range(57))


def test_one_outcome_changes_all_of_its_places_and_no_other_row():
    changed = [
        effects()[0].model_copy(update={"delta": -0.0777, "ablated": 0.8348, "interval": (-0.082, -0.0734)}),
        *effects()[1:],
    ]
    before, after = (latex_files(results(effects=each), {}) for each in (effects(), changed))
    assert {name for name in before if before[name] != after[name]} == {"ablation.tex", "appendix.tex"}
    old, new = before["ablation.tex"].decode(), after["ablation.tex"].decode()
    assert "0.0412" not in new
    assert new.count("0.0777") == old.count("0.0412") == 2
    kept = [line for line in old.splitlines() if r"\ablationlabel" in line and "w/o dropout" not in line]
    assert set(kept) <= set(new.splitlines())


def test_a_draft_takes_the_place_of_the_prose_and_only_of_it():
    text = section(results(), "**Dropout** matters: \\#1 & <b>\\_x\\_</b>.\n\n- `50%` off\n- \\\\input{x}")
    assert r"\textbf{Dropout} matters: \#1 \& $<$b$>$\_x\_$<$/b$>$." in text
    assert r"\item \texttt{50\%} off" in text
    assert r"\item \textbackslash{}input\{x\}" in text
    assert r"\paragraph{Findings.}" not in text
    assert row(text, "dropout")
    assert r"\cite{holm1979}" in text


MARKUP = """# A_b

> said

```diff
  - [x] $a
```

| a | b |
| --- | --- |
| [c | *d* |

1. one

<script>&lt;</script> ![i](x) [l](y)
"""


def test_markdown_of_every_kind_becomes_latex_and_html_stays_text():
    text = from_markdown(MARKUP)
    for each in (
        r"\paragraph{A\_b}",
        r"\begin{quote}",
        r"\ \ - [x] \$a",
        r"{[}c & \emph{d} \\",
        r"\begin{enumerate}",
        r"$<$script$>$",
    ):
        assert each in text, each
    assert r"\includegraphics" not in text


@pytest.mark.parametrize("place", ["label", "metric", "reason", "intervention", "question", "name"])
def test_names_of_any_kind_are_text_wherever_they_stand(place):
    changes = {}
    if place in ("label", "reason", "intervention"):
        field = {"label": {"labels": [NASTY]}, "reason": {"reason": NASTY}, "intervention": {"intervention": NASTY}}[
            place
        ]
        changes["effects"] = [effect("x", "structural", **{"reason": "why", **field}), effect("y", "matters", -0.04)]
        changes["interactions"] = [joint([NASTY, "y"], "compensation")]
    elif place == "metric":
        changes["study"] = study(primary=NASTY)
        changes["baseline"] = {"retrain": {NASTY: floor(smallest_effect=DELTA)}}
        changes["effects"] = [effect("y", "matters", -0.04, metric=NASTY)]
    else:
        changes["study"] = study(**{place: NASTY})
    files = {name: content.decode("ascii") for name, content in latex_files(results(**changes), {}).items()}
    whole = "".join(files.values()).replace(r"\allowbreak{}", "")
    assert r"\input{/etc" not in whole
    assert "^^5c" not in whole
    assert r"\textbackslash{}input\{/etc/passwd\}" in whole


def test_what_is_cited_is_in_the_bibliography_and_nothing_else():
    for found in (results(), three_modes()):
        files = {name: content.decode() for name, content in latex_files(found, {}).items()}
        cited = {key for keys in re.findall(r"\\cite\{([^}]*)\}", files["ablation.tex"]) for key in keys.split(",")}
        assert set(re.findall(r"@\w+\{(\w+),", files["references.bib"])) == cited
        assert set(re.findall(r"\\bibitem\{(\w+)\}", files["main.bbl"])) == cited
    assert {"holm1979", "schuirmann1987", "mcnemar1947", "fieller1954"} <= cited


def test_an_unfinished_study_and_one_without_results_say_so():
    text = section(results(study=study(complete=False, state="12 trials to go")))
    assert "This study is not complete:} 12 trials to go" in text
    text = section(results(effects=[], interactions=[], baseline={}, study=study(complete=False, state="nothing yet")))
    assert "No ablation has been measured yet" in text
    assert r"\begin{table}" not in text


def test_the_last_draft_of_a_section_is_what_is_written(tmp_path):
    drafts = [
        Drafted(style=style, by="rules", text=f"Prose in {style} style: 5\\_0 %.", written="2026-01-02T03:04:05")
        for style in ("terse", "narrative", "rebuttal")
    ]
    write_report(results(drafts=drafts), ["tex"], tmp_path / "x.tex")
    text = (tmp_path / "x.tex").read_text()
    assert r"Prose in narrative style: 5\_0 \%." in text
    assert "terse" not in text
    assert r"\paragraph{Findings.}" not in text
