import pytest
from lesion.agent.reading.script.roles import device_setting, in_command, output_setting, seed_setting, training_length

FLAGS = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=14)
parser.add_argument("--max_iters", type=int, default=-1)
parser.add_argument("--warmup-steps", type=int, default=100)
parser.add_argument("--random-seed", type=int, default=1)
parser.add_argument("--log-interval", type=int, default=10)
parser.add_argument("--log-dir", default="runs")
parser.add_argument("--save-dir", default="saved")
parser.add_argument("--dropout", type=float, default=0.1)
DEVICE
"""
CONSTANTS = "max_iters = 5000\nseed = 1337\nout_dir = 'out'\ndevice = 'cuda'\nbatch_size = 4\n"


def test_the_roles_of_flags(script):
    made = script(FLAGS.replace("DEVICE", 'parser.add_argument("--no-cuda", action="store_true")'))
    seed, output = seed_setting(made.settings), output_setting(made.settings)
    assert (seed.key, seed.value, in_command(seed.knob, "{seed}")) == ("random_seed", 1, ["--random-seed", "{seed}"])
    assert (output.key, in_command(output.knob, "{out}")) == ("save_dir", ["--save-dir", "{out}"])
    assert [(one.key, one.value) for one in training_length(made.settings)] == [("epochs", 14), ("max_iters", -1)]


def test_the_roles_of_constants(script):
    made = script(CONSTANTS)
    assert (seed_setting(made.settings).key, output_setting(made.settings).key) == ("seed", "out_dir")
    assert in_command(seed_setting(made.settings).knob, "{seed}") == []
    assert [one.key for one in training_length(made.settings)] == ["max_iters"]
    assert (device_setting(made.settings).role.key, device_setting(made.settings).cpu) == ("device", "cpu")


def test_a_flag_goes_before_a_constant(script):
    made = script(CONSTANTS + FLAGS.replace("DEVICE", ""))
    assert seed_setting(made.settings).key == "random_seed"


@pytest.mark.parametrize(
    ("flag", "key", "cpu"),
    [
        ('"--no-cuda", action="store_true"', "no_cuda", True),
        ('"--no-cuda", dest="cuda", action="store_false"', "cuda", False),
        ('"--device", default=None', "device", "cpu"),
        ('"--device", default="cuda:0"', "device", "cpu"),
        ('"--accelerator", default="gpu"', "accelerator", "cpu"),
        ('"--n_gpu", type=int, default=1', "n_gpu", 0),
        ('"--gpu", type=int, default=0', "gpu", -1),
    ],
)
def test_the_cpu_is_said_as_the_script_takes_it(script, flag, key, cpu):
    device = device_setting(script(FLAGS.replace("DEVICE", f"parser.add_argument({flag})")).settings)
    assert (device.role.key, device.cpu) == (key, cpu)


def test_a_script_without_any_of_them_has_none(script):
    settings = script("dropout = 0.1\n").settings
    assert (seed_setting(settings), device_setting(settings), output_setting(settings)) == (None, None, None)
    assert training_length(settings) == []
