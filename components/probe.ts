import type { Health } from "../plan/wanted/container";

/** Not by fetch, which does not let anybody say which host is meant. */
const IN_NODE =
  "const [u,...h]=process.argv.slice(1);" +
  'require("http").get(u,{timeout:5000,headers:Object.fromEntries(h.map(l=>l.split(": ")))},' +
  'r=>process.exit(r.statusCode>=200&&r.statusCode<400?0:1)).on("timeout",()=>process.exit(1)).on("error",()=>process.exit(1))';
const IN_PYTHON =
  "import sys,urllib.request as u;" +
  'u.urlopen(u.Request(sys.argv[1],headers=dict(l.split(": ") for l in sys.argv[2:])),timeout=5)';

/**
 * For sh: asks with whatever client the image has: URL, host name, scheme and port as nginx tells them of a visitor. The gate is the
 * runner's own check (host/lib/health.sh); this one is for `docker ps`.
 */
const HTTP_CLIENTS =
  'set -- "Host: $1" "X-Forwarded-Host: $1" "X-Forwarded-Proto: $2" "X-Forwarded-Port: $3"; ' +
  'if command -v curl >/dev/null; then curl -fsS -m 5 -o /dev/null -H "$1" -H "$2" -H "$3" -H "$4" "$0"; ' +
  "elif command -v wget >/dev/null; then " +
  'wget -q -T 5 -O /dev/null --header "$1" --header "$2" --header "$3" --header "$4" "$0"; ' +
  `elif command -v node >/dev/null; then node -e '${IN_NODE}' "$0" "$@"; ` +
  `elif command -v python3 >/dev/null; then python3 -c '${IN_PYTHON}' "$0" "$@"; ` +
  "else echo 'no curl, wget, node or python3 in this image: set healthCommand' >&2; exit 1; fi";

/** A health check of Docker's, which runs in the service's own container. */
export function httpProbe({ port, path, origin }: Extract<Health, { kind: "http" }>): string[] {
  return ["CMD", "sh", "-c", HTTP_CLIENTS, `http://127.0.0.1:${port}${path}`, ...asked(origin)];
}

/** Host name, scheme and port of an origin. */
function asked(origin: string): string[] {
  const { host, port, protocol } = new URL(origin);
  const scheme = protocol.slice(0, -1);
  return [host, scheme, port === "" ? (scheme === "https" ? "443" : "80") : port];
}
