"""The errors that a user meets: what happened, where, and what to do next."""

from __future__ import annotations


class LitsearchError(Exception):
    """Base of every user-facing error; the message says what happened and how to mend it."""


class SettingsError(LitsearchError):
    """A setting, from the settings file or the environment, that cannot be used."""


class CorpusError(LitsearchError):
    """The corpus folder cannot be used: missing, empty, or unreadable."""


class Refused(LitsearchError):
    """One file that cannot be read as an article; the rest of the corpus goes on without it."""


class ModelError(LitsearchError):
    """The language model is missing, damaged, or not the expected one."""


class IndexProblem(LitsearchError):
    """Base of the errors about ``index/``."""


class IndexMissing(IndexProblem):
    """There is no index yet."""


class IndexDamaged(IndexProblem):
    """A file of the index is missing, truncated, or not what its checksum says."""


class IndexMismatch(IndexProblem):
    """The index was made with another model, schema or splitter than this program uses."""


class IndexBusy(IndexProblem):
    """Another ingest is at work on the same index."""


class StorageError(IndexProblem):
    """The disk refused: full, read-only, or failing; the last good generation stays served."""


class EngineError(IndexProblem):
    """The server that keeps vectors and postings does not answer, refuses, or lacks its client here."""


class WorkersError(LitsearchError):
    """The workers that embed for an ingest cannot be reached, lack what they need, or failed."""


class QuestionError(LitsearchError):
    """A question that cannot be asked: empty, or far too long."""


class RegisterError(LitsearchError):
    """The register of decisions cannot be used, or refuses an entry."""


class FeedbackError(LitsearchError):
    """The questions that the practice keeps cannot be read or written."""
