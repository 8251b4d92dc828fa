"""Measurements that chose what the code does; docs hold their tables."""
