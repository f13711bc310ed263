"""Finished runs compared: tables, figures, and a page that contains both."""
