"""What the SNMP library reports, as our own exceptions. A test walks the library's trees.

v2c cannot tell a wrong community from a dead host: an OLT drops what it may not answer. v3 can.
"""

# pysnmp publishes no types.
# pyright: reportMissingTypeStubs=false
from __future__ import annotations

from typing import Final, cast

from pysnmp.carrier.error import CarrierError
from pysnmp.error import PySnmpError
from pysnmp.proto import errind
from pysnmp.proto.error import ProtocolError, RequestTimeout, StatusInformation
from pysnmp.smi.error import SmiError

from cpe.domain.errors import (
    AccessError,
    BusyError,
    LoginRefusedError,
    NotSupportedError,
    UnexpectedAnswerError,
    UnreachableError,
)

Kind = type[AccessError]

INDICATIONS: Final[dict[type[errind.ErrorIndication], tuple[Kind, str]]] = {
    errind.RequestTimedOut: (UnreachableError, "no answer"),
    errind.UnknownCommunityName: (LoginRefusedError, "the community is refused"),
    errind.UnknownUserName: (LoginRefusedError, "the SNMPv3 user is unknown to the OLT"),
    errind.UnknownSecurityName: (LoginRefusedError, "the SNMPv3 user is unknown to the OLT"),
    errind.WrongDigest: (LoginRefusedError, "the SNMPv3 authentication key is wrong"),
    errind.AuthenticationFailure: (LoginRefusedError, "the SNMPv3 authentication key is wrong"),
    errind.AuthenticationError: (LoginRefusedError, "the SNMPv3 authentication failed"),
    errind.NoAuthentication: (LoginRefusedError, "the OLT wants SNMPv3 authentication"),
    errind.DecryptionError: (LoginRefusedError, "the SNMPv3 privacy key is wrong"),
    errind.UnsupportedSecurityLevel: (LoginRefusedError, "the user has another security level"),
    errind.NoSuchView: (LoginRefusedError, "the user may not read this"),
    errind.NoAccessEntry: (LoginRefusedError, "the user may not read this"),
    errind.NoGroupName: (LoginRefusedError, "the user may not read this"),
    errind.NoSuchContext: (LoginRefusedError, "the SNMP context does not exist"),
    errind.NotInView: (LoginRefusedError, "the user may not read this"),
    errind.NoEncryption: (NotSupportedError, "the OLT or we lack this privacy protocol"),
    errind.EncryptionError: (NotSupportedError, "this privacy protocol is not available here"),
    errind.UnsupportedAuthProtocol: (NotSupportedError, "unsupported authentication protocol"),
    errind.UnsupportedPrivProtocol: (NotSupportedError, "unsupported privacy protocol"),
    errind.UnsupportedSecurityModel: (NotSupportedError, "unsupported SNMP security model"),
    errind.UnsupportedMsgProcessingModel: (NotSupportedError, "unsupported SNMP version"),
    errind.NotInTimeWindow: (BusyError, "the OLT's SNMPv3 clock does not settle; it may restart"),
    errind.UnknownEngineID: (BusyError, "the OLT's SNMPv3 engine does not settle; it may restart"),
    errind.EngineIDMismatch: (UnexpectedAnswerError, "another SNMPv3 engine answered"),
    errind.SerializationError: (UnexpectedAnswerError, "the request could not be encoded"),
    errind.DeserializationError: (UnexpectedAnswerError, "the answer is not SNMP"),
    errind.ParseError: (UnexpectedAnswerError, "the answer is not SNMP"),
    errind.UnknownPDUHandler: (UnexpectedAnswerError, "the answer is of an unknown kind"),
    errind.UnsupportedPDUtype: (UnexpectedAnswerError, "the answer is of an unknown kind"),
    errind.EmptyResponse: (UnexpectedAnswerError, "the answer is empty"),
    errind.NonReportable: (UnexpectedAnswerError, "the OLT could not report its error"),
    errind.DataMismatch: (UnexpectedAnswerError, "the answer is to another request"),
    errind.TooBig: (UnexpectedAnswerError, "the message would be too big"),
    errind.LoopTerminated: (UnexpectedAnswerError, "the conversation ran in circles"),
    errind.InvalidMsg: (UnexpectedAnswerError, "the answer's header is invalid"),
    errind.ReportPduReceived: (UnexpectedAnswerError, "the OLT reported an unnamed error"),
    errind.AccessAllowed: (UnexpectedAnswerError, "the OLT reported an unnamed state"),
    errind.OtherError: (UnexpectedAnswerError, "the SNMP engine failed"),
    errind.OidNotIncreasing: (UnexpectedAnswerError, "the OLT's OIDs do not increase"),
}

EXCEPTIONS: Final[dict[type[PySnmpError], tuple[Kind, str]]] = {
    CarrierError: (UnreachableError, "the network refused the datagram"),
    RequestTimeout: (UnreachableError, "no answer"),
    ProtocolError: (UnexpectedAnswerError, "the answer does not follow the protocol"),
    SmiError: (UnexpectedAnswerError, "the SNMP library's own tables failed"),
}
"""The families of the library's exceptions; the nearest base class decides."""

V2C_SILENCE: Final = "the OLT is down or filtered, or the community is wrong (v2c does not tell)"

V3_SILENCE: Final = "the OLT is down or filtered"
V3_PRIVATE_SILENCE: Final = f"{V3_SILENCE}, or the privacy key is wrong (undecipherable is dropped)"

# RFC 3416 § 3. tooBig and genErr are handled by the session before they get here.
STATUS_NAMES: Final[dict[int, str]] = {
    1: "tooBig",
    2: "noSuchName",
    3: "badValue",
    4: "readOnly",
    5: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}
TOO_BIG: Final = 1
NO_SUCH_NAME: Final = 2
GEN_ERR: Final = 5


def from_indication(indication: object, *, olt: str) -> AccessError:
    """Our exception for an error indication. An unmapped one is a stranger, and says its name."""
    for kind in type(indication).__mro__:
        if kind in INDICATIONS:
            ours, words = INDICATIONS[kind]
            return ours(words, system="olt", target=olt)
    # pysnmp's command generator also reports the bare text "badResponse".
    name = indication if isinstance(indication, str) else type(indication).__name__
    return UnexpectedAnswerError(f"unknown SNMP error {name!r}", system="olt", target=olt)


def from_exception(error: PySnmpError, *, olt: str) -> AccessError:
    """Our exception for what the library raised. Its text may hold keys: it is not told."""
    if isinstance(error, StatusInformation) and "errorIndication" in error:
        return from_indication(cast("object", error["errorIndication"]), olt=olt)
    for base in type(error).__mro__:
        if issubclass(base, PySnmpError) and base in EXCEPTIONS:
            ours, words = EXCEPTIONS[base]
            return ours(words, system="olt", target=olt)
    name = type(error).__name__
    return UnexpectedAnswerError(f"the SNMP library failed: {name}", system="olt", target=olt)


def from_status(status: int, what: str, *, olt: str) -> AccessError:
    """Our exception for a non-zero error-status."""
    name = STATUS_NAMES.get(status, f"error-status {status}")
    message = f"the OLT answered {name} for {what}"
    if name in ("noAccess", "authorizationError"):
        return LoginRefusedError(message, system="olt", target=olt)
    if name == "resourceUnavailable":
        return BusyError(message, system="olt", target=olt)
    return UnexpectedAnswerError(message, system="olt", target=olt)
