import "reflect-metadata";
import { NestFactory } from "@nestjs/core";
import { ShopModule } from "./shop.module";

async function main() {
  const app = await NestFactory.create(ShopModule, { logger: ["error", "warn", "log"] });
  // SIGTERM ends it in order: requests in flight are answered.
  app.enableShutdownHooks();
  app.enableCors({ origin: process.env.SITE });
  await app.listen(Number(process.env.PORT ?? 3000), "0.0.0.0");
}

void main();
