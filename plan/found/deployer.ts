/** What the deployer's machine tells (deployer/). */
export interface Deployer {
  readonly now: Date;
  /** Each repository that something deployed comes from: the project's, and those of the services' sources. */
  readonly repositories: readonly Repository[];
  /** Undefined: no command is configured. */
  readonly tests: "green" | "red" | "unknown" | undefined;
}

export interface Repository {
  /** As the config names it: "." is the project itself. */
  readonly path: string;
  /** Undefined: not under git. */
  readonly commit: string | undefined;
  /** How many files are changed or new; undefined: git could not tell. */
  readonly changed: number | undefined;
  readonly pushed: boolean;
}
