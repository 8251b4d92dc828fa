"""Streamlit pages: they draw, they compute nothing."""
