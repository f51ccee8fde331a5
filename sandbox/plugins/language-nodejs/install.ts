import { spawn } from "node:child_process";

/** Installs what the program's package.json names (`pulumi install`). Throws when npm fails. */
export function installDependencies(directory: string, show: (text: string) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const npm = spawn("npm", ["install"], { cwd: directory, stdio: ["ignore", "pipe", "pipe"] });
    const forward = (chunk: Buffer): void => {
      show(chunk.toString());
    };
    npm.stdout.on("data", forward);
    npm.stderr.on("data", forward);
    npm.on("error", reject);
    npm.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new Error(`npm install ended with exit code ${code ?? "none"} in ${directory}`));
    });
  });
}
