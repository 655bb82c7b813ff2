"""A process that runs one endless trial, to be killed: `DAEMON=MARKER driver.py FOLDER BACKEND`."""

import os
import sys
from pathlib import Path

from lesion.executor.pool import Pool

from ..executor.laboratory import job, station
from .backends import backend


def main():
    folder, name = Path(sys.argv[1]), sys.argv[2]
    with Pool(station(folder, within=backend(name, folder)), 1) as pool:
        pool.submit(job(folder / "lingering.py", daemon=os.environ["DAEMON"], then="go_on_for_ever"))
        while pool.busy:
            pool.wait(60)


if __name__ == "__main__":
    main()
