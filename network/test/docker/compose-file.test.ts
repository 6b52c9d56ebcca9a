import { join } from 'node:path';
import { parse } from 'yaml';
import { composeDocument, type ComposePlan, composeText } from '../../src/docker/compose-file.ts';
import type { ComposeService } from '../../src/docker/compose-document.ts';
import { imagesOf } from '../../src/docker/versions.ts';
import { layoutOf } from '../../src/layout.ts';
import { readTopology, type Topology } from '../../src/topology.ts';
import { ledgerTopology } from '../example-topology.ts';
import { planFor } from './port-plan.ts';

const folder = join(import.meta.dirname, '..', '..');

/** A topology whose organisations have private ledgers. */
const withLedgers = 'private ledgers';

async function planOf(file: string, changes: Partial<ComposePlan> = {}): Promise<ComposePlan> {
  const topology = file === withLedgers ? ledgerTopology() : await readTopology(join(folder, file));
  return {
    project: 'waymark-test',
    topology,
    layout: layoutOf('/data/consortium', 'docker'),
    ports: planFor(topology),
    images: imagesOf('3.1.5', '0.1.0'),
    user: '1000:1000',
    publish: '127.0.0.1',
    repository: '/repository',
    chaincodes: topology.organisations.map((organisation, index) => ({
      organisation,
      name: `chaincode-${organisation.domain}`,
      port: 21_000 + index,
      packageId: 'waymark_0.1.0:abc',
    })),
    loggingSpec: 'warning',
    ...changes,
  };
}

function programs(services: Readonly<Record<string, ComposeService>>): [string, ComposeService][] {
  return Object.entries(services).filter(([name]) => name !== 'volumes');
}

