"""Writes the tokenizer of the captions: python build_tokenizer.py --out work/tokenizer"""

import argparse
from pathlib import Path

from minimodel.tokenizer import write_folder
from miniworld.captions import vocabulary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("work/tokenizer"))
    arguments = parser.parse_args()
    print(f"{write_folder(arguments.out, vocabulary())} pieces -> {arguments.out}")


if __name__ == "__main__":
    main()
