// What the page itself says. The operator's own words (verdicts, actions, steps) come from
// /assets/words.json, which is made of cpe/profiles/wording.yaml.

const SAID = {
  skip: ["Aller au diagnostic", "Skip to the diagnosis"],
  serial: ["Numéro de série, GPON ou MAC", "Serial, GPON serial or MAC"],
  open: ["Ouvrir", "Open"],
  diagnose: ["Diagnostiquer", "Diagnose"],
  asked: ["Demande envoyée", "Request sent"],
  diagnosing: ["Diagnostic en cours…", "Diagnosing…"],
  speedtest: ["Avec test de débit", "With a speed test"],
  measured: ["Débit mesuré par le client (Mbit/s)", "Measured by the customer (Mbit/s)"],
  login: ["Jeton d'accès", "Access token"],
  login_why: ["Collez le jeton que vous a donné l'exploitation.", "Paste the token that operations gave you."],
  login_bad: ["Ce jeton n'est pas reconnu.", "That token is not known."],
  token: ["Jeton", "Token"],
  remember: ["S'en souvenir sur cet appareil", "Remember it on this device"],
  enter: ["Entrer", "Enter"],
  welcome: ["Entrez un numéro de série pour lire son dernier diagnostic.", "Enter a serial to read its last diagnosis."],
  never: ["Cette boîte n'a encore jamais été diagnostiquée.", "This box has never been diagnosed."],
  what_to_do: ["Que faire", "What to do"],
  swap: ["Échange de la boîte", "Swapping the box"],
  swap_blocked: ["Ne pas échanger", "Do not swap"],
  swap_diagnostic: ["Échange diagnostique seulement", "Diagnostic swap only"],
  swap_allowed: ["Échange permis", "Swap allowed"],
  also: ["Vu aussi", "Also seen"],
  age: ["Mesures d'il y a", "Readings from"],
  asked_age: ["Diagnostic d'il y a", "Diagnosed"],
  ago: ["", " ago"],
  how_old: ["Âge", "Age"],
  being_renewed: ["une nouvelle lecture est en cours", "a new reading is under way"],
  light: ["Lumière sur la fibre", "Light on the fibre"],
  rx: ["Reçue par la boîte", "Received by the box"],
  tx: ["Émise par la boîte", "Sent by the box"],
  olt_rx: ["Reçue par l'OLT", "Received by the OLT"],
  target: ["cible", "target"],
  not_measured: ["non mesuré", "not measured"],
  state: ["État", "State"],
  state_online: ["en ligne", "online"],
  state_los: ["plus de lumière (LOS)", "no light (LOS)"],
  state_dying_gasp: ["plus de courant (dying gasp)", "no power (dying gasp)"],
  state_offline: ["hors ligne", "offline"],
  state_unknown: ["inconnu", "unknown"],
  wifi: ["WiFi", "WiFi"],
  channel: ["canal", "channel"],
  busy: ["occupation", "utilisation"],
  noise: ["bruit", "noise"],
  radio_off: ["désactivée", "disabled"],
  radio_down: ["en panne", "down"],
  devices: ["Appareils du client", "Customer's devices"],
  device: ["Appareil", "Device"],
  band: ["Bande", "Band"],
  signal: ["Signal", "Signal"],
  rate: ["Débit", "Rate"],
  no_devices: ["Aucun appareil WiFi vu.", "No WiFi device seen."],
  no_radios: ["Le WiFi n'a pu être lu.", "The WiFi could not be read."],
  mesh: ["Maillage", "Mesh"],
  alone: ["La boîte est seule : aucune borne satellite.", "The box is alone: no satellite."],
  no_mesh: ["Le maillage n'a pu être lu.", "The mesh could not be read."],
  controller: ["boîte principale", "main box"],
  satellite: ["borne", "satellite"],
  node_down: ["éteinte ou hors de portée", "off or out of reach"],
  by_wifi: ["par WiFi", "over WiFi"],
  by_cable: ["par câble", "by cable"],
  line: ["Connexion", "Connection"],
  wan: ["Internet (WAN)", "Internet (WAN)"],
  connected: ["connectée", "connected"],
  disconnected: ["coupée", "disconnected"],
  since: ["depuis", "for"],
  ports: ["Ports Ethernet", "Ethernet ports"],
  port_up: ["branché", "up"],
  port_down: ["libre", "down"],
  speed: ["Débit mesuré", "Measured speed"],
  by_box: ["Par la boîte", "By the box"],
  by_customer: ["Par le client", "By the customer"],
  could_not: ["Ce qui n'a pu être évalué", "What could not be evaluated"],
  nothing_missing: ["Tout ce qui compte a été évalué.", "Everything that matters was evaluated."],
  not_good: ["Non évaluable n'est pas bon : personne ne sait.", "Not evaluable is not good: nobody knows."],
  evidence: ["Ce qui a été lu", "What was read"],
  reading: ["Mesure", "Reading"],
  actual: ["Lu", "Read"],
  expected: ["Attendu", "Expected"],
  source: ["Source", "Source"],
  all_readings: ["Toutes les preuves", "All the evidence"],
  sources: ["Sources interrogées", "Sources asked"],
  acs_notes: ["À l'ACS", "At the ACS"],
  tags: ["Étiquettes", "Tags"],
  acs_faults: ["Fautes en suspens", "Standing faults"],
  acs_faults_unknown: ["Les fautes en suspens n'ont pu être lues.", "The standing faults could not be read."],
  src_acs: ["ACS (GenieACS)", "ACS (GenieACS)"],
  src_olt: ["OLT", "OLT"],
  src_bridge: ["Interface de la boîte", "The box's own pages"],
  src_speedtest: ["Test de débit", "Speed test"],
  src_history: ["Nos relevés", "Our history"],
  history: ["Historique", "History"],
  history_chart: ["Puissance reçue au fil des diagnostics, en dBm", "Rx power over the diagnoses, in dBm"],
  no_history: ["Aucun diagnostic antérieur.", "No earlier diagnosis."],
  when: ["Quand", "When"],
  verdict: ["Verdict", "Verdict"],
  by: ["Demandé par", "Asked by"],
  more: ["Plus anciens", "Older ones"],
  run: ["Voir l'exécution dans Prefect", "See the run in Prefect"],
  no_verdict: ["Le diagnostic n'a pas abouti.", "The diagnosis came to no verdict."],
  again: ["Interrompu ; le diagnostic recommence", "Cut off; the diagnosis begins again"],
  lost: ["Le serveur ne répond pas. Réessayez.", "The server does not answer. Try again."],
  "too-many-requests": ["Trop de demandes ; attendez un instant.", "Too many requests; wait a moment."],
  forbidden: ["Ce jeton n'a pas le droit de diagnostiquer.", "This token may not diagnose."],
  "invalid-request": ["Ce numéro de série ne peut être utilisé.", "That serial cannot be used."],
  "prefect-unavailable": ["Aucun diagnostic ne peut être lancé en ce moment.", "No diagnosis can be started now."],
  "database-unavailable": ["La base de données ne répond pas.", "The database does not answer."],
  "diagnosis-cancelled": ["Le diagnostic a été annulé.", "The diagnosis was cancelled."],
  "diagnosis-failed": ["Le diagnostic n'a pas abouti ; l'équipe en est informée.", "The diagnosis came to no verdict; the team can see why."],
  "not-found": ["Ce diagnostic n'existe plus.", "That diagnosis is gone."],
  error: ["Une erreur de notre côté ; l'équipe peut voir pourquoi.", "An error of ours; the team can see why."],
  status_ok: ["bon", "good"],
  status_degraded: ["à surveiller", "to be watched"],
  status_fault: ["anomalie", "fault"],
  status_unknown: ["non évaluable", "not evaluable"],
};

