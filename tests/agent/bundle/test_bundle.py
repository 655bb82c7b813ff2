"""A bundle, packed and unpacked through the command line: what is in it, and rows of it that are run again elsewhere."""

import json
import shutil
import subprocess
import zipfile

import pytest

from tests.agent.bundle.gates import CLIP, CLIPPING, JOINT, SECRET, STUDY, WARM, measured, unpacked


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return measured(tmp_path_factory.mktemp("gates") / "project")


@pytest.fixture(scope="module")
def archive(study, tmp_path_factory):
    """The bundle; the project is moved away afterwards, so that nothing can come from it."""
    path = tmp_path_factory.mktemp("packed") / "gates.zip"
    ended = study.lesion("report", "--bundle", "-o", str(path))
    assert (ended.code, ended.out) == (0, f"{path}\n"), ended.err
    assert "left out, may hold secrets: .env, notes.txt" in ended.err
    again = study.lesion("report", "--bundle", "-o", str(path.with_name("again.zip")), "--bundle-size", "100MiB")
    assert again.code == 0 and path.read_bytes() == path.with_name("again.zip").read_bytes()
    return path


def test_it_holds_what_trials_read_and_nothing_else(archive):
    names = set(zipfile.ZipFile(archive).namelist())
    own = {name for name in names if not name.startswith("project/")}
    assert own == {
        "MANIFEST.json",
        "README.md",
        "edits/edit-clipping.patch",
        "environment.json",
        "ledger.jsonl",
        "plans/round-1.yaml",
        "plans/round-2.yaml",
        "requirements.txt",
        "rerun.py",
        "results.json",
    }
    project = {name.removeprefix("project/") for name in names - own}
    assert project == {"config.yaml", "experiment.py", "lesion.toml", "runs/large.txt", "values/noise.txt"}
    held = zipfile.ZipFile(archive)
    assert not any(SECRET.encode() in held.read(name) for name in names)
    manifest = json.loads(held.read("MANIFEST.json"))
    left_out = {one["path"]: one["reason"] for one in manifest["left_out"]}
    assert left_out.keys() == {".env", ".gitignore", "notes.txt", "drafts/plan.md", "elsewhere"}
    assert manifest["seeds"] == {"reevaluate": [0, 1], "retrain": [0, 1]} and len(manifest["plans"]) == 2
    trials = [json.loads(line) for line in held.read("ledger.jsonl").decode().splitlines()]
    assert len(trials) == 2 * (3 + 6) and {one["status"] for one in trials} == {"ok"}
    assert "torch==" in held.read("requirements.txt").decode()


def test_patches_apply(archive, tmp_path):
    found = unpacked(archive, tmp_path)
    for arguments in (["git", "apply", "--check"], ["git", "apply"]):
        subprocess.run([*arguments, "../edits/edit-clipping.patch"], cwd=found.folder / "project", check=True)
    assert CLIP not in (found.folder / "project/experiment.py").read_text()


def test_what_cannot_be_packed_is_one_message(study, tmp_path):
    for given, told in (
        (["--format", "md"], "leave out"),
        (["--bundle-size", "much"], "--bundle-size"),
        (["-o", str(study.folder / "lesion.toml" / "x.zip")], "the bundle cannot be written: "),
    ):
        ended = study.lesion("report", "--bundle", *given)
        assert ended.code == 2 and told in ended.err.replace("\n", " "), ended.err
    study.edit("experiment.py", "lr=0.02", "lr=0.021")
    try:
        ended = study.lesion("report", "--bundle", "-o", str(tmp_path / "x.zip"))
    finally:
        study.edit("experiment.py", "lr=0.021", "lr=0.02")
    assert ended.code == 2 and "changed since the study ran" in ended.err and not (tmp_path / "x.zip").exists()
    empty = study.lesion("report", "--bundle", "--state", str(tmp_path / "none"))
    assert empty.code == 2 and "no results yet" in empty.err


def test_what_is_too_large_or_lies_outside_is_named_before_anything_runs(study, tmp_path):
    outside = tmp_path / "reference.txt"
    outside.write_text("1 2 3\n")
    text = STUDY + f'\n[sandbox]\nread = ["{outside}"]\n'
    study.edit("lesion.toml", STUDY, text)
    try:
        ended = study.lesion("report", "--bundle", "--bundle-size", "10kB", "-o", str(tmp_path / "small.zip"))
    finally:
        study.edit("lesion.toml", text, STUDY)
    assert ended.code == 0, ended.err
    assert "too large for the bundle's limit: runs/large.txt" in ended.err
    assert f"since it lies outside the project: {outside} (sandbox.read; 6 B, sha256 " in ended.err
    outside.unlink()
    found = unpacked(tmp_path / "small.zip", tmp_path / "elsewhere")
    assert (
        "`runs/large.txt`: too large for the bundle's limit (100.0 kB, SHA-256 "
        in (found.folder / "README.md").read_text()
    )
    ended = found.rerun(WARM)
    assert ended.code == 2 and f"{outside} is not here (sandbox.read of the study, sha256 " in ended.err


