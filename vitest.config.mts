import { defineConfig } from "vitest/config";

// One project a kind of test: `unit` needs nothing but Node, `host` a POSIX shell,
// `proxy` an engine, `contract` the Pulumi CLI and an engine, `e2e` all of it.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{plan,components,ops,deployer,loader,lint}/**/*.test.ts"],
          testTimeout: 30_000,
        },
      },
      { test: { name: "host", include: ["test/host/**/*.test.ts"], testTimeout: 120_000 } },
      {
        test: {
          name: "proxy",
          include: ["test/proxy/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 900_000,
          // Three at a time (package.json): they wait more than they compute, and each has a stack of its own.
        },
      },
    ],
  },
});
