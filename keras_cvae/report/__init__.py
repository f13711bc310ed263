"""Finished runs beside each other: tables, figures, and a page with all of it."""
