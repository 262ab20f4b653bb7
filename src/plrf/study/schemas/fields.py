"""What all tables share: columns that are never null, and the columns of a point."""

import pyarrow as pa

POINT = [
    ("sweep", pa.string()),
    ("spectrum", pa.string()),  # file of a task that is no power law: alpha and beta are NaN
    ("alpha", pa.float64()),
    ("beta", pa.float64()),
]


def schema(*fields: tuple[str, pa.DataType]) -> pa.Schema:
    """Schema whose columns are never null: what is missing is NaN, with a status."""
    return pa.schema([pa.field(name, dtype, nullable=False) for name, dtype in fields])
