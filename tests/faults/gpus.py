"""Graphics cards that are not there: their device nodes, faked inside the program by a `sitecustomize`.

Trials get `CUDA_VISIBLE_DEVICES` as on a machine that has them; no CUDA is behind it.
"""

from pathlib import Path

SITECUSTOMIZE = """
import pathlib

NODES = {nodes!r}
_exists, _glob = pathlib.Path.exists, pathlib.Path.glob


def exists(self, **more):
    return str(self) == "/dev/nvidiactl" or _exists(self, **more)


def glob(self, pattern, **more):
    if str(self) == "/dev" and pattern.startswith("nvidia"):
        return iter(map(pathlib.Path, NODES))
    return _glob(self, pattern, **more)


pathlib.Path.exists, pathlib.Path.glob = exists, glob
"""


def fake_gpus(folder: Path, count: int) -> dict[str, str]:
    """The environment of a program that sees so many."""
    folder.mkdir(parents=True, exist_ok=True)
    nodes = [f"/dev/nvidia{number}" for number in range(count)]
    (folder / "sitecustomize.py").write_text(SITECUSTOMIZE.format(nodes=nodes))
    return {"PYTHONPATH": str(folder)}
