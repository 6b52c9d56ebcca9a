import { collectDefaultMetrics, Registry } from 'prom-client';

/** The metrics of a process, all labelled with its service name. */
export function createMetrics(service: string): Registry {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  collectDefaultMetrics({ register: registry });
  return registry;
}
