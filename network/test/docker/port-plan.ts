import { peersOf } from '../../src/channel/channel.ts';
import { type PortPlan, serviceName, servicesOf } from '../../src/layout.ts';
import { ordererHostNames } from '../../src/ordering.ts';
import type { Topology } from '../../src/topology.ts';

/** A port plan for what a topology runs as containers, the same every time. */
export function planFor(topology: Topology): PortPlan {
  let port = 20_000;
  const next = (): number => (port += 1);
  const nodes = [
    ...ordererHostNames(topology),
    ...topology.organisations.flatMap((organisation) =>
      peersOf(organisation).map((name) => `${name}.${organisation.domain}`),
    ),
  ];
  return {
    runtime: 'docker',
    fabric: Object.fromEntries(
      nodes.map((name) => [name, { port: next(), operationsPort: next(), adminPort: next(), chaincodePort: next() }]),
    ),
    content: Object.fromEntries(
      topology.organisations.map(({ mspId }) => [mspId, { swarmPort: next(), apiPort: next() }]),
    ),
    chaincodes: {},
    services: Object.fromEntries(
      servicesOf(topology).map(({ organisation, node }) => [
        serviceName(organisation, node),
        { grpcPort: next(), apiPort: next(), operationsPort: next() },
      ]),
    ),
  };
}
