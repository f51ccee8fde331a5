import { Controller, Get } from "@nestjs/common";

const CAKES = [
  { id: 1, name: "Napoleon", roubles: 450 },
  { id: 2, name: "Medovik", roubles: 390 },
];

@Controller()
export class ShopController {
  @Get("health")
  health() {
    return { ok: true };
  }

  @Get("cakes")
  cakes() {
    return CAKES;
  }
}
