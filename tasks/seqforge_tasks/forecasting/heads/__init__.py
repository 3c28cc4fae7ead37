"""Heads: what the network's numbers mean."""
