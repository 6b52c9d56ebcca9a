import { readFile, rm, writeFile } from 'node:fs/promises';
import { parseCid } from '@waymark/protocol';
import { caughtUp, type TestConsortium, until } from '@waymark/testing/consortium';
import { findKubo, type KuboPeer, startKubo } from '@waymark/testing/kubo-peer';
import { type PinningFirm, twoCenters } from '../harness/two-centers.ts';

const program = findKubo();
if (program === undefined) process.stderr.write('skipped: centers with a kubo each (no `ipfs` on PATH)\n');
const describeWithKubo = program === undefined ? describe.skip : describe;
/** Daemons of a busy machine take their time. */
const limitMs = 120_000;

describeWithKubo(`centers with a kubo each${program === undefined ? ': skipped, no `ipfs` on PATH' : ''}`, () => {
  let consortium: TestConsortium;
  let north: PinningFirm;
  let south: PinningFirm;
  let kubos: readonly [KuboPeer, KuboPeer];

  const contentOf = ({ apiUrl, authorization }: KuboPeer): Record<string, unknown> => ({
    content: { kind: 'kubo', url: apiUrl, authorizationFile: authorization.secretFile },
  });

  beforeAll(async () => {
    const path = program ?? '';
    // Neither knows the other: what one center lacks comes from the other center.
    kubos = [await startKubo(path), await startKubo(path)];
    const pins = { replicas: 2, anchorAfterReceipts: true, watchIntervalMs: 60_000 };
    const overrides = [contentOf(kubos[0]), contentOf(kubos[1])] as const;
    ({ consortium, north, south } = await twoCenters([pins, pins], overrides));
    await north.center.start();
    await south.center.start();
    await caughtUp(consortium, north.center, south.center);
  }, limitMs);

  afterAll(async () => {
    (await north.outlet()).close();
    await north.center.stop();
    await south.center.stop();
    await consortium.stop();
    for (const kubo of kubos) await kubo.stop();
  }, limitMs);

  const held = async (cid: string): Promise<boolean> => {
    const { body } = await south.call('POST', '/v1/pins/check', { cids: [cid] }, north.asCenter);
    return (body?.['results'] as { held: boolean }[])[0]?.held ?? false;
  };
  const alter = async (kubo: KuboPeer, cid: string): Promise<void> => {
    const file = kubo.blockFile(parseCid(cid));
    const bytes = await readFile(file);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    await writeFile(file, bytes);
  };

  test(
    'S5, S7: what one anchors both keep; what is altered is an error first and right afterwards; what is lost comes back',
    async () => {
      const { code, cid, leaves } = await north.send({ count: 20 });
      expect(code).toBe('accepted');
      await until(async () => (await north.status()).pins.replicated === 1, 60_000);
      expect(await held(cid)).toBe(true);
      const [first = '', second = '', third = ''] = leaves;

      await alter(kubos[0], first);
      const answer = await north.call('GET', `/ipfs/${first}?format=raw`);
      expect([answer.status, answer.body?.['code']]).toEqual([500, 'data-abnormal']);
      await until(async () => (await north.call('GET', `/ipfs/${first}?format=raw`)).status === 200, 30_000);

      await alter(kubos[1], second);
      await rm(kubos[1].blockFile(parseCid(third)));
      expect(await held(cid)).toBe(false);
      await north.center.stop();
      await north.center.start();
      await until(() => held(cid), 60_000);
      await until(async () => (await north.status()).pins.missing === 0, 30_000);
    },
    limitMs,
  );
});
