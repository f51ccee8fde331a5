// Runs inside nginx (njs). routes.json says where each service's requests go:
// { "live": { "backend": "backend-1a2b:3000" | "hold" }, "candidate": { ... },
//   "fallback": { "backend": "backend-0f9e:3000" }, "since": 86400, "heirs": { "shop": "store-1a2b:3000" } }
// It is read at each request: a few hundred bytes from the page cache, and a switch needs no reload.
// Replicas of a service have their own entries, "backend.2", "backend.3".
import crypto from "crypto";
import fs from "fs";

const FILE = "/etc/nginx/state/routes.json";
const HOLD_LIMIT_MS = 60000;
const HOLD_CHECK_MS = 5000;
const FORGOTTEN_S = 120;
const HOLD_STEP_MS = 50;

function target(kind, service) {
  try {
    return oneOf(JSON.parse(fs.readFileSync(FILE))[kind], service);
  } catch (e) {
    return "";
  }
}

// Any replica that serves; "hold" when all of them are being exchanged.
function oneOf(routes, service) {
  const first = routes[service] || "";
  const replicas = Object.keys(routes).filter((name) => name.startsWith(`${service}.`));
  if (replicas.length === 0) return first;
  const all = replicas.map((name) => routes[name]).concat(first === "" ? [] : [first]);
  const serving = all.filter((one) => one !== "hold");
  return serving.length === 0 ? "hold" : serving[Math.floor(Math.random() * serving.length)];
}

// Where a request goes that has waited, by the file's text: "hold" while it must go on waiting.
function released(text, service) {
  try {
    const routes = JSON.parse(text);
    const found = oneOf(routes.live, service) || (routes.heirs && routes.heirs[service]) || "";
    return found === "hold" && isForgotten(routes.since) ? oneOf(routes.fallback, service) : found;
  } catch (e) {
    return "";
  }
}

// A hold that nobody ended: its runner is dead for long, or nginx or the machine was restarted since. Told by seconds
// since the machine's boot, because a clock may be set; and not by those alone, because they begin again at a boot.
function isForgotten(since) {
  const now = Number(fs.readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  // The 22nd word: when process 1 of this container was started, in hundredths of a second since boot.
  const first = fs.readFileSync("/proc/1/stat", "utf8");
  const started = Number(first.slice(first.lastIndexOf(")") + 2).split(" ", 20)[19]) / 100;
  return now < since || since < started - 1 || now - since > FORGOTTEN_S;
}

function live(r) {
  return target("live", r.variables.service);
}

// The release that is being tried: what it replaces when it does not name the service itself.
function candidate(r) {
  return target("candidate", r.variables.service) || live(r);
}

// A request that arrives while its service is being exchanged waits for this, a subrequest that nginx makes before it
// reads the request's body, and then goes to the successor: subrequests share their variables with it.
// What a look allocates stays until the request's end (njs has no garbage collection), and hundreds may wait: the longer
// one has waited the less often it looks, and a text is parsed once, though a release changes it several times while it
// holds. Its time is counted, not read from a clock, which may be set.
function hold(r) {
  let seen = "";
  let waited = 0;
  let sinceChecked = 0;
  const look = function () {
    const text = fs.readFileSync(FILE, "utf8");
    const changed = text !== seen || sinceChecked > HOLD_CHECK_MS;
    if (changed) sinceChecked = 0;
    seen = text;
    const now = changed ? released(text, r.variables.service) : "hold";
    const over = now && now !== "hold";
    // Seconds, for the access log.
    if (over || waited >= HOLD_LIMIT_MS) r.variables.held = (waited / 1000).toFixed(2);
    if (over) {
      r.variables.target = now;
      r.return(204);
    } else if (waited >= HOLD_LIMIT_MS) {
      r.return(403);
    } else {
      const step = HOLD_STEP_MS + waited / 10;
      waited += step;
      sinceChecked += step;
      setTimeout(look, step);
    }
  };
  look();
}

// Who asks, if one of $logins ("login:salt:hash ..."); else empty.
function authorized(r) {
  const given = /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(r.headersIn.Authorization || "");
  if (!given) return "";
  const text = Buffer.from(given[1], "base64").toString();
  const colon = text.indexOf(":");
  const login = text.slice(0, Math.max(0, colon));
  const known = r.variables.logins.split(" ");
  for (let i = 0; i < known.length; i++) {
    const parts = known[i].split(":");
    if (parts[0] === login && parts[2] === passwordHash(parts[1], login, text.slice(colon + 1))) return login;
  }
  return "";
}

// The same as in plan/site/own.ts.
function passwordHash(salt, login, password) {
  return crypto.createHash("sha256").update(`${salt}:${login}:${password}`).digest("hex");
}

export default { live, candidate, hold, authorized };
