"""What holds of WAN sessions whatever a box has of them."""

from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.finding import Status
from cpe.domain.observation import Quality
from cpe.domain.verdict import Code
from tests.support.cases import reading, snapshot
from tests.support.judging import found, verdict

RULE = "wan.session_is_up"
SERVICES = (None, "INTERNET", "TR069", "TR069_INTERNET", "VOIP", "OTHER", "Unknown")
STATES = ("connected", "connecting", "disconnected", "unconfigured", "unknown", None)


@st.composite
def rows(draw, number, states=STATES):
    """The readings of one connection; a state of None was read long ago."""
    subject = f"wan:{draw(st.sampled_from(['A.PPP', 'Device.IP.Interface']))}.{number}"
    state = draw(st.sampled_from(states))
    stale = reading("wan.status", "connected", subject, age_s=900, quality=Quality.STALE)
    told = [stale if state is None else reading("wan.status", state, subject)]
    for name, values in (
        ("wan.service", SERVICES),
        ("wan.ip", (None, "100.64.1.2", "0.0.0.0")),
        ("wan.enabled", (None, True)),
        ("wan.connection", (None, "IP_Routed", "IP_Bridged")),
        ("wan.last_error", (None, "ERROR_NONE", "ERROR_AUTHENTICATION_FAILURE")),
    ):
        if (value := draw(st.sampled_from(values))) is not None:
            told.append(reading(name, value, subject))
    return told


connections = st.integers(0, 4).flatmap(lambda n: st.tuples(*(rows(i) for i in range(n))))


def shot(*told):
    return snapshot(*(m for row in told for m in row), without=["wan.status"])


@given(connections, rows(9, states=(None,)))
def test_a_connection_that_nobody_read_never_makes_a_box_healthy(told, unread):
    if verdict(shot(*told)).code is not Code.HEALTHY:
        assert verdict(shot(*told, unread)).code is not Code.HEALTHY


@given(connections)
def test_a_session_is_only_up_when_one_that_may_be_the_internets_was_read_as_connected(told):
    finding = found(shot(*told), RULE)
    if finding.status in (Status.OK, Status.DEGRADED):
        assert any(
            {"connected"} == {m.value for m in row if m.name == "wan.status" and m.usable}
            and not {"TR069", "VOIP"} & {m.value for m in row if m.name == "wan.service"}
            for row in told
        )


@given(connections)
def test_what_is_not_known_to_be_up_is_never_left_unsaid(told):
    case = shot(*told)
    finding = found(case, RULE)
    named = {n.rule for n in verdict(case).not_evaluable}
    assert (finding.status is Status.UNKNOWN) == (RULE in named)
    if finding.status is Status.FAULT:
        assert verdict(case).code is Code.INCONCLUSIVE


@given(connections)
def test_the_order_of_the_connections_does_not_matter(told):
    assert found(shot(*told), RULE).status is found(shot(*reversed(told)), RULE).status
