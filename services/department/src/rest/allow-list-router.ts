import { toHex, WaymarkError } from '@waymark/protocol';
import { answer, callerOf, only } from '@waymark/query-api';
import type { AllowList, Tokens } from '@waymark/vault';
import { Router } from 'express';
import type { AllowLists } from '../external/allow-lists.ts';
import type { Outbox } from '../outbox/outbox.ts';

/** `GET` and `PUT /v1/allow-list`: the outlet's own identity decides who may ask (S9). */
export function createAllowListRouter(parts: {
  readonly mspId: string;
  readonly outlet: string;
  readonly allowLists: AllowLists;
  readonly outbox: Pick<Outbox, 'consignment'>;
  readonly tokens: Tokens;
}): Router {
  const router = Router();
  const ownOnly = only('outlet', 'department');
  const message = ({ consignmentOid, seq, askerKids }: AllowList) => ({
    consignmentOid: toHex(consignmentOid),
    seq,
    askerKids,
  });
  router.use('/v1/allow-list', (request, _response, next) => {
    const caller = callerOf(request);
    if (caller.mspId === parts.mspId && caller.enrolmentId === parts.outlet) next();
    else next(new WaymarkError('role-not-permitted', 'Only the outlet itself decides who may ask for its records.'));
  });
  router.get(
    '/v1/allow-list',
    ownOnly,
    answer(() => ({ lists: parts.allowLists.list().map(message) })),
  );
  router.put(
    '/v1/allow-list',
    ownOnly,
    answer((request) => {
      const { consignment, askerKids } = request.body as { consignment: string; askerKids: string[] };
      const found = parts.outbox.consignment(parts.tokens.token({ type: 'consignment', value: consignment }));
      if (found === undefined) throw new WaymarkError('refused', 'This outlet has no such consignment.');
      return message(parts.allowLists.put(found.oid, askerKids));
    }),
  );
  return router;
}
