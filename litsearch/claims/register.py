"""The register of decisions: append-only, each entry chained to the one before by its hash; on SQLite or PostgreSQL."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import DDL, Connection, Engine, String, Text, create_engine, event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from litsearch.claims.records import Decision, Finding
from litsearch.errors import RegisterError

EntryKind = Literal["check", "decision", "review"]
# The hash that the first entry is chained to.
GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the register. ``body`` is what was recorded, in the form that ``kind`` has."""

    number: int
    entry_id: str
    kind: EntryKind
    recorded_at: str
    subject_id: str
    supersedes: str
    body: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with the chain, at one entry."""

    number: int
    entry_id: str
    what: str


@dataclass(frozen=True, slots=True)
class Case:
    """One checked claim with the decision in force, the earlier ones, and whether it waits for review."""

    check: Entry
    decision: Entry | None
    earlier: tuple[Entry, ...]
    reviews: tuple[Entry, ...]

    @property
    def state(self) -> str:
        """``open`` without a decision, ``review`` when what it rests on changed since or its date has come, else the decision."""
        if self.decision is None:
            return "open"
        if self.reviews or self.overdue(datetime.now(UTC).date().isoformat()):
            return "review"
        return str(self.decision.body["decision"])

    def overdue(self, today: str) -> bool:
        """Whether the review-by date has come."""
        due = str(self.decision.body["review_by"]) if self.decision else ""
        return bool(due) and due <= today


class _Base(DeclarativeBase):
    pass


class _Row(_Base):
    __tablename__ = "register_entries"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_id: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16), index=True)
    recorded_at: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[str] = mapped_column(String(64), index=True)
    supersedes: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    # Two entries chained to the same one would be two histories.
    previous: Mapped[str] = mapped_column(String(64), unique=True)
    hash: Mapped[str] = mapped_column(String(64), unique=True)


_TABLE = _Row.__table__


def _after_create(dialect: str, statement: str) -> None:
    ddl: Any = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(_TABLE, "after_create", ddl.execute_if(dialect=dialect))


# Rows are never changed or removed by the program; the database refuses it as well. Who gets past that is found by ``verify``.
for _action in ("UPDATE", "DELETE"):
    _after_create(
        "sqlite",
        f"CREATE TRIGGER register_no_{_action.lower()} BEFORE {_action} ON register_entries"
        " BEGIN SELECT RAISE(ABORT, 'the register is append-only'); END",
    )
_after_create(
    "postgresql",
    "CREATE OR REPLACE FUNCTION register_refuse() RETURNS trigger AS $$"
    " BEGIN RAISE EXCEPTION 'the register is append-only'; END $$ LANGUAGE plpgsql",
)
_after_create(
    "postgresql",
    "CREATE TRIGGER register_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON register_entries"
    " FOR EACH STATEMENT EXECUTE FUNCTION register_refuse()",
)


class Register:
    """The entries in their order; safe to share between threads and processes."""

    def __init__(self, address: str, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Open a register by its database address, creating its table when there is none.

        Raises:
            RegisterError: when the address or the database cannot be used.
        """
        self._now = now
        try:
            self._engine = _engine(address)
            with self._engine.begin() as connection:
                # Two processes that open a new register at once must not both create it.
                _lock(connection)
                _Base.metadata.create_all(connection)
        except (ArgumentError, NoSuchModuleError, ImportError) as error:
            raise RegisterError(
                f"The setting 'register' names a database that cannot be opened ({error}). Use"
                f" postgresql+psycopg://user@host/name"
                " with the extra litsearch[postgres] installed, or leave it empty for practice/register.sqlite."
            ) from error
        except SQLAlchemyError as error:
            raise RegisterError(
                f"The register cannot be opened: {_reason(error)}. Check the database or the setting 'register'."
            ) from error

    def close(self) -> None:
        self._engine.dispose()

    # Recording -----------------------------------------------------------------------------------------------------

    def record_check(self, finding: Finding, *, campaign: str, copy_sha256: str, models: Mapping[str, str]) -> Entry:
        """Record what the program found on one claim, with the evidence shown. No decision is part of it."""
        body = {"campaign": campaign.strip(), "copy_sha256": copy_sha256, "models": dict(models), **finding.to_json()}
        entry = self._append("check", subject_id="", supersedes="", body=body, guard=lambda session: True)
        if entry is None:
            raise AssertionError("a check is never declined")
        return entry

    def decide(self, decision: Decision) -> Entry:
        """Record a person's decision on a check; one that corrects another names it in ``supersedes``.

        Raises:
            RegisterError: when there is no such check, or the superseded decision is not the one in force for it.
        """

        def guard(session: Session) -> bool:
            check = self._row(session, decision.check_id, "check")
            in_force = self._in_force(session, check.entry_id)
            if decision.supersedes != (in_force.entry_id if in_force else ""):
                raise RegisterError(
                    "This claim has been decided on in the meantime. Read the decision in force and correct that one."
                    if in_force
                    else "There is no decision on this claim to correct. Record the decision without naming one."
                )
            return True

        body = {**asdict(decision), "fit": dict(decision.fit)}
        entry = self._append("decision", subject_id=decision.check_id, supersedes=decision.supersedes, body=body, guard=guard)
        if entry is None:
            raise AssertionError("a decision's guard raises, it never declines")
        return entry

    def request_review(self, decision_id: str, *, generation: str, changes: Sequence[Mapping[str, Any]]) -> Entry | None:
        """Queue a decision for review with what changed, before and after; None when the same change is queued already.

        Raises:
            RegisterError: when there is no such decision.
        """
        body = {"generation": generation, "changes": [dict(change) for change in changes]}

        def guard(session: Session) -> bool:
            self._row(session, decision_id, "decision")
            queued = session.scalars(select(_Row).where(_Row.kind == "review", _Row.subject_id == decision_id))
            return not any(json.loads(row.body)["changes"] == body["changes"] for row in queued)

        return self._append("review", subject_id=decision_id, supersedes="", body=body, guard=guard)

    # Reading -------------------------------------------------------------------------------------------------------

    def entries(self, kind: EntryKind | None = None) -> list[Entry]:
        """All entries, or those of one kind, oldest first."""
        with self._session() as session:
            query = select(_Row).order_by(_Row.number)
            return [_entry(row) for row in session.scalars(query if kind is None else query.where(_Row.kind == kind))]

    def cases(self) -> list[Case]:
        """Every checked claim with its decisions and the reviews that its decision in force waits for, newest first."""
        entries = self.entries()
        decisions: dict[str, list[Entry]] = {}
        reviews: dict[str, list[Entry]] = {}
        for entry in entries:
            held = decisions if entry.kind == "decision" else reviews
            if entry.kind != "check":
                held.setdefault(entry.subject_id, []).append(entry)
        cases = []
        for check in (entry for entry in entries if entry.kind == "check"):
            made = decisions.get(check.entry_id, [])
            in_force = made[-1] if made else None
            cases.append(Case(check, in_force, tuple(made[:-1]), tuple(reviews.get(in_force.entry_id, ()) if in_force else ())))
        return cases[::-1]

    def head(self) -> tuple[int, str]:
        """How many entries there are and the last one's hash: noted elsewhere, they show a later removal at the end."""
        with self._session() as session:
            last = session.scalars(select(_Row).order_by(_Row.number.desc()).limit(1)).first()
            return (last.number, last.hash) if last else (0, GENESIS)

    def verify(self, *, expected_head: str = "") -> list[Problem]:
        """What is wrong with the chain, in order; empty when every entry is as it was recorded.

        An entry that was changed, removed or put in between breaks the chain at its place. Entries removed at the end leave a
        chain that is whole: they are found by ``expected_head``, the hash of the last entry as noted elsewhere.
        """
        problems: list[Problem] = []
        previous, number, seen = GENESIS, 0, {GENESIS}
        with self._session() as session:
            for row in session.scalars(select(_Row).order_by(_Row.number)):
                number += 1
                if row.number != number:
                    problems.append(Problem(row.number, row.entry_id, f"entries {number} to {row.number - 1} are missing"))
                    number = row.number
                if row.hash != _hash(row):
                    problems.append(Problem(row.number, row.entry_id, "was changed after it was recorded"))
                if row.previous != previous:
                    problems.append(Problem(row.number, row.entry_id, "is not chained to the entry before it"))
                previous = row.hash
                seen.add(row.hash)
        if expected_head and expected_head not in seen:
            problems.append(
                Problem(number, "", "the noted last entry is not in the register: entries at the end were removed or changed")
            )
        return problems

    # Storage -------------------------------------------------------------------------------------------------------

    def _append(
        self, kind: EntryKind, *, subject_id: str, supersedes: str, body: Mapping[str, Any], guard: Callable[[Session], bool]
    ) -> Entry | None:
        """Add one entry if ``guard`` agrees; it looks at the register while nobody else can add to it."""
        with self._session() as session:
            _lock(session.connection())
            if not guard(session):
                return None
            last = session.scalars(select(_Row).order_by(_Row.number.desc()).limit(1)).first()
            row = _Row(
                number=last.number + 1 if last else 1,
                kind=kind,
                recorded_at=self._now().astimezone(UTC).isoformat(timespec="seconds"),
                subject_id=subject_id,
                supersedes=supersedes,
                body=_canonical(body),
                previous=last.hash if last else GENESIS,
            )
            row.entry_id = hashlib.sha256(f"{row.previous}|{row.kind}|{row.body}".encode()).hexdigest()[:24]
            row.hash = _hash(row)
            session.add(row)
            try:
                session.flush()
            except IntegrityError as error:
                raise RegisterError("Another entry was recorded at the same moment. Record it again.") from error
            return _entry(row)

    def _row(self, session: Session, entry_id: str, kind: EntryKind) -> _Row:
        row = session.scalars(select(_Row).where(_Row.entry_id == entry_id, _Row.kind == kind)).first()
        if row is None:
            raise RegisterError(
                f"There is no {kind} {entry_id!r} in the register. List them with: python -m litsearch register list"
            )
        return row

    def _in_force(self, session: Session, check_id: str) -> _Row | None:
        query = select(_Row).where(_Row.kind == "decision", _Row.subject_id == check_id).order_by(_Row.number.desc()).limit(1)
        return session.scalars(query).first()

    @contextmanager
    def _session(self) -> Iterator[Session]:
        try:
            with Session(self._engine, expire_on_commit=False) as session, session.begin():
                yield session
        except SQLAlchemyError as error:
            raise RegisterError(
                f"The register cannot be used: {_reason(error)}. Check the database or the setting 'register'."
            ) from error


