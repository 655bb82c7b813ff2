"""Two switches that back each other up: each alone changes nothing, bit for bit, and together they are what matters."""

import json

from .conftest import CONFIG, EXPERIMENT, Project


def test_a_perfect_backup_is_found(project: Project) -> None:
    source = EXPERIMENT.replace('config["use_signal"]', '(config["use_left"] or config["use_right"])')
    (project.folder / "experiment.py").write_text(source)
    (project.folder / "config.yaml").write_text(CONFIG.replace("use_signal: true", "use_left: true\nuse_right: true"))
    run = project.run("run")
    assert run.returncode == 0, run.stderr
    report = project.run("report", "--format", "json", "-o", "-")
    found = json.loads(report.stdout)
    verdicts = {effect["ablation"]: effect["verdict"] for effect in found["effects"]}
    assert verdicts["config:use_left"] == verdicts["config:use_right"] == "no-op"
    hidden = {tuple(each["components"]): each for each in found["interactions"]}[
        ("config:use_left", "config:use_right")
    ]
    assert hidden["verdict"] == "compensation"
    assert hidden["additive"] == 0 and hidden["contrast"] == hidden["observed"] > 0.1
    accounting = found["accounting"]
    assert accounting["planned"] == accounting["ok"] + sum(accounting["failed"].values()) + accounting["skipped"]
