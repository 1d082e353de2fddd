"""The ONT's own speed test, and what the customer measured."""

from __future__ import annotations

from cpe.domain.finding import Evidence, Finding, Status
from cpe.domain.observation import Source
from cpe.domain.snapshot import SpeedTest
from cpe.domain.verdict import Code
from cpe.rules.facts import Facts
from cpe.rules.wan import line_serves


def ont_is_fast_enough(facts: Facts) -> Finding:
    """Slow at the ONT with good optics is the access network."""
    rule = "speed.ont_is_fast_enough"
    request, test = facts.snapshot.request, facts.snapshot.speedtest
    if not request.speedtest:
        return facts.not_applicable(rule)
    if test is None or test.download_mbps is None:
        return _without_test(facts, rule)
    low = needed_mbps(facts)
    evidence = [_evidence(test, low)]
    least, most = test.bounds_mbps
    if least < low <= most:
        return _in_doubt(facts, rule, test, evidence)
    if test.download_mbps < low:
        cause = Code.ACCESS_SLOW if facts.line_is_good else None
        return facts.say(
            rule, Status.FAULT, "slow", evidence, cause, mbps=test.download_mbps, low=low
        )
    return facts.say(rule, Status.OK, "ok", evidence, mbps=test.download_mbps)


def customer_gets_it(facts: Facts) -> Finding:
    """A fast ONT and a slow customer: something in the home."""
    rule = "speed.customer_gets_it"
    request, test = facts.snapshot.request, facts.snapshot.speedtest
    if request.measured_mbps is None:
        return facts.not_applicable(rule)
    if test is None or test.download_mbps is None:
        return _without_test(facts, rule)
    share, (slowest, fastest) = facts.thresholds.speed.customer_share, test.bounds_mbps
    least = share * test.download_mbps
    evidence = [
        Evidence(
            "customer.download_mbps",
            request.measured_mbps,
            f"≥ {least:.1f}",
            "Mbit/s",
            None,
            None,
            fits=request.measured_mbps >= least,
        ),
        _evidence(test, needed_mbps(facts)),
    ]
    params = {"customer": request.measured_mbps, "mbps": test.download_mbps}
    if share * slowest <= request.measured_mbps < share * fastest:
        return _in_doubt(facts, rule, test, evidence)
    if request.measured_mbps >= least:
        return facts.say(rule, Status.OK, "ok", evidence, **params)
    fast = slowest >= needed_mbps(facts)
    cause = Code.CLIENT_DEVICE if fast and line_serves(facts) else None
    status = Status.FAULT if cause is not None else Status.DEGRADED
    return facts.say(rule, status, "loses", evidence, cause, **params)


def _in_doubt(facts: Facts, rule: str, test: SpeedTest, evidence: list[Evidence]) -> Finding:
    """Not evaluable: the box's times are too coarse to tell on which side of the limit it is."""
    least, most = (round(bound) for bound in test.bounds_mbps)
    step = (test.resolution_ms or 0) / 1000
    return facts.unknown(rule, "coarse_speed", evidence, step=step, least=least, most=most)


def _without_test(facts: Facts, rule: str) -> Finding:
    test = facts.snapshot.speedtest
    if not facts.snapshot.request.speedtest:
        return facts.unknown(rule, "speedtest_not_asked")
    detail = facts.wording.detail((test and test.detail) or "?")
    return facts.unknown(rule, "speedtest_missing", detail=detail)


def needed_mbps(facts: Facts) -> float:
    """Below this a speed test is slow: half the plan, or a fixed figure with no plan known."""
    limits, plan = facts.thresholds.speed, facts.snapshot.request.plan_mbps
    return limits.slow_share_of_plan * plan if plan is not None else limits.slow_mbps


def _evidence(test: SpeedTest, low: float) -> Evidence:
    return Evidence(
        "speedtest.download_mbps", test.download_mbps, f"≥ {low:g}", "Mbit/s", Source.SPEEDTEST,
        0.0, measured_at=test.at, fits=None if test.download_mbps is None
        else test.download_mbps >= low,
    )  # fmt: skip
