"""Forecasts without a network, to be measured beside it."""
