import type { Draws } from './draws.ts';
import { drawProgram, LOOSE, ORG1, ORG2, type Program, STRICT } from './program.ts';
import { SPOIL_NAMES, type SpoilName } from './spoil.ts';

/** A call that both networks get alike. */
export interface Call {
  readonly gatewayMspId: string;
  readonly clientMspId: string;
  readonly client: 'user' | 'admin';
  readonly chaincode: string;
  readonly program: Program;
  readonly endorsingOrganizations?: readonly string[];
  readonly transient?: Readonly<Record<string, string>>;
}

/** A call that is to become a transaction. */
export interface TransactionCall extends Call {
  /** Rounds that pass between endorsement and submission: what was read may be stale then. */
  readonly heldRounds: number;
  readonly spoil?: SpoilName;
  /** Sent to the orderer again in a later round. */
  readonly duplicated: boolean;
}

export interface Round {
  readonly evaluations: readonly Call[];
  readonly transactions: readonly TransactionCall[];
}

const EVALUATIONS_PER_ROUND = 4;

export function drawRound(draws: Draws, transactions: number): Round {
  return {
    evaluations: Array.from({ length: EVALUATIONS_PER_ROUND }, () =>
      drawCall(draws, { policies: true, readOnly: draws.once(2) }),
    ),
    transactions: Array.from({ length: transactions }, () => drawTransaction(draws)),
  };
}

function drawTransaction(draws: Draws): TransactionCall {
  const policies = draws.once(3);
  const call = drawCall(draws, { policies, readOnly: false });
  const fate = draws.below(20);
  if (!policies && fate < 5) return { ...call, heldRounds: 0, duplicated: false, spoil: draws.inTurn(SPOIL_NAMES) };
  return {
    ...call,
    heldRounds: draws.of([0, 0, 0, 0, 1, 2]),
    duplicated: !policies && fate === 5,
    ...(fate > 16 ? { endorsingOrganizations: draws.of([[ORG1], [ORG2], [ORG1, ORG2]]) } : {}),
  };
}

function drawCall(draws: Draws, kind: { readonly policies: boolean; readonly readOnly: boolean }): Call {
  const clientMspId = draws.of([ORG1, ORG2]);
  const chaincode = draws.once(60) ? 'nothing' : draws.of([STRICT, STRICT, LOOSE]);
  const program = drawProgram(draws, kind);
  return {
    clientMspId,
    gatewayMspId: draws.once(5) ? draws.of([ORG1, ORG2]) : clientMspId,
    client: draws.once(5) ? 'admin' : 'user',
    chaincode,
    program: draws.once(40)
      ? [...program, draws.of([{ do: 'environment', key: 'k0' }, { do: 'answerEnvironment' }])]
      : program,
    ...(draws.once(4) ? { transient: { secret: 's3cret' } } : {}),
  };
}
