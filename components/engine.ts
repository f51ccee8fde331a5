/** gRPC's word for nobody being there. */
const UNAVAILABLE = 14;

/**
 * Ends this process when Pulumi's engine is gone (killed, or its terminal closed). The SDK would tell the engine that it
 * is gone, fail, tell that, and go on so until the memory is full.
 */
export function endWithEngine(): void {
  process.on("unhandledRejection", (reason) => {
    if (typeof reason === "object" && reason !== null && "code" in reason && reason.code === UNAVAILABLE)
      process.exit(1);
  });
}
