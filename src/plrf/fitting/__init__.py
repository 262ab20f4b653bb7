"""Scaling laws fitted to tables of losses of trained models."""
