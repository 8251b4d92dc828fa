"""The web app: ``streamlit run app.py`` serves patients; ``streamlit run app.py -- --staff`` serves the staff."""

import sys

if __name__ == "__main__":
    # Streamlit runs this file for every page.
    from litsearch.ui.app import run

    run(staff="--staff" in sys.argv[1:])
else:
    # Before that it imports the file and serves the ``app`` that it finds: so the library is opened with the server already.
    from streamlit.starlette import App

    from litsearch.ui.opening import lifespan

    app = App(__file__, lifespan=lifespan)
