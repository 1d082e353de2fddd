"""Nothing but listed reads leaves the browser, whoever asks: the page, its buttons, or us."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.support.bridge_bench import bridge_bench, evaluate

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

DM = """([method, oid]) => new Promise((resolve) => {
  setTimeout(() => resolve('silence'), 2000);
  jQuery.dm[method]({ oid, data: { enable: '1' }, callback: {
    success: () => resolve('done'), fail: (code) => resolve(`code ${code}`),
    error: () => resolve('cut')
  } });
})"""
WRITES = (
    ("op", "ACT_REBOOT"), ("op", "ACT_FACTORY_RESET"), ("op", "ACT_PPP_DISCONNECT"),
    ("set", "DEV2_ADT_WAN"), ("add", "DEV2_ADT_WAN"), ("del", "DEV2_ADT_WAN"),
    ("getList", "DEV2_USER_CFG"), ("get", "DEV2_USER_CFG"), ("cgi", "/cgi/confup"),
)  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory):
    async with bridge_bench(tmp_path_factory.mktemp("guard")) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def inside(bench):
    """(box, session, context) of somebody logged in."""
    box = bench.box()
    async with bench.session(box) as session:
        await session.open()
        await session.ask_whether_free()
        await session.log_in()
        yield box, session, session._context
        await session.log_out()


@pytest.mark.parametrize(("method", "oid"), WRITES)
async def test_a_write_does_not_leave_the_browser(bench, inside, method, oid):
    box, session, context = inside
    before = bench.lab.modem.requests
    assert await evaluate(context, DM, [method, oid]) == "cut"
    assert bench.lab.modem.requests == before
    assert box.state.writes == []
    assert oid in " ".join(await session.refused_by_guard())
    # and the session goes on
    assert await evaluate(context, DM, ["getList", "DEV2_OPTC_GPON_CFG"]) == "done"


async def test_the_pages_own_reboot_button_does_nothing(bench, inside):
    box, session, context = inside
    await context.pages[0].click("#topReboot")
    assert await evaluate(context, DM, ["get", "DEV2_DEV_INFO"]) == "done"
    assert await session.refused_by_guard() == ("op ACT_REBOOT",)
    assert box.state.writes == []


async def test_a_harmless_ciphertext_is_good_for_one_request_only(bench, inside):
    _, _, context = inside
    status = await evaluate(context, """async () => {
      const plain = '{"operation":"gl","oid":"DEV2_OPTC_GPON_CFG","data":{}}\\r\\n';
      const made = jQuery.Iencryptor.AESEncrypt(plain);
      const body = `sign=${made.sign}\\r\\ndata=${made.data}\\r\\n`;
      const headers = { TokenID: window.token };
      const send = () => fetch('/cgi_gdpr?9', { method: 'POST', body, headers }).then(
        (answer) => answer.status, () => 'refused');
      return [await send(), await send()];
    }""")  # fmt: skip
    assert status == [200, "refused"]


async def test_a_write_that_was_encrypted_behind_the_guard_does_not_leave(bench, inside):
    box, _, context = inside
    before = bench.lab.modem.requests
    said = await evaluate(context, """async () => {
      const crypt = jQuery.Iencryptor, key = crypt.raw(crypt.aesKey), iv = crypt.raw(crypt.aesIv);
      const plain = jQuery.bytes.ofText('{"operation":"op","oid":"ACT_REBOOT","data":{}}\\r\\n');
      const data = jQuery.bytes.toBase64(jQuery.aes.encryptCbc(key, iv, plain));
      const body = `sign=${crypt.signature(data.length)}\\r\\ndata=${data}\\r\\n`;
      const tried = [];
      await fetch('/cgi_gdpr?9', { method: 'POST', body }).catch(() => tried.push('fetch'));
      await fetch(new Request('/cgi_gdpr?9', { method: 'POST', body })).catch(
        () => tried.push('request'));
      await new Promise((resolve) => {
        const xhr = new XMLHttpRequest();
        xhr.open('POST', '/cgi_gdpr?9');
        xhr.onerror = () => { tried.push('xhr'); resolve(); };
        xhr.onload = resolve;
        xhr.send(body);
      });
      tried.push(navigator.sendBeacon('/cgi_gdpr?9', body));
      const form = document.createElement('form');
      form.method = 'POST'; form.action = '/cgi_gdpr?9';
      document.body.append(form); form.submit();
      tried.push(typeof WebSocket, typeof Worker);
      return tried;
    }""")  # fmt: skip
    assert said == ["fetch", "request", "xhr", False, "undefined", "undefined"]
    assert bench.lab.modem.requests == before
    assert box.state.writes == []


async def test_a_second_login_does_not_leave_the_page(bench, inside):
    box, session, context = inside
    assert await evaluate(context, DM, ["cgi", "/cgi/login"]) == "cut"
    assert await session.refused_by_guard() == ("second login",)
    assert box.state.logins == 1


@pytest.mark.parametrize("path", ["/cgi/reboot", "/cgi/confencode", "/cgi?9", "/cgi-bin/x"])
async def test_calls_that_are_not_listed_do_not_leave(bench, inside, path):
    _, _, context = inside
    before = bench.lab.modem.requests
    script = """(path) => Promise.all(['GET', 'POST', 'PUT'].map((method) =>
        fetch(path, { method }).then(() => 'sent', () => 'refused')))"""
    assert await evaluate(context, script, path) == ["refused"] * 3
    # the network layer refuses too: an image is no call that the page layer sees
    await evaluate(
        context,
        """(path) => new Promise((resolve) => {
      const image = new Image(); image.onload = image.onerror = resolve; image.src = path; })""",
        path,
    )
    assert bench.lab.modem.requests == before


async def test_other_origins_are_not_reached(bench, inside):
    _, _, context = inside
    before = bench.lab.erp.requests + bench.lab.acs.requests
    await evaluate(context, """(urls) => Promise.all(urls.map((url) => new Promise((resolve) => {
      const image = new Image(); image.onload = image.onerror = resolve; image.src = url; })))""",
      [f"{bench.lab.erp.url}/a.png", f"{bench.lab.acs.url}/b.png"])  # fmt: skip
    frame = """(url) => new Promise((resolve) => { const frame = document.createElement('iframe');
      frame.onload = resolve; frame.src = url; document.body.append(frame); })"""
    await evaluate(context, frame, bench.lab.erp.url)
    assert bench.lab.erp.requests + bench.lab.acs.requests == before


async def test_only_listed_attributes_leave_the_page(bench, inside):
    _, session, _ = inside
    reads = (bench.profile.identity, *bench.profile.reads)
    harvest = await session.read(reads, spend_s=5)
    rows = {oid: list(found) for oid, found in harvest.rows.items()}
    assert "CANARY" not in str(rows)
    for read in reads:
        assert rows[read.oid], read.oid
        assert all(set(row) <= set(read.attributes) for row in rows[read.oid])
    wan = rows["DEV2_ADT_WAN"][2]
    assert wan["connStatusV4"] == "Connected"
