// Loaded by Node before Pulumi's SDK (Pulumi.yaml, nodeargs).
"use strict";

require("./lazy.cjs").lazilyWhatIsNotUsed();

// Only if it has been prepared by an earlier run. Nothing that goes wrong here is told: the program finds it again.
try {
  require("./prepared.cjs").ready("host/early.ts")?.begin(process.argv, process.env);
} catch {
  // See above.
}
