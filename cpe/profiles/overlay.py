"""The operator's own profiles: `cpe/*.yaml` and `olt/*.yaml` of a folder, over the shipped ones.

Where the folder is comes from the environment, which only `cpe.settings` reads; it says so here
(`found_by`) when it is imported. The `id` of a file decides which shipped profile it is laid over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Final, Literal, ParamSpec, TypeVar, cast

from cpe.domain.errors import ProfileError
from cpe.profiles.loading import read_yaml

P = ParamSpec("P")
T = TypeVar("T")
Kind = Literal["cpe", "olt"]
KINDS: Final[tuple[Kind, ...]] = ("cpe", "olt")
VARIABLE: Final = "CPE_PROFILES"


@dataclass(slots=True)
class _Source:
    folder: Callable[[], Path | None]


_source: Final = _Source(lambda: None)


def found_by(folder: Callable[[], Path | None]) -> None:
    """Ask `folder` from now on where the operator's profiles are."""
    _source.folder = folder


def own_folder() -> Path | None:
    """Where the operator's profiles are, None when there are none."""
    return _source.folder()


def cached(function: Callable[P, T]) -> Callable[P, T]:
    """As `functools.cache`, but nothing made from one folder is given for another.

    A profile is read once in a process: a changed file takes a new worker. A failure is not kept.
    """

    made: dict[tuple[object, ...], T] = {}

    @wraps(function)
    def of_this_folder(*args: P.args, **kwargs: P.kwargs) -> T:
        key = (own_folder(), args, tuple(sorted(kwargs.items())))
        if key not in made:
            made[key] = function(*args, **kwargs)
        return made[key]

    return of_this_folder


def own_files(kind: Kind) -> tuple[Path, ...]:
    """The operator's files of a kind, by name. Raises ProfileError for a folder that is none."""
    folder = own_folder()
    if folder is None:
        return ()
    check_folder(folder)
    within = folder / kind
    return tuple(sorted(within.glob("*.yaml"))) if within.is_dir() else ()


def check_folder(folder: Path) -> None:
    """Raises ProfileError when something in the folder would silently be left out."""
    if not folder.is_dir():
        raise ProfileError(f"{VARIABLE}: {folder} is no folder; make it, or unset {VARIABLE}")
    if not any((folder / kind).is_dir() for kind in KINDS):
        raise ProfileError(
            f"{VARIABLE}: {folder} has neither cpe/ nor olt/; put the files into one of them"
        )
    try:
        strays = [*_yaml(folder), *(f for kind in KINDS for f in _yaml(folder / kind, but=".yaml"))]
    except OSError as error:
        raise ProfileError(f"{VARIABLE}: {folder} cannot be read: {error.strerror}") from None
    if strays:
        raise ProfileError(
            f"{strays[0]}: is not read; profiles are {folder}/cpe/NAME.yaml"
            f" and {folder}/olt/NAME.yaml: rename or move it"
        )


def _yaml(folder: Path, but: str = "") -> list[Path]:
    """What looks like a profile, those aside that end as they should."""
    entries = sorted(folder.iterdir()) if folder.is_dir() else ()
    return [e for e in entries if e.suffix.lower() in (".yaml", ".yml") and e.suffix != but]


def own_by_id(kind: Kind) -> dict[str, Path]:
    """The operator's files by the id that each gives itself.

    Raises ProfileError for a file without an id, and for two with one.
    """
    found: dict[str, Path] = {}
    for file in own_files(kind):
        name = id_of(file)
        if name in found:
            raise ProfileError(
                f"{file}: id: {name!r} is given twice, also by {found[name]}: change one of them"
            )
        found[name] = file
    return found


def id_of(file: Path) -> str:
    """The id that a profile gives itself. Raises ProfileError."""
    name = mapping(read_yaml(file), file).get("id")
    if not isinstance(name, str) or not name:
        raise ProfileError(f"{file}: id: is missing; say which profile this is")
    return name


def mapping(content: object, file: Path) -> dict[str, object]:
    """A profile's content by key. Raises ProfileError when it is not a mapping."""
    if not isinstance(content, dict):
        raise ProfileError(f"{file}: a profile is a mapping (id: …, title: …)")
    return {str(key): value for key, value in cast("Mapping[object, object]", content).items()}


def parent_of(
    content: Mapping[str, object], file: Path, own: Mapping[str, Path], shipped: Path
) -> Path | None:
    """The file that a profile `extends`, None when it extends none.

    The operator's file of that name before the shipped one; a file that extends its own id adds
    to the shipped one. Raises ProfileError when there is no such profile.
    """
    name = content.get("extends")
    if name is None:
        return None
    if not isinstance(name, str):
        raise ProfileError(f"{file}: extends: {name!r} is not a name")
    mine = own.get(name)
    if mine is not None and mine != file:
        return mine
    folder = shipped if file in own.values() else file.parent
    parent = folder / f"{name}.yaml"
    if parent == file:
        raise ProfileError(f"{file}: extends: {name!r} is circular")
    if not parent.is_file():
        known = sorted({*own, *(path.stem for path in shipped.glob("*.yaml"))})
        raise ProfileError(
            f"{file}: extends: there is no profile {name!r}; one of {', '.join(known)}"
        )
    return parent
