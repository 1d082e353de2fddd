// Reads one object after the other through the page's own functions. Only listed attributes are
// handed over; what the page says in words stays here.
async ({ reads, pace, spend_ms, max_rows, max_text }) => {
  const began = Date.now();
  const sleep = (ms) => new Promise((resume) => setTimeout(resume, ms));
  const once = (read) => Promise.race([
    new Promise((resolve) => {
      try {
        jQuery.dm[read.method]({
          oid: read.oid,
          data: {},
          callback: {
            success: (data) => resolve({ data }),
            fail: (code) => resolve({ code: Number(code) || 0 }),
            error: () => resolve({ cut: true })
          }
        });
      } catch (problem) {
        resolve({ thrown: true });
      }
    }),
    sleep(pace.read_ms).then(() => ({ late: true }))
  ]);
  const stillOurs = async () => {
    try {
      const answer = await fetch('/', { cache: 'no-store' });
      return /\bvar\s+token\s*=\s*["']\w+["']/.test(await answer.text());
    } catch (problem) {
      return null;
    }
  };
  const picked = (row, names) => {
    const kept = {};
    names.forEach((name) => {
      const value = row[name];
      if (['string', 'number', 'boolean'].includes(typeof value)) {
        kept[name] = String(value).slice(0, max_text);
      }
    });
    return kept;
  };

  const found = {}, failed = {};
  await sleep(pace.settle_ms);
  for (const [place, read] of reads.entries()) {
    if (place) { await sleep(pace.spacing_ms); }
    if (window.__bridgeLeaves) { break; } // logout.js waits behind what is asked here
    let answer = await once(read);
    for (let n = 1; answer.cut && n <= pace.retries && !window.__bridgeLeaves; n += 1) {
      await sleep(pace.back_off_ms * n);
      answer = await once(read);
    }
    if (answer.cut && await stillOurs() === false) {
      return { found, failed, lost: true };
    }
    if ('data' in answer && answer.data !== undefined && answer.data !== null) {
      const rows = Array.isArray(answer.data) ? answer.data : [answer.data];
      found[read.oid] = rows.slice(0, max_rows)
        .filter((row) => row !== null && typeof row === 'object')
        .map((row) => picked(row, read.attributes));
    } else if ('code' in answer) {
      failed[read.oid] = `code ${answer.code}`;
    } else if (read.attributes.length) {
      failed[read.oid] = answer.late ? 'no answer in time' : answer.cut ? 'cut off' : 'no such call';
    }
    if (Date.now() - began > spend_ms) {
      reads.slice(place + 1).forEach((rest) => { failed[rest.oid] = 'no time left'; });
      break;
    }
  }
  return { found, failed, lost: false };
}
