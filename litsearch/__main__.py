"""``python -m litsearch``: ask, check, register, evaluate, changes, report, add, remove, rollback."""

import sys

from litsearch.commands import main

if __name__ == "__main__":
    sys.exit(main())
