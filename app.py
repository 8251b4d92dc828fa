"""The web app: ``streamlit run app.py`` serves patients; ``streamlit run app.py -- --staff`` serves the staff."""

import sys

from litsearch.ui.app import run

run(staff="--staff" in sys.argv[1:])
