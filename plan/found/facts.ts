import { type Condition, NO_CONDITION } from "./condition";
import type { Entry, Kept } from "./entry";
import type { Current } from "./record";

/** What the host told (host/facts.sh), as plain values. */
export interface Facts {
  /** False when the host could not be reached or asked: all else is then as on an empty host. */
  readonly known: boolean;
  /** Why the host cannot be deployed to, each with its cure. */
  readonly errors: readonly string[];
  readonly platform: string | undefined;
  /** Who is deploying just now. */
  readonly active: string | undefined;
  /** A runner was killed in the middle. */
  readonly interrupted: boolean;
  /**
   * KiB; used is without page cache, ours is the part of it that the stack's own containers use, promised is what
   * others' containers may still grow by, up to their limits.
   */
  readonly memory:
    | { readonly total: number; readonly used: number; readonly ours: number; readonly promised?: number }
    | undefined;
  readonly containers: readonly FoundContainer[];
  /** The stack's own. */
  readonly networks: readonly { readonly id: string; readonly name: string }[];
  /** What the proxy that runs has; undefined: none runs, or it could not be asked. */
  readonly proxy: FoundFiles | undefined;
  /** Every image of the engine: ID by tag (imageId). */
  readonly images: ReadonlyMap<string, string>;
  /** What an image says of itself, by its ID: of the stack's own, and of those that it is to have from elsewhere. */
  readonly imageConfigs: ReadonlyMap<string, ImageConfig>;
  /** MiB that the builds of a service have taken on the host, the most of all. */
  readonly buildNeeds: ReadonlyMap<string, number>;
  /**
   * Every container (key, id), image (image:<tag>, id) and network (network:<kind>, id) that a release used, and how
   * often it was made anew.
   */
  readonly seen: ReadonlyMap<string, { id: string; generation: number }>;
  readonly current: Current | undefined;
  /** Every release that was tried, newest first. */
  readonly ledger: readonly Entry[];
  /** MB of an image, by its ID, that it shares with no other one; only if asked for. */
  readonly ownLayers: ReadonlyMap<string, number>;
  /** What is kept of the release that was asked for. */
  readonly kept: Kept | undefined;
  readonly condition: Condition;
  /**
   * Of the host's cron, where the stack has jobs or is to have some: `same` or `other` says whether its lines are those of the
   * release that serves; `none`, `stopped` and `denied` why it cannot be used. And the time zones that the host lacks.
   */
  readonly cron:
    { readonly state: string; readonly why: string; readonly lackingZones: readonly string[] } | undefined;
  /** A name of the machine itself, made from its machine-id; undefined: it has none. */
  readonly machine: string | undefined;
  /** Whose the stack's folder on the host is. */
  readonly owner: Owner | undefined;
  /** Every volume of the engine; stack is project/stack of the one that made it, made how often it had to do so anew. */
  readonly volumes: readonly { name: string; stack: string | undefined; made: number }[];
  /** What containers of any stack, or of none, have mounted: names of volumes, and folders. */
  readonly mounts: readonly { stack: string | undefined; state: string; sources: readonly string[] }[];
}

export interface ImageConfig {
  /** Empty: root. */
  readonly user: string;
  /** Whether it has a HEALTHCHECK. */
  readonly check: boolean;
}

/** Who may deploy to a host's folder: host/lib/owner.sh. */
export interface Owner {
  /** project/stack */
  readonly stack: string;
  /** A UUID that the state made for itself. */
  readonly lineage: string;
  readonly machine: string;
  readonly by: string;
  readonly since: string;
}

/** A container that bears the stack's label. What is undefined the host has not told. */
export interface FoundContainer {
  readonly id: string;
  readonly key: string;
  readonly role: string;
  readonly state: string;
  /** unhealthy only if Docker says so and asking once more, just now, has not shown otherwise. */
  readonly health?: string;
  /** MiB; 0: no limit. */
  readonly memory?: number;
  /** The restart policy. */
  readonly restart?: string;
  readonly networks?: readonly { readonly id: string; readonly name: string }[];
}

/** nginx's files in the proxy's volume. */
export interface FoundFiles {
  /** nginx.conf, routes.js -> SHA-256 in hex, or "missing". */
  readonly files: ReadonlyMap<string, string>;
  /** The text of routes.json. */
  readonly routes: string | undefined;
  /** The site that nginx has loaded, by its digest. */
  readonly loaded: string;
}

export const NO_FACTS: Facts = {
  known: false,
  errors: [],
  platform: undefined,
  active: undefined,
  interrupted: false,
  memory: undefined,
  containers: [],
  networks: [],
  proxy: undefined,
  images: new Map(),
  imageConfigs: new Map(),
  buildNeeds: new Map(),
  seen: new Map(),
  current: undefined,
  ledger: [],
  ownLayers: new Map(),
  kept: undefined,
  condition: NO_CONDITION,
  cron: undefined,
  machine: undefined,
  owner: undefined,
  volumes: [],
  mounts: [],
};
