"""Makes a model folder of a file of own tensors that lingen.py trained: python lingen_install.py mate.safetensors

The folder links to the dense model for everything else, so it is made anew where it is to lie.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from minimodel.export import read_own, write_lingen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, help="mate.safetensors of a run")
    parser.add_argument("--model", type=Path, default=Path("../models/mini"), help="the dense model the run started from")
    parser.add_argument("--out", type=Path, default=Path("../models/mini-lingen"))
    arguments = parser.parse_args()
    size = write_lingen(arguments.out, read_own(arguments.file, arguments.model), arguments.model)
    print(f"{arguments.out}: {size / 2**20:.2f} MiB of own tensors")


if __name__ == "__main__":
    main()
