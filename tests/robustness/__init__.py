"""The promises under faults, load and malice; what was tried and what it showed: docs/RELIABILITY.md."""
