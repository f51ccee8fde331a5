import { defineConfig } from "vite";

// The server that serves the page: one file, with what it imports.
export default defineConfig({
  publicDir: false,
  ssr: { noExternal: true },
  build: {
    ssr: "server/server.ts",
    target: "node22",
    emptyOutDir: false,
    rolldownOptions: { output: { entryFileNames: "server.mjs" } },
  },
});
