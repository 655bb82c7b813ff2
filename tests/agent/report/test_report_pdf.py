"""What TeX makes of it: nothing wider than its column, no reference into the void; and what is said where TeX cannot."""

import os
import re
import shutil
import stat
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lesion.agent.report.latex import pdf
from lesion.agent.report.latex.escaping import tex
from lesion.agent.report.latex.standalone import latex_files
from lesion.agent.report.write import write_report
from lesion.executor.errors import ReportError
from simulated_results import effect, effects, joint, random_results, results, study, three_modes

needs_tex = pytest.mark.skipif(
    not (shutil.which("pdflatex") and shutil.which("kpsewhich") and shutil.which("pdftotext")),
    reason="pdflatex or pdftotext is not on this machine",
)
NAMES = [
    "blocks.{}.attention.self.query_projection.weight",
    "config:optimizer.param_groups[{}].weight_decay",
    "MultiScaleDeformableAttentionWithRelativePositionBias{}",
    "Нормализация 层归一化 🙂 {}",
    r"\input{{/etc/passwd}} ^^5c %% $x_1$ & # ~ <<{}>> -- ?`",
    "part {}",
]
OUTCOMES = {"matters": -0.05, "hurts": 0.04, "detected": -0.012, "negligible": 0.0004, "undecided": -0.006}
CLASSES = {
    "one column": r"\documentclass{article}",
    "two columns": r"\documentclass[twocolumn]{article}",
    "conference": r"\documentclass[twocolumn]{article}\usepackage[width=6.75in,columnsep=.25in,height=9in]{geometry}",
    "narrow": r"\documentclass{article}\usepackage[width=3.25in,height=9in]{geometry}",
}


def planted():
    """Sixty components with names of every kind and every verdict, two metrics, twenty joint removals."""
    found, joints = [], []
    for i in range(60):
        label = NAMES[i % len(NAMES)].format(i)
        verdict = [*OUTCOMES, "structural", "no-op", "untestable"][i % 8]
        delta = OUTCOMES.get(verdict)
        how = {"ablation": f"drop {i}", "components": [f"module:m{i}"]}
        if delta is None:
            found.append(effect(label, verdict, reason=f"RuntimeError: shapes (64x128 and 256x10) at layer_{i}", **how))
            continue
        found.append(effect(label, verdict, delta * (1 + i / 60), failed=i % 3 == 0, **how))
        found.append(effect(label, verdict, delta, metric="macro_f1", **how))
        if len(joints) < 20:
            joints.append(joint([label, found[0].labels[0]], ["compensation", "undecided", "synergy"][i % 3]))
    return results(study=study(family_size=60), effects=found, interactions=joints)


STUDIES = {
    "simulated": results,
    "three modes": three_modes,
    "planted": planted,
    "random": lambda: random_results(1, 40),
}


def logs(folder, name="main"):
    """The log of the last of two passes, or of three where tables span pages."""
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", f"{name}.tex"]
    for _ in range(3 if name == "main" else 2):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    log = (folder / f"{name}.log").read_text("latin-1")
    assert done.returncode == 0, log[-2000:]
    return log


def complaints(log):
    return re.findall(
        r"^(?:Overfull \\hbox.*|LaTeX Warning: (?:Reference|Citation|There were|Label|Float too large).*|! .*)$",
        log,
        re.MULTILINE,
    )


def written(found, folder):
    for name, content in latex_files(found, {}).items():
        (folder / name).write_bytes(content)


@needs_tex
@pytest.mark.parametrize("which", STUDIES)
def test_the_stand_alone_document_compiles_without_a_complaint(tmp_path, which):
    written(STUDIES[which](), tmp_path)
    assert complaints(logs(tmp_path)) == []


@needs_tex
@pytest.mark.parametrize("columns", CLASSES)
@pytest.mark.parametrize("which", ["simulated", "three modes", "planted"])
def test_the_section_fits_papers_of_every_width(tmp_path, columns, which):
    written(STUDIES[which](), tmp_path)
    body = r"\usepackage{booktabs,graphicx}\begin{document}\input{ablation}\bibliography{references}\end{document}"
    (tmp_path / "paper.tex").write_text(f"{CLASSES[columns]}\n{body}\n")
    (tmp_path / "main.bbl").rename(tmp_path / "paper.bbl")
    assert complaints(logs(tmp_path, "paper")) == []


