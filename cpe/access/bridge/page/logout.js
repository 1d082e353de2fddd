// Ends our own session; modems answer nothing, `$.ret=0;` or JSON. 'ended', 'none' (there was no
// session of ours), 'open' (it does not end, or nobody can say).
async ({ logout_ms }) => {
  window.__bridgeLeaves = true;
  const stillIn = async () => {
    const answer = await fetch('/', { cache: 'no-store' });
    return /\bvar\s+token\s*=\s*["']\w+["']/.test(await answer.text());
  };
  const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms));
  if (!window.token && !await stillIn().catch(() => true)) { return 'none'; }
  await Promise.race([
    new Promise((resolve) => {
      try {
        const callback = { success: resolve, fail: resolve, error: resolve };
        jQuery.dm.cgi({ oid: '/cgi/logout', data: {}, callback });
      } catch (problem) {
        resolve();
      }
    }),
    sleep(logout_ms)
  ]);
  return stillIn().then((still) => (still ? 'open' : 'ended'), () => 'open');
}
