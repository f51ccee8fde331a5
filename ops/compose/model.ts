import { z } from "zod";

/**
 * A compose file as `docker compose config --format json` gives it: interpolation, env files, anchors, extends and profiles
 * are done by then, and short forms written out. Keys that are not here are kept, so that they can be told.
 */
const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const texts = z.record(z.string(), text.nullable()).nullish();
const words = z.union([z.string().transform((one) => [one]), z.array(z.string())]).nullish();

const port = z.looseObject({
  target: z.coerce.number(),
  published: z.coerce.number().optional(),
  host_ip: z.string().optional(),
  protocol: z.string().default("tcp"),
});

const volume = z.looseObject({
  type: z.string(),
  source: z.string().optional(),
  target: z.string(),
});

const service = z.looseObject({
  image: z.string().optional(),
  build: z
    .looseObject({
      context: z.string(),
      dockerfile: z.string().default("Dockerfile"),
      target: z.string().optional(),
      args: texts,
    })
    .optional(),
  command: words,
  entrypoint: words,
  environment: texts,
  healthcheck: z
    .looseObject({ test: words, disable: z.boolean().optional(), start_period: z.string().optional() })
    .optional(),
  depends_on: z.record(z.string(), z.looseObject({ condition: z.string().optional() })).default({}),
  ports: z.array(port).default([]),
  expose: z.array(text).default([]),
  volumes: z.array(volume).default([]),
  tmpfs: words,
  labels: texts,
  user: text.optional(),
  mem_limit: text.optional(),
  scale: z.number().optional(),
  stop_grace_period: z.string().optional(),
  deploy: z
    .looseObject({
      replicas: z.number().optional(),
      resources: z.looseObject({ limits: z.looseObject({ memory: text.optional() }).optional() }).optional(),
    })
    .optional(),
});

export const composeProject = z.looseObject({
  name: z.string(),
  services: z.record(z.string(), service),
  volumes: z.record(z.string(), z.looseObject({ name: z.string() }).nullable()).default({}),
});

export type ComposeProject = z.infer<typeof composeProject>;
export type ComposeService = ComposeProject["services"][string];
