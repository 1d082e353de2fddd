"""Columns to frames and back: the types of each column, Parquet for keeping a part.

pandas' stubs leave most of a frame's contents unknown, so the files of this package that handle
frames are checked by pyright's basic rules; what they compute is numpy with types.
"""
# pyright: basic

from __future__ import annotations

import ctypes
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# Arrow's own pool keeps what it once had: 50 MB more at the peak of a sweep of 100,000 boxes.
pa.set_memory_pool(pa.system_memory_pool())

Columns = Mapping[str, Sequence[Any]]

_TEXT: Final = pa.string()
_WORD: Final = pa.dictionary(pa.int32(), pa.string())
_NUMBER: Final = pa.float64()
_FLAG: Final = pa.bool_()
_COUNT: Final = pa.int32()

BOXES: Final = pa.schema(
    [
        *((name, _TEXT) for name in ("acs_id", "serial", "gpon_serial", "mac")),
        *((name, _TEXT) for name in ("manufacturer", "model", "firmware", "family", "rx_quality")),
        *(
            (name, _NUMBER)
            for name in (
                "last_inform", "last_boot", "spoke_at", "rx_dbm", "rx_at", "tx_dbm", "tx_step",
                "temperature_c", "uptime_s", "uptime_at", "read_at",
            )
        ),
        ("more_radios", _FLAG), ("more_nodes", _FLAG),
        ("rx_step", _NUMBER), ("temperature_step", _NUMBER), ("technology", _TEXT),
    ]
)  # fmt: skip
RADIOS: Final = pa.schema(
    [
        ("box", _COUNT),
        ("band", _TEXT),
        ("enabled", _FLAG),
        ("utilisation_pct", _NUMBER),
        ("noise_dbm", _NUMBER),
    ]
)
NODES: Final = pa.schema(
    [
        ("box", _COUNT), ("mac", _TEXT), ("is_controller", _FLAG), ("active", _FLAG),
        ("backhaul_type", _TEXT), ("backhaul_rssi_dbm", _NUMBER),
        ("backhaul_utilisation_pct", _NUMBER),
    ]
)  # fmt: skip
ONTS: Final = pa.schema(
    [
        *((n, _TEXT) for n in ("olt", "pon", "ont", "ont_index", "gpon_serial", "state", "cause")),
        *((n, _NUMBER) for n in ("down_at", "olt_rx_dbm", "ont_rx_dbm", "walked_at")),
        ("pon_read", _FLAG),
    ]
)
EQUIPMENT: Final = pa.schema(
    [("equipment", _TEXT), ("serial", _TEXT), ("status", _TEXT), ("customer", _TEXT)]
)
_WORDS: Final = frozenset(
    {
        "manufacturer", "model", "firmware", "family", "rx_quality", "band", "backhaul_type", "olt",
        "pon", "state", "cause", "status", "technology",
    }
)  # fmt: skip
"""Columns of few different values: kept once each."""


_MAY_HAVE: Final = {"technology": _TEXT}
"""Columns that only some OLTs' tables have."""

_TRIM: Final = getattr(ctypes.CDLL(None), "malloc_trim", None)
"""glibc's; other systems' allocators need none."""


def give_back() -> None:
    """Return to the system what is free: the holes that whole frames left, 33 MB at the peak."""
    if _TRIM is not None:
        _TRIM(0)


def pack(columns: Columns, schema: pa.Schema) -> bytes:
    """The columns as Parquet; one that is not there holds nothing, and a schema may have more."""
    size = max(map(len, columns.values()), default=0)
    held = {name: columns.get(name, ()) for name in schema.names}
    arrays = {name: values if len(values) else [None] * size for name, values in held.items()}
    table, sink = pa.table(arrays, schema=schema), io.BytesIO()
    for name, kind in _MAY_HAVE.items():
        if name in columns and name not in schema.names:
            table = table.append_column(name, pa.array(columns[name], type=kind))
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def unpack(parts: Iterable[bytes], schema: pa.Schema) -> pd.DataFrame:
    """Parts in their order as one frame; `box` numbers of later parts are not moved on."""
    return frame(_tables(parts, schema), schema)


def _tables(parts: Iterable[bytes], schema: pa.Schema) -> list[pa.Table]:
    # Words stay numbers of a dictionary, as they are kept: spelled out they are half the peak.
    words = [name for name in schema.names if name in _WORDS]
    tables = (
        pq.read_table(pa.BufferReader(part), use_threads=False, read_dictionary=words)
        for part in parts
    )
    return [_whole(table, schema) for table in tables]


def _whole(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the columns that a part of an earlier version does not have."""
    for name in schema.names:
        if name not in table.column_names:
            nothing = pa.nulls(table.num_rows, schema.field(name).type)
            table = table.append_column(name, nothing)
    return table


def frame(tables: Sequence[pa.Table], schema: pa.Schema) -> pd.DataFrame:
    """The tables as one frame: words as categories, texts as Arrow strings, numbers as floats."""
    table = pa.concat_tables(tables, promote_options="default") if tables else schema.empty_table()
    for number, name in enumerate(table.column_names):
        if name in _WORDS:
            words = table[name]
            if not pa.types.is_dictionary(words.type):
                words = words.dictionary_encode()
            table = table.set_column(number, name, words.unify_dictionaries())
    found = table.to_pandas(
        types_mapper={_TEXT: pd.StringDtype("pyarrow")}.get, self_destruct=True, use_threads=False
    )
    del table
    return found


def unpack_boxes(
    parts: Sequence[tuple[bytes, bytes, bytes]],
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Boxes, radios and nodes of all parts; `box` counts through the whole fleet."""
    boxes, radios, nodes = ([], [], [])
    offset = 0
    for box_bytes, radio_bytes, node_bytes in parts:
        [box_table] = _tables([box_bytes], BOXES)
        [radio_table] = _tables([radio_bytes], RADIOS)
        [node_table] = _tables([node_bytes], NODES)
        boxes.append(box_table)
        radios.append(_moved_on(radio_table, offset))
        nodes.append(_moved_on(node_table, offset))
        offset += box_table.num_rows
    return frame(boxes, BOXES), frame(radios, RADIOS), frame(nodes, NODES)


def _moved_on(table: pa.Table, offset: int) -> pa.Table:
    if not offset:
        return table
    moved = pa.array(table["box"].to_numpy() + np.int32(offset), type=_COUNT)
    return table.set_column(table.column_names.index("box"), "box", moved)


def supersede(
    boxes: pd.DataFrame, radios: pd.DataFrame, nodes: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Of a box that was read twice (resumed, refreshed) only the last reading."""
    kept = ~boxes["acs_id"].duplicated(keep="last").to_numpy()
    if kept.all():
        return boxes, radios, nodes
    number = np.cumsum(kept) - 1

    def of_kept(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows[kept[rows["box"].to_numpy()]]
        return rows.assign(box=number[rows["box"].to_numpy()]).reset_index(drop=True)

    return boxes[kept].reset_index(drop=True), of_kept(radios), of_kept(nodes)
