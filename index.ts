/**
 * Deploys a few services to one machine. A table of contents: each part is made in the file it is named after.
 * Data flows one way: config -> plan (what is wanted, how to get there) -> resources -> the runner on the host.
 */
import * as pulumi from "@pulumi/pulumi";
import { goThroughChecklist } from "./components/checklist";
import { claimHost, ownLineage } from "./components/claim";
import { Database } from "./components/database";
import { Host } from "./components/host";
import { readFacts } from "./components/hostFacts";
import { checkPlan, showPlan, siteUrl, versions } from "./components/outputs";
import { Proxy } from "./components/proxy";
import { Release } from "./components/release";
import { Service } from "./components/service";
import { loadConfig, withoutTrace } from "./components/stackConfig";
import { makeTracesPrintable } from "./components/trace";
import { routesScript } from "./host/bundle";
import { planRelease } from "./plan/release";
import { describeStack } from "./plan/stack";

export = async () => {
  makeTracesPrintable();
  const { config, names } = loadConfig();

  const facts = readFacts(config, names);
  const lineage = await ownLineage(config, names, facts);
  const stack = withoutTrace(() => describeStack(__dirname, config, names, facts));
  const plan = planRelease(config, stack.wanted, stack.record, facts, routesScript());
  checkPlan(plan, stack, config, facts);
  const checked = goThroughChecklist(__dirname, config, facts);
  const claim = await claimHost(config, names, facts, lineage);
  showPlan(plan, stack, config, facts, checked);

  const host = new Host("host", config, names, facts, claim);
  const database =
    config.database && stack.database && new Database("database", host, config.database, stack.database);
  const services = stack.services.map((one) => new Service(host, one, database?.password));
  const proxy = new Proxy("proxy", host, stack.proxy);

  const containers = [database, ...services, proxy].flatMap((part) => part?.containers ?? []);
  const done = new Release(host, plan, stack, containers);
  return {
    release: done.name,
    /** Where the site answers, once it does. */
    url: pulumi.output(done.name).apply(() => siteUrl(config)),
    /** Per service: its version, its image and why that was built. */
    running: done.name.apply(() => versions(stack)),
  };
};