def open_register(setting: str, practice: Path) -> Register:
    """The register that the setting names, else ``register.sqlite`` in the practice's folder.

    Raises:
        RegisterError: when it cannot be opened.
    """
    if setting:
        return Register(setting)
    try:
        practice.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RegisterError(
            f"The folder {practice} for the register cannot be made ({error.strerror}). Set 'practice' to another."
        ) from error
    return Register(f"sqlite:///{practice / 'register.sqlite'}")


def _engine(address: str) -> Engine:
    url = make_url(address)
    engine = create_engine(url, connect_args={"timeout": 30} if url.get_backend_name() == "sqlite" else {})
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _: Any) -> None:
            # The driver must not open transactions of its own: BEGIN IMMEDIATE below takes the writer's place at once.
            connection.isolation_level = None
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=FULL")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        # Any fixed number; it names the register among the database's locks.
        connection.execute(text("SELECT pg_advisory_xact_lock(715517)"))


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))


def _hash(row: _Row) -> str:
    """The hash over everything in a row but itself, the hash of the row before included."""
    parts = [row.number, row.entry_id, row.kind, row.recorded_at, row.subject_id, row.supersedes, row.body, row.previous]
    return hashlib.sha256(_canonical(parts).encode()).hexdigest()


def _entry(row: _Row) -> Entry:
    try:
        body = json.loads(row.body)
    except ValueError:
        # A tampered row must not hide the others; verify names it.
        body = {"unreadable": row.body}
    return Entry(
        number=row.number,
        entry_id=row.entry_id,
        kind=cast(EntryKind, row.kind),
        recorded_at=row.recorded_at,
        subject_id=row.subject_id,
        supersedes=row.supersedes,
        body=body,
        previous=row.previous,
        hash=row.hash,
    )


def _reason(error: SQLAlchemyError) -> str:
    return " ".join(str(getattr(error, "orig", None) or error).split())[:200]
