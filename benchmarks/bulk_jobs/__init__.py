"""Bulk runs: their cost model and fault injection."""
