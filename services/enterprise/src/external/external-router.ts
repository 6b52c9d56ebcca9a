import { createHmac, randomBytes } from 'node:crypto';
import { isWaymarkError, WaymarkError } from '@waymark/protocol';
import { answer, callerOf, only, type QueryIndex, type QueryKeys } from '@waymark/query-api';
import { verifyExternalQuery } from '@waymark/vault';
import { Router } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { Journal } from '../journal/journal.ts';
import type { OutletRegistry } from './outlet-registry.ts';

/** What external queries need. */
export interface ExternalParts {
  readonly channel: string;
  readonly mspId: string;
  readonly index: QueryIndex;
  readonly keys: Pick<QueryKeys, 'token'>;
  readonly outlets: OutletRegistry;
  readonly journal: Pick<Journal, 'logAccess'>;
  readonly timeoutMs: number;
  readonly perMinute: number;
  readonly nowMs: () => number;
}

/**
 * `POST /v1/external-queries` (S9): the client is known by its certificate, the asker only by its own key. The center finds the outlet,
 * notifies it, and hands back what it gives: a JWE that only the asker opens. Whether the asker may ask, the outlet decides.
 */
export function createExternalRouter(parts: ExternalParts): Router {
  const limiter = new RateLimiterMemory({ points: parts.perMinute, duration: 60 });
  const salt = randomBytes(32);
  const router = Router();

  async function pass(request: string): Promise<{ outlet: string; answer: string }> {
    const query = await verifyExternalQuery(request, {
      channel: parts.channel,
      msp: parts.mspId,
      nowMs: parts.nowMs(),
    });
    const hit =
      query.recordOid === undefined
        ? query.businessId &&
          (await parts.index.findByToken(parts.keys.token(query.businessId.type, query.businessId.value), 1))[0]
        : await parts.index.findByOid(Buffer.from(query.recordOid, 'hex'));
    // One answer for not-yours and not-there: the outlet gives the same.
    if (hit === undefined) throw new WaymarkError('refused', 'There is no such record, or it is not yours to see.');
    const outlet = hit.evidenceId.split('/')[1] ?? '';
    const recordOid = Buffer.from(hit.recordOid).toString('hex');
    return { outlet, answer: await parts.outlets.ask(outlet, { recordOid, request }, parts.timeoutMs) };
  }

  router.post(
    '/v1/external-queries',
    only('client'),
    answer(async (req) => {
      const caller = callerOf(req);
      if (caller.mspId !== parts.mspId) throw new WaymarkError('refused', 'Ask through a client of this organisation.');
      const { request } = req.body as { request: string };
      const log = (outcome: string): void =>
        parts.journal.logAccess({
          atMs: parts.nowMs(),
          caller: caller.enrolmentId,
          asked: createHmac('sha256', salt).update(request).digest(),
          outcome,
        });
      try {
        await consume(limiter, caller.enrolmentId);
        const result = await pass(request);
        log('answered');
        return result;
      } catch (error) {
        log(isWaymarkError(error) ? error.code : 'internal');
        throw error;
      }
    }),
  );
  return router;
}

async function consume(limiter: RateLimiterMemory, client: string): Promise<void> {
  try {
    await limiter.consume(client);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    throw new WaymarkError('limit-exceeded', 'Too many external queries by this client.', {
      details: { retryAfterMs: error.msBeforeNext },
    });
  }
}
