// Runs inside nginx (njs). routes.json says where each service's requests go:
// { "live": { "backend": "backend-1a2b:3000" | "hold" }, "candidate": { ... },
//   "fallback": { "backend": "backend-0f9e:3000" }, "until": 1700000000 }
// It is read at each request: a few hundred bytes from the page cache, and a switch needs no reload.
import fs from "fs";

const FILE = "/etc/nginx/state/routes.json";
const HOLD_LIMIT_MS = 60000;
const HOLD_STEP_MS = 50;

function target(kind, service) {
  try {
    const routes = JSON.parse(fs.readFileSync(FILE));
    const found = routes[kind][service] || "";
    // A hold that nobody ended: its runner was killed, or the machine was restarted.
    const forgotten = found === "hold" && routes.until > 0 && Date.now() / 1000 > routes.until;
    return forgotten ? routes.fallback[service] || "" : found;
  } catch (e) {
    return "";
  }
}

function live(r) {
  return target("live", r.variables.service);
}

// The release that is being tried: what it replaces when it does not name the service itself.
function candidate(r) {
  return target("candidate", r.variables.service) || live(r);
}

// A request that arrives while its service is being exchanged waits here, untouched, and then goes to the successor.
function hold(r) {
  const began = Date.now();
  const look = function () {
    const now = live(r);
    if (now && now !== "hold") {
      r.variables.target = now;
      r.internalRedirect("@pass");
    } else if (Date.now() - began > HOLD_LIMIT_MS) {
      r.variables.target = "";
      r.internalRedirect("@unavailable");
    } else {
      setTimeout(look, HOLD_STEP_MS);
    }
  };
  look();
}

export default { live, candidate, hold };