describe.each(['topology.yaml', 'topology.full.yaml', withLedgers])('the compose file of %s', (file) => {
  test('every container but the one that prepares volumes runs without root, capabilities and a writable image', async () => {
    const { services } = composeDocument(await planOf(file));
    for (const [name, service] of programs(services)) {
      expect({ name, ...service }).toMatchObject({
        user: '1000:1000',
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
        read_only: true,
        init: true,
        restart: 'unless-stopped',
      });
      expect(service.cap_add).toBeUndefined();
    }
    expect(services['volumes']).toMatchObject({
      cap_drop: ['ALL'],
      cap_add: ['CHOWN', 'DAC_OVERRIDE'],
      network_mode: 'none',
      read_only: true,
      restart: 'no',
    });
  });

  test('nothing is privileged, uses a network or a namespace of the machine, or sees the engine', async () => {
    const text = composeText(composeDocument(await planOf(file)));
    expect(text).not.toMatch(
      /privileged: true|docker\.sock|network_mode: host|pid:|ipc:|userns_mode|devices:|env_file/,
    );
  });

  test('memory, processes and logs are bounded, and there is a health check', async () => {
    for (const [, service] of programs(composeDocument(await planOf(file)).services)) {
      expect(service.mem_limit).toMatch(/^\d+[gm]$/);
      expect(service.pids_limit).toBeGreaterThan(0);
      expect(service.logging.options).toEqual({ 'max-size': '10m', 'max-file': '3' });
      expect(service.healthcheck).toMatchObject({ test: expect.arrayContaining(['CMD']) as unknown, retries: 3 });
    }
  });

  test('images are named by exact version', async () => {
    for (const { image } of Object.values(composeDocument(await planOf(file)).services)) {
      expect(image).toMatch(/^[a-z]+\/[a-z-]+:v?\d+\.\d+\.\d+$/);
    }
  });

  test('every port is published on loopback and nowhere else', async () => {
    const { services } = composeDocument(await planOf(file));
    const ports = programs(services).flatMap(([, service]) => service.ports);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:(\d+):\1$/);
    expect(new Set(ports).size).toBe(ports.length);
  });

  test('elsewhere only what users need is published: administration, health and the content API stay on loopback', async () => {
    const plan = await planOf(file, { publish: '192.0.2.7' });
    const { services } = composeDocument(plan);
    const outside = new Set(
      Object.values(services)
        .flatMap(({ ports }) => ports)
        .filter((port) => port.startsWith('192.0.2.7:'))
        .map((port) => Number(port.split(':').at(-1))),
    );
    const nodes = Object.values(plan.ports.fabric ?? {});
    const kubos = Object.values(plan.ports.content ?? {});
    const own = Object.values(plan.ports.services);
    expect([...outside].sort()).toEqual(
      [...nodes.map(({ port }) => port), ...own.flatMap(({ grpcPort, apiPort }) => [grpcPort, apiPort])].sort(),
    );
    for (const port of [
      ...nodes.flatMap(({ adminPort, operationsPort }) => [adminPort, operationsPort]),
      ...kubos.flatMap(({ apiPort, swarmPort }) => [apiPort, swarmPort]),
      ...own.map(({ operationsPort }) => operationsPort),
    ]) {
      expect(outside).not.toContain(port);
    }
  });

  test('an IPv6 address is published in brackets', async () => {
    const { services } = composeDocument(await planOf(file, { publish: '::1' }));
    const ports = Object.values(services).flatMap((service) => service.ports);
    expect(ports.some((port) => /^\[::1\]:(\d+):\1$/.test(port))).toBe(true);
  });

  test('the content API and the chaincode are in the network of their organisation: no other member is in it', async () => {
    const { topology, ...plan } = await planOf(file);
    const { services } = composeDocument({ ...plan, topology });
    for (const { domain } of topology.organisations) {
      const inside = Object.entries(services).filter(([, { networks = {} }]) => Object.hasOwn(networks, domain));
      expect(inside.length).toBeGreaterThan(0);
      for (const [name] of inside) expect(name.endsWith(`.${domain}`)).toBe(true);
      expect(networksOf(services, `chaincode.${domain}`)).toEqual([domain]);
      expect(networksOf(services, `ipfs.${domain}`)).toEqual(['shared_swarm', domain]);
    }
    const inSwarm = Object.entries(services).filter(([, { networks = {} }]) => Object.hasOwn(networks, 'shared_swarm'));
    expect(inSwarm.every(([name]) => name.startsWith('ipfs.'))).toBe(true);
  });

  test('outlets are in the network of their organisation alone', async () => {
    const { topology, ...plan } = await planOf(file);
    const { services } = composeDocument({ ...plan, topology });
    for (const { domain, outlets } of topology.organisations) {
      for (const { name } of outlets) expect(networksOf(services, `outlet.${name}.${domain}`)).toEqual([domain]);
      expect(networksOf(services, `center.${domain}`)).toEqual(['shared_channel', domain]);
    }
  });

  test("folders of this machine are the node's own, for reading; only a service's sealed key store is written to", async () => {
    const { services } = composeDocument(await planOf(file));
    const sources = new Set<string>();
    for (const [name, { volumes }] of programs(services)) {
      for (const mount of volumes) {
        if (mount.type === 'volume') {
          expect(mount).toMatchObject({ source: name, volume: { nocopy: true } });
          continue;
        }
        expect(mount.source).toMatch(/^\.\.\/(fabric|content|organisations)\//);
        expect(mount.bind.create_host_path).toBe(false);
        expect(sources).not.toContain(mount.source);
        sources.add(mount.source);
        if (!mount.read_only) expect(mount.target).toBe('/etc/waymark/keys');
      }
    }
  });

  test('what writes has a named volume of its own, which is prepared before it starts', async () => {
    const document = composeDocument(await planOf(file));
    const prepared = document.services['volumes']?.volumes.map(({ source }) => source) ?? [];
    expect(Object.keys(document.volumes)).toEqual(prepared);
    for (const [name, { depends_on }] of programs(document.services)) {
      const hasVolume = Object.hasOwn(document.volumes, name);
      expect(hasVolume).toBe(!name.startsWith('chaincode'));
      if (hasVolume) expect(depends_on['volumes']).toEqual({ condition: 'service_completed_successfully' });
    }
    const command = document.services['volumes']?.command?.join(' ') ?? '';
    for (const name of prepared) expect(command).toContain(`/volumes/${name}`);
  });

  test('environments hold addresses, names and levels: no key, secret or pass phrase', async () => {
    const permitted = new Set([
      'FABRIC_CFG_PATH',
      'FABRIC_LOGGING_SPEC',
      'HOME',
      'CHAINCODE_SERVER_ADDRESS',
      'CHAINCODE_ID',
      'CORE_CHAINCODE_LOGGING_LEVEL',
    ]);
    for (const { environment = {} } of Object.values(composeDocument(await planOf(file)).services)) {
      for (const name of Object.keys(environment)) expect(permitted).toContain(name);
    }
  });

  test('every dependency is there, and none goes in a circle', async () => {
    const { services } = composeDocument(await planOf(file));
    const depth = (name: string, above: readonly string[] = []): number => {
      expect(above).not.toContain(name);
      const below = Object.keys(services[name]?.depends_on ?? {});
      for (const dependency of below) expect(Object.hasOwn(services, dependency)).toBe(true);
      return 1 + Math.max(0, ...below.map((dependency) => depth(dependency, [...above, name])));
    };
    for (const name of Object.keys(services)) expect(depth(name)).toBeLessThan(8);
  });
});

