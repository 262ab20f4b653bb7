"""Columns of the Parquet tables, one module for each stage of the workflow.

Tables are long and tidy: parameters stand as columns, one measured number per row. A stage imports
its own columns and those that it reads, so that a new table reruns no other stage.
"""
