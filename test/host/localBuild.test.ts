import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { localBuildCommand, localBuildScript } from "../../host/bundle";
import type { Build } from "../../plan/wanted/build";
import { localBuildLines } from "../../plan/release/wire";
import { entries, pathOf, type ShellName, whyMissing } from "./lib/shells";

// A build on the deployer's machine, and what is shipped to the host: two engines that are folders (here, there), a
// docker client for both, and an ssh that runs its command with the other one.

const TAG = "shop/test/web:0a1b2c3d4e5f";
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** What the engine here builds: layers by content, and the files that `docker save` writes for them. */
interface Archive {
  readonly layers: readonly string[];
  readonly files: readonly string[];
  /** A later layer of the same content is a link to the first. */
  readonly link?: readonly [from: string, to: string];
}
const THREE: Archive = {
  layers: ["sha256:a", "sha256:b", "sha256:c"],
  files: ["1/layer.tar", "2/layer.tar", "3/layer.tar"],
};

const DOCKER = `#!/bin/sh
engine=$WORLD/$SIDE
printf '%s %s\\n' "$SIDE" "$*" | tr '\\n' ' ' >>"$WORLD/calls"; echo >>"$WORLD/calls"
[ -f "$engine/id" ] || { echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' >&2; exit 1; }
case $* in
  version) echo 20.10 ;;
  'info --format {{.ID}}') cat "$engine/id"; echo 'WARNING: No swap limit support' >&2 ;;
  'info --format {{.ID}} {{.DriverStatus}}') printf '%s %s\\n' "$(cat "$engine/id")" "$(cat "$engine/driver")" ;;
  'build '*)
    printf '%s\\0' "$DOCKER_BUILDKIT" "$@" >"$engine/built"
    printf '%s' "$BUILD_SECRET_TOKEN" >"$engine/secret"
    [ -z "$DOCKER_CONFIG" ] || { cp "$DOCKER_CONFIG/config.json" "$engine/logins"; echo "$DOCKER_CONFIG" >"$engine/folder"; }
    for last; do :; done
    [ "$last" != - ] || tar -t -f - | sort >"$engine/context" || exit 1
    echo 'transferring context'
    [ ! -f "$engine/broken" ] || { echo 'npm ERR! missing script: build' >&2; exit 1; }
    ;;
  'images -q --no-trunc') ls "$engine/images" ;;
  'image inspect --format {{range .RootFS.Layers}}{{println .}}{{end}} '*) cat "$engine/layers"; echo ;;
  'image inspect --format {{range .RootFS.Layers}}{{.}} {{end}} '*)
    shift 4
    for id; do cat "$engine/images/$id"; echo; done
    ;;
  'image inspect --format {{.Id}} '*) cat "$engine/image-id" ;;
  'save '*) tar -c -f - -C "$engine/archive" . ;;
  'load -q')
    rm -rf "$engine/loaded"; mkdir "$engine/loaded"
    gunzip | tar -x -f - -C "$engine/loaded" || exit 1
    if [ -f "$engine/wants" ]; then
      while read -r file; do
        [ -f "$engine/loaded/$file" ] || { echo "open $file: no such file or directory" >&2; exit 1; }
      done <"$engine/wants"
    fi
    ;;
  'image rm '*) ;;
  *) echo "refused: $*" >&2; exit 125 ;;
esac
`;
const SSH = `#!/bin/sh
[ "$1 $2" = "-o BatchMode=yes" ] || exit 255
shift 3
SIDE=there exec sh -c "$1"
`;

interface Told {
  readonly place?: "host" | "local";
  readonly secrets?: Readonly<Record<string, string>>;
  readonly logins?: string;
}

class Machines {
  readonly dir = mkdtempSync(join(tmpdir(), "local-build-"));