describe('the compose file', () => {
  test('has one container for each orderer, peer, chaincode, kubo and service of S12', async () => {
    const { services } = composeDocument(await planOf('topology.yaml'));
    expect(Object.keys(services).sort()).toEqual(
      [
        'volumes',
        'orderer0.orderer.example',
        ...['northline', 'sunparcel'].flatMap((name) => [
          `leader.${name}.example`,
          `chaincode.${name}.example`,
          `ipfs.${name}.example`,
          `center.${name}.example`,
          `standby.${name}.example`,
          `audit-office.${name}.example`,
        ]),
        'harbour-depot.northline.example',
        'outlet.harbour-depot.northline.example',
        'airport-hub.sunparcel.example',
        'outlet.airport-hub.sunparcel.example',
      ].sort(),
    );
  });

  test('runs a standby as a center and a verifier as a department, both in reach of the other members', async () => {
    const { services } = composeDocument(await planOf(withLedgers));
    const of = (node: string) => services[`${node}.firm0.example`];
    expect([of('standby')?.command?.[0], of('audit-office')?.command?.[0]]).toEqual([
      'services/enterprise/src/main.ts',
      'services/department/src/main.ts',
    ]);
    expect(of('standby')).toMatchObject({ image: of('center')?.image, healthcheck: { ...of('center')?.healthcheck } });
    expect(networksOf(services, 'standby.firm0.example')).toEqual(['shared_channel', 'firm0.example']);
    for (const name of ['audit-office', 'outlet.depot'])
      expect(networksOf(services, `${name}.firm0.example`)).toEqual(['firm0.example']);
    for (const name of ['standby', 'audit-office'])
      expect(of(name)?.volumes.map(({ source, target }) => [source, target])).toEqual([
        [`../organisations/firm0.example/${name}`, '/etc/waymark'],
        [`../organisations/firm0.example/${name}/keys`, '/etc/waymark/keys'],
        [`${name}.firm0.example`, '/etc/waymark/data'],
      ]);
  });

  test('says what it means: a dollar sign is no variable, and reading it gives the document again', async () => {
    const plan = await planOf('topology.yaml', { loggingSpec: 'warning:$HOME=info' });
    const document = composeDocument(plan);
    const text = composeText(document);
    expect(text).toContain('warning:$$HOME=info');
    expect(JSON.parse(JSON.stringify(parse(text)).replaceAll('$$', '$'))).toEqual(document);
  });

  test('chaincode of a later sequence is another container under the same host name', async () => {
    const plan = await planOf('topology.yaml');
    const [organisation] = plan.topology.organisations;
    if (organisation === undefined) throw new Error('the topology has organisations');
    const later = {
      organisation,
      name: `chaincode-${organisation.domain}-2`,
      port: 21_900,
      packageId: 'waymark_2:def',
    };
    const { services } = composeDocument({ ...plan, chaincodes: [...plan.chaincodes, later] });
    expect(services[`chaincode-2.${organisation.domain}`]).toMatchObject({
      environment: { CHAINCODE_ID: 'waymark_2:def', CHAINCODE_SERVER_ADDRESS: '0.0.0.0:21900' },
      networks: { [organisation.domain]: { aliases: [`chaincode.${organisation.domain}`] } },
    });
  });

  test('orderers that members run stand in the folders of their members', async () => {
    const plan = await planOf('topology.yaml');
    const topology: Topology = { ...plan.topology, ordering: { ...plan.topology.ordering, type: 'bft', orderers: 4 } };
    const { services } = composeDocument({ ...plan, topology, ports: planFor(topology) });
    const sources = Object.entries(services)
      .filter(([name]) => name.startsWith('orderer'))
      .map(([, { volumes }]) => volumes[0]?.source);
    expect(sources).toHaveLength(4);
    for (const source of sources)
      expect(source).toMatch(/^\.\.\/fabric\/peerOrganizations\/[a-z.]+\/orderers\/orderer\d\./);
  });

  test('a node without planned ports is refused', async () => {
    const plan = await planOf('topology.yaml');
    expect(() => composeDocument({ ...plan, ports: { ...plan.ports, content: {} } })).toThrow(
      expect.objectContaining({ code: 'configuration-invalid' }) as Error,
    );
  });
});

function networksOf(services: Readonly<Record<string, ComposeService>>, name: string): string[] {
  return Object.keys(services[name]?.networks ?? {});
}