@needs_tex
@pytest.mark.skipif(not shutil.which("bibtex"), reason="bibtex is not on this machine")
def test_bibtex_takes_the_bibliography(tmp_path):
    written(three_modes(), tmp_path)
    (tmp_path / "main.bbl").unlink()
    logs(tmp_path)
    done = subprocess.run(["bibtex", "main"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "Warning" not in done.stdout
    assert complaints(logs(tmp_path)) == []


@needs_tex
@given(st.lists(st.text(max_size=30), min_size=20, max_size=40))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_compiles(tmp_path, texts):
    lines = "\n".join(rf"{tex(text)} & {tex(text)} \\" for text in texts)
    head = r"\documentclass{article}\providecommand{\ablationchar}[1]{[U+#1]}\begin{document}\begin{tabular}{ll}"
    (tmp_path / "any.tex").write_text(f"{head}\n{lines}\n\\end{{tabular}}\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "any.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode("latin-1")[-1500:]


@needs_tex
def test_the_pdf_is_the_same_every_time_and_says_what_the_results_say(tmp_path):
    write_report(results(), ["pdf"], tmp_path / "one.pdf")
    write_report(results(), ["pdf"], tmp_path / "two.pdf")
    assert (tmp_path / "one.pdf").read_bytes() == (tmp_path / "two.pdf").read_bytes()
    told = subprocess.run(
        ["pdftotext", "-layout", tmp_path / "one.pdf", "-"], capture_output=True, text=True, check=True
    )
    assert "0.8713" in told.stdout
    assert "Ablation study: simulated" in told.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.pdf", "two.pdf"]


def program(folder, text):
    """A pdflatex of our own."""
    path = folder / "pdflatex"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (None, "not on the PATH"),
        ("echo '! LaTeX Error: File `pdflscape.sty'\"'\"' not found.' > main.log; exit 1", "lacks pdflscape.sty"),
        ("echo '! Undefined control sequence.' > main.log; exit 1", "Undefined control sequence."),
        ("exit 1", "no reason"),
        ("exec sleep 60", "did not end within"),
        ("exit 0", "wrote no PDF"),
    ],
)
def test_where_tex_cannot_there_is_one_message_and_no_file(tmp_path, monkeypatch, script, said):
    bin, out = tmp_path / "bin", tmp_path / "out.pdf"
    bin.mkdir()
    if script is not None:
        program(bin, script)
    monkeypatch.setattr(pdf, "_SECONDS", 0.5)
    monkeypatch.setenv("PATH", f"{bin}:/bin:/usr/bin" if script else str(bin))
    with pytest.raises(ReportError, match=re.escape(said)) as error:
        write_report(results(), ["pdf"], out)
    assert error.value.to_do
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_tex_runs_without_a_shell_and_without_the_users_own_files(tmp_path, monkeypatch):
    program(tmp_path, 'env > told; echo "$@" > arguments; cat told arguments > main.pdf; : > main.log')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    monkeypatch.setenv("TEXINPUTS", "/somewhere")
    monkeypatch.setenv("SECRET", "42")
    told = pdf.compiled({"main.tex": b""}, 86_400).decode()
    assert "-no-shell-escape" in told
    assert "openin_any=p" in told
    assert "openout_any=p" in told
    assert "SOURCE_DATE_EPOCH=86400" in told
    assert "TEXINPUTS" not in told
    assert "SECRET" not in told
    assert not re.search(rf"^(HOME|TEXMFHOME)={re.escape(os.environ['HOME'])}$", told, re.MULTILINE)


def test_a_folder_holds_what_the_document_includes(tmp_path):
    write_report(results(), ["tex"], tmp_path / "paper")
    found = {str(path.relative_to(tmp_path / "paper")) for path in (tmp_path / "paper").rglob("*") if path.is_file()}
    assert {"ablation.tex", "appendix.tex", "main.tex", "main.bbl", "references.bib"} <= found
    text = (tmp_path / "paper" / "appendix.tex").read_text()
    included = set(re.findall(r"\\includegraphics\[[^]]*\]\{([^}]*)\}", text))
    assert included == {name for name in found if name.startswith("figures/")} != set()
    write_report(results(effects=effects()[:2]), ["tex"], tmp_path / "x.tex")
    assert (tmp_path / "x.tex").read_text().count(r"\section{") == 1
