"""A report of 500 effects, all simulated, in every format: a few seconds. Prints, asserts no time."""

import json
import sys
import time
from pathlib import Path

import pytest
from lesion.agent.report.figures import PLOTS
from lesion.agent.report.write import write_report

sys.path.insert(0, str(Path(__file__).parents[1] / "agent" / "report"))
from rich_results import many

EFFECTS = 500


@pytest.mark.benchmark
def test_a_report_of_500_effects(tmp_path):
    found = many(EFFECTS)
    took = {}
    for name, plot in PLOTS.items():
        start = time.perf_counter()
        plot(found)
        took[f"figure {name}"] = time.perf_counter() - start
    for formats in (["md"], ["html"], ["csv"], ["json"], ["md", "html", "csv", "json"]):
        start = time.perf_counter()
        write_report(found, formats, tmp_path / "-".join(formats))
        took[" + ".join(formats)] = time.perf_counter() - start
    print(f"\n{EFFECTS} effects, {len(found.interactions)} joint removals")
    for what, seconds in took.items():
        print(f"{what:28} {seconds:6.2f} s")
    both = tmp_path / "md-html-csv-json"
    assert len(json.loads((both / "report.json").read_text())["effects"]) == EFFECTS
    assert (both / "report.html").read_text().count('<th scope="row"') > EFFECTS
