"""Which passages come first, and whether the first one answers: pure functions over arrays and records."""