  constructor(
    archive: Archive,
    private readonly shell: ShellName = "dash",
  ) {
    folders.push(this.dir);
    for (const folder of ["bin", "tmp", "here/archive", "here/images", "there/images"]) {
      mkdirSync(join(this.dir, folder), { recursive: true });
    }
    for (const [name, text] of [
      ["docker", DOCKER],
      ["ssh", SSH],
    ] as const) {
      this.write(`bin/${name}`, text);
      chmodSync(join(this.dir, "bin", name), 0o755);
    }
    this.write("here/id", "HERE");
    this.write("there/id", "THERE");
    this.write("here/driver", "[]");
    this.write("there/driver", "[[Backing Filesystem extfs]]");
    this.write("here/layers", archive.layers.join("\n"));
    const manifest = [{ Config: "c.json", RepoTags: [TAG], Layers: archive.files }];
    this.write("here/archive/manifest.json", `${JSON.stringify(manifest)}\n`);
    this.write("here/archive/c.json", "{}");
    for (const file of archive.files) {
      const folder = join(this.dir, "here/archive", file.replace(/\/.*/, ""));
      mkdirSync(folder, { recursive: true });
      if (file !== archive.link?.[0]) this.write(`here/archive/${file}`, `content of ${file}`);
    }
    if (archive.link) {
      spawnSync("ln", ["-s", `../${archive.link[1]}`, join(this.dir, "here/archive", archive.link[0])]);
    }
  }

  write(file: string, text: string): void {
    writeFileSync(join(this.dir, file), text);
  }

  /** What is built from. */
  source(): void {
    mkdirSync(join(this.dir, "web/src"), { recursive: true });
    this.write("web/Dockerfile", "FROM scratch");
    this.write("web/src/a b.js", "1");
    this.write("elsewhere", "FROM scratch");
  }

  read(file: string): string {
    return readFileSync(join(this.dir, file), "utf8");
  }

  /** An image that the host has. */
  onHost(id: string, layers: readonly string[]): void {
    this.write(`there/images/${id}`, layers.map((layer) => `${layer} `).join(""));
  }

  run(build: Partial<Build> = {}, told: Told = {}): { code: number | null; output: string } {
    const whole: Build = {
      hash: "0a1b2c3d4e5f",
      context: "web",
      dockerfile: "web/Dockerfile",
      target: undefined,
      args: {},
      platform: "linux/arm64",
      parts: {},
      files: {},
      contextDigest: "",
      instructions: "",
      ...build,
    };
    const { status, stdout, stderr } = spawnSync("sh", ["-c", localBuildCommand()], {
      cwd: this.dir,
      input: localBuildScript(
        localBuildLines(TAG, whole, told.place ?? "local", Object.keys(told.secrets ?? {}), [
          "ssh",
          "-o",
          "BatchMode=yes",
          "--",
        ]),
      ),
      encoding: "utf8",
      env: {
        PATH: `${this.dir}/bin:${pathOf(this.shell)}`,
        WORLD: this.dir,
        SIDE: "here",
        TMPDIR: join(this.dir, "tmp"),
        HOME: this.dir,
        ...Object.fromEntries(
          Object.entries(told.secrets ?? {}).map(([name, value]) => [`BUILD_SECRET_${name}`, value]),
        ),
        ...(told.logins === undefined ? {} : { BUILD_LOGINS: told.logins }),
      },
    });
    return { code: status, output: `${stdout}${stderr}` };
  }

  /** The files of layers that reached the host, and what they hold. */
  get loaded(): Record<string, string> {
    const folder = join(this.dir, "there/loaded");
    return Object.fromEntries(
      entries(folder)
        .filter((one) => existsSync(join(folder, one, "layer.tar")))
        .map((one) => [one, this.read(`there/loaded/${one}/layer.tar`)]),
    );
  }

  get calls(): string[] {
    return this.read("calls")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => line.trim());
  }
}

