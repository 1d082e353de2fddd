"""A 5 GHz radio that listens for radar is silent and not dead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cpe.domain.verdict import Code
from cpe.profiles.channels import channel_plan, widths
from tests.support.documents import GOOD_098, GOOD_181, judged

FIVE = channel_plan()["5"]
NO_DFS = "36,40,44,48,149,153,157,161,165"


def dead(channel, width="80MHz", band="5GHz", **more):
    path = "Device.WiFi.Radio.2"
    leaves = {f"{path}.OperatingFrequencyBand": band, f"{path}.Enable": True,
              f"{path}.Status": "Down", f"{path}.Channel": channel}  # fmt: skip
    if width is not None:
        leaves[f"{path}.CurrentOperatingChannelBandwidth"] = width
    return GOOD_181 | leaves | {f"{path}.{name}": value for name, value in more.items()}


@pytest.mark.parametrize(
    ("channel", "width", "more"),
    [
        (36, "160MHz", {}), (48, "160 MHz", {}), (36, "80+80MHz", {}), (149, "80+80MHz", {}),
        (44, "HE160", {}), (36, "VHT80P80", {}), (36, "20/40/80/160MHz", {}), (36, "Auto", {}),
        (36, "", {"OperatingChannelBandwidth": "Auto"}), (36, None, {}), (40, "4", {}),
        (0, "80MHz", {}), (0, "20MHz", {}), (52, "20MHz", {}), (116, "80MHz", {}),
        (144, "20MHz", {}), (120, "40MHz", {}), (100, None, {}),
    ],
)  # fmt: skip
def test_a_radio_that_may_listen_for_radar_is_not_dead(channel, width, more):
    said = judged(dead(channel, width, **more))
    assert said.verdict.code is not Code.HARDWARE_FAULT
    assert said.verdict.swap.value != "allowed"
    assert "DFS" in next(f for f in said.findings if f.rule == "hardware.radios_are_up").text.fr


@pytest.mark.parametrize(
    ("channel", "width", "band", "more"),
    [
        (36, "80MHz", "5GHz", {}), (36, "20/40/80MHz", "5GHz", {}), (36, "40MHz", "5GHz", {}),
        (48, "20MHz", "5GHz", {}), (149, "80MHz", "5GHz", {}), (149, "160MHz", "5GHz", {}),
        (165, None, "5GHz", {}), (36, "VHT80", "5GHz", {"AutoChannelEnable": False}),
        (36, None, "5GHz", {"PossibleChannels": NO_DFS}),
        (0, "80MHz", "5GHz", {"PossibleChannels": NO_DFS}),
        (44, "80MHz", "5GHz", {"AutoChannelEnable": True}),
        (36, "80MHz", "5GHz", {"AutoChannelEnable": True, "PossibleChannels": NO_DFS}),
        (37, "160MHz", "6GHz", {}), (0, None, "6GHz", {}), (53, "320MHz-1", "6GHz", {}),
        (6, "40MHz", "2.4GHz", {}), (0, "Auto", "2.4GHz", {"AutoChannelEnable": True}),
    ],
)  # fmt: skip
def test_a_radio_that_no_radar_keeps_silent_is_dead(channel, width, band, more):
    assert judged(dead(channel, width, band, **more)).verdict.code is Code.HARDWARE_FAULT


@pytest.mark.parametrize("maker", ["ACME", "Huawei", "ZTE"])
@pytest.mark.parametrize("channel", [0, 36, 52, 6])
def test_a_network_of_tr_098_is_no_radio(maker, channel):
    path = "InternetGatewayDevice.LANDevice.1.WLANConfiguration.5"
    leaves = GOOD_098 | {f"{path}.Enable": True, f"{path}.Status": "Down",
                         f"{path}.Channel": channel, f"{path}.X_HW_RFBand": "5GHz"}  # fmt: skip
    assert judged(leaves, maker=maker).verdict.code is Code.INCONCLUSIVE


@pytest.mark.parametrize(
    ("text", "mhz"),
    [
        ("20MHz", (20, False)), ("11ACVHT80", (80, False)), ("HT40+", (40, False)),
        ("80+80MHz", (80, True)), ("8080", (80, True)), ("160", (160, False)),
        ("320MHz-2", (320, False)), ("20,40,80", (80, False)), ("Auto", (None, False)),
        (None, (None, False)), ("3", (None, False)), ("1600", (None, False)),
    ],
)  # fmt: skip
def test_the_width_is_the_widest_that_a_box_names(text, mhz):
    assert widths(text) == mhz


CHANNELS = st.sampled_from([*range(36, 65, 4), *range(100, 145, 4), *range(149, 178, 4), None])
WIDTHS = st.sampled_from(["20MHz", "40MHz", "80MHz", "160MHz"])


@given(CHANNELS, WIDTHS)
def test_knowing_less_never_makes_a_radio_dead(channel, width):
    if FIVE.may_need_radar(channel, width, frozenset()):
        assert FIVE.may_need_radar(channel, None, frozenset())
        assert FIVE.may_need_radar(None, width, frozenset())


@given(CHANNELS, WIDTHS)
def test_a_wider_channel_never_needs_less_listening(channel, width):
    ranked = ["20MHz", "40MHz", "80MHz", "160MHz"]
    told = [FIVE.may_need_radar(channel, w, frozenset()) for w in ranked]
    assert told == sorted(told)
