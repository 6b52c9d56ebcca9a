import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { common } from '@hyperledger/fabric-protos';
import { drawRound, type Round } from './action.ts';
import { Draws } from './draws.ts';
import { startDevnetSide, startFabricSide } from './networks.ts';
import { Player, type RoundOutcome } from './player.ts';
import { LOOSE, ORG1, type Program, PROTECTED_KEYS, STRICT } from './program.ts';
import { CHANNEL, type Side } from './side.ts';

export interface DifferentialOptions {
  readonly seed: number;
  /** How many transactions are ordered on each side, at least. */
  readonly transactions: number;
  /** Folder of Fabric's programs. Default: PATH. */
  readonly programsDir?: string;
  readonly print: (text: string) => void;
}

/** One thing that the two networks did not do alike. */
export interface Difference {
  readonly where: string;
  readonly asked: unknown;
  readonly devnet: unknown;
  readonly fabric: unknown;
}

export interface DifferentialResult {
  readonly seed: number;
  readonly transactions: number;
  readonly evaluations: number;
  readonly differences: readonly Difference[];
  readonly codes: Readonly<Record<string, { readonly devnet: number; readonly fabric: number }>>;
  readonly fabricVersion: string;
}

const TRANSACTIONS_PER_ROUND = 18;
const DIFFERENCES_KEPT = 200;

/**
 * Plays the same random rounds on devnet and on real Fabric, and compares everything that comes of them: answers, texts of
 * refusals, endorsers, validation codes, blocks, and in the end state, history and events.
 *
 * @throws WaymarkError `program-missing` when Fabric's programs are not there
 */
export async function runDifferential(options: DifferentialOptions): Promise<DifferentialResult> {
  const dir = await mkdtemp(join(tmpdir(), 'differential-'));
  const { side: fabric, fabricVersion } = await startFabricSide(dir, options.programsDir).catch(
    async (error: unknown) => {
      await rm(dir, { recursive: true, force: true });
      throw error;
    },
  );
  try {
    const devnet = await startDevnetSide(dir);
    try {
      return { ...(await compareSides(options, devnet, fabric)), fabricVersion };
    } finally {
      await devnet.stop();
    }
  } finally {
    await fabric.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

class Comparison {
  readonly differences: Difference[] = [];
  readonly codes = new Map<string, { devnet: number; fabric: number }>();
  transactions = 0;
  evaluations = 0;

  outcome(where: string, asked: unknown, devnet: unknown, fabric: unknown): void {
    if (isDeepStrictEqual(devnet, fabric) || this.differences.length === DIFFERENCES_KEPT) return;
    this.differences.push({ where, asked, devnet, fabric });
  }

  lists(where: string, asked: readonly unknown[], devnet: readonly unknown[], fabric: readonly unknown[]): void {
    for (let index = 0; index < Math.max(devnet.length, fabric.length); index++) {
      this.outcome(`${where} ${index}`, asked[index], devnet[index], fabric[index]);
    }
  }

  round(number: number, round: Round, devnet: RoundOutcome, fabric: RoundOutcome): void {
    const where = (what: string): string => `round ${number}, ${what}`;
    this.lists(where('evaluation'), round.evaluations, devnet.evaluations, fabric.evaluations);
    this.lists(where('endorsement'), round.transactions, devnet.endorsements, fabric.endorsements);
    this.lists(where('submission'), [], devnet.submissions, fabric.submissions);
    this.lists(where('block'), devnet.submissions, devnet.blocks, fabric.blocks);
    this.evaluations += round.evaluations.length;
    this.transactions += fabric.blocks.flat().length;
    for (const name of ['devnet', 'fabric'] as const) {
      for (const code of { devnet, fabric }[name].blocks.flat()) {
        const counts = this.codes.get(code) ?? { devnet: 0, fabric: 0 };
        counts[name] += 1;
        this.codes.set(code, counts);
      }
    }
  }
}

/** Plays one run on two networks that have just been started. */
export async function compareSides(
  { seed, transactions, print }: Pick<DifferentialOptions, 'seed' | 'transactions' | 'print'>,
  devnet: Side,
  fabric: Side,
): Promise<Omit<DifferentialResult, 'fabricVersion'>> {
  const sides = [devnet, fabric] as const;
  const starts = await Promise.all(sides.map(heightOf));
  const players = await Promise.all(sides.map((side, index) => Player.on(side, starts[index] ?? 0n)));
  const draws = new Draws(seed);
  const comparison = new Comparison();
  const both = async <T>(act: (player: Player, start: bigint) => Promise<T>): Promise<[T, T]> => {
    const [left, right] = await Promise.all(players.map((player, index) => act(player, starts[index] ?? 0n)));
    return [left as T, right as T];
  };
  try {
    for (let number = 1; comparison.transactions < transactions; number++) {
      const round = drawRound(draws, TRANSACTIONS_PER_ROUND);
      comparison.round(number, round, ...(await both((player) => player.play(round))));
      if (number % 20 === 0) {
        print(`round ${number}: ${comparison.transactions} transactions, ${comparison.differences.length} differences`);
      }
      // Two networks that have once parted do not meet again.
      if (comparison.differences.length >= 20) break;
    }
    for (const [name, program] of Object.entries(FINAL_READS)) {
      for (const chaincode of [STRICT, LOOSE]) {
        const call = { gatewayMspId: ORG1, clientMspId: ORG1, client: 'user', chaincode, program } as const;
        comparison.outcome(`final ${name} of ${chaincode}`, call, ...(await both((player) => player.evaluate(call))));
      }
    }
    for (const chaincode of [STRICT, LOOSE]) {
      const [ours, theirs] = await both((player, start) => player.eventsUntilNow(chaincode, start));
      comparison.lists(`events of ${chaincode},`, [], ours, theirs);
    }
  } finally {
    for (const player of players) player.close();
  }
  return {
    seed,
    transactions: comparison.transactions,
    evaluations: comparison.evaluations,
    differences: comparison.differences,
    codes: Object.fromEntries([...comparison.codes].sort()),
  };
}

const KEYS = [...Array.from({ length: 10 }, (_, index) => `k${index}`), ...PROTECTED_KEYS];
const FINAL_READS: Readonly<Record<string, Program>> = {
  state: [{ do: 'range', start: '', end: '', limit: 100_000 }],
  composites: ['lot', 'lotus', 'é'].map((type) => ({ do: 'composite', type, parts: [], limit: 100_000 })),
  histories: KEYS.map((key) => ({ do: 'history', key })),
  policies: KEYS.map((key) => ({ do: 'getPolicy', key })),
};

/** Number of blocks that a side has, the same on all its peers once each has been asked. */
async function heightOf(side: Side): Promise<bigint> {
  const network = side.gateway(ORG1, ORG1, 'user').getNetwork(CHANNEL);
  const answer = await network.getContract('qscc').evaluate('GetChainInfo', { arguments: [CHANNEL] });
  return BigInt(common.BlockchainInfo.deserializeBinary(answer).getHeight());
}