for (const shell of ["dash", "bash", "busybox"] as const) {
  const missing = whyMissing(shell);
  (missing === undefined ? describe.concurrent : describe.skip)(`a build here, under ${shell}`, () => {
    it("ships the layers that the host lacks, and leaves nothing here", () => {
      const machines = new Machines(THREE, shell);
      machines.onHost("one", ["sha256:a", "sha256:x", "sha256:c"]);
      machines.onHost("two", ["sha256:a", "sha256:b"]);
      machines.onHost("three", ["sha256:b", "sha256:c"]);
      const { code, output } = machines.run();
      expect([code, output]).toEqual([
        0,
        expect.stringMatching(/\d+ KiB compressed, of an image of \d+ KiB: 2 of 3 layers/),
      ]);
      expect(machines.loaded).toEqual({ 3: "content of 3/layer.tar" });
      expect(machines.read("there/loaded/manifest.json")).toBe(machines.read("here/archive/manifest.json"));
      expect(machines.calls.at(-1)).toBe(`here image rm ${TAG}`);
      expect(entries(join(machines.dir, "tmp"))).toEqual([]);
    });

    it("ships all to a host that has nothing of it", () => {
      const machines = new Machines(THREE, shell);
      const { code, output } = machines.run();
      expect([code, output]).toEqual([
        0,
        expect.stringContaining(": 0 of 3 layers were on the host already"),
      ]);
      expect(Object.keys(machines.loaded)).toEqual(["1", "2", "3"]);
    });

    it.each(["local", "host"] as const)(
      "hands secrets and logins to a build (%s), and leaves none",
      (place) => {
        const machines = new Machines(THREE, shell);
        machines.source();
        const secrets = { TOKEN: 'it\'s $HOME "x"\nsecond line\n' };
        const logins = '{"auths":{"r.example.org":{"auth":"YTpi"}}}';
        const args = { ODD: "a\"b'c `x`\n" };
        const { code, output } = machines.run({ args }, { place, secrets, logins });
        expect(code, output).toBe(0);
        const side = place === "host" ? "there" : "here";
        expect(machines.read(`${side}/secret`)).toBe(secrets.TOKEN);
        expect(machines.read(`${side}/logins`)).toBe(logins);
        expect(existsSync(machines.read(`${side}/folder`).trim())).toBe(false);
        const built = machines.read(`${side}/built`).split("\0");
        expect(built).toContain("id=TOKEN,env=BUILD_SECRET_TOKEN");
        expect(built).toContain(`ODD=${args.ODD}`);
        expect([output, machines.read("calls")].join("\n")).not.toMatch(/second line|YTpi/);
      },
    );

    it("sends what it builds from to the host, with a Dockerfile that lies elsewhere", () => {
      const machines = new Machines(THREE, shell);
      machines.source();
      expect(machines.run({}, { place: "host" }).code).toBe(0);
      expect(machines.read("there/context")).toBe("./\n./Dockerfile\n./src/\n./src/a b.js\n");
      expect(machines.read("there/built").split("\0")).toEqual(
        expect.arrayContaining(["--file", "Dockerfile", "-"]),
      );
      expect(machines.run({ dockerfile: "elsewhere" }, { place: "host" }).code).toBe(0);
      expect(machines.read("there/context")).toContain(".dockerfile.deploy\n");
      expect(machines.read("calls")).not.toMatch(/^here build/m);
    });

    it("hands the build's arguments over byte for byte", () => {
      const machines = new Machines(THREE, shell);
      const args = { PLAIN: "1", ODD: "a\"b'c $HOME `x` \\ é\nsecond line\n", EMPTY: "" };
      expect(machines.run({ args, target: "run" }).code).toBe(0);
      expect(machines.read("here/built").split("\0").slice(0, -1)).toEqual([
        "1",
        ...["build", "--file", "web/Dockerfile"],
        ...["--progress", "plain", "--platform", "linux/arm64", "--tag", TAG, "--target", "run"],
        ...["--build-arg", "PLAIN=1", "--build-arg", `ODD=${args.ODD}`, "--build-arg", "EMPTY="],
        "web",
      ]);
    });
  });
}

