// Drawings: Rx power on its band, the mesh, Rx power over time.

import { svg, el } from "./dom.js";
import { limits, moment, number, say, withUnit, worded } from "./words.js";

const LEFT = -35;
const RIGHT = 0;

export function lightScale(rx) {
  const { rx_min_dbm: low, rx_max_dbm: high } = limits();
  const x = (dbm) => 20 + ((Math.min(Math.max(dbm, LEFT), RIGHT) - LEFT) / (RIGHT - LEFT)) * 360;
  const good = rx !== null && rx >= low && rx <= high;
  const told = rx === null ? say("not_measured") : `${number(rx, 2)} dBm`;
  const label = `${say("rx")} : ${told} (${say("target")} ${number(low)} … ${number(high)} dBm)`;
  const marks = [-30, -25, -20, -15, -8, -2];
  return svg("svg", { class: "scale", viewBox: "0 0 400 96", role: "img", "aria-label": label },
    svg("rect", { class: "track", x: 20, y: 46, width: 360, height: 12, rx: 6 }),
    svg("rect", { class: "band", x: x(low), y: 46, width: x(high) - x(low), height: 12 }),
    marks.map((mark) => [
      svg("line", { class: "tick", x1: x(mark), x2: x(mark), y1: 60, y2: 66 }),
      svg("text", { class: mark === low || mark === high ? "mark edge" : "mark", x: x(mark), y: 80, "text-anchor": "middle" }, number(mark)),
    ]),
    rx === null && svg("text", { class: "nothing", x: 200, y: 32, "text-anchor": "middle" }, told),
    rx !== null && svg("g", { class: good ? "reading good" : "reading bad" },
      svg("path", { d: `M${x(rx) - 9} 30h18l-9 14z` }),
      svg("text", { x: Math.min(Math.max(x(rx), 60), 340), y: 22, "text-anchor": "middle" }, told)));
}

export function meshPicture(nodes) {
  const centre = nodes.find((node) => node.role === "controller") || nodes[0];
  const others = nodes.filter((node) => node !== centre);
  const row = 66;
  const height = Math.max(others.length * row, 70) + 10;
  const middle = height / 2;
  const links = others.map((node, index) => {
    const y = 5 + index * row + row / 2 + (others.length === 1 ? 2 : 0);
    const state = linkState(node);
    const hop = node.backhaul;
    const how = /ethernet|wired|cable/i.test(hop.type || "") ? say("by_cable") : say("by_wifi");
    const facts = node.active === false ? [say("node_down")] : [
      how, hop.rssi_dbm !== null && `${number(hop.rssi_dbm, 0)} dBm`,
      hop.rate_mbps !== null && `${number(hop.rate_mbps, 0)} Mbit/s`,
      hop.utilisation_pct !== null && `${number(hop.utilisation_pct, 0)} %`,
    ].filter(Boolean);
    return svg("g", { class: `link ${state}` },
      svg("path", { class: "wire", d: `M112 ${middle} C170 ${middle} 170 ${y} 224 ${y}`, "stroke-dasharray": how === say("by_wifi") ? "6 5" : null }),
      svg("circle", { class: "node", cx: 236, cy: y, r: 12 }),
      svg("text", { class: "sign", x: 236, y: y + 4, "text-anchor": "middle" }, { good: "✓", watch: "!", bad: "✗", unknown: "?" }[state]),
      svg("text", { class: "name", x: 256, y: y - 4 }, short(node.name || node.mac || say("satellite"), 18)),
      svg("text", { class: "facts", x: 256, y: y + 12 }, facts.slice(0, 2).join(" · ")),
      svg("text", { class: "facts", x: 256, y: y + 26 }, facts.slice(2).join(" · ")));
  });
  const described = others.map((node) => `${node.name || node.mac} : ${say(`status_${{ good: "ok", watch: "degraded", bad: "fault", unknown: "unknown" }[linkState(node)]}`)}`);
  return svg("svg", { class: "mesh", viewBox: `0 0 400 ${height}`, role: "img", "aria-label": `${say("mesh")} : ${described.join(", ")}` },
    links,
    svg("rect", { class: "centre", x: 8, y: middle - 26, width: 104, height: 52, rx: 10 }),
    svg("text", { class: "name", x: 60, y: middle - 2, "text-anchor": "middle" }, short(centre.name || "CPE", 14)),
    svg("text", { class: "facts", x: 60, y: middle + 14, "text-anchor": "middle" }, say("controller")));
}

