import { randomUUID } from "node:crypto";
import { Agent } from "node:http";
import { z } from "zod";
import { pause } from "./command";
import type { Crm } from "./crm";
import { type Ask, type Answer, ask, KeptConnectionClosed } from "./http";

/** A request that was not answered as it should. */
export interface Failure {
  /** Seconds since the load began. */
  readonly at: number;
  readonly what: string;
  readonly why: string;
}

export interface LoadReport {
  readonly sent: number;
  readonly seconds: number;
  readonly failures: readonly Failure[];
  /** Reads that were sent again because their kept connection was closed just then, as when nginx reloads. */
  readonly repeated: number;
  /** Milliseconds between two successful answers, at most. */
  readonly longestGap: number;
  /** Milliseconds from a request's start to the end of its answer. */
  readonly p50: number;
  readonly p99: number;
  readonly slowest: number;
  readonly writes: number;
  /** Writes that were answered with success and are not there. */
  readonly lostWrites: readonly string[];
}

/** Requests per second, unless told otherwise. */
export const RATE = 50;
const LIMIT_MS = 300_000;
/** Kept connections that one request may find closed. */
const MOST_KEPT = 5;

const created = z.object({ id: z.number() });

/**
 * Constant requests, open loop: 50 a second unless told otherwise, whether or not earlier ones have been answered, as visitors
 * do. Half of them on kept connections, half on new ones. Every tenth writes; the others read, a page and the API
 * in turn.
 */
export class Load {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly began = performance.now();
  private readonly marker = `load-${randomUUID().slice(0, 8)}`;
  private readonly running = new Set<Promise<void>>();
  private readonly failures: Failure[] = [];
  private readonly latencies: number[] = [];
  private readonly answeredAt: number[] = [];
  /** What the database must hold: the phone number by the contact's name. */
  private readonly written = new Map<string, string>();
  /** An edit that was not confirmed may have been made all the same. */
  private readonly edits = new Map<string, string>();
  private newest: { id: number; name: string } | undefined;
  private sent = 0;
  private repeated = 0;
  private stopped = false;
  private readonly pacing: Promise<void>;

  /**
   * @param patience milliseconds after which a request without an answer counts as failed
   * @param rate requests per second
   */
  constructor(
    private readonly crm: Crm,
    private readonly patience = 15_000,
    private readonly rate = RATE,
  ) {
    this.pacing = this.pace();
  }

  /** Sends no more, waits for what is on its way, and looks whether all that was written is there. */
  async stop(): Promise<LoadReport> {
    this.stopped = true;
    await this.pacing;
    await Promise.all(this.running);
    this.agent.destroy();
    const seconds = (performance.now() - this.began) / 1000;
    const stored = new Map((await this.crm.contacts(this.marker)).map(({ name, phone }) => [name, phone]));
    const sorted = this.latencies.toSorted((a, b) => a - b);
    return {
      sent: this.sent,
      seconds,
      failures: this.failures,
      repeated: this.repeated,
      longestGap: Math.round(longestGap(this.answeredAt)),
      p50: Math.round(quantile(sorted, 0.5)),
      p99: Math.round(quantile(sorted, 0.99)),
      slowest: Math.round(sorted.at(-1) ?? 0),
      writes: this.written.size,
      lostWrites: [...this.written]
        .filter(([name, phone]) => stored.get(name) !== phone && !this.isUnconfirmed(name, phone, stored))
        .map(([name]) => name),
    };
  }

  private isUnconfirmed(name: string, phone: string, stored: ReadonlyMap<string, string | null>): boolean {
    const edit = this.edits.get(name);
    return edit !== undefined && edit !== phone && stored.get(name) === edit;
  }

  private async pace(): Promise<void> {
    while (!this.stopped && performance.now() - this.began < LIMIT_MS) {
      const due = this.began + (this.sent * 1000) / this.rate;
      const wait = due - performance.now();
      if (wait > 0) await pause(wait);
      const one = this.send(this.sent++).finally(() => this.running.delete(one));
      this.running.add(one);
    }
  }

  private async send(n: number): Promise<void> {
    const agent = n % 2 === 0 ? this.agent : (false as const);
    const turn = n % 20;
    if (turn === 9) {
      const name = `${this.marker}-${n}`;
      await this.answered(
        { method: "POST", path: "/api/contacts", body: { name, phone: "1" }, agent },
        ({ text }) => {
          this.newest = { id: created.parse(JSON.parse(text)).id, name };
          this.written.set(name, "1");
        },
      );
    } else if (turn === 19 && this.newest !== undefined) {
      const { id, name } = this.newest;
      // Each is edited once: two edits on their way at the same time would have no order.
      this.newest = undefined;
      const phone = String(n);
      this.edits.set(name, phone);
      await this.answered({ method: "PATCH", path: `/api/contacts/${id}`, body: { phone }, agent }, () => {
        this.written.set(name, phone);
      });
    } else {
      await this.answered(
        { path: Math.floor(n / 2) % 2 === 0 ? "/" : "/api/contacts?limit=20", agent },
        () => undefined,
      );
    }
  }

  /**
   * As a browser asks: what may be sent twice is, for as long as it met a kept connection that was closed just then. The
   * next kept one may be closed as well; a new one tells the truth.
   */
  private async asking(asked: Ask): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      try {
        return await ask(this.crm.port, asked);
      } catch (error) {
        if (!(error instanceof KeptConnectionClosed) || asked.method !== undefined || tries > MOST_KEPT)
          throw error;
        this.repeated += 1;
      }
    }
  }

  private async answered(asked: Ask, then: (answer: Answer) => void): Promise<void> {
    const start = performance.now();
    try {
      const answer = await this.asking({ timeout: this.patience, ...asked });
      if (answer.status >= 400) throw new Error(`status ${answer.status}: ${answer.text.slice(0, 200)}`);
      then(answer);
      this.answeredAt.push(performance.now());
      this.latencies.push(performance.now() - start);
    } catch (error) {
      const connection = asked.agent === false ? "new connection" : "kept connection";
      this.failures.push({
        at: Math.round(start - this.began) / 1000,
        what: `${asked.method ?? "GET"} ${asked.path} (${connection})`,
        why: error instanceof Error ? error.message : String(error),
      });
    }
  }
}

function longestGap(times: readonly number[]): number {
  return times.reduce((longest, time, i) => Math.max(longest, time - (times[i - 1] ?? time)), 0);
}

function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}
