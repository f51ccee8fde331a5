import { type RequestListener, type ServerResponse } from "node:http";
import sirv from "sirv";
import { version } from "../src/version";
import { type Fault } from "./config";

const securityHeaders = {
  "Content-Security-Policy":
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "Referrer-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

/** Serves the built page in `folder`, /health and /version.json. */
export function createHandler(folder: string, fault: Fault, stop: AbortSignal): RequestListener {
  const files = sirv(folder, {
    etag: true,
    setHeaders(response, path) {
      // Names in /assets/ hold a hash of their content. All else is asked for anew each time.
      const kept = path.startsWith("/assets/");
      response.setHeader("Cache-Control", kept ? "public, max-age=31536000, immutable" : "no-cache");
      for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    },
  });

  return (request, response) => {
    if (stop.aborted) response.setHeader("Connection", "close");
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.setHeader("Allow", "GET, HEAD");
      return sendJson(response, 405, { error: "method not allowed" });
    }
    const [path] = (request.url ?? "/").split("?", 1);
    switch (path) {
      case "/health":
        if (fault.name === "unhealthy") return sendJson(response, 503, { status: "failing", version });
        return sendJson(response, 200, { status: "ok", service: "frontend", version });
      case "/version.json":
        return sendJson(response, 200, { service: "frontend", version });
      case "/":
      case "/index.html":
        if (fault.name === "page") return sendJson(response, 500, { error: "CRM_FAULT=page" });
    }
    files(request, response, () => sendJson(response, 404, { error: "not found" }));
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify(body));
}
