/**
 * Deploys a few services to one machine. A table of contents: each part is made in the file it is named after.
 * Data flows one way: config -> plan (what is wanted, how to get there) -> resources -> the runner on the host.
 */
import { goThroughChecklist } from "./components/checklist";
import { claimHost, expectOwnHost, lineageOfState } from "./components/claim";
import { Database } from "./components/database";
import { whenProgramFails, whenResourceFails } from "./components/failures";
import { Host } from "./components/host";
import { readFacts } from "./components/hostFacts";
import { News } from "./components/notify";
import { checkPlan, showPlan, siteUrl, versions } from "./components/outputs";
import { Proxy } from "./components/proxy";
import { Release } from "./components/release";
import { Service } from "./components/service";
import { loadConfig, withoutTrace } from "./components/stackConfig";
import { makeTracesPrintable } from "./components/trace";
import { routesScript } from "./host/bundle";
import { planRelease } from "./plan/release/release";
import { pinned } from "./plan/release/rollback";
import { describeStack } from "./plan/release/stack";

export = () => {
  makeTracesPrintable();
  const news = new News();
  return whenProgramFails(
    () => program(news),
    (problem) => news.failed(problem),
  );
};

async function program(news: News) {
  const { config: configured, names } = loadConfig(__dirname);

  const [facts, lineage] = await Promise.all([readFacts(configured, names), lineageOfState()]);
  const { config, pin } = withoutTrace(() => pinned(configured, facts));
  expectOwnHost(config, names, facts, lineage);
  const stack = withoutTrace(() => describeStack(__dirname, config, names, facts, pin));
  const plan = planRelease(config, stack, facts, routesScript());
  news.about({
    config,
    names,
    facts,
    plan,
    pinned: plan.kind === "rollback" ? pin?.entry.number : undefined,
  });
  checkPlan(plan, stack, config, facts, pin);
  const { checked, repositories } = goThroughChecklist(__dirname, config, facts, plan);
  const claim = await claimHost(config, names, facts, lineage);
  showPlan(plan, stack, config, facts, checked, pin);

  whenResourceFails((problem, resource) => news.failed(problem, resource));
  const host = new Host("host", config, names, facts, claim);
  const database =
    config.database && stack.database && new Database("database", host, config.database, stack.database);
  const services = stack.services.map((one) => new Service(host, one, database?.password));
  const proxy = new Proxy("proxy", host, stack.proxy, stack.messenger);

  const done = new Release(host, plan, stack, { database, services, proxy }, repositories);
  const release = news.succeeded(done.name, done.number, done.met);
  return {
    release,
    /** As `ops releases` lists it, and `rollbackTo` takes it. */
    number: done.number,
    /** Where the site answers, once it does. */
    url: release.apply(() => siteUrl(config)),
    /** Per service: its version, its image and why that was built. */
    running: release.apply(() => versions(stack)),
  };
}
