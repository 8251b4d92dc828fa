"""Bring index/ up to date with the articles in corpus/: ``python ingest.py --help``."""

import sys

from litsearch.commands import ingest_main

if __name__ == "__main__":
    sys.exit(ingest_main())
