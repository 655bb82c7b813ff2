import ast
import base64
import errno
import os
import resource
from pathlib import Path

import numpy as np
import pytest
from lesion.executor.inside.worker import describe
from lesion.executor.interventions import ModuleIntervention
from lesion.executor.limits import Limits
from lesion.executor.outcomes import RETRIED

from .laboratory import DEADLINE, job, project, run, sandbox, station, with_limits

SOURCE = Path(__file__).with_name("misbehaviour.py").read_text()
AMPLE = Limits(seconds=DEADLINE, memory=1 << 30, disk=64 << 20)
SHORT = Limits(seconds=2, memory=1 << 30, disk=64 << 20)
SECRET = "hunter2-in-the-caller's-environment"


@pytest.fixture(scope="module")
def misbehaviour(tmp_path_factory):
    return project(tmp_path_factory.mktemp("misbehaviour"), misbehaviour=SOURCE) / "misbehaviour.py"


@pytest.fixture(scope="module")
def outcomes(misbehaviour):
    """Every behaviour once, on one pool."""

    def removing(path, removal, **config):
        return job(misbehaviour, interventions=(ModuleIntervention(path=path, removal=removal),), **config)

    def behaving(name):
        return job(misbehaviour, behaviour=name)

    jobs = {
        "good": job(misbehaviour),
        "good again": behaving("show_the_environment"),
        "another seed": job(misbehaviour, seed=1, behaviour="read_stdin_and_flood"),
        "no dropout": job(misbehaviour, dropout=0.0),
        "dropout bypassed": removing("1", "bypass"),
        "first layer zeroed": removing("0", "zero"),
        "shape-changing bypass": removing("0", "bypass"),
        "check": job(misbehaviour, "check", (ModuleIntervention(path="2", removal="bypass"),)),
        "anatomy": job(misbehaviour, action="anatomy"),
        "no dictionary": job(misbehaviour, returns="no dictionary"),
        "not a number": job(misbehaviour, returns="not a number"),
        **{
            name: behaving(name.replace(" ", "_"))
            for name in (
                *("raise an error", "call sys exit", "exit with 139", "segfault", "kill itself"),
                *("die of a real time signal", "allocate", "allocate in a child", "fill the disk"),
                *("write one huge file", "answer and die", "send more than a result may be"),
            )
        },
    }
    os.environ["LESION_TEST_SECRET"] = SECRET
    try:
        return run(station(misbehaviour.parent, AMPLE), jobs)
    finally:
        del os.environ["LESION_TEST_SECRET"]


def test_a_good_trial_brings_home_all_that_it_measured(outcomes):
    good = outcomes["good"]
    assert (good.status, good.message, good.traceback) == ("ok", None, None)
    assert set(good.metrics) == {"validation", "test"}
    values = np.frombuffer(base64.b64decode(good.examples["test"]["loss"].data), "<f8")
    assert values.shape == (32,)
    assert values.mean() == pytest.approx(good.metrics["test"]["loss"])
    assert (good.parameters, good.forwards) == (4 * 8 + 8 + 8 + 1, 8)
    assert set(good.seconds) == {"build", "train", "evaluate"}
    assert good.wall_seconds > 0
    assert good.cpu_seconds > 0
    assert good.peak_memory > 16 << 20
    assert good.output == "trained\n"


def test_the_same_job_twice_gives_the_same_bits(outcomes):
    good, again = outcomes["good"], outcomes["good again"]
    assert (good.metrics, good.examples, good.fingerprint) == (again.metrics, again.examples, again.fingerprint)


def test_another_seed_gives_another_network(outcomes):
    assert outcomes["another seed"].fingerprint != outcomes["good"].fingerprint
    assert outcomes["another seed"].metrics != outcomes["good"].metrics


def test_removals_reach_the_training_and_prove_it(outcomes):
    zeroed = outcomes["first layer zeroed"]
    assert zeroed.status == "ok"
    assert zeroed.fingerprint != outcomes["good"].fingerprint
    assert (zeroed.fired, zeroed.changed) == (True, True)
    assert [(proof.target, proof.removal, proof.calls) for proof in zeroed.proofs] == [("0", "zero", 8 + 2)]


def test_bypassing_dropout_is_the_configuration_without_it_bit_for_bit(outcomes):
    bypassed, without = outcomes["dropout bypassed"], outcomes["no dropout"]
    assert (bypassed.fingerprint, bypassed.metrics) == (without.fingerprint, without.metrics)
    assert bypassed.fingerprint != outcomes["good"].fingerprint


def test_a_check_stops_after_one_step_and_hashes_what_it_saw(outcomes):
    check = outcomes["check"]
    assert check.status == "ok"
    assert set(check.stages) == {"train", "weights", "evaluate"}
    assert check.forwards == 1
    assert not check.metrics
    assert check.changed


