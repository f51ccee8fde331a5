import { describe, expect, it } from "vitest";
import { ConfigError } from "../../../plan/config/errors";
import { readConfig } from "../../../plan/config/read";
import { asPulumi, change, LEAST } from "../support/config";

const WITH_FILE = change(LEAST, "services.worker", {
  image: "worker:1.0",
  memory: 64,
  envFile: ".env.production",
  env: { LEVEL: "debug" },
});

function worker(text: string | Error) {
  const config = readConfig(asPulumi(WITH_FILE), (path) => {
    expect(path).toBe(".env.production");
    if (text instanceof Error) throw text;
    return text;
  });
  return config.services.worker;
}

function problems(text: string | Error): readonly string[] {
  try {
    worker(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe("a service's envFile", () => {
  it("adds to env, which counts where both say something", () => {
    expect(worker("# of production\nLEVEL=info\nTITLE='a #1'\nexport EMPTY=\n")?.env).toEqual({
      LEVEL: "debug",
      TITLE: "a #1",
      EMPTY: "",
    });
  });

  it("may refer to what the stack knows, and is refused where it cannot", () => {
    expect(problems("URL=${database.url}")).toEqual([
      expect.stringContaining("services.worker.env.URL: ${database.url} asks"),
    ]);
  });

  it("that is not there, or cannot be read, is told with its path", () => {
    expect(problems(new Error("ENOENT: no such file or directory, open '/srv/app/.env.production'"))).toEqual(
      [
        "services.worker.envFile: .env.production cannot be read: ENOENT: no such file or directory, open '/srv/app/.env.production'",
      ],
    );
    expect(problems("TITLE=x\nnot a line\n")).toEqual([
      expect.stringMatching(
        /^services\.worker\.envFile: \.env\.production: line 2: is neither NAME=value nor a comment/,
      ),
    ]);
  });

  it("is not read by those who need nothing of it", () => {
    expect(readConfig(asPulumi(WITH_FILE)).services.worker?.env).toEqual({ LEVEL: "debug" });
  });
});
