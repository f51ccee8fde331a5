import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { makeTracesPrintable, type Tracer } from "../../components/trace";

const TRACE = `TypeError: see
    node_modules/@pulumi/resource.ts
    at program (/srv/site/index.ts:31:9)
    at Stack.initialize (/srv/site/node_modules/@pulumi/pulumi/runtime/stack.ts:78:28)
    at Stack.initializeAndRegisterOutputs (/srv/site/node_modules/@pulumi/resource.ts:1598:22)
    at async /srv/site/node_modules/file.js:1:2
    at C:\\site\\node_modules\\@pulumi\\resource.ts:1598:22
    at processTicksAndRejections (node:internal/process/task_queues:95:5)`;

function made(trace: unknown): unknown {
  const tracer: Tracer = { prepareStackTrace: () => trace };
  makeTracesPrintable(tracer);
  return tracer.prepareStackTrace?.(new TypeError("see"), []);
}

describe("the trace of an error", () => {
  it("has a package's folder in every path below node_modules, and is else as it was", () => {
    expect(made(TRACE)).toBe(
      TRACE.replace("(/srv/site/node_modules/@pulumi/resource", "(/srv/site/node_modules/@pulumi/./resource")
        .replace("node_modules/file", "node_modules/./file")
        .replace("\\@pulumi\\resource", "\\@pulumi\\.\\resource"),
    );
    expect(made(undefined)).toBe(undefined);
  });

  it("is coloured by Node in no time", () => {
    const error = Object.assign(new TypeError("see"), { stack: made(TRACE) });
    const began = performance.now();
    expect(inspect(error, { colors: true })).toContain("initializeAndRegisterOutputs");
    expect(performance.now() - began).toBeLessThan(1000);
  });

  it("stays Node's own where no source maps are read", () => {
    const tracer: Tracer = {};
    makeTracesPrintable(tracer);
    expect(tracer).toEqual({});
  });
});