let operator = null;
let language = "fr";

export async function loadWords() {
  const answer = await fetch("/assets/words.json");
  if (!answer.ok) throw new Error(`words.json: ${answer.status}`);
  operator = await answer.json();
  language = localStorage.getItem("language") || operator.language;
  document.documentElement.lang = language;
}

export const currentLanguage = () => language;

export function setLanguage(wanted) {
  language = wanted;
  localStorage.setItem("language", wanted);
  document.documentElement.lang = wanted;
}

export function say(key) {
  const both = SAID[key];
  return both ? both[language === "fr" ? 0 : 1] : key;
}

export const has = (key) => key in SAID;
export const of = (text) => (text ? text[language] : "");
export const worded = (kind, key) => of(operator[kind][key]) || key;
export const limits = () => operator.limits;
export const phrases = (kind) => Object.values(operator[kind]).map(of);

export function number(value, digits = 1) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "number") return String(value);
  return value.toLocaleString(language === "fr" ? "fr-CA" : "en-CA", { maximumFractionDigits: digits }).replace("-", "−");
}

// What evidence holds: a number, a code, maybe with its cause as in `los (fibre)`, or a box's own words.
export function actual(value) {
  if (value === null) return "–";
  return typeof value === "number" ? number(value, 2) : coded(String(value));
}

// A code, or bounds like `0.5..5`.
export const expected = (wanted) =>
  language === "fr" ? coded(wanted).replace(/(\d)\.(?=\d)/g, "$1,") : coded(wanted);

function coded(raw) {
  const [state, cause] = raw.replace(/\)$/, "").split(" (");
  if (!cause || !(state in operator.values && cause in operator.values)) return worded("values", raw);
  return state === cause ? worded("values", state) : `${worded("values", state)} (${worded("values", cause)})`;
}

export const withUnit = (value, unit, digits = 1) =>
  value === null || value === undefined ? say("not_measured") : `${number(value, digits)}\u00a0${unit}`;

export function span(seconds) {
  const steps = [[86400, "j", "d"], [3600, "h", "h"], [60, "min", "min"], [1, "s", "s"]];
  for (const [size, fr, en] of steps) {
    if (seconds >= size || size === 1) return `${Math.floor(seconds / size)} ${language === "fr" ? fr : en}`;
  }
  return "";
}

// How long ago something was, after `age` (it was read then) or `asked_age` (only the question is that old).
export const since = (key, seconds) => `${say(key)} ${span(seconds)}${say("ago")}`;

export const moment = (iso) =>
  new Date(iso).toLocaleString(language === "fr" ? "fr-CA" : "en-CA", { dateStyle: "short", timeStyle: "short" });