export function linkState(node) {
  const { mesh } = limits();
  const { rssi_dbm: rssi, utilisation_pct: busy } = node.backhaul;
  if (node.active === false) return "bad";
  if ((rssi !== null && rssi < mesh.rssi_bad_dbm) || (busy !== null && busy > mesh.utilisation_bad_pct)) return "bad";
  if (node.active === null || (rssi === null && busy === null && !/ethernet/i.test(node.backhaul.type || ""))) return "unknown";
  if ((rssi !== null && rssi < mesh.rssi_watch_dbm) || (busy !== null && busy > mesh.utilisation_watch_pct)) return "watch";
  return "good";
}

// A diagnosis without a reading is a gap in the line and a mark below it: it is not left out as if nothing were amiss.
export function historyChart(items) {
  const points = [...items].reverse();
  const values = points.map((item) => item.rx_dbm).filter((dbm) => dbm !== null);
  if (points.length < 2 || values.length === 0) return null;
  const { rx_min_dbm: low, rx_max_dbm: high } = limits();
  const width = matchMedia("(max-width: 640px)").matches ? 340 : 1000;
  const right = width - 12;
  const times = points.map((item) => Date.parse(item.requested_at));
  const [first, last] = [times[0], times[times.length - 1]];
  const bottom = Math.min(low - 3, ...values);
  const top = Math.max(high + 2, ...values);
  const x = (time) => 44 + ((time - first) / Math.max(last - first, 1)) * (right - 44);
  const y = (dbm) => 14 + ((top - dbm) / (top - bottom)) * 150;
  const joined = (i) => i > 0 && points[i - 1].rx_dbm !== null;
  const line = points.map((item, i) => (item.rx_dbm === null ? "" : `${joined(i) ? "L" : "M"}${x(times[i]).toFixed(1)} ${y(item.rx_dbm).toFixed(1)}`)).join("");
  const told = (item) => svg("title", {}, `${moment(item.requested_at)} : ${withUnit(item.rx_dbm, "dBm", 2)}, ${worded("verdicts", item.verdict.code)}`);
  return svg("svg", { class: "chart", viewBox: `0 0 ${width} 196`, role: "img", "aria-label": say("history_chart") },
    svg("rect", { class: "band", x: 44, y: y(high), width: right - 44, height: y(low) - y(high) }),
    [low, high].map((edge) => [
      svg("line", { class: "edge", x1: 44, x2: right, y1: y(edge), y2: y(edge) }),
      svg("text", { class: "mark", x: 38, y: y(edge) + 4, "text-anchor": "end" }, number(edge)),
    ]),
    svg("path", { class: "line", d: line }),
    points.map((item, i) => (item.rx_dbm === null
      ? svg("text", { class: "gap", x: x(times[i]), y: 172, "text-anchor": "middle" }, "?", told(item))
      : svg("circle", { class: `dot ${item.verdict.status}`, cx: x(times[i]), cy: y(item.rx_dbm), r: 5 }, told(item)))),
    svg("text", { class: "mark", x: 44, y: 190 }, moment(points[0].requested_at)),
    svg("text", { class: "mark", x: right, y: 190, "text-anchor": "end" }, moment(points[points.length - 1].requested_at)));
}

export function meter(value, watch, bad, unit) {
  if (value === null) return el("span", { class: "missing" }, say("not_measured"));
  const state = value > bad ? "bad" : value > watch ? "watch" : "good";
  const bar = svg("svg", { class: `meter ${state}`, viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" },
    svg("rect", { class: "track", width: 100, height: 8, rx: 4 }),
    svg("rect", { class: "level", width: Math.min(Math.max(value, 0), 100), height: 8, rx: 4 }));
  return el("span", { class: "metered" }, bar, el("b", { class: state }, withUnit(value, unit, 0)));
}

const short = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
