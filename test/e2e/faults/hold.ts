import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Host } from "../lib/host";

/** A point in a release: the runner is inside a verb and just about to make a call. */
export interface Moment {
  readonly verb: string;
  /** A shell pattern for the verb's arguments. */
  readonly on: string;
  /** A shell pattern for the call, with its program's name. */
  readonly call: string;
}

export function momentName({ verb, on }: Moment): string {
  const what = on.replace(/-?\*$/, "");
  return what === "" ? verb : `${verb} ${what}`;
}

const PROGRAMS = ["docker", "sync"];

/** Holds the runner inside a verb, by hold.sh in front of the programs that it calls. */
export class Hold {
  constructor(
    private readonly host: Host,
    private readonly journal: string,
  ) {}

  async install(): Promise<void> {
    const text = await readFile(join(import.meta.dirname, "hold.sh"));
    await this.host.sh(
      PROGRAMS.map(
        (program) =>
          `echo ${text.toString("base64")} | base64 -d >/usr/local/bin/${program} && chmod 755 /usr/local/bin/${program}`,
      ).join(" && "),
    );
  }

  async remove(): Promise<void> {
    await this.host.sh(`rm -rf /run/hold ${PROGRAMS.map((name) => `/usr/local/bin/${name}`).join(" ")}`);
  }

  async arm({ verb, on, call }: Moment): Promise<void> {
    // A verb without arguments stands in the journal with a blank behind it.
    const wanted = `begin * ${verb}${on === "" ? "*" : ` ${on}`}\n${call}\n`;
    await this.host.sh(
      "rm -rf /run/hold && mkdir /run/hold && cd /run/hold && " +
        `echo '${this.journal}' >journal && echo ${Buffer.from(wanted).toString("base64")} | base64 -d >next && mv next wanted`,
    );
  }

  /** Waits until the call is held, `seconds` at most. */
  async reached(seconds: number): Promise<void> {
    const tries = seconds * 20;
    await this.host.sh(
      `i=0; until [ -e /run/hold/held ]; do i=$((i+1)); [ $i -lt ${tries} ] || { echo 'the moment did not come' >&2; exit 1; }; sleep 0.05; done`,
      (seconds + 60) * 1000,
    );
  }

  async release(): Promise<void> {
    await this.host.sh("mkdir -p /run/hold && touch /run/hold/go");
  }
}
