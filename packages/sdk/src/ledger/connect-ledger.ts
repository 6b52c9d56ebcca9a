import { setTimeout as delay } from 'node:timers/promises';
import { chaincodeVerdict, connectGateway, privateKeySigner } from '@waymark/fabric';
import { isErrorCode, isWaymarkError, WaymarkError } from '@waymark/protocol';
import { parseAnswer } from '../api/answers.ts';
import { type ApiClient, createApiClient } from '../api/api-client.ts';
import { readIdentity, readProfileFile } from '../connection/identity.ts';
import type { Profile } from '../profile/schema.ts';
import {
  ledgerAnswerSchemas,
  type LedgerBackup,
  type LedgerBlock,
  type LedgerBlocks,
  type LedgerReport,
  type LedgerStanding,
} from './answers.ts';

const pollMs = 200;

/** One step of a change of the members; `make-eligible`: it may become center. */
export type MembershipStep = 'add-learner' | 'promote' | 'make-eligible' | 'remove';

/** One member of the firm's private ledger, as its operators see it. */
export interface LedgerConnection {
  status(): Promise<LedgerStanding>;
  /** @param from first height; without it the newest @param limit 1 to 200 */
  blocks(options: { readonly from?: number | undefined; readonly limit?: number | undefined }): Promise<LedgerBlocks>;
  /** @param block height or hash */
  block(block: string): Promise<LedgerBlock>;
  /** Has the member check its whole chain against the channel, and waits for it. */
  verify(signal?: AbortSignal): Promise<LedgerReport>;
  /** Has the member write a backup below its data folder, and waits for it. Operators only. */
  backup(name: string, signal?: AbortSignal): Promise<LedgerBackup>;
  /** At the center in office: orders the hand-over. Answers whether it was still to be done. Operators only. */
  handOver(member: string): Promise<boolean>;
  /** At the center in office: one step of a change. Answers whether it was still to be done. Operators only. */
  changeMembership(step: MembershipStep, member: string): Promise<boolean>;
  /**
   * Tells the channel more certificates of members. Only the organisation's administrator.
   * @param certificates DER
   * @returns how many were new
   */
  registerCertificates(certificates: readonly Uint8Array[]): Promise<number>;
  close(): void;
}

/**
 * Prepares a connection to a member.
 * @param apiUrl of the member; default: the profile's `api.url`
 * @throws WaymarkError configuration-invalid
 */
export function connectLedger(profile: Profile, apiUrl?: string): LedgerConnection {
  const { api } = profile;
  if (api === undefined)
    throw new WaymarkError('configuration-invalid', 'The profile has no "api", which this needs.', {
      details: { place: 'api' },
    });
  const identity = readIdentity(profile);
  const rest = createApiClient({
    url: apiUrl ?? api.url,
    tlsRootPem: readProfileFile(api.tlsRootFile),
    identity,
  });
  const client: ApiClient = {
    ...rest,
    call: (...call) => rest.call(...call).catch(explained),
  };

  async function task(body: object, signal?: AbortSignal): Promise<unknown> {
    let state = parseAnswer(ledgerAnswerSchemas.task, await client.call('POST', 'v1/ledger/tasks', body, signal));
    for (let waitMs = 20; state.state === 'running'; waitMs = Math.min(2 * waitMs, pollMs)) {
      await delay(waitMs, undefined, signal === undefined ? {} : { signal });
      const answer = await client.call('GET', `v1/ledger/tasks/${state.id}`, undefined, signal);
      state = parseAnswer(ledgerAnswerSchemas.task, answer);
    }
    if (state.state === 'done') return state.result;
    const { code = 'internal', message = 'The member did not say what failed.' } = state.problem ?? {};
    throw new WaymarkError(isErrorCode(code) ? code : 'internal', message);
  }
  const change = async (path: string, body: object): Promise<boolean> =>
    parseAnswer(ledgerAnswerSchemas.change, await client.call('POST', path, body)).changed;

  return {
    status: async () => parseAnswer(ledgerAnswerSchemas.status, await client.call('GET', 'v1/ledger')),
    async blocks({ from, limit }) {
      const query = new URLSearchParams({
        ...(from === undefined ? {} : { from: String(from) }),
        ...(limit === undefined ? {} : { limit: String(limit) }),
      });
      return parseAnswer(ledgerAnswerSchemas.blocks, await client.call('GET', `v1/ledger/blocks?${query.toString()}`));
    },
    block: async (block) =>
      parseAnswer(ledgerAnswerSchemas.block, await client.call('GET', `v1/ledger/blocks/${encodeURIComponent(block)}`)),
    verify: async (signal) => parseAnswer(ledgerAnswerSchemas.report, await task({ kind: 'verify' }, signal)),
    backup: async (name, signal) =>
      parseAnswer(ledgerAnswerSchemas.backup, await task({ kind: 'backup', name }, signal)),
    handOver: (member) => change('v1/ledger/hand-over', { member }),
    changeMembership: (step, member) => change('v1/ledger/membership', { step, member }),
    registerCertificates: (certificates) => registerCertificates(profile, certificates),
    close: () => client.close(),
  };
}

/** A service without these routes. */
function explained(cause: unknown): never {
  if (!isWaymarkError(cause, 'unsupported')) throw cause;
  throw new WaymarkError('unsupported', 'The service is no member of a private ledger.', { cause });
}

async function registerCertificates(profile: Profile, certificates: readonly Uint8Array[]): Promise<number> {
  const { gateway, mspId, channel, chaincode } = profile;
  if (gateway === undefined)
    throw new WaymarkError('configuration-invalid', 'The profile has no "gateway", which this needs.', {
      details: { place: 'gateway' },
    });
  const { certificateChainPem, privateKeyPem } = readIdentity(profile);
  const ledger = connectGateway({
    endpoint: gateway.endpoint,
    tlsRootPem: readProfileFile(gateway.tlsRootFile),
    ...(gateway.tlsServerName === undefined ? {} : { tlsServerName: gateway.tlsServerName }),
    identity: { mspId, certificatePem: certificateChainPem, sign: privateKeySigner(privateKeyPem) },
    channel,
    chaincode,
  });
  try {
    const argument = JSON.stringify(certificates.map((der) => Buffer.from(der).toString('base64url')));
    const submitted = await ledger.submit('anchors', 'registerCertificates', [argument], { retryable: true });
    const { result } = await submitted.commit();
    const { added } = JSON.parse(Buffer.from(result).toString('utf8')) as { readonly added?: unknown };
    return typeof added === 'number' ? added : 0;
  } catch (error) {
    throw chaincodeVerdict(error);
  } finally {
    ledger.close();
  }
}
