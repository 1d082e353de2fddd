// The page of one box: what is kept at once, then a new diagnosis with its steps as they happen.

import * as api from "./api.js";
import { acs, evidence, light, line, mesh, missing, pastOf, sources, wifi } from "./cards.js";
import { el } from "./dom.js";
import { verdictCard } from "./verdict.js";
import { currentLanguage, loadWords, of, say, setLanguage } from "./words.js";

const $ = (id) => document.getElementById(id);
const shown = { serial: "", document: null, readAt: 0, refreshing: false, past: null, next: null, roles: [], notice: null };
let following = null;

async function start() {
  await loadWords();
  takeTokenFromAddress();
  dress();
  $("search").addEventListener("submit", (event) => { event.preventDefault(); open_($("serial").value.trim()); });
  $("diagnose").addEventListener("submit", (event) => { event.preventDefault(); diagnose(event.target); });
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => { setLanguage(button.dataset.language); dress(); show(); });
  }
  window.addEventListener("popstate", () => load(serialOfAddress()));
  setInterval(() => { if (shown.document && !document.hidden) showVerdict(); }, 10_000);
  await load(serialOfAddress());
}

// …#token=… once, so that a link from the ops app opens the page; never sent to the server.
function takeTokenFromAddress() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (!given) return;
  api.keepToken(given, false);
  history.replaceState(null, "", location.pathname);
}

function serialOfAddress() {
  const path = location.pathname.replace(/^\/(devices\/?)?/, "");
  try { return decodeURIComponent(path); } catch { return path; }
}

function open_(serial) {
  if (!serial) return;
  history.pushState(null, "", `/devices/${encodeURIComponent(serial)}`);
  load(serial);
}

async function load(serial) {
  following?.abort();
  following = null;
  Object.assign(shown, { serial, document: null, refreshing: false, past: null, next: null });
  busy(false);
  $("serial").value = serial;
  $("steps").replaceChildren();
  $("box").hidden = !serial;
  notice(serial ? null : () => say("welcome"));
  document.title = serial || "Diagnostic";
  show();
  if (!serial) return;
  await guarded(async () => {
    if (shown.roles.length === 0) shown.roles = (await api.me()).roles;
    $("diagnose").hidden = !shown.roles.includes("diagnose");
    guarded(() => loadPast(serial)); // meanwhile; without it there is a verdict all the same
    const found = await api.lookup(serial);
    if (serial !== shown.serial) return;
    if (found.diagnosis) take(found.diagnosis, found.age_s);
    else notice(() => say("never"));
    if (found.refresh?.state === "started") await follow(found.refresh.id);
    else if (found.refresh?.state === "unavailable") notice(() => say("prefect-unavailable"), true);
    else if (found.refresh?.state === "failed") notice(() => say("diagnosis-failed"), true);
  });
}

async function loadPast(serial) {
  const found = await api.history(serial);
  if (serial !== shown.serial) return;
  Object.assign(shown, { past: found.items, next: found.next_url });
  showPast();
}

async function diagnose(form) {
  if (form.querySelector("button").getAttribute("aria-disabled") === "true") return;
  const measured = form.measured.value === "" ? null : Number(form.measured.value);
  const { serial } = shown;
  await guarded(async () => {
    busy(true);
    const begun = await api.diagnose(serial, { speedtest: form.speedtest.checked, measured_mbps: measured });
    if (serial !== shown.serial) return;
    if (begun.schema) take(begun, 0);
    else await follow(begun.id);
  });
  if (serial === shown.serial) busy(false);
}

async function follow(id) {
  following?.abort();
  const mine = following = new AbortController();
  const serial = shown.serial;
  busy(true);
  shown.refreshing = true;
  if (shown.document) showVerdict();
  $("steps").replaceChildren();
  addStep(() => say("asked"));
  let [problem, begun, well] = [null, false, false];
  try {
    await api.follow(id, (event, data) => {
      if (mine.signal.aborted) return;
      if (event === "step") {
        const first = data.step === "run: begun";
        if (first && begun) beginAgain();
        else addStep(() => of(data.text));
        begun ||= first;
      }
      if (event === "problem") problem = new api.Problem(0, data);
    }, mine.signal);
    if (mine.signal.aborted) return;
    if (problem) throw problem;
    const made = await api.diagnosis(id);
    if (mine.signal.aborted) return;
    take(made, 0);
    well = true;
    notice(null);
    await loadPast(serial);
  } finally {
    if (following === mine) {
      shown.refreshing = false;
      endSteps(well);
      busy(false);
      if (shown.document) showVerdict();
    }
  }
}

