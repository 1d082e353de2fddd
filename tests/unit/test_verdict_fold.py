"""The fold: laws that hold for any findings."""

from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.finding import Finding, Status, Text
from cpe.domain.verdict import CONSEQUENCES, ORDER_OF_CAUSES, Code, lead
from cpe.profiles.wording import wording
from cpe.rules.catalogue import RULES

REQUIRED = frozenset({"a.must_hold", "b.must_hold"})
RULE_IDS = ["a.must_hold", "b.must_hold", "c.other", "d.other", "e.other"]
CAUSES = [code.value for code in ORDER_OF_CAUSES]


@st.composite
def findings(draw):
    chosen = []
    for rule in RULE_IDS:
        status = draw(st.sampled_from(list(Status)))
        cause = draw(st.one_of(st.none(), st.sampled_from(CAUSES)))
        chosen.append(
            Finding(
                rule,
                status,
                Text("", ""),
                cause=cause if status is Status.FAULT else None,
                reason="not read" if status is Status.UNKNOWN else "",
            )
        )
    return chosen


@given(findings())
def test_healthy_needs_every_rule_that_matters_and_no_fault(found):
    chosen = lead(found, required_for_healthy=REQUIRED)
    good = {f.rule for f in found if f.status in (Status.OK, Status.DEGRADED)}
    no_fault = all(f.status is not Status.FAULT for f in found)
    assert (chosen.code is Code.HEALTHY) == (no_fault and good >= REQUIRED)


@given(findings())
def test_the_first_cause_in_the_designs_order_leads_and_the_rest_follow(found):
    chosen = lead(found, required_for_healthy=REQUIRED)
    causes = {f.cause for f in found if f.cause}
    ranked = [c for c in ORDER_OF_CAUSES if c.value in causes]
    if ranked:
        assert (chosen.code, list(chosen.also)) == (ranked[0], ranked[1:])
        assert chosen.because


@given(findings())
def test_degraded_and_unknown_findings_never_lead(found):
    chosen = lead(found, required_for_healthy=REQUIRED)
    leading = {f.rule: f.status for f in found if f.rule in chosen.because}
    if chosen.code not in (Code.HEALTHY, Code.INCONCLUSIVE):
        assert set(leading.values()) == {Status.FAULT}


@given(findings())
def test_everything_that_could_not_be_evaluated_is_named_with_its_reason(found):
    chosen = lead(found, required_for_healthy=REQUIRED)
    assert [n.rule for n in chosen.not_evaluable] == [
        f.rule for f in found if f.status is Status.UNKNOWN
    ]
    assert all(n.reason for n in chosen.not_evaluable)


@given(findings(), st.randoms())
def test_the_order_of_findings_does_not_change_the_cause(found, dice):
    shuffled = list(found)
    dice.shuffle(shuffled)
    one = lead(found, required_for_healthy=REQUIRED)
    other = lead(shuffled, required_for_healthy=REQUIRED)
    assert (one.code, one.also, set(one.because)) == (other.code, other.also, set(other.because))


@given(findings())
def test_losing_a_reading_never_makes_a_box_healthy(found):
    lost = [
        Finding(f.rule, Status.UNKNOWN, f.text, reason="lost") if f.rule in REQUIRED else f
        for f in found
    ]
    assert lead(lost, required_for_healthy=REQUIRED).code is not Code.HEALTHY


def test_no_findings_at_all_are_inconclusive():
    assert lead([], required_for_healthy=REQUIRED).code is Code.INCONCLUSIVE


def test_every_code_has_consequences_and_words_in_both_languages():
    words = wording()
    for code in Code:
        action, _ = CONSEQUENCES[code]
        assert words.verdicts[code.value].fr
        assert words.actions[action.value].en


def test_every_code_that_a_rule_can_speak_for_has_its_place_in_the_order():
    speak_for_themselves = {Code.HEALTHY, Code.INCONCLUSIVE, Code.NOT_FOUND}
    assert set(ORDER_OF_CAUSES) == set(Code) - speak_for_themselves


def test_only_hardware_allows_a_swap():
    allowed = {code for code, (_, swap) in CONSEQUENCES.items() if swap.value == "allowed"}
    assert allowed == {Code.HARDWARE_FAULT}


def test_every_rule_has_its_words_and_every_word_its_rule():
    assert [name for name, _ in RULES] == list(dict.fromkeys(name for name, _ in RULES))
    assert {name for name, _ in RULES} == set(wording().rules)
