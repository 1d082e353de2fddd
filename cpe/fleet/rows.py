"""The lines of a concluded sweep as the store keeps them, some thousand at a time."""
# pyright: basic

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import pandas as pd

from cpe.domain.memory import Identity
from cpe.fleet.history import has_moved

DAY_S: Final = 86_400
_CHUNK: Final = 4_000
_TEXTS: Final = ("acs_id", "serial", "gpon_serial", "model", "olt", "pon", "ont", "state")


def chunks(rows: pd.DataFrame, known: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Some thousand rows at a time, each with what was known of it before (missing: nothing)."""
    for start in range(0, len(rows), _CHUNK):
        chunk = rows.iloc[start : start + _CHUNK]
        before = chunk["before"].to_numpy(dtype=np.int64)
        yield chunk, known.reindex(np.where(before >= 0, before, -1))


def box_rows(rows: pd.DataFrame, known: pd.DataFrame, now: float) -> Iterator[dict[str, Any]]:
    """Each box as it was seen now; an ONT that was not read stays where it was."""
    old = _before(
        known,
        (
            "olt",
            "pon",
            "firmware",
            "firmware_since",
            "firmware_before",
            "rx_at",
            "last_boot",
            "placed_at",
        ),
    )
    firmware, was = _objects(rows["firmware"]), old["firmware"]
    same = pd.notna(was) & (pd.isna(firmware) | (firmware == was))
    since = _ms_or(now, pd.notna(firmware))
    plain = {
        "firmware": np.where(pd.isna(firmware), was, firmware),
        "firmware_since": np.where(same, _ms(old["firmware_since"]), since),
        "firmware_before": np.where(same | pd.isna(was), old["firmware_before"], was),
        "in_acs": rows["acs_known"].to_numpy(dtype=bool) | _still_in_acs(rows, known),
        "on_olt": rows["on_olt"].to_numpy(dtype=bool),
        "last_inform": _ms(rows["last_inform"]),
        "last_boot": _ms(_newer(rows["last_boot"], old["last_boot"])),
        "rx_cdbm": hundredths(_shown_rx(rows)),
        "rx_at": _ms(_newer(rows["rx_at"].where(rows["rx_dbm"].notna()), old["rx_at"])),
        "olt_rx_cdbm": hundredths(rows["olt_rx_dbm"]),
        "delta_cdb": hundredths(rows["delta_db"]),
        "verdict": _objects(rows["verdict"]),
        "score": rows["score"].to_numpy(dtype=np.float64),
    }
    texts = {name: _objects(rows[name]) for name in _TEXTS}
    for name in ("olt", "pon"):
        texts[name] = np.where(pd.isna(texts[name]), old[name], texts[name])
    seen_at = round(now * 1000)
    placed_at = np.where(_moved(texts, old), seen_at, _ms(old["placed_at"]))
    columns = {"key": _objects(rows["key"]), **texts, "placed_at": placed_at, **plain}
    yield from _dicts(columns, {"seen_at": seen_at})


def _moved(texts: Mapping[str, np.ndarray], old: Mapping[str, np.ndarray]) -> np.ndarray:
    return has_moved((texts["olt"], texts["pon"]), (old["olt"], old["pon"]))


def day_rows(
    rows: pd.DataFrame, known: pd.DataFrame, ids: Mapping[str, int], now: float
) -> Iterator[dict[str, Any]]:
    """Today of each box. A reading that was there yesterday is no reading of today."""
    old = _before(known, ("rx_at",))
    at = rows["rx_at"].to_numpy(dtype=np.float64)
    is_new = ~(np.round(at, 3) <= np.round(old["rx_at"].astype(np.float64), 3))
    boxes = rows["key"].astype(object).map(ids).to_numpy()
    columns = {
        "box": boxes,
        "rx_cdbm": hundredths(rows["rx_dbm"].where(is_new)),
        "rx_at": _ms(rows["rx_at"].where(is_new & rows["rx_dbm"].notna().to_numpy())),
        "ont_rx_cdbm": hundredths(rows["ont_rx_dbm"]),
        "olt_rx_cdbm": hundredths(rows["olt_rx_dbm"]),
        "walked_at": _ms(rows["walked_at"]),
        "down_at": _ms(rows["down_at"]),
        "boot_at": _ms(rows["last_boot"]),
        "verdict": rows["verdict_code"].to_numpy(dtype=object),
    }
    yield from _dicts(columns, {"day": int(now // DAY_S)})


def boot_rows(rows: pd.DataFrame, known: pd.DataFrame, now: float) -> Iterator[dict[str, Any]]:
    """The boots that the ACS did not tell of last time."""
    old = _before(known, ("last_boot",))["last_boot"].astype(np.float64)
    last = rows["last_boot"].to_numpy(dtype=np.float64)
    ids, firmware = _objects(rows["acs_id"]), _objects(rows["firmware"])
    told = ~np.isnan(last) & ~(last <= old + 0.001) & pd.notna(ids)
    seen_at = datetime.fromtimestamp(now, UTC)
    for row in np.flatnonzero(told):
        yield {
            "box": ids[row], "booted_at": datetime.fromtimestamp(last[row], UTC),
            "seen_at": seen_at, "firmware": firmware[row],
        }  # fmt: skip


def identities(rows: pd.DataFrame, now: float) -> list[Identity]:
    """Who each box is and where an OLT showed it."""
    seen = datetime.fromtimestamp(now, UTC)
    names = ("serial", "acs_id", "gpon_serial", "mac", "olt", "pon", "ont", "ont_index",
             "equipment", "model")  # fmt: skip
    columns = [_objects(rows[name]) for name in names]
    return [
        Identity(
            first_seen=seen, last_seen=seen, source="sweep", tr069_serial=serial, acs_id=acs_id,
            gpon_serial=gpon, mac=mac, olt=olt or None, pon=pon or None if olt else None,
            ont=ont or None if olt else None, ont_index=index if olt else None,
            equipment=equipment, model=model,
        )
        for serial, acs_id, gpon, mac, olt, pon, ont, index, equipment, model in zip(
            *columns, strict=True
        )
        if acs_id is not None or gpon is not None
    ]  # fmt: skip


def _still_in_acs(rows: pd.DataFrame, known: pd.DataFrame) -> np.ndarray:
    """Not in half an answer is not gone: the next answer is measured against what there was."""
    was = known["in_acs"].eq(True).to_numpy(dtype=bool)
    return was & rows["acs_unsure"].to_numpy(dtype=bool)


def hundredths(values: pd.Series | np.ndarray) -> np.ndarray:
    """dBm or dB as hundredths, None where there is none."""
    numbers = np.asarray(values, dtype=np.float64)
    held = np.isfinite(numbers) & (np.abs(numbers) < 327)
    return _held(
        np.where(held, np.round(np.where(held, numbers, 0) * 100), 0).astype(np.int64), held
    )


def _shown_rx(rows: pd.DataFrame) -> pd.Series:
    return rows["rx_dbm"].fillna(rows["ont_rx_dbm"])


def _ms(seconds: pd.Series | np.ndarray) -> np.ndarray:
    numbers = np.asarray(seconds, dtype=np.float64)
    held = np.isfinite(numbers)
    return _held(np.round(np.where(held, numbers, 0) * 1000).astype(np.int64), held)


def _ms_or(now: float, held: np.ndarray) -> np.ndarray:
    return _held(np.full(len(held), round(now * 1000), dtype=np.int64), held)


def _held(numbers: np.ndarray, held: np.ndarray) -> np.ndarray:
    found = numbers.astype(object)
    found[~held] = None
    return found


def _newer(now: pd.Series, old: np.ndarray) -> np.ndarray:
    return np.fmax(now.to_numpy(dtype=np.float64), old.astype(np.float64))


def _objects(values: pd.Series) -> np.ndarray:
    """Texts as Python has them, None for missing."""
    found = values.astype(object).to_numpy().copy()
    found[pd.isna(found)] = None
    return found


def _before(known: pd.DataFrame, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    return {
        name: known[name].to_numpy(dtype=np.float64)
        if name in ("firmware_since", "rx_at", "last_boot", "placed_at")
        else _objects(known[name])
        for name in names
    }


def _dicts(columns: Mapping[str, np.ndarray], same: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    names = list(columns)
    for values in zip(*(columns[name].tolist() for name in names), strict=True):
        yield {**dict(zip(names, values, strict=True)), **same}
