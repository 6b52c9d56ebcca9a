import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ledger } from '@waymark/fabric';
import { verifyChain } from '@waymark/ledger-chain';
import { loadFirstConfiguration, type PrivateLedger, type PrivateLedgerConfiguration } from '@waymark/private-ledger';
import { WaymarkError } from '@waymark/protocol';
import { answer } from '@waymark/query-api';
import { type Component, peerIdentity, type Register, type Replica } from '@waymark/service-kit';
import { type RequestHandler, type Request, Router } from 'express';
import { z } from 'zod';
import { channelAnchors } from '../channel-anchors.ts';
import { createTasks } from '../tasks/tasks.ts';
import { createBlockReads, maxBlocksListed } from './blocks.ts';
import type { OperatorCaller } from './callers.ts';
import { changeMembership, handOver } from './membership.ts';
import { ledgerStatus } from './status.ts';

/** A full check or a backup is given up after this. */
const maxTaskMs = 2 * 3_600_000;
const defaultBlocks = 20;

/** What the routes about a private ledger are made of. */
export interface LedgerRestParts {
  readonly mspId: string;
  readonly config: Pick<PrivateLedgerConfiguration, 'configurationFile'>;
  readonly dataFolder: string;
  readonly privateLedger: PrivateLedger;
  readonly register: Register;
  readonly replica: Pick<Replica, 'ledgerCertificates'>;
  /** Whoever reads anchors for a full check: the gateway, not the replica on the own disk. */
  readonly ledger: Pick<Ledger, 'evaluate'>;
  /** @throws WaymarkError: who it is may not ask */
  readonly identify: (certificateDer: Uint8Array) => OperatorCaller;
  readonly nowMs: () => number;
}

/** The routes, and the work behind them that is to be ended with the service. */
export interface LedgerRest {
  /** Does its own authentication: it goes before that of other routes, because administrators stand in no register. */
  readonly router: Router;
  readonly component: Component;
}

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'a name');
const listQuery = z.strictObject({
  from: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(maxBlocksListed).default(defaultBlocks),
});
const memberBody = z.strictObject({ member: name });
const changeBody = z.strictObject({
  step: z.enum(['add-learner', 'promote', 'make-eligible', 'remove']),
  member: name,
});
const taskBody = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('verify') }),
  z.strictObject({ kind: z.literal('backup'), name }),
]);

/** The REST of a member of a private ledger, for its operators (D2, D12). */
export function openLedgerRest(parts: LedgerRestParts): LedgerRest {
  const { privateLedger, mspId, nowMs } = parts;
  const { chain, crypto } = privateLedger;
  const blocks = createBlockReads(chain);
  const tasks = createTasks(maxTaskMs, nowMs);
  const callers = new WeakMap<Request, OperatorCaller>();
  const identified: RequestHandler = (request, _response, next) => {
    callers.set(request, parts.identify(peerIdentity(request).certificate));
    next();
  };
  const only =
    (...kinds: readonly OperatorCaller['kind'][]): RequestHandler =>
    (request, _response, next) => {
      const kind = callers.get(request)?.kind;
      if (kind !== undefined && kinds.includes(kind)) next();
      else next(new WaymarkError('role-not-permitted', `A ${kind ?? 'stranger'} may not do this.`));
    };
  const readers = only('admin', 'center', 'outlet', 'department', 'reader');
  const operators = only('admin', 'center');

  async function verify(signal: AbortSignal): Promise<object> {
    const anchors = await channelAnchors(parts.ledger, mspId);
    const configuration = loadFirstConfiguration(parts.config.configurationFile);
    const { ledger, height, blocks: count, valid, problems } = await verifyChain(chain, { configuration, crypto, anchors, signal }); // prettier-ignore
    return { ledger, height, blocks: count, valid, problems, anchored: anchors.at(-1)?.last ?? 0 };
  }

  async function backup(of: string): Promise<object> {
    const folder = join(parts.dataFolder, 'backups');
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const target = join(folder, of);
    if (existsSync(target)) throw new WaymarkError('conflict', 'There is a backup of this name already.');
    const manifest = await chain.backup(target);
    return { ...manifest, folder: target };
  }

  const router = Router();
  router.use('/v1/ledger', identified);
  router.get(
    '/v1/ledger',
    answer(() => ledgerStatus(privateLedger)),
  );
  router.get(
    '/v1/ledger/blocks',
    readers,
    answer((request) => {
      const { from, limit } = read(listQuery, request.query);
      return blocks.list(from ?? null, limit);
    }),
  );
  router.get(
    '/v1/ledger/blocks/:block',
    readers,
    answer((request) => blocks.show(read(z.string().regex(/^[a-z0-9]{1,128}$/), request.params['block']))),
  );
  router.post(
    '/v1/ledger/tasks',
    readers,
    answer((request) => {
      const task = read(taskBody, request.body);
      if (task.kind === 'verify') return tasks.begin('verify', 'verify', verify);
      requireOperator(callers.get(request));
      return tasks.begin('backup', `backup ${task.name}`, () => backup(task.name));
    }),
  );
  router.get(
    '/v1/ledger/tasks/:id',
    readers,
    answer((request) => tasks.state(read(z.uuid(), request.params['id']))),
  );
  router.post(
    '/v1/ledger/hand-over',
    operators,
    answer((request) => handOver(privateLedger, read(memberBody, request.body).member)),
  );
  router.post(
    '/v1/ledger/membership',
    operators,
    answer((request) => {
      const { step, member } = read(changeBody, request.body);
      return changeMembership(parts, step, member);
    }),
  );
  return { router, component: tasks };
}

function requireOperator(caller: OperatorCaller | undefined): void {
  if (caller?.kind === 'admin' || caller?.kind === 'center') return;
  throw new WaymarkError('role-not-permitted', `A ${caller?.kind ?? 'stranger'} may not do this.`);
}

function read<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const place = result.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new WaymarkError('input-invalid', 'The request does not have the required form.', { details: { place } });
}
