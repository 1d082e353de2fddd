// The API, as any client calls it: a bearer token, problem details, events over fetch (an
// EventSource sends no Authorization).

import { say, has } from "./words.js";

const KEY = "cpe-hub-token";
const AWAY = [0, 502, 503, 504]; // nobody answered, or a proxy did

export const token = () => sessionStorage.getItem(KEY) || localStorage.getItem(KEY) || "";

export function keepToken(value, remember) {
  forgetToken();
  (remember ? localStorage : sessionStorage).setItem(KEY, value);
}

export function forgetToken() {
  sessionStorage.removeItem(KEY);
  localStorage.removeItem(KEY);
}

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || String(status));
    this.status = status;
    this.code = body.code || (AWAY.includes(status) ? "lost" : "");
    this.run = body.run || null;
  }

  get forPeople() {
    return has(this.code) ? say(this.code) : this.message;
  }
}

async function ask(path, options = {}) {
  const headers = { accept: "application/json", ...(options.headers || {}) };
  if (token()) headers.authorization = `Bearer ${token()}`;
  let answer;
  try {
    answer = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { code: "lost", detail: say("lost") });
  }
  if (answer.ok) return answer;
  let body = {};
  try { body = await answer.json(); } catch { /* a proxy's page */ }
  throw new Problem(answer.status, body);
}

const json = async (path, options) => (await ask(path, options)).json();
const named = (serial) => encodeURIComponent(serial);

export const me = () => json("/me");
export const lookup = (serial) => json(`/devices/lookup?serial=${named(serial)}`);
export const diagnosis = (id) => json(`/devices/diagnoses/${id}`);
export const history = (serial) => json(`/devices/${named(serial)}/history?limit=30`);
export const page = (url) => json(url);

export const diagnose = (serial, body) =>
  json(`/devices/${named(serial)}/diagnose`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

// Calls `take(event, data)` for each event; taken up again where it broke, also by a hub that starts anew.
export async function follow(id, take, signal) {
  let [last, failures] = ["", 0];
  while (!signal.aborted) {
    const headers = { accept: "text/event-stream", ...(last ? { "last-event-id": last } : {}) };
    let answer;
    try {
      answer = await ask(`/devices/diagnoses/${id}/events`, { headers, signal });
    } catch (error) {
      failures += 1;
      if (!AWAY.includes(error.status) || failures > 5) throw error;
      await pause(failures * 1000);
      continue;
    }
    failures = 0;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read().catch(() => ({ done: true }));
      if (done) break;
      text += value;
      const parts = text.split(/\r?\n\r?\n/);
      text = parts.pop();
      for (const part of parts) {
        const fields = Object.fromEntries(part.split(/\r?\n/).filter((l) => l && !l.startsWith(":"))
          .map((l) => [l.slice(0, l.indexOf(":")), l.slice(l.indexOf(":") + 1).trim()]));
        if (fields.id) last = fields.id;
        if (fields.data) take(fields.event, JSON.parse(fields.data));
        if (fields.event === "verdict" || fields.event === "problem") return;
      }
    }
    await pause(1000);
  }
}

const pause = (ms) => new Promise((resolve) => { setTimeout(resolve, ms); });
