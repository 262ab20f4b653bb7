"""Outcomes of the tests of the results."""

import pyarrow as pa

from plrf.study.schemas.fields import schema

CHECKS = schema(("check", pa.string()), ("passed", pa.bool_()), ("detail", pa.string()))
