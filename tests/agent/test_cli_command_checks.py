"""What the check of one arm of a script ends as, and what the report says of it."""

from tests.agent.scripts import script

HUNGRY = """\
import argparse, random

parser = argparse.ArgumentParser()
parser.add_argument("--dropout", type=float, default=0.1)
args = parser.parse_args()
if not args.dropout:
    held = b"x" * 2**30
print("score", random.random())
"""
STUDY = """\
[study]
name = "script"
components = ["config:dropout"]
seeds = 3
max_seeds = 3

[experiment]
command = "python train.py"
metrics_pattern = 'score (?P<score>\\S+)'

[metrics.score]
goal = "maximize"
smallest_effect = 0.5

[limits]
trial_memory = "512MiB"
"""


def test_an_arm_whose_check_runs_out_of_memory_is_untestable_and_says_so(tmp_path):
    made = script(tmp_path, script=HUNGRY, study=STUDY)
    ended = made.lesion("run", "--interactions", "none")
    assert ended.code in (0, 3), ended.err
    (effect,) = made.results()["effects"]
    assert effect["verdict"] == "untestable"
    assert "out-of-memory" in effect["reason"]


def test_a_run_without_a_metric_is_advised_about_patterns_and_shows_its_lines_once(tmp_path):
    silent = HUNGRY.replace('"score"', '"quality"')
    ended = script(tmp_path, script=silent, study=STUDY).lesion("run", "--interactions", "none")
    assert ended.code == 2
    assert "metrics_pattern" in ended.err.rpartition("→")[2]
    assert ended.err.count("quality 0.") == 1
