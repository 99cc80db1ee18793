"""Latency: scenarios, stages of one photo, model size and the roofline."""
