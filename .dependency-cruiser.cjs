// Which way imports go: from what people type and see down to what is only known, and never back or round in a circle.
// Types count too: who needs a type knows the file that it stands in.

/** The rooms of plan/, each of which knows only those after it (docs/architecture.md). */
const ROOMS = ["words", "checks", "release", "found", "site", "wanted", "config"];
/** The folders, from above; `plan` is the rooms. Each knows only those that are named with it. */
const FOLDERS = {
  plan: ["plan"],
  loader: ["loader"],
  deployer: ["deployer", "plan"],
  host: ["host", "plan"],
  components: ["components", "plan", "host", "deployer"],
  ops: ["ops", "loader", "plan", "host", "deployer"],
};
const OWN =
  "^(start\\.cjs|index\\.ts|(loader|plan|deployer|host|components|ops|sandbox|test|bench|examples)/)";
const PRODUCT = "^(start\\.cjs|index\\.ts|loader/|plan/|deployer/|host/|components/|ops/)";

module.exports = {
  forbidden: [
    {
      name: "no-circle",
      comment:
        "Two files that need each other are one, or a third is missing that both need: give what they share a file",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    ...ROOMS.map((room, i) => ({
      name: `plan-${room}-looks-down`,
      comment: `plan/${room} knows ${ROOMS.slice(i + 1).join(", ") || "no other room"}: plan/ is read from words down to config`,
      severity: "error",
      from: { path: `^plan/${room}/` },
      to: { path: "^plan/", pathNot: `^plan/(${ROOMS.slice(i).join("|")})/` },
    })),
    {
      name: "plan-has-rooms",
      comment: `A file of plan/ lies in one of its rooms: ${ROOMS.join(", ")}`,
      severity: "error",
      from: { path: "^(index\\.ts|plan/|deployer/|host/|components/|ops/|test/)" },
      to: { path: "^plan/", pathNot: `^plan/(${ROOMS.join("|")})/` },
    },
    ...Object.entries(FOLDERS).map(([folder, known]) => ({
      name: `${folder}-looks-down`,
      comment: `${folder}/ knows ${known.filter((one) => one !== folder).join(", ") || "no other folder"}`,
      severity: "error",
      from: { path: `^${folder}/` },
      to: { path: OWN, pathNot: `^(${known.join("|")})/` },
    })),
    {
      name: "product-knows-no-sandbox",
      comment: "Stand-ins are for demos and tests: nothing that deploys may know of them",
      severity: "error",
      from: { path: PRODUCT },
      to: { path: "^(sandbox|test|bench|examples)/" },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(\\.sandbox|\\.build|examples)/" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.check.json" },
    enhancedResolveOptions: { extensions: [".ts", ".mts", ".js", ".mjs", ".json"] },
  },
};
