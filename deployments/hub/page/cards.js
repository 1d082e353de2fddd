// One card for each thing a CSR asks about.

import { card, el, table } from "./dom.js";
import { historyChart, lightScale, meshPicture, meter } from "./pictures.js";
import { actual, expected, limits, moment, number, of, say, since, span, withUnit, worded } from "./words.js";

const BADGES = { ok: "✓", degraded: "!", fault: "✗", unknown: "?" };

const fact = (name, value) => el("div", { class: "fact" }, el("dt", {}, name), el("dd", {}, value));

export function light(document_) {
  const optical = document_.opticalStatus;
  return card(say("light"),
    lightScale(optical.rx_dbm),
    el("dl", {},
      fact(say("state"), say(`state_${optical.state}`)),
      fact(say("rx"), withUnit(optical.rx_dbm, "dBm", 2)),
      fact(say("tx"), withUnit(optical.tx_dbm, "dBm", 2)),
      fact(say("olt_rx"), withUnit(optical.olt_rx_dbm, "dBm", 2))));
}

export function wifi(document_) {
  const { radios, clients } = document_.wifi;
  const { wifi: air, client } = limits();
  const seen = radios.filter((radio) => radio.band !== null || radio.channel !== null);
  return card(say("wifi"),
    seen.length === 0 ? el("p", { class: "missing" }, say("no_radios")) : el("ul", { class: "radios" },
      seen.map((radio) => el("li", {},
        el("b", {}, `${band(radio.band)} GHz`),
        el("span", {}, radio.channel === null ? "" : `${say("channel")} ${radio.channel}`),
        radioState(radio),
        el("span", { class: "measure" }, `${say("busy")} `, meter(radio.utilisation_pct, air.utilisation_watch_pct, air.utilisation_bad_pct, "%")),
        el("span", { class: "measure" }, `${say("noise")} ${withUnit(radio.noise_dbm, "dBm", 0)}`)))),
    (seen.length > 0 || clients.length > 0) && el("h3", {}, say("devices")),
    clients.length === 0 ? seen.length > 0 && el("p", { class: "missing" }, say("no_devices")) :
      table([say("device"), `${say("band")} (GHz)`, `${say("signal")} (dBm)`, `${say("rate")} (Mbit/s)`], clients.map((station) => [
        station.mac || "–", band(station.band),
        el("span", { class: station.rssi_dbm === null ? "missing" : station.rssi_dbm < client.rssi_bad_dbm ? "bad" : station.rssi_dbm < client.rssi_watch_dbm ? "watch" : "good" },
          station.rssi_dbm === null ? say("not_measured") : number(station.rssi_dbm, 0)),
        number(station.rate_mbps, 0)])));
}

const band = (value) => (value === null || Number.isNaN(Number(value)) ? String(value ?? "–") : number(Number(value)));

function radioState(radio) {
  if (radio.enabled === false) return el("span", { class: "watch" }, say("radio_off"));
  if (radio.status !== null && radio.status !== "up") return el("span", { class: "bad" }, say("radio_down"));
  return null;
}

export function mesh(document_) {
  const nodes = document_.mesh.nodes.filter((node) => node.mac || node.name);
  if (nodes.length === 0) return card(say("mesh"), el("p", { class: "missing" }, say("no_mesh")));
  if (nodes.length === 1) return card(say("mesh"), el("p", {}, say("alone")));
  return card(say("mesh"), meshPicture(nodes));
}

export function line(document_) {
  const { wan, lan } = document_.interface;
  const up = wan.status === "connected";
  const state = wan.status === null ? el("span", { class: "missing" }, say("not_measured")) :
    el("span", { class: up ? "good" : "bad" }, up ? say("connected") : wan.status === "disconnected" ? say("disconnected") : wan.status);
  const uptime = wan.uptime_s === null ? "" : ` ${say("since")} ${span(wan.uptime_s)}`;
  const test = document_.speedtest;
  const read_s = Math.min(...document_.measurements.filter((m) => m.name === "lan.status" && m.age_s !== null).map((m) => m.age_s));
  const old = Number.isFinite(read_s) && read_s > document_.freshness.limit_s;
  return card(say("line"),
    el("dl", {},
      fact(say("wan"), [state, uptime]),
      wan.ip && fact("IP", wan.ip),
      test && fact(`${say("speed")} · ${say("by_box")}`, withUnit(test.download_mbps, "Mbit/s")),
      test && test.measured_mbps !== null && fact(`${say("speed")} · ${say("by_customer")}`, withUnit(test.measured_mbps, "Mbit/s"))),
    lan.length > 0 && el("h3", {}, say("ports"), old && ` · ${since("age", read_s)}`),
    lan.length > 0 && el("ul", { class: "ports" }, lan.map((port) => el("li", { class: port.status === "up" && !old ? "up" : "down" },
      el("b", {}, port.port), el("span", {}, port.status === "up" ? withUnit(port.mbps, "Mbit/s", 0) : port.status === null ? say("not_measured") : say("port_down"))))));
}

