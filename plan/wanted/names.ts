import type { Config } from "../config/schema";

/** A stack's own names on the host. */
export interface StackNames {
  readonly project: string;
  readonly stack: string;
}

export function fullName({ project, stack }: StackNames): string {
  return `${project}/${stack}`;
}

export const STACK_LABEL = "deploy.stack";
export function stackLabel(names: StackNames): string {
  return `${STACK_LABEL}=${fullName(names)}`;
}

export function volumeName({ project, stack }: StackNames, name: string): string {
  return `${project}-${stack}-${name}`;
}

/** Of a service: its own, or one that was there already. */
export function serviceVolume(
  names: StackNames,
  { name, volume }: { readonly name: string; readonly volume?: string | undefined },
): string {
  return volume ?? volumeName(names, name);
}

/** Where the host keeps what it remembers of the stack. */
export function stateFolder({ project, stack }: StackNames, { stateDir }: Config["host"]): string {
  return `${stateDir ?? `/var/lib/${project}`}/${stack}`;
}

/** Where the host keeps the deploy log, one for all stacks of a project. */
export function logFile({ project }: StackNames, { log }: Config["host"]): string {
  return log ?? `/var/log/${project}-deploy.log`;
}
