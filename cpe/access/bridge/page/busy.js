// Whether somebody is logged in, asked without logging in: {taken} or {unknown: status}.
async ({ url, tries, pause_ms }) => {
  let status = 0;
  for (let n = 0; n < tries; n += 1) {
    if (n) { await new Promise((resume) => setTimeout(resume, pause_ms * n)); }
    try {
      const answer = await fetch(url, { method: 'POST' });
      status = answer.status;
      const text = await answer.text();
      const logged = /\bisLogined\s*=\s*"?(\d)/.exec(text), busy = /\bisBusy\s*=\s*"?(\d)/.exec(text);
      if (answer.ok && logged) {
        return { taken: logged[1] !== '0' || (busy !== null && busy[1] !== '0') };
      }
    } catch (problem) {
      status = 0;
    }
  }
  return { unknown: status };
}