export function missing(document_) {
  const unknown = document_.findings.filter((finding) => finding.status === "unknown");
  if (unknown.length === 0) return card(say("could_not"), el("p", { class: "good" }, say("nothing_missing")));
  return card(say("could_not"),
    el("p", { class: "aside" }, say("not_good")),
    el("ul", { class: "unknowns" }, unknown.map((finding) => el("li", {}, el("span", { class: "badge unknown", "aria-hidden": "true" }, "?"), el("span", {}, of(finding.text))))));
}

export function sources(document_) {
  return card(say("sources"), el("ul", { class: "sources" }, document_.sources.map((source) =>
    el("li", { class: source.outcome },
      el("b", {}, say(`src_${source.name}`)), " ", el("span", {}, worded("outcomes", source.outcome)),
      source.duration_ms > 0 && el("small", {}, ` ${number(source.duration_ms / 1000, 1)} s`),
      source.detail && source.outcome !== "ok" && source.outcome !== "skipped" && el("small", { class: "detail", lang: "en" }, source.detail)))));
}

// Tags and standing faults; an answer kept before they were read has neither.
export function acs(document_) {
  const { acs_id, tags, acs_faults } = document_.device;
  const unread = acs_faults === null && acs_id !== null;
  if (!tags?.length && !acs_faults?.length && !unread) return null;
  return card(say("acs_notes"),
    tags?.length > 0 && el("dl", {}, fact(say("tags"), tags.join(" · "))),
    unread && el("p", { class: "missing" }, say("acs_faults_unknown")),
    acs_faults?.length > 0 && el("h3", {}, say("acs_faults")),
    acs_faults?.length > 0 && el("ul", { class: "sources faults" }, acs_faults.map((fault) =>
      el("li", { class: "error" }, el("b", {}, fault.code), fault.at && el("small", {}, ` ${moment(fault.at)}`), el("small", { class: "detail", lang: "en" }, fault.message)))));
}

export function evidence(document_) {
  const rows = [];
  const told = new Set(); // several rules rest on one reading: the worst of them tells of it
  for (const status of ["fault", "degraded", "ok"]) {
    for (const finding of document_.findings.filter((found) => found.status === status)) {
      for (const item of finding.evidence) {
        const unit = item.unit && item.unit !== "1" ? ` ${item.unit}` : "";
        const shown = item.fits ? "ok" : status;
        const key = JSON.stringify([item.what, item.subject, item.actual, item.source]);
        if (told.has(key)) continue;
        told.add(key);
        rows.push([
          [el("span", { class: `badge ${shown}`, role: "img", "aria-label": say(`status_${shown}`), title: say(`status_${shown}`) }, BADGES[shown]), ` ${worded("quantities", item.what)}`, item.subject && el("small", {}, ` ${item.subject}`)],
          `${actual(item.actual)}${unit}`, expected(item.expected), item.source ? say(`src_${item.source}`) : "–",
          item.age_s === null ? "–" : span(item.age_s),
        ]);
      }
    }
  }
  if (rows.length === 0) return null;
  const heads = [say("reading"), say("actual"), say("expected"), say("source"), say("how_old")];
  return el("details", { class: "card wide" }, el("summary", {}, el("h2", {}, say("all_readings")), el("span", { class: "count" }, String(rows.length))), table(heads, rows));
}

export function pastOf(items, next, onMore) {
  if (items.length === 0) return [el("h2", {}, say("history")), el("p", { class: "missing" }, say("no_history"))];
  return [
    el("h2", {}, say("history")),
    historyChart(items),
    table([say("when"), say("verdict"), "Rx (dBm)", say("by")], items.map((item) => [
      moment(item.requested_at),
      [el("span", { class: `badge ${item.verdict.status}`, "aria-hidden": "true" }, BADGES[item.verdict.status]), ` ${worded("verdicts", item.verdict.code)}`],
      number(item.rx_dbm, 2), item.requested_by || "–"])),
    next && el("button", { type: "button", on: { click: onMore } }, say("more")),
  ];
}
