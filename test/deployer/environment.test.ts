import { tmpdir } from "node:os";
import { expect, it, vi } from "vitest";
import { withoutConfig } from "../../deployer/environment";
import { testsFor } from "../../deployer/tests";

it("what is started does not get the stack's config, and all else", () => {
  vi.stubEnv("PULUMI_CONFIG", '{"shop:token":"secret"}');
  vi.stubEnv("PULUMI_HOME", "/home/ada/.pulumi");
  expect(withoutConfig()).toMatchObject({ PULUMI_HOME: "/home/ada/.pulumi", PATH: process.env.PATH });
  expect(withoutConfig()).not.toHaveProperty("PULUMI_CONFIG");
  const command = 'test -z "${PULUMI_CONFIG+set}" && test -n "$PULUMI_HOME"';
  expect(testsFor(tmpdir(), command, 1, [], true)).toBe("green");
  vi.unstubAllEnvs();
});
