import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Firm } from '../../support/running-consortium.ts';
import { type Scenario, type System, until } from '../system.ts';
import { underLoad } from '../under-load.ts';

/** Host name of the orderer that leads. */
function raftLeader({ consortium }: System): Promise<string> {
  return until('an orderer to lead', async () => (await consortium.channel.ordering()).leader);
}

/** What a service says of itself to who would send it work. */
async function readiness(system: System, firm: Firm): Promise<{ ready: boolean; checks: Record<string, string> }> {
  const { status, text } = await system.operations(firm, 'center', 'healthz/ready');
  const { checks } = JSON.parse(text) as { checks: Record<string, string> };
  return { ready: status === 200, checks };
}

async function untilReady(system: System, firm: Firm): Promise<void> {
  await until('the center to be ready again', async () => ((await readiness(system, firm)).ready ? true : undefined));
}

/** Waits until the firm's center takes nothing new because too much waits for the channel. */
async function untilHeldBack(system: System, firm: Firm): Promise<void> {
  await until('the center to hold its outlets back', async () => {
    const { ready, checks } = await readiness(system, firm);
    return !ready && checks['backlog'] === 'failing' ? true : undefined;
  });
}

/** Kills nodes under load and brings them back while it goes on. */
const killedUnderLoad =
  (names: (system: System) => readonly string[]) =>
  (system: System): Promise<void> =>
    underLoad(system, async () => {
      const victims = names(system);
      assert.ok(victims.length > 0, 'there is something to kill');
      await system.kill(...victims);
      await system.restart(...victims);
    });

const fewBatches = { limits: { maxPendingBatches: 16 } };

export const faultScenarios: readonly Scenario[] = [
  {
    name: 'every chaincode killed under load and brought back: each acknowledged record is on the channel once',
    serves: ['S5'],
    run: killedUnderLoad(({ names }) => names.chaincodes),
  },
  {
    name: 'every center killed under load and brought back: each acknowledged record is on the channel once',
    serves: ['S5'],
    run: killedUnderLoad(({ names }) => [...names.centers.values()]),
  },
  {
    name: 'every outlet killed under load and brought back: each acknowledged record is on the channel once',
    serves: ['S5'],
    run: killedUnderLoad(({ names }) => [...names.outlets.values()]),
  },
  {
    name: 'the peer of an outlet killed under load: anchoring goes on without it, and it catches up',
    serves: ['S1', 'S5'],
    needs: ['separate-nodes', 'two-peers'],
    run: (system) =>
      underLoad(system, async (progress) => {
        const [, peer] = system.names.peers.get(system.first.mspId) ?? [];
        assert.ok(peer !== undefined);
        await system.kill(peer);
        await Promise.all([system.first, system.second].map((firm) => progress(firm).next('anchored', 8)));
        await system.restart(peer);
      }),
  },
  {
    name: 'a leader peer away under load: its center says that it is not ready and holds back, the other firm goes on; then everything drains',
    serves: ['S1', 'S5'],
    needs: ['separate-nodes', 'two-peers'],
    async run(system) {
      const { first, second } = system;
      const restore = await system.configure(first, 'center', fewBatches);
      try {
        await untilReady(system, first);
        await underLoad(system, async (progress) => {
          const [leader] = system.names.peers.get(first.mspId) ?? [];
          assert.ok(leader !== undefined);
          await system.kill(leader);
          await untilHeldBack(system, first);
          await progress(second).next('anchored', 8);
          await system.restart(leader);
        });
        await untilReady(system, first);
      } finally {
        await restore();
      }
    },
  },
  {
    name: 'an orderer killed under load and brought back: each acknowledged record is on the channel once',
    serves: ['S2', 'V3'],
    needs: ['separate-nodes'],
    run: killedUnderLoad(({ names }) => names.orderers.slice(-1)),
  },
  {
    name: 'the Raft leader killed under load: the others elect another and anchoring goes on without it',
    serves: ['S2', 'V3'],
    needs: ['separate-nodes', 'raft', 'spare-orderer'],
    run: (system) =>
      underLoad(system, async (progress) => {
        const leader = await raftLeader(system);
        assert.ok(system.names.orderers.includes(leader));
        await system.kill(leader);
        await Promise.all([system.first, system.second].map((firm) => progress(firm).next('anchored', 8, 90_000)));
        assert.notEqual(await raftLeader(system), leader);
        await system.restart(leader);
      }),
  },
  {
    name: 'Fabric away: centers hold their outlets back and say so, nothing is lost, and everything drains once it is back',
    serves: ['S5', 'D14'],
    absences: 1,
    async run(system) {
      const { first, second, names } = system;
      const restore = [
        await system.configure(first, 'center', fewBatches),
        await system.configure(second, 'center', fewBatches),
      ];
      try {
        await Promise.all([first, second].map((firm) => untilReady(system, firm)));
        await underLoad(system, async () => {
          await system.kill(...names.channel);
          const sinceMs = Date.now();
          await Promise.all([first, second].map((firm) => untilHeldBack(system, firm)));
          // The absence itself is what is tried here, so that it has its length.
          await delay(Math.max(0, system.awayMs - (Date.now() - sinceMs)));
          await Promise.all([first, second].map((firm) => untilHeldBack(system, firm)));
          await system.restart(...names.channel);
        });
        await Promise.all([first, second].map((firm) => untilReady(system, firm)));
      } finally {
        for (const putBack of restore) await putBack();
      }
    },
  },
  {
    name: "a firm's IPFS away: its outlet keeps what it cannot hand over, the other firm goes on, and everything drains once it is back",
    serves: ['S5'],
    needs: ['kubo'],
    absences: 1,
    run: (system) =>
      underLoad(system, async (progress) => {
        const { first, second, names } = system;
        const kubo = names.kubos.get(first.mspId);
        assert.ok(kubo !== undefined);
        await system.kill(kubo);
        const sinceMs = Date.now();
        await until('batches to wait at the outlet', async () =>
          (await system.gauge(first, 'outlet', 'waymark_batches_queued')) > 0 ? true : undefined,
        );
        await progress(second).next('anchored', 8);
        await delay(Math.max(0, system.awayMs - (Date.now() - sinceMs)));
        await system.restart(kubo);
      }),
  },
  {
    name: 'everything killed at once under load and started again keeps what it acknowledged',
    serves: ['S5', 'S6', 'S7'],
    run: (system) =>
      underLoad(system, async () => {
        const { channel, chaincodes, kubos, services } = system.names;
        await system.kill(...services, ...channel, ...chaincodes, ...kubos.values());
        await system.restart(...kubos.values());
        await system.restart(...channel);
        await system.restart(...chaincodes);
        await system.restart(...services);
      }),
  },
];
