"""Warehouses: queries in, rows out, behind one interface."""