def test_the_anatomy_of_the_baseline_describes_its_modules(outcomes):
    anatomy = outcomes["anatomy"]
    assert anatomy.status == "ok"
    assert [one.type for one in anatomy.anatomy] == ["Linear", "Dropout", "ReLU", "Linear"]
    assert [one.path for one in anatomy.anatomy if one.is_output] == ["3"]
    assert anatomy.environment["torch"].startswith("2.")
    assert set(anatomy.metrics) == {"validation", "test"}


@pytest.mark.parametrize(
    ("name", "status", "message"),
    [
        ("raise an error", "crashed", "KeyError: 'there is no such key'"),
        ("call sys exit", "crashed", "SystemExit: 3 (the experiment called sys.exit)"),
        ("segfault", "crashed", "ended by signal SIGSEGV"),
        ("exit with 139", "crashed", "ended with exit code 139 and without a result"),
        ("die of a real time signal", "crashed", "ended by signal 40"),
        ("kill itself", "killed", "ended by signal SIGKILL"),
        ("answer and die", "killed", "ended by signal SIGKILL"),
        ("allocate", "out-of-memory", "can't allocate memory"),
        ("allocate in a child", "out-of-memory", "used more than 1.00 GiB"),
        ("fill the disk", "disk-full", "No space left on device"),
        ("write one huge file", "disk-full", "OSError"),
        ("not a number", "diverged", "not a finite number: loss on validation, loss on test"),
        ("no dictionary", "invalid", "evaluate returned list, not a dictionary of metrics"),
        ("send more than a result may be", "invalid", "larger than a result may be"),
        ("shape-changing bypass", "refused", "bypass of 0: its input is (16, 4), its output (16, 8)"),
    ],
)
def test_every_other_end_has_its_name_and_says_why(outcomes, name, status, message):
    outcome = outcomes[name]
    assert outcome.status == status
    assert message in outcome.message
    assert not outcome.metrics


def test_a_traceback_shows_the_users_frames_and_none_of_ours(outcomes):
    frames = [line for line in outcomes["raise an error"].traceback.splitlines() if line.startswith("  File")]
    assert [frame.rsplit(" in ", 1)[1] for frame in frames] == ["train", "raise_an_error"]
    assert all("misbehaviour.py" in frame for frame in frames)
    assert outcomes["raise an error"].traceback.endswith("KeyError: 'there is no such key'\n")


def test_a_flood_keeps_its_end_and_costs_no_memory(outcomes):
    flood = outcomes["another seed"]
    assert flood.status == "ok"
    assert set(flood.metrics) == {"validation", "test"}
    assert flood.output.endswith("x\nthe end of the flood\n")
    assert len(flood.output) <= 64 << 10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert peak < 2 << 30


def test_a_trials_environment_holds_nothing_of_the_callers(outcomes):
    shown = outcomes["good again"].output
    assert SECRET not in shown
    environment = ast.literal_eval(shown)
    assert environment["HOME"] == "/trial"
    assert set(environment) <= {
        *("PATH", "HOME", "TMPDIR", "USER", "LANG", "PWD", "LC_CTYPE", "CUBLAS_WORKSPACE_CONFIG", "PYTHONUSERBASE"),
        *("PYTHONHASHSEED", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"),
        *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
        *("TORCHINDUCTOR_CACHE_DIR", "TORCHINDUCTOR_DETERMINISTIC", "KMP_DUPLICATE_LIB_OK", "KMP_INIT_AT_FORK"),
    }


def test_what_does_not_end_is_ended(misbehaviour):
    endless = {name: job(misbehaviour, behaviour=name) for name in ("loop_for_ever", "answer_and_live_on")}
    ended = run(station(misbehaviour.parent, SHORT), endless)
    looping, answered = ended["loop_for_ever"], ended["answer_and_live_on"]
    assert (looping.status, looping.message) == ("timed-out", "ran longer than 2 s")
    assert answered.status == "invalid"
    assert "gave an answer and did not end" in answered.message
    assert not answered.metrics


def os_error_of_a_read_only_project():
    raise OSError(errno.EROFS, "Read-only file system", "results.csv")


def test_who_writes_into_the_project_is_told_where_to_write():
    with pytest.raises(OSError, match="Read-only") as caught:
        os_error_of_a_read_only_project()
    described = describe(caught.value)
    assert described["message"].endswith(
        "'results.csv' (the project is read-only inside a trial: write to the folder that TMPDIR or HOME names)"
    )
    assert "test_pool.py" in described["traceback"]


def test_what_limits_end_may_be_tried_again():
    assert {"timed-out", "out-of-memory", "disk-full", "killed"} == RETRIED


def test_limits_are_those_of_the_station(misbehaviour):
    one = with_limits(station(misbehaviour.parent), SHORT)
    assert (one.limits, one.view.disk, one.sandbox) == (SHORT, SHORT.disk, sandbox())
