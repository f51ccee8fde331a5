// Runs inside nginx (njs). routes.json says where each service's requests go:
// { "live": { "backend": "backend-1a2b:3000" | "hold" }, "candidate": { ... } }
// It is read at each request: a few hundred bytes from the page cache, and a switch needs no reload.
import fs from "fs";

const FILE = "/etc/nginx/state/routes.json";
const HOLD_LIMIT_MS = 60000;
const HOLD_STEP_MS = 50;

function target(kind, service) {
  try {
    return JSON.parse(fs.readFileSync(FILE))[kind][service] || "";
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