describe.concurrent("a build here", () => {
  it("says so when docker's client cannot build on the host, and what to do", () => {
    const machines = new Machines(THREE);
    machines.source();
    machines.write("there/broken", "");
    const { code, output } = machines.run({}, { place: "host" });
    expect(code).toBe(1);
    expect(output).toContain("npm ERR! missing script: build");
    expect(output).toContain("if the host's docker lacks buildx, install it there");
  });

  it("keeps a layer that a later one of the same content links to", () => {
    const machines = new Machines({
      layers: ["sha256:a", "sha256:b", "sha256:a"],
      files: THREE.files,
      link: ["3/layer.tar", "1/layer.tar"],
    });
    machines.onHost("two", ["sha256:a", "sha256:b"]);
    expect(machines.run().code).toBe(0);
    expect(machines.loaded).toEqual({ 1: "content of 1/layer.tar", 3: "content of 1/layer.tar" });
  });

  it("ships the whole image where images are kept in containerd: it wants every layer of an archive", () => {
    const machines = new Machines(THREE);
    machines.write("there/driver", "[[driver-type io.containerd.snapshotter.v1]]");
    machines.onHost("two", ["sha256:a", "sha256:b"]);
    expect(machines.run().code).toBe(0);
    expect(Object.keys(machines.loaded)).toEqual(["1", "2", "3"]);
  });

  it("ships the whole image when the host does not take the new layers alone", () => {
    const machines = new Machines(THREE);
    machines.onHost("two", ["sha256:a", "sha256:b"]);
    machines.write("there/wants", "1/layer.tar\n2/layer.tar\n3/layer.tar\n");
    const { code, output } = machines.run();
    expect(code).toBe(0);
    expect(output).toContain("open 1/layer.tar: no such file or directory");
    expect(output).toContain("the host did not take the layers alone: sending the whole image");
    expect(Object.keys(machines.loaded)).toEqual(["1", "2", "3"]);
  });

  it("fails when the host takes neither, in the host's words, and keeps the image for another try", () => {
    const machines = new Machines(THREE);
    machines.write("there/wants", "4/layer.tar\n");
    const { code, output } = machines.run();
    expect([code, output]).toEqual([
      1,
      expect.stringContaining("the host did not take the image: open 4/layer.tar"),
    ]);
    expect(machines.calls.filter((call) => call.includes("image rm"))).toEqual([]);
    expect(entries(join(machines.dir, "tmp"))).toEqual([]);
  });

  it("ships nothing when the host is this machine under another address", () => {
    const machines = new Machines(THREE);
    machines.write("there/id", "HERE");
    for (const side of ["here", "there"]) machines.write(`${side}/image-id`, "sha256:1");
    expect(machines.run().code).toBe(0);
    expect(machines.calls.filter((call) => / (save|load|image rm)/.test(call))).toEqual([]);
  });

  it("ships to a clone of this machine, whose engine bears the same ID", () => {
    const machines = new Machines(THREE);
    machines.write("there/id", "HERE");
    machines.write("here/image-id", "sha256:1");
    expect(machines.run().code).toBe(0);
    expect(Object.keys(machines.loaded)).toEqual(["1", "2", "3"]);
  });

  it("that fails ships nothing and shows why", () => {
    const machines = new Machines(THREE);
    machines.write("here/broken", "");
    expect(machines.run()).toEqual({
      code: 1,
      output: "transferring context\nnpm ERR! missing script: build\n",
    });
    expect(machines.calls.filter((call) => call.startsWith("there load"))).toEqual([]);
  });

  it("without an engine says so", () => {
    const machines = new Machines(THREE);
    rmSync(join(machines.dir, "here/id"));
    expect(machines.run()).toEqual({
      code: 1,
      output:
        "no Docker engine answers on this machine: Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\n",
    });
  });

  it("does not build at all when the host cannot be reached", () => {
    const machines = new Machines(THREE);
    machines.write("bin/ssh", "#!/bin/sh\necho 'Connection refused' >&2\nexit 255\n");
    const { code, output } = machines.run();
    expect([code, output]).toEqual([1, expect.stringContaining("Connection refused")]);
    expect(machines.calls.filter((call) => call.startsWith("here build"))).toEqual([]);
  });
});
