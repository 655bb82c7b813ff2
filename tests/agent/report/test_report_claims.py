"""Claims in the report: all of them, with what tests them, and no more than was shown."""

import csv
import io

from lesion.agent.records.claims import ClaimTest, ClaimTested
from lesion.agent.records.planning import Planning
from lesion.agent.report.csv import further_csv
from lesion.agent.report.markdown import markdown_report
from lesion.agent.report.summary import summary_lines
from lesion.agent.report.write import write_report
from simulated_results import results, study, three_modes


def claim_test(key, status, wanted="worse", verdict="matters", **changes):
    fields = {
        "ablation": f"drop {key}",
        "components": [f"module:{key}"],
        "mode": "retrain",
        "role": "confirmatory",
        "round": 1,
        "delta": -0.0412,
        "interval": (-0.0455, -0.0369),
    }
    return ClaimTest(status=status, wanted=wanted, verdict=verdict, **{**fields, **changes})


def claim(number, status, *tests, **changes):
    return ClaimTested(id=f"c{number}", text=f"Claim {number} holds.", status=status, tests=list(tests), **changes)


def three():
    crash = {"verdict": "structural", "delta": None, "interval": None, "reason": "the program needs it"}
    return [
        claim(1, "supported", claim_test("dropout", "supports"), claim_test("embedding", "open", **crash)),
        claim(2, "contradicted", claim_test("dropout", "contradicts", "none")),
        claim(3, "untested", reason="no ablation was planned that puts it to the test"),
    ]


def claims_section(found):
    return markdown_report(found).split("## The claims")[1].split("\n## ")[0]


def test_every_claim_has_its_status_its_cells_and_the_tests_behind_them():
    text = claims_section(results(claims=three()))
    assert "Of 3 claims: 1 contradicted, 1 supported, 1 untested." in text
    assert "- **c1, supported**: “Claim 1 holds.”" in text
    assert "- **c3, untested**: “Claim 3 holds.” – no ablation was planned" in text
    assert "| Removed | c1 | c2 |" in text, "a claim without a test has no column"
    assert "| dropout (bypass) | supports | contradicts |" in text
    assert "| embedding (bypass) | open | – |" in text
    (row,) = [line for line in text.splitlines() if line.startswith("| c2 ")]
    for part in ("no difference beyond δ", "matters", "−0.0412 [−0.0455, −0.0369]", "contradicts"):
        assert part in row
    assert "- embedding (bypass): the program needs it" in text


def test_many_claims_are_laid_out_in_several_matrices():
    many = [claim(n, "supported", claim_test("dropout", "supports")) for n in range(1, 12)]
    text = claims_section(results(claims=many))
    assert text.count("| Removed | ") == 2
    assert "| Removed | c9 | c10 | c11 |" in text


def test_modes_stand_apart():
    found = claim(
        1,
        "contradicted",
        claim_test("x", "supports", ablation="head:1", mode="reevaluate"),
        claim_test("x", "contradicts", ablation="head:2", verdict="negligible"),
        by_mode={"reevaluate": "supported", "retrain": "contradicted"},
    )
    text = claims_section(three_modes(claims=[found]))
    assert "(re-evaluation: supported; retraining: contradicted)" in text
    assert "| head 1 (zero), re-evaluation | supports |" in text
    assert "| head 2 (zero), retraining | contradicts |" in text
    assert "read each mode by itself" in text


def test_the_summary_has_one_line_and_the_csv_one_row_a_test(tmp_path):
    found = results(claims=three(), study=study())
    assert [line for line in summary_lines(found) if "claims:" in line] == [
        "  claims: 1 contradicted, 1 supported, 1 untested"
    ]
    rows = list(csv.DictReader(io.StringIO(further_csv(found)["claims"])))
    assert [(row["claim"], row["claim_status"], row["status"]) for row in rows] == [
        ("c1", "supported", "supports"),
        ("c1", "supported", "open"),
        ("c2", "contradicted", "contradicts"),
        ("c3", "untested", ""),
    ]
    assert rows[0]["interval_low"] == "-0.0455"
    write_report(found, ["csv"], tmp_path)
    assert (tmp_path / "claims.csv").exists()


def test_without_claims_there_is_nothing():
    assert "claim" not in "\n".join(summary_lines(results())).lower()
    assert "claims" not in further_csv(results())


def test_whose_reading_of_a_claim_was_tested_is_told():
    tests = [claim_test("dropout", "supports", by="llm:x"), claim_test("mlp", "open", by="rules")]
    text = claims_section(results(claims=[claim(1, "supported", *tests)]))
    assert "written into the plan before the run, by llm:x, rules." in text
    assert "the model's reading" not in text
    asked = results(claims=[claim(1, "supported", *tests)], planning=Planning(model="x"))
    assert "the model's reading, not the researcher's" in claims_section(asked)
    assert "before the run, by rules." in claims_section(results(claims=three())), "older records name nobody"


def test_what_only_follow_ups_show_is_told_in_its_line_and_in_the_summary():
    later = {"role": "exploratory", "round": 2}
    found = [
        claim(1, "contradicted", claim_test("a", "contradicts", **later), claim_test("b", "supports")),
        claim(2, "contradicted", claim_test("a", "contradicts", **later), claim_test("b", "contradicts")),
        claim(3, "supported", claim_test("a", "supports", role="sensitivity")),
        claim(4, "untested", claim_test("a", "open", **later)),
    ]
    text = claims_section(results(claims=found))
    assert "- **c1, contradicted (by a follow-up chosen after results)**" in text
    assert "- **c2, contradicted**" in text, "a sealed test says so as well"
    assert "- **c3, supported (by a test outside the sealed family)**" in text
    assert "- **c4, untested**" in text
    counts = "1 contradicted, 1 contradicted (by a follow-up chosen after results), 1 supported (by a test outside"
    assert f"Of 4 claims: {counts}" in text
    assert any(f"claims: {counts}" in line for line in summary_lines(results(claims=found)))


def test_what_only_follow_ups_show_in_one_mode_is_told_there():
    later = {"role": "exploratory", "round": 2}
    found = claim(
        1,
        "contradicted",
        claim_test("x", "supports", mode="reevaluate"),
        claim_test("x", "contradicts", **later),
        by_mode={"reevaluate": "supported", "retrain": "contradicted"},
    )
    text = claims_section(three_modes(claims=[found]))
    assert "(re-evaluation: supported; retraining: contradicted (by a follow-up chosen after results))" in text
