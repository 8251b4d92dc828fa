"""Who may see what: the patient's process shows no staff page, no file and no register; logs hold no question."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from litsearch.claims.register import Register
from litsearch.errors import Refused, RegisterError
from litsearch.ingesting import ingest
from litsearch.library.shelving import add_article
from litsearch.settings import ROOT, Settings
from tests.conftest import ARTICLE, Shelf
from tests.robustness.hostile import hostile_strings
from tests.robustness.load import Session
from tests.served import served
from tests.test_claims_register import finding

SECRET = "Zanzibar-register-entry"
QUESTION = "Will needling hurt my quixotic left elbow?"


@pytest.fixture(scope="module")
def library(real_settings: Callable[[Path], Settings], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A small library and a practice with one entry in its register and a secret in its folder."""
    place = tmp_path_factory.mktemp("access")
    (place / "corpus").mkdir()
    (place / "corpus" / "scars.md").write_text(ARTICLE)
    practice = place / "practice"
    register = Register(_at(practice))
    register.record_check(finding(), campaign=SECRET, copy_sha256="ab", models={})
    register.close()
    (practice / "secret.txt").write_text(SECRET)
    settings = replace(real_settings(place / "corpus"), practice=practice)
    ingest(settings)
    return settings


def _at(practice: Path) -> str:
    practice.mkdir(exist_ok=True)
    return f"sqlite:///{practice / 'register.sqlite'}"


