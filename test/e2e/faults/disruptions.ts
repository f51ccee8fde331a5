import type { Site } from "../lib/site";
import type { Hold } from "./hold";

/** What happens to a release in the middle of a verb. */
export interface Disruption {
  readonly name: string;
  /**
   * Containers die with it: requests fail until the machine has brought them back, without any deploy command.
   * Undefined: no request may fail. Else how many seconds that may take.
   */
  readonly down?: number;
  /** Called while the runner is held inside a verb; lets it go on where that is part of the fault. */
  strike(site: Site, hold: Hold): Promise<void>;
  /** Before each cell. */
  prepare?(site: Site): Promise<void>;
  /** The fault itself is over; what it broke is not yet mended. */
  relieve?(site: Site): Promise<void>;
  /** After each cell, whatever happened. */
  clear?(site: Site): Promise<void>;
  /** What the interrupted `up` must say, if it fails. */
  readonly told: readonly RegExp[];
}

const SERVES = /release [0-9a-f]{12} serves, as before: /;
/** After its record the new release stands. */
const SERVES_OR_TIDIES = /release [0-9a-f]{12} serves(, as before: |\. Run 'pulumi up' again: it tidies up)/;
const GOES_ON = /if the connection breaks off, the release goes on here: then run 'pulumi up' again/;
const UP_AGAIN = /'pulumi up'/;

/** Seconds: engine or machine and four containers start again; PostgreSQL recovers. */
const RESTART = 120;

export const DISRUPTIONS: readonly Disruption[] = [
  {
    name: "connection cut",
    told: [GOES_ON],
    async strike({ host }, hold) {
      // Each session is a process of sshd's own; the listener is not one of them.
      await host.sh(`ps -C sshd -o pid=,args= | awk '/sshd: root/ { print $1 }' | xargs -r kill -9`);
      await hold.release();
    },
  },
  {
    name: "runner killed",
    told: [/the runner on the host was killed/, SERVES_OR_TIDIES, UP_AGAIN],
    async strike({ host, stateFolder }, hold) {
      await host.sh(`kill -9 "$(cat "$(sed -n '1s/^run //p' ${stateFolder}/journal)/pid")"`);
      // What it had begun goes on without it, as a call to the engine does.
      await hold.release();
    },
  },
  {
    name: "engine killed",
    down: RESTART,
    told: [SERVES, UP_AGAIN],
    async strike({ host }, hold) {
      await host.sh("kill -9 $(pidof dockerd)");
      await hold.release();
    },
  },
  {
    name: "engine restarted",
    down: RESTART,
    told: [SERVES, UP_AGAIN],
    async strike({ host }, hold) {
      await host.sh("kill -TERM $(pidof dockerd)");
      await hold.release();
    },
  },
  {
    name: "machine rebooted",
    down: RESTART,
    told: [GOES_ON],
    strike: (site) => site.reboot(),
  },
  {
    name: "disk full",
    told: [/disk is full/, SERVES, UP_AGAIN],
    async prepare({ host, stateFolder }) {
      // A small disk of its own for what the runner writes; this machine's own must not be filled.
      await host.sh(
        `rm -rf /small && mkdir /small && mount -t tmpfs -o size=16m,mode=700 small /small && ` +
          `cp -a ${stateFolder}/. /small && mount --move /small ${stateFolder}`,
      );
    },
    async strike({ host, stateFolder }, hold) {
      await host.sh(
        `dd if=/dev/zero of=${stateFolder}/filler bs=4k 2>/dev/null; df ${stateFolder} | grep -q 100%`,
      );
      await hold.release();
    },
    async relieve({ host, stateFolder }) {
      await host.sh(`rm -f ${stateFolder}/filler`);
    },
    async clear({ host, stateFolder }) {
      await host.sh(
        `if mountpoint -q ${stateFolder}; then rm -rf /kept && cp -a ${stateFolder} /kept && umount ${stateFolder} && ` +
          `rm -rf ${stateFolder} && mv /kept ${stateFolder}; fi`,
      );
    },
  },
];
