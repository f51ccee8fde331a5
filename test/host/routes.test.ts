import crypto from "node:crypto";
import { describe, expect, it } from "vitest";
import { routesScript } from "../../host/bundle";

// host/proxy/routes.js is nginx's (njs): run here with a file system and timers of the test's own, and without a clock.

interface Request {
  readonly variables: Record<string, string>;
  /** The answer of the subrequest that waits: 204 lets the request go to its target, 403 sends it away. */
  return?: (status: number) => void;
}
interface Script {
  live(request: Request): string;
  hold(request: Request): void;
}

/** Seconds since the machine's boot. */
const NGINX_STARTED = 5000;

class Nginx {
  uptime = 6000;
  readonly files: Record<string, string> = {};
  private readonly timers: { at: number; work: () => void }[] = [];
  private readonly script: Script;

  constructor() {
    const fs = { readFileSync: (path: string) => this.read(path) };
    const noClock = new Proxy(Date, {
      get: () => {
        throw new Error("a clock may be set");
      },
    });
    const body = routesScript()
      .replace('import crypto from "crypto";', "")
      .replace('import fs from "fs";', "")
      .replace(/export default (.*);/, "return $1;");
    // eslint-disable-next-line @typescript-eslint/no-implied-eval, @typescript-eslint/no-unsafe-call -- njs's own module form
    this.script = new Function("crypto", "fs", "Date", "setTimeout", body)(
      crypto,
      fs,
      noClock,
      this.later,
    ) as Script;
  }

  private readonly later = (work: () => void, ms: number): void => {
    this.timers.push({ at: this.uptime + ms / 1000, work });
  };

  private read(path: string): string {
    if (path === "/proc/uptime") return `${this.uptime.toFixed(2)} 1.00\n`;
    if (path === "/proc/1/stat")
      return `1 (docker-init (x)) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 ${NGINX_STARTED * 100} 1 2\n`;
    const found = this.files[path];
    if (found === undefined) throw new Error(`no ${path}`);
    return found;
  }

  routes(routes: unknown): void {
    this.files["/etc/nginx/state/routes.json"] = JSON.stringify(routes);
  }

  held(since: number): void {
    this.routes({ live: { web: "hold" }, candidate: {}, fallback: { web: "web-1:80" }, since });
  }

  get target(): string {
    return this.script.live({ variables: { service: "web" } });
  }

  /** A request that waits; tells where it went, and when. */
  request(): { readonly went: string | undefined; readonly at: number | undefined } {
    const seen: { went: string | undefined; at: number | undefined } = { went: undefined, at: undefined };
    const request: Request = {
      variables: { service: "web" },
      return: (status) => {
        seen.went = `${status} ${request.variables.target ?? ""}`;
        seen.at = this.uptime;
      },
    };
    this.script.hold(request);
    return seen;
  }

  pass(seconds: number): number {
    const end = this.uptime + seconds;
    let looks = 0;
    for (;;) {
      this.timers.sort((a, b) => b.at - a.at);
      const next = this.timers.at(-1);
      if (next === undefined || next.at > end) break;
      this.timers.pop();
      this.uptime = next.at;
      looks += 1;
      next.work();
    }
    this.uptime = end;
    return looks;
  }
}

describe("replicas", () => {
  const all = { web: "web-1:80", "web.2": "web-2:80", "web.3": "web-3:80", web2: "other:80" };

  it("each get their part of the requests", () => {
    const nginx = new Nginx();
    nginx.routes({ live: all, candidate: {} });
    const asked = Array.from({ length: 600 }, () => nginx.target);
    const counts = ["web-1:80", "web-2:80", "web-3:80"].map((one) => asked.filter((to) => to === one).length);
    expect(counts.reduce((sum, one) => sum + one)).toBe(600);
    // Three standard deviations.
    for (const count of counts) expect(count).toBeGreaterThan(200 - 3 * 12);
  });

  it("get none while they are exchanged, and only when all are do requests wait", () => {
    const nginx = new Nginx();
    nginx.routes({ live: { ...all, web: "hold", "web.3": "hold" }, candidate: {} });
    expect(new Set(Array.from({ length: 50 }, () => nginx.target))).toEqual(new Set(["web-2:80"]));
    nginx.routes({ live: { web: "hold", "web.2": "hold" }, candidate: {} });
    expect(nginx.target).toBe("hold");
  });
});

describe("a hold", () => {
  it("holds for two minutes, whatever the clock says", () => {
    const nginx = new Nginx();
    nginx.held(6000);
    expect(nginx.target).toBe("hold");
    nginx.pass(119);
    expect(nginx.target).toBe("hold");
    expect(nginx.request().went).toBeUndefined();
  });

  it("that nobody ended is over after two minutes: requests go to what served before", () => {
    const nginx = new Nginx();
    nginx.held(6000);
    nginx.pass(121);
    expect(nginx.request()).toEqual({ went: "204 web-1:80", at: nginx.uptime });
  });

  it("is over when nginx was restarted since", () => {
    const nginx = new Nginx();
    nginx.held(NGINX_STARTED - 60);
    expect(nginx.request()).toEqual({ went: "204 web-1:80", at: nginx.uptime });
  });

  it("is over when the machine was restarted since", () => {
    const nginx = new Nginx();
    nginx.held(900_000);
    expect(nginx.request()).toEqual({ went: "204 web-1:80", at: nginx.uptime });
  });
});

describe("a request that waits", () => {
  it("goes to the successor soon after it is there", () => {
    const nginx = new Nginx();
    nginx.held(6000);
    const request = nginx.request();
    nginx.pass(3);
    expect(request.went).toBeUndefined();
    nginx.routes({ live: { web: "web-2:80" }, candidate: {} });
    nginx.pass(0.5);
    expect(request.went).toBe("204 web-2:80");
  });

  it("goes to what took over from a service that is no more", () => {
    const nginx = new Nginx();
    nginx.held(6000);
    const request = nginx.request();
    nginx.routes({ live: { store: "store-2:80" }, candidate: {}, heirs: { web: "store-2:80" } });
    nginx.pass(0.5);
    expect(request.went).toBe("204 store-2:80");
  });

  it("is told to come back after a minute", () => {
    const nginx = new Nginx();
    nginx.held(6000);
    const request = nginx.request();
    nginx.pass(59);
    expect(request.went).toBeUndefined();
    nginx.pass(10);
    expect(request.went).toBe("403 ");
  });

  it("goes to what served before when the hold is over", () => {
    const nginx = new Nginx();
    nginx.held(5890);
    const request = nginx.request();
    nginx.pass(20);
    expect(request.went).toBe("204 web-1:80");
  });

  it("looks seldom when it waits long: what a look allocates stays until its end, and hundreds wait", () => {
    const nginx = new Nginx();
    nginx.held(6000);
    nginx.request();
    expect(nginx.pass(1)).toBeLessThan(15);
    expect(nginx.pass(59)).toBeLessThan(50);
  });
});
