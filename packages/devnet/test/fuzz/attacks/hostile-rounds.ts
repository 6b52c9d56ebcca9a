import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../inputs/random.ts';
import type { RawClient } from '../inputs/raw-client.ts';
import type { SeedMaker } from '../inputs/seeds.ts';
import { ENDORSE, EVALUATE, PROCESS_PROPOSAL } from '../inputs/services.ts';
import { judge } from '../rules.ts';
import { HOSTILE_CHAINCODE } from '../target/target.ts';
import { BEHAVIOURS, type HostileChaincode } from './chaincode.ts';
import { Reporter, type Report } from './report.ts';

const REDIAL_TIMEOUT_MS = 5_000;
const CALLS = 6;
const CALL_TIMEOUT_MS = 12_000;

/** Lets the chaincode behave in every bad way, and calls it meanwhile. */
export async function attackByChaincode(attack: {
  readonly random: Random;
  readonly chaincode: HostileChaincode;
  readonly seeds: SeedMaker;
  readonly peers: readonly RawClient[];
  readonly behaviours?: readonly string[];
}): Promise<Report> {
  const { chaincode, seeds, peers } = attack;
  const reporter = new Reporter();
  for (const behaviour of attack.behaviours ?? BEHAVIOURS) {
    const random = attack.random.fork(behaviour);
    const before = chaincode.counts.streams;
    chaincode.behave(behaviour);
    await until(() => chaincode.counts.streams >= before + peers.length);
    const calls = Array.from({ length: CALLS }, async (_, index) => {
      const method = [PROCESS_PROPOSAL, EVALUATE, ENDORSE][index % 3] ?? EVALUATE;
      const seed = seeds.make(random.fork(`call ${index}`), method, HOSTILE_CHAINCODE);
      const client = peers[index % peers.length];
      if (client === undefined) return;
      const request = seed.wrap(seed.signed, seed.signer.sign(seed.signed));
      const outcome = await client.unary(method.path, request, CALL_TIMEOUT_MS);
      reporter.sent(outcome.code);
      const reason = judge(method, outcome);
      if (reason !== undefined) reporter.violation(`${reason}\n  while the chaincode ${behaviour}`);
    });
    await Promise.all(calls);
  }
  chaincode.behave('silent');
  return reporter.report;
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + REDIAL_TIMEOUT_MS;
  while (!condition() && Date.now() < deadline) await sleep(5);
}
