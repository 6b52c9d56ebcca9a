import { dagCborCode, parseCid, WaymarkError } from '@waymark/protocol';
import { answer, callerOf, only } from '@waymark/query-api';
import { type Request, type RequestHandler, Router } from 'express';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import type { PinService } from './pin-service.ts';

/** Calls of one other center that are worked on at once. */
const maxOpenPerMember = 4;

/** `/v1/pins`: centers of the other organisations have their batches pinned and checked; any member reads who keeps a batch. */
export function createPinsRouter(parts: {
  readonly mspId: string;
  readonly service: PinService;
  readonly callsPerMinute: number;
}): Router {
  const { service } = parts;
  const limiter = new RateLimiterMemory({ points: parts.callsPerMinute, duration: 60 });
  const open = new Map<string, number>();
  const router = Router();

  const otherCenter: RequestHandler = (request, _response, next) => {
    if (callerOf(request).mspId !== parts.mspId) next();
    else next(new WaymarkError('recipient-mismatch', 'Pins are asked for at the centers of other organisations.'));
  };
  const limited = <T>(work: (mspId: string, cids: string[]) => Promise<T>): RequestHandler =>
    answer(async (request) => {
      const { mspId } = callerOf(request);
      await consume(limiter, mspId);
      const cids = cidsOf(request);
      const before = open.get(mspId) ?? 0;
      if (before >= maxOpenPerMember) {
        throw new WaymarkError('limit-exceeded', 'Too many calls at once.', { details: { retryAfterMs: 1_000 } });
      }
      open.set(mspId, before + 1);
      try {
        return { results: await work(mspId, cids) };
      } finally {
        open.set(mspId, (open.get(mspId) ?? 1) - 1);
      }
    });

  router.post(
    '/v1/pins',
    only('center'),
    otherCenter,
    limited((mspId, cids) => service.pin(mspId, cids)),
  );
  router.post(
    '/v1/pins/check',
    only('center'),
    otherCenter,
    limited((_mspId, cids) => service.check(cids)),
  );
  router.get(
    '/v1/pins/:cid',
    answer((request) => {
      const { receipts, ...facts } = service.facts(batchCid(String(request.params['cid'])));
      return {
        ...facts,
        receipts: receipts.map(({ msp, node, state, pinnedAtMs, receipt }) => ({
          mspId: msp,
          node,
          state,
          pinnedAt: new Date(pinnedAtMs).toISOString(),
          receipt: Buffer.from(receipt).toString('base64'),
        })),
      };
    }),
  );
  return router;
}

function cidsOf(request: Request): string[] {
  return (request.body as { cids: string[] }).cids.map(batchCid);
}

function batchCid(text: string): string {
  return parseCid(text, [dagCborCode]).toString();
}

async function consume(limiter: RateLimiterMemory, mspId: string): Promise<void> {
  try {
    await limiter.consume(mspId);
  } catch (error) {
    if (!(error instanceof RateLimiterRes)) throw error;
    throw new WaymarkError('limit-exceeded', 'Too many calls about pins by this organisation.', {
      details: { retryAfterMs: error.msBeforeNext },
    });
  }
}
