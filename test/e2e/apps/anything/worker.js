// Asks the service that it is told of, as its health: it works only where that is reached.
setInterval(async () => {
  const answer = await fetch(process.env.API).catch((error) => ({ status: error.message }));
  console.log(process.argv.slice(2).join("|"), answer.status);
}, 500);
process.on("SIGTERM", () => process.exit(0));
