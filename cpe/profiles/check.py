"""Whether the operator's profiles can be used, all together and file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cpe.domain.errors import ProfileError
from cpe.profiles import cpe_profile, olt_profile
from cpe.profiles.cpe_profile import profiles
from cpe.profiles.olt_profile import olt_profiles
from cpe.profiles.overlay import KINDS, Kind, id_of, own_files, own_folder


@dataclass(frozen=True, slots=True)
class FileCheck:
    """One file. `error` says what is wrong with it, empty when nothing is."""

    file: Path
    kind: Kind
    id: str
    detail: str
    error: str = ""


def check_profiles() -> None:
    """Raises ProfileError, one line, when the operator's profiles cannot be used as they are.

    Without any nothing is read: what ships is tested.
    """
    if own_folder() is None:
        return
    try:
        profiles()
        olt_profiles()
    except ProfileError as error:
        said = " ".join(str(error).split())
        raise ProfileError(f"{said}; mend it, `cpe doctor` checks each file") from None


def is_usable() -> bool:
    """Whether the operator's profiles can be used as they are."""
    try:
        check_profiles()
    except ProfileError:
        return False
    return True


def check_files() -> tuple[FileCheck, ...]:
    """Each of the operator's files. Raises ProfileError when the folder itself cannot be used."""
    return tuple(check for kind in KINDS for check in _files(kind))


def _files(kind: Kind) -> list[FileCheck]:
    named: dict[str, Path] = {}
    failed: dict[Path, str] = {}
    for file in own_files(kind):
        try:
            name = id_of(file)
        except ProfileError as error:
            failed[file] = str(error)
            continue
        if name in named:
            failed[file] = f"{file}: id: {name!r} is given twice, also by {named[name]}"
        else:
            named[name] = file
    checks = [FileCheck(file, kind, "", "", _plain(error, file)) for file, error in failed.items()]
    for name, file in named.items():
        try:
            detail = _cpe(file, named) if kind == "cpe" else _olt(file, named)
        except ProfileError as error:
            checks.append(FileCheck(file, kind, name, "", _plain(str(error), file)))
        else:
            checks.append(FileCheck(file, kind, name, detail))
    return sorted(checks, key=lambda check: check.file)


def _plain(error: str, file: Path) -> str:
    return " ".join(error.removeprefix(f"{file}: ").split())


def _cpe(file: Path, own: dict[str, Path]) -> str:
    profile = cpe_profile.load_own_profile(file, own)
    given = [
        name
        for columns in (profile.quantities, *(table.columns for table in profile.tables))
        for name, candidates in columns.items()
        if any(candidate.own for candidate in candidates)
    ]
    shipped = cpe_profile.PROFILE_FOLDER / f"{profile.id}.yaml"
    return f"CPE family {_laid(profile.id, shipped)}; gives {', '.join(given) or 'no quantity'}"


def _olt(file: Path, own: dict[str, Path]) -> str:
    profile = olt_profile.load_own_profile(file, own)
    shipped = olt_profile.PROFILE_FOLDER / f"{profile.id}.yaml"
    return f"OLT family {_laid(profile.id, shipped)}, {'' if profile.verified else 'un'}verified"


def _laid(name: str, shipped: Path) -> str:
    return f"{name}, laid over the shipped one" if shipped.is_file() else f"{name}, a new one"
