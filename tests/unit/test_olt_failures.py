"""Nothing the SNMP library can report leaves unmapped."""

from __future__ import annotations

import importlib
import pickle
import pkgutil

import pysnmp.carrier
import pysnmp.entity
import pysnmp.proto
import pysnmp.smi
import pytest
from pysnmp.error import PySnmpError
from pysnmp.proto import errind
from pysnmp.proto.error import StatusInformation

from cpe.access.olt.failures import (
    EXCEPTIONS,
    INDICATIONS,
    from_exception,
    from_indication,
    from_status,
)
from cpe.domain.errors import (
    AccessError,
    BusyError,
    LoginRefusedError,
    UnexpectedAnswerError,
    UnreachableError,
)


def tree(root: type) -> list[type]:
    found: dict[type, None] = {}
    for kind in root.__subclasses__():
        found[kind] = None
        found |= dict.fromkeys(tree(kind))
    return list(found)


def load_library() -> None:
    """Import what may define exceptions, so that the tree is whole."""
    for package in (pysnmp.proto, pysnmp.carrier, pysnmp.smi, pysnmp.entity):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            if not module.ispkg:
                importlib.import_module(module.name)


load_library()


@pytest.mark.parametrize("kind", tree(errind.ErrorIndication), ids=lambda k: k.__name__)
def test_every_error_indication_is_mapped_by_name(kind: type[errind.ErrorIndication]):
    assert kind in INDICATIONS
    error = from_indication(kind(), olt="olt-1")
    assert type(error) is INDICATIONS[kind][0]
    assert (error.system, error.target) == ("olt", "olt-1")
    assert "unknown SNMP error" not in error.message


@pytest.mark.parametrize("kind", tree(PySnmpError), ids=lambda k: k.__name__)
def test_every_exception_of_the_library_belongs_to_a_mapped_family(kind: type[PySnmpError]):
    assert any(base in EXCEPTIONS for base in kind.__mro__)
    try:
        raised = kind("key CANARY")
    except TypeError:  # some take keywords only
        raised = kind()
    error = from_exception(raised, olt="olt-1")
    assert isinstance(error, AccessError)
    assert "CANARY" not in str(error)


def test_a_status_information_is_told_by_its_indication():
    raised = StatusInformation(errorIndication=errind.wrongDigest)
    assert type(from_exception(raised, olt="o")) is LoginRefusedError


def test_an_unknown_indication_is_a_stranger_with_its_name():
    class Novelty(errind.ErrorIndication):
        pass

    for indication, name in ((Novelty(), "Novelty"), ("badResponse", "badResponse")):
        error = from_indication(indication, olt="o")
        assert type(error) is UnexpectedAnswerError
        assert name in error.message


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (2, UnexpectedAnswerError, "noSuchName"),
        (5, UnexpectedAnswerError, "genErr"),
        (6, LoginRefusedError, "noAccess"),
        (16, LoginRefusedError, "authorizationError"),
        (13, BusyError, "resourceUnavailable"),
        (77, UnexpectedAnswerError, "error-status 77"),
    ],
)
def test_an_error_status_is_told_by_name(status: int, kind: type[AccessError], says: str):
    error = from_status(status, "the state", olt="o")
    assert type(error) is kind
    assert says in error.message


def test_only_what_time_may_heal_is_transient():
    assert from_indication(errind.requestTimedOut, olt="o").transient
    assert from_indication(errind.notInTimeWindow, olt="o").transient
    for final in (errind.wrongDigest, errind.unknownUserName, errind.decryptionError):
        assert not from_indication(final, olt="o").transient


def test_our_exceptions_survive_pickling():
    error = from_indication(errind.requestTimedOut, olt="olt-1")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is UnreachableError
    assert str(copy) == str(error)