@pytest.fixture(scope="module")
def elsewhere(archive, study, tmp_path_factory):
    away = study.folder.with_name("away")
    study.folder.rename(away)
    yield unpacked(archive, tmp_path_factory.mktemp("elsewhere") / "a folder")
    away.rename(study.folder)


@pytest.mark.parametrize(
    ("row", "mode", "trials"), [(WARM, "retrain", 4), (CLIPPING, "retrain", 4), (JOINT, "reevaluate", 8)]
)
def test_rows_come_out_the_same_to_the_bit_elsewhere(elsewhere, row, mode, trials):
    ended = elsewhere.rerun(row, "--json")
    assert ended.code == 0, ended.err
    found = ended.records[-1]
    assert (found["event"], found["mode"], found["verdict"]) == ("row", mode, "to the bit")
    assert found["now"] == pytest.approx(found["reported"], rel=1e-12)
    assert len(found["trials"]) == trials and all(one["same"] for one in found["trials"])
    assert found["changed"] == [] and found["environment"] == []


def test_a_removal_stops_at_the_same_examples_and_finished_trials_are_kept(elsewhere):
    told = [json.loads(line) for line in (elsewhere.folder / "ledger.jsonl").read_text().splitlines()]
    early = [one for one in told if one["arm"] == "module:large"]
    assert all(one["seen"]["validation"]["examples"] < 600 and one["family"] == 4 for one in early)
    ended = elsewhere.rerun("module:large")
    assert ended.code == 0, ended.err
    assert "module:large, reevaluate: reproduced, to the bit" in ended.out
    again = elsewhere.rerun("module:large", "--json")
    assert again.code == 0 and not [one for one in again.records if one["event"] == "trial"]


def test_a_changed_source_is_told_apart_by_what_it_changes(archive, tmp_path):
    found = unpacked(archive, tmp_path)
    found.edit("project/experiment.py", "torch.manual_seed(seed)", "torch.manual_seed(seed + 2)")
    ended = found.rerun(WARM, "--seeds", "1")
    assert ended.code == 0, ended.err
    changed = "with files that are not what they were (project/experiment.py): "
    assert f"{WARM}, retrain: {changed}reproduced, within its interval" in ended.out
    assert "not what it was when the study ran: project/experiment.py" in ended.err
    found.edit("project/experiment.py", "else 0.4", "else 0.9")
    ended = found.rerun(WARM, "--seeds", "1", "--json")
    assert ended.code == 3, ended.err
    record = ended.records[-1]
    assert record["verdict"] == "not reproduced" and record["changed"] == ["project/experiment.py"]
    assert (record["seeds"], record["of"]) == ([0], [0, 1])
    assert not record["interval"][0] <= record["now"] <= record["interval"][1]


def test_rows_are_listed_and_an_unknown_one_is_told(elsewhere):
    ended = elsewhere.rerun("--list")
    assert ended.code == 0 and f"{JOINT}  reevaluate  contrast" in ended.out
    records = elsewhere.rerun("--list", "--json").records
    assert [one["ablation"] for one in records].count(WARM) == 1 and all(one["seconds"] > 0 for one in records)
    ended = elsewhere.rerun("config:wram")
    assert ended.code == 2 and "no row is named 'config:wram' (did you mean config:warm" in ended.err
    ended = elsewhere.rerun(WARM, "--metric", "loss")
    assert ended.code == 2 and "was not measured by 'loss'" in ended.err


def test_a_damaged_a_partial_and_a_newer_bundle(archive, tmp_path):
    found = unpacked(archive, tmp_path / "damaged")
    found.edit("ledger.jsonl", '"seed":0', '"seed":7')
    (found.folder / "results.json").unlink()
    ended = found.rerun(WARM)
    assert ended.code == 2 and "ledger.jsonl is not what was packed" in ended.err
    assert "results.json is missing" in ended.err and "Traceback" not in ended.err

    found = unpacked(archive, tmp_path / "partial")
    shutil.rmtree(found.folder / "project/values")
    (found.folder / "project/config.yaml").unlink()
    ended = found.rerun(WARM)
    assert ended.code == 2 and "project/values/noise.txt is missing" in ended.err
    assert "project/config.yaml is missing" in ended.err

    found.edit("MANIFEST.json", '"format": 1', '"format": 2')
    ended = found.rerun(WARM)
    assert ended.code == 2 and "packed by a newer version of lesion (format 2, this one knows 1" in ended.err
