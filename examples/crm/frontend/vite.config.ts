import { defineConfig } from "vite";
import { version } from "./src/version.ts";

// The page: built to dist/client. `npm run dev` passes /api on to a backend on this machine.
export default defineConfig({
  build: { outDir: "dist/client", target: "es2022", modulePreload: false },
  server: { proxy: { "/api": "http://127.0.0.1:3000" } },
  plugins: [
    {
      name: "version-in-the-page",
      transformIndexHtml: () => [
        { tag: "meta", attrs: { name: "version", content: version }, injectTo: "head" },
      ],
    },
  ],
});