function addStep(text) {
  $("steps").lastElementChild?.classList.replace("now", "done");
  const step = el("li", { class: "now" }, text());
  step.text = text;
  $("steps").append(step);
}

// Its worker was killed, and the next one took the run up: what was seen so far counts for nothing.
function beginAgain() {
  $("steps").replaceChildren();
  addStep(() => say("again"));
}

function endSteps(well) {
  for (const step of $("steps").children) step.classList.replace("now", well ? "done" : "broken");
}

function take(document_, age_s) {
  shown.document = document_;
  shown.readAt = Date.now() - age_s * 1000;
  show();
}

function show() {
  const document_ = shown.document;
  if (document_) {
    showVerdict();
    $("cards").replaceChildren(...[light, wifi, mesh, line, missing, acs, sources].map((make) => make(document_)).filter(Boolean));
    $("evidence").replaceChildren(...[evidence(document_)].filter(Boolean));
    const url = document_.run.url;
    $("foot").replaceChildren(...(url ? [el("a", { href: url, rel: "noreferrer" }, say("run"))] : []), el("span", {}, ` ${document_.id} · ${document_.ruleset}`));
  } else {
    for (const id of ["verdict", "cards", "evidence", "foot"]) $(id).replaceChildren();
  }
  showPast();
}

function showVerdict() {
  const age_s = Math.max(0, (Date.now() - shown.readAt) / 1000);
  const made = verdictCard(shown.document, age_s, shown.refreshing).filter(Boolean);
  // Only the age changes most of the time: a screen reader must not hear the whole verdict again.
  const before = $("verdict").dataset.id;
  const key = `${shown.document.id}-${currentLanguage()}`;
  if (before === key && $("verdict").lastElementChild) $("verdict").querySelector(".age").replaceWith(made[made.length - 1].querySelector(".age"));
  else $("verdict").replaceChildren(...made);
  $("verdict").dataset.id = key;
  document.title = `${shown.serial} · ${say("verdict")}`;
}

function showPast() {
  $("history").hidden = shown.past === null; // not read is not empty
  if (shown.past) $("history").replaceChildren(...pastOf(shown.past, shown.next, more).filter(Boolean));
}

async function more() {
  const { serial } = shown;
  await guarded(async () => {
    const found = await api.page(shown.next);
    if (serial !== shown.serial) return;
    Object.assign(shown, { past: [...shown.past, ...found.items], next: found.next_url });
    showPast();
  });
}

function busy(on) {
  const button = $("diagnose").querySelector("button");
  button.setAttribute("aria-disabled", on); // `disabled` would take the focus away
  button.dataset.say = on ? "diagnosing" : "diagnose";
  button.textContent = say(button.dataset.say);
}

// `text` makes it, in the language of the moment; null for none.
function notice(text, bad = false) {
  shown.notice = text;
  $("notice").textContent = text ? text() : "";
  $("notice").classList.toggle("bad", bad);
}

async function guarded(work) {
  const { serial } = shown;
  try {
    await work();
  } catch (error) {
    if (error.name === "AbortError") return;
    if (error.status === 401) { logIn(); return; }
    if (serial !== shown.serial) return; // about a box that is not looked at any more
    console.error(error);
    notice(() => (error instanceof api.Problem ? error.forPeople : String(error)), true);
  }
}

function logIn() {
  if ($("login").open) return;
  const refused = api.token() !== "";
  api.forgetToken();
  shown.roles = [];
  $("login-why").textContent = refused ? say("login_bad") : say("login_why");
  $("token").value = "";
  $("login").addEventListener("close", () => {
    const value = $("token").value.trim();
    if (value) { api.keepToken(value, $("remember").checked); load(shown.serial); }
  }, { once: true });
  $("login").showModal();
}

function dress() {
  for (const node of document.querySelectorAll("[data-say]")) node.textContent = say(node.dataset.say);
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", button.dataset.language === currentLanguage());
  for (const step of $("steps").children) step.textContent = step.text();
  $("serial").placeholder = say("serial");
  if (shown.notice) $("notice").textContent = shown.notice();
}

start().catch((error) => {
  console.error(error);
  notice(() => say("lost"), true);
});
