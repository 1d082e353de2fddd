"""Data files: YAML without duplicate keys, checked against a schema; errors name file and key."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from cpe.domain.errors import ProfileError

M = TypeVar("M", bound=BaseModel)


class _StrictLoader(yaml.SafeLoader):
    """SafeLoader that refuses a key given twice, which YAML would silently resolve."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            key: Hashable = self.construct_object(key_node, deep=True)  # pyright: ignore[reportUnknownMemberType]
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is given twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)  # pyright: ignore[reportUnknownMemberType]


def read_yaml(path: Path) -> Any:
    """The file's content. Raises ProfileError naming the file when it cannot be read or parsed."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise ProfileError(f"{path}: {' '.join(str(error).split())}") from error


def check(model: type[M], content: object, path: Path) -> M:
    """The content as `model`. Raises ProfileError naming file and key of the first mistakes."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise ProfileError(f"{path}: {describe(error)}") from error


def describe(error: ValidationError) -> str:
    """A validation error as `key.subkey: what is wrong; …`, without the offending values."""
    items = error.errors(include_url=False, include_input=False, include_context=False)[:5]
    return "; ".join(
        ": ".join(
            part
            for part in (
                ".".join(str(step) for step in item["loc"]),
                item["msg"].removeprefix("Value error, "),
            )
            if part
        )
        for item in items
    )
