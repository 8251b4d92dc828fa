"""Retrieval-based search over treatment literature: passages word for word, with their sources."""

__version__ = "0.1.0"