@pytest.fixture(scope="module")
def patient(library: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    log = tmp_path_factory.mktemp("log") / "patient.log"
    with served(library, log=log) as address:
        yield address, log


def _get(address: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(address, timeout=60) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


PLACES = (
    "/practice/secret.txt", "/practice/register.sqlite", "/index/current.json", "/corpus/scars.md", "/app.py", "/README.md",
    "/.streamlit/config.toml", "/app/static/secret.txt", "/app/static/../practice/secret.txt", "/static/../../app.py",
    "/static/%2e%2e/%2e%2e/app.py", "/static/..%2f..%2fapp.py", "//etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
    "/media/../practice/secret.txt", "/media/secret.txt", "/component/../practice/secret.txt", "/_stcore/../practice/secret.txt",
    "/claims", "/register", "/library", "/settings", "/_stcore/host-config", "/_stcore/metrics", "/~/+/practice/secret.txt", "/static/",
)  # fmt: skip


METRIC = re.compile(r'#.*|[a-z_]+(\{([a-z_]+="[\w.+]*",?)*\})? [\d.e+-]+')


def test_the_patients_process_serves_no_file_but_its_static_assets(patient: tuple[str, Path]) -> None:
    """Whatever the address, what comes back is Streamlit's own page or a refusal: never a file of the practice or the project."""
    address, _ = patient
    own_page = _get(address)[1]
    for place in PLACES:
        status, body = _get(address + place)
        assert SECRET.encode() not in body and b"root:" not in body and ARTICLE[:40].encode() not in body, place
        assert b"from litsearch.ui.app import run" not in body, place
        if place == "/_stcore/metrics":
            # Streamlit's counts of calls and sessions, which grow with use: they name functions and nothing else.
            assert all(METRIC.fullmatch(line) for line in body.decode().splitlines()), place
            continue
        assert status != 200 or body == own_page or len(body) < 2_000, f"{place} gives {len(body)} bytes that are not the page"


@pytest.mark.parametrize("page", ["claims", "register", "library", "settings", "ask"])
def test_the_patients_process_draws_its_own_page_under_a_staff_pages_name(patient: tuple[str, Path], page: str) -> None:
    """A session may ask for any page by name; this process has registered one alone and draws that."""
    address, _ = patient
    with Session(address) as session:
        drawn = session.draw("", page=page)
    assert "type a question" in drawn.lower() or "ask" in drawn.lower()
    assert SECRET not in drawn and "Check marketing copy" not in drawn and "register" not in drawn.lower()


def test_a_session_can_name_no_staff_flag(patient: tuple[str, Path]) -> None:
    address, _ = patient
    with Session(address) as session:
        for query in ("staff=1", "--staff", "q=x&staff=true", "article=../practice/secret.txt", "passage=../../register.sqlite"):
            drawn = session.draw(query)
            assert SECRET not in drawn and "Check marketing copy" not in drawn, query


def test_no_question_stands_in_the_log_or_in_the_practices_folder(
    patient: tuple[str, Path], library: Settings, tmp_path: Path
) -> None:
    """The page's own process, and the searcher with its log at INFO; an unusual word makes the question known again."""
    address, log = patient
    with Session(address) as session:
        assert "quixotic" in session.ask(QUESTION)
    time.sleep(1)
    assert "quixotic" not in log.read_text(errors="replace")
    program = (
        "import sys; from litsearch.commands import main; sys.exit(main(['ask', '--index', sys.argv[1], '--json', sys.argv[2]]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(library.index), QUESTION],
        cwd=ROOT, env={**os.environ, "LITSEARCH_LOG": "INFO"}, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0 and "quixotic" in done.stdout
    assert "quixotic" not in done.stderr
    stored = [path for path in library.practice.rglob("*") if path.is_file() and b"quixotic" in path.read_bytes()]
    assert stored == []


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.7"])
def test_the_staffs_process_shows_nothing_on_an_address_that_others_reach(
    library: Settings, tmp_path: Path, address: str
) -> None:
    """It may listen there (a container does), but without a sign-in no staff page is drawn, over the real server."""
    if address != "0.0.0.0":
        with socket.socket() as probe:
            try:
                probe.bind((address, 0))
            except OSError:
                pytest.skip(f"this machine has no address {address}")
    with (
        served(library, staff=True, options=["--server.address", address], log=tmp_path / "staff.log") as local,
        Session(local) as session,
    ):
        for page in ("", "claims", "register", "library", "settings"):
            drawn = session.draw("", page=page)
            assert SECRET not in drawn and "Check marketing copy" not in drawn and "Rebuild" not in drawn, page
            assert address in drawn, "it says why"


# --------------------------------------------------------------------------------------------------------- uploads

_ENDINGS = (".txt", ".md", "", ".TXT", ".txt.", ".txt ", ".md\x00.exe", ".txt\u2028")


def _files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _uploaded(shelf: Shelf, n: int) -> int:
    """Upload an article under each of many hostile names; how many were taken. Nothing else may have come, gone or changed."""
    (shelf.folder / "practice").mkdir()
    for name in ("passwd.txt", "practice/settings.toml", "a.txt"):
        (shelf.folder / name).write_bytes(b"private")
    shelf.write("sub/leaflet.md", ARTICLE)
    expected = _files_below(shelf.folder)
    n_before = len(expected)
    for number, made in enumerate(hostile_strings(n, seed=4, longest=400)):
        prefix = ("", "../", "../practice/", "sub/", "/", "C:\\", "~/", ".", "~$")[number % 9]
        name = prefix + made + _ENDINGS[number % len(_ENDINGS)]
        content = f"# Text {number}\n\nThe skin is red for {number} days.\n".encode()
        try:
            path = add_article(shelf.settings, name, content)
        except Refused as refused:
            assert str(refused).strip()
            continue
        assert f"corpus/{path}" not in expected, f"{name!r} was written over another file"
        expected[f"corpus/{path}"] = content
        assert Path(path).name == path and not path.startswith((".", "~$")), name
        assert len(path.splitlines()) == 1 and "\x00" not in path and "\u202e" not in path, name
    assert _files_below(shelf.folder) == expected
    n_taken = len(expected) - n_before
    assert shelf.ingest().documents == n_taken + 1, "every file that was taken is an article"
    return n_taken


def test_uploads_land_only_in_the_corpus_and_under_safe_names(shelf: Shelf) -> None:
    assert _uploaded(shelf, 250) > 100


@pytest.mark.slow
def test_uploads_under_five_thousand_names_land_only_in_the_corpus(shelf: Shelf) -> None:
    assert _uploaded(shelf, 5_000) > 2_000


def test_the_patients_process_takes_no_upload(patient: tuple[str, Path], library: Settings) -> None:
    """Its page has no field for files: what is sent to Streamlit's own door without a session is refused and lands nowhere."""
    address, _ = patient
    before = _files_below(library.corpus.parent)
    for session in ("none", "../../corpus", "%2e%2e%2fcorpus"):
        for method in ("PUT", "POST", "DELETE"):
            request = urllib.request.Request(
                f"{address}/_stcore/upload_file/{session}/stolen.md", data=ARTICLE.encode(), method=method
            )
            try:
                with urllib.request.urlopen(request, timeout=60) as reply:
                    status = reply.status
            except urllib.error.HTTPError as error:
                status = error.code
            assert status >= 400, (method, session, status)
    assert _files_below(library.corpus.parent) == before


# ------------------------------------------------------------------------------------------------------ the register

WRITING = """
import sys, pathlib
sys.path.insert(0, {root!r})
from litsearch.claims.register import Register
from tests.test_claims_register import finding
register = Register(sys.argv[1])
print("ready", flush=True)
for number in range(100_000):
    entry = register.record_check(finding(), campaign=f"{{sys.argv[2]}}-{{number}}", copy_sha256="ab", models={{}})
    print(entry.hash, flush=True)
"""


def _killed_while_writing(practice: Path, n_kills: int, n_writers: int) -> int:
    """Kill -9 writers at random instants; the chain is whole each time and holds every entry that was confirmed."""
    import random

    chance = random.Random(3)
    confirmed: set[str] = set()
    for number in range(n_kills):
        arguments = [sys.executable, "-c", WRITING.format(root=str(ROOT)), _at(practice)]
        writers = [
            subprocess.Popen([*arguments, f"{number}-{w}"], stdout=subprocess.PIPE, text=True, cwd=ROOT) for w in range(n_writers)
        ]
        for writer in writers:
            assert writer.stdout is not None and writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.05, 0.6))
        for writer in writers:
            os.kill(writer.pid, signal.SIGKILL)
            out, _ = writer.communicate()
            # A last line may be cut; a whole one is a promise.
            confirmed |= {line for line in out.split("\n")[:-1] if len(line) == 64}
        register = Register(_at(practice))
        assert register.verify() == []
        assert confirmed <= {entry.hash for entry in register.entries()}
        register.close()
    return len(confirmed)


def test_the_chain_is_whole_after_its_writers_are_killed(tmp_path: Path) -> None:
    assert _killed_while_writing(tmp_path / "practice", n_kills=2, n_writers=2) > 0


@pytest.mark.slow
def test_the_chain_is_whole_after_fifty_kills(tmp_path: Path) -> None:
    assert _killed_while_writing(tmp_path / "practice", n_kills=25, n_writers=2) > 100


def test_the_chain_is_whole_after_many_writers_at_once(tmp_path: Path) -> None:
    """Twelve threads and one register: no entry lost, none chained to the same one."""
    register = Register(_at(tmp_path / "practice"))
    problems: list[RegisterError] = []

    def write() -> None:
        for _ in range(10):
            try:
                register.record_check(finding(), campaign="load", copy_sha256="ab", models={})
            except RegisterError as error:
                problems.append(error)

    threads = [threading.Thread(target=write) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == [] and register.verify() == []
    assert register.head()[0] == 120 == len({entry.hash for entry in register.entries()})
    register.close()
