import { setTimeout as sleep } from 'node:timers/promises';
import { connectClient, type TestClient } from '../harness/client.ts';
import { CHAINCODE, HOSTILE_CHAINCODE, type Target } from './target/target.ts';

const DEADLINE_MS = 10_000;
const START_DEADLINE_MS = 25_000;

/** The clients of people who mean well, on the gateway of the user's organisation. */
export interface HealthCheck {
  /** Rejects, with the reason, when an honest client is not served or the network is not in one piece. */
  expectServing(): Promise<void>;
  /** Waits for the chaincode to be connected after the start. */
  untilServing(): Promise<void>;
  /** Submits a transaction of the hostile chaincode, which must behave for it; waits until the chaincode is there. */
  submitHostile(): Promise<void>;
  close(): void;
}

export function createHealthCheck(target: Target): HealthCheck {
  const [leader] = target.peers;
  if (leader === undefined) throw new Error('a network has a peer');
  const client: TestClient = connectClient(leader, target.user);
  const contract = client.gateway.getNetwork(target.channel).getContract(CHAINCODE);
  let round = 0;
  const evaluate = () => contract.evaluateTransaction('get', 'health');
  const hostile = client.gateway.getNetwork(target.channel).getContract(HOSTILE_CHAINCODE);
  return {
    untilServing: () => untilDone(() => contract.submitTransaction('put', 'health', 'start')),
    submitHostile: () => untilDone(() => hostile.submitTransaction('anything')),
    expectServing: async () => {
      const value = `round ${round++}`;
      expectNoComplaint(target);
      await within(contract.submitTransaction('put', 'health', value), 'submit');
      const read = await within(evaluate(), 'evaluate');
      if (Buffer.from(read).toString() !== value) throw new Error(`evaluate gave ${Buffer.from(read).toString()}`);
      await sameHeights(target);
      expectNoComplaint(target);
    },
    close: () => client.close(),
  };
}

async function untilDone(action: () => Promise<unknown>): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      await action();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

function expectNoComplaint(target: Target): void {
  const complaint = target.complaint();
  if (complaint !== undefined) throw new Error(complaint);
}

/** All peers have what the one that answered has: none of them choked on a block. */
async function sameHeights(target: Target): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const heights = await target.heights();
    if (new Set(Object.values(heights)).size === 1) return;
    if (Date.now() > deadline) throw new Error(`peers differ: ${JSON.stringify(heights)}`);
    await sleep(20);
  }
}

async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} of an honest client: no answer in ${DEADLINE_MS} ms`)),
      DEADLINE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
