// Runs inside nginx (njs). routes.json says where each service's requests go:
// { "live": { "backend": "backend-1a2b:3000" | "hold" }, "candidate": { ... },
//   "fallback": { "backend": "backend-0f9e:3000" }, "until": 1700000000 }
// It is read at each request: a few hundred bytes from the page cache, and a switch needs no reload.
import fs from "fs";

const FILE = "/etc/nginx/state/routes.json";
const HOLD_LIMIT_MS = 60000;
const HOLD_STEP_MS = 50;
const HOLD_STEP_MOST_MS = 250;

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

// A request that arrives while its service is being exchanged waits for this, a subrequest that nginx makes before it
// reads the request's body, and then goes to the successor: subrequests share their variables with it. Those that wait
// long ask less often, so that a thousand of them leave nginx something to do.
function hold(r) {
  const began = Date.now();
  const look = function () {
    const now = live(r);
    const waited = Date.now() - began;
    if (now && now !== "hold") {
      r.variables.target = now;
      r.return(204);
    } else if (waited > HOLD_LIMIT_MS) {
      r.return(403);
    } else {
      setTimeout(look, Math.min(HOLD_STEP_MS + waited / 20, HOLD_STEP_MOST_MS));
    }
  };
  look();
}

export default { live, candidate, hold };
