if (!require("node:fs").existsSync("/tmp/ready")) {
  console.log("not warmed up");
  process.exit(1);
}
