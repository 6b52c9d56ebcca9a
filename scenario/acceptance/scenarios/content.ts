import assert from 'node:assert/strict';
import { readPinReceipt } from '@waymark/protocol';
import { restClient } from '../../support/rest-client.ts';
import type { Firm } from '../../support/running-consortium.ts';
import { type Scenario, until } from '../system.ts';
import { unitOf } from './anchoring.ts';

interface PinFacts {
  readonly anchored: boolean;
  readonly replicated: number;
  readonly receipts: readonly { readonly mspId: string; readonly state: string; readonly receipt: string }[];
}

/** What the firm's center knows of who keeps a batch. */
async function pinsOf(firm: Firm, cid: string): Promise<PinFacts | undefined> {
  const rest = restClient(firm, firm.ports.center.apiPort, await firm.identity('reader'));
  const { status, body } = await rest('GET', `/v1/pins/${cid}`);
  return status === 200 ? (body as unknown as PinFacts) : undefined;
}

/** Waits until these organisations hold a batch, by receipts that the firm's center has. */
export function untilHeld(firm: Firm, cid: string, mspIds: readonly string[]): Promise<PinFacts> {
  return until(`${mspIds.join(' and ')} to hold a batch`, async () => {
    const facts = await pinsOf(firm, cid);
    const held = facts?.receipts.filter(({ state }) => state === 'held').map(({ mspId }) => mspId) ?? [];
    return mspIds.every((mspId) => held.includes(mspId)) ? facts : undefined;
  });
}

export const contentScenarios: readonly Scenario[] = [
  {
    name: 'what is anchored is kept by every member: each signs a pin receipt for the batch, and gives its blocks',
    serves: ['S5', 'D2'],
    async run(system) {
      const mspIds = system.firms.map(({ mspId }) => mspId);
      for (const firm of [system.first, system.second]) {
        const [receipt] = await system.submit(firm, system.records('pinned', 3));
        assert.ok(receipt !== undefined);
        const cid = await unitOf(system, firm, receipt);
        const { anchored, replicated, receipts } = await untilHeld(firm, cid, mspIds);
        assert.equal(anchored, true);
        assert.ok(replicated >= system.consortium.topology.content.replicas);
        for (const { mspId, receipt: signed } of receipts) {
          const { receipt: says } = readPinReceipt(Buffer.from(signed, 'base64'), firm.channel);
          assert.deepEqual({ msp: says.msp, cid: says.cid }, { msp: mspId, cid });
        }
        for (const holder of system.firms) {
          const rest = restClient(holder, holder.ports.center.apiPort, await holder.identity('reader'));
          assert.equal((await rest('GET', `/ipfs/${cid}?format=raw`)).status, 200, `${holder.mspId} gives the batch`);
        }
      }
    },
  },
  {
    name: 'where the policy says so a batch is anchored only once another member has signed that it keeps it',
    serves: ['S5'],
    async run(system) {
      const { first, second, names } = system;
      const restore = await system.configure(first, 'center', { pins: { replicas: 2, anchorAfterReceipts: true } });
      const center = names.centers.get(second.mspId) ?? '';
      const others = system.firms.filter((firm) => firm !== first).map(({ mspId }) => names.centers.get(mspId) ?? '');
      try {
        await system.kill(...others);
        const submitted = system.submit(first, system.records('receipt-first', 1));
        submitted.catch(() => undefined);
        await until('a batch to wait for receipts', async () =>
          (await system.gauge(first, 'center', 'waymark_pins_without_receipts')) > 0 ? true : undefined,
        );
        await system.restart(center);
        const [receipt] = await submitted;
        assert.equal(receipt?.state, 'anchored');
        await system.restart(...others.filter((name) => name !== center));
      } finally {
        await restore();
      }
    },
  },
];
