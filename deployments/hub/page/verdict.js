// The verdict and what to do, in one glance.

import { el } from "./dom.js";
import { of, phrases, say, since, worded } from "./words.js";

const SIGNS = { ok: "✓", degraded: "!", fault: "✗", unknown: "?" };

export function verdictCard(document_, age_s, refreshing) {
  const { verdict, device } = document_;
  const { headline, details } = parts(of(verdict.text), worded("actions", verdict.action));
  const answered = ["fresh", "refreshed"].includes(document_.freshness.outcome);
  const facts = [document_.serial, device.manufacturer, device.model, device.firmware, device.gpon_serial && `GPON ${device.gpon_serial}`].filter(Boolean);
  return [
    el("div", { class: `lead ${verdict.status}` },
      el("span", { class: "sign", "aria-hidden": "true" }, SIGNS[verdict.status]),
      el("div", {},
        el("h1", {}, headline),
        details && el("p", { class: "details" }, details))),
    el("div", { class: "todo" },
      el("div", {}, el("h2", {}, say("what_to_do")), el("p", { class: "action" }, worded("actions", verdict.action))),
      el("div", {}, el("h2", {}, say("swap")), el("p", {}, el("span", { class: `pill swap-${verdict.swap}` }, say(`swap_${verdict.swap}`))))),
    verdict.also.length > 0 && el("p", { class: "also" }, el("b", {}, `${say("also")} : `), verdict.also.map((code) => worded("verdicts", code)).join(" ")),
    el("p", { class: "about", "aria-live": "off" }, el("span", {}, facts.join(" · ")), " ",
      el("span", { class: refreshing ? "age old" : "age" }, since(answered ? "age" : "asked_age", age_s), refreshing && ` ; ${say("being_renewed")}`)),
  ];
}

// The text is headline, details, action: the outer two are the operator's own phrases.
function parts(text, action) {
  let rest = text.endsWith(action) ? text.slice(0, -action.length).trim() : text;
  const headline = phrases("verdicts").filter((phrase) => rest.startsWith(phrase)).sort((a, b) => b.length - a.length)[0];
  if (!headline) {
    const end = rest.indexOf(". ");
    return end < 0 ? { headline: rest, details: "" } : { headline: rest.slice(0, end + 1), details: rest.slice(end + 2) };
  }
  return { headline, details: rest.slice(headline.length).trim() };
}
