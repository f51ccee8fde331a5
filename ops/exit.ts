/** Fixed, for scripts and timers; docs/ops.md explains them. */
export const EXIT = { done: 0, failed: 1, differs: 2, usage: 64 } as const;
