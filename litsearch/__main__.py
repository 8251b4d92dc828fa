"""``python -m litsearch``: ask, check, evaluate, changes, rollback."""

import sys

from litsearch.commands import main

if __name__ == "__main__":
    sys.exit(main())
