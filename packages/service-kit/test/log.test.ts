import { WaymarkError } from '@waymark/protocol';
import { currentRequest, outgoingTraceparent, runInRequest, type LogFields } from '../src/index.ts';
import { parseTraceparent } from '../src/log/request-context.ts';
import { captureLog } from './fixture.ts';

const canary = 'canary-3f1c';

test('a field that is not on the list is dropped, and only its name is kept', () => {
  const log = captureLog();
  log.logger.info('stored', { cid: 'bafy', seq: 3, blockNumber: 4n, payload: canary, key: { d: canary } } as LogFields);
  expect(log.lines()).toMatchObject([
    {
      level: 'info',
      service: 'test',
      msg: 'stored',
      cid: 'bafy',
      seq: 3,
      blockNumber: '4',
      dropped: ['payload', 'key'],
    },
  ]);
  expect(log.text()).not.toContain(canary);
});

test('an object under a permitted name is dropped as well', () => {
  const log = captureLog();
  log.logger.info('x', { cid: { payload: canary } } as unknown as LogFields);
  expect(log.text()).not.toContain(canary);
});

test('of a foreign error only type, system code and stack frames are kept', () => {
  const log = captureLog();
  let failure: unknown;
  try {
    JSON.parse(`{"${canary}`);
  } catch (error) {
    failure = error;
  }
  log.logger.error('failed', { error: new Error(canary, { cause: failure }) });
  log.logger.error('failed', { error: canary });
  expect(log.text()).not.toContain(canary);
  expect(log.lines()[0]).toMatchObject({ error: { type: 'Error', cause: { type: 'SyntaxError' } } });
});

test('a WaymarkError keeps code, message and facts', () => {
  const log = captureLog();
  log.logger.error('failed', { error: new WaymarkError('sequence-gap', 'no batch 3', { details: { seq: 4 } }) });
  expect(log.lines()[0]).toMatchObject({ error: { code: 'sequence-gap', message: 'no batch 3', details: { seq: 4 } } });
});

test('lines of one request carry its ids, also over waits', async () => {
  const log = captureLog();
  const traceId = '0af7651916cd43dd8448eb211c80319c';
  await runInRequest({ requestId: 'r-1', traceparent: `00-${traceId}-b7ad6b7169203331-01` }, async () => {
    await new Promise(setImmediate);
    log.logger.child({ component: 'relay' }).info('inside');
    expect(outgoingTraceparent()).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
  });
  log.logger.info('outside');
  expect(log.lines()[0]).toMatchObject({ requestId: 'r-1', traceId, component: 'relay' });
  expect(log.lines()[1]).not.toHaveProperty('requestId');
  expect(currentRequest()).toBeUndefined();
});

test.each(['', 'x y', 'a'.repeat(65), '\n{"level":"error"}'])(
  'the request id %j of a client is replaced',
  (requestId) => {
    runInRequest({ requestId }, (context) => {
      expect(context.requestId).toMatch(/^[0-9a-f-]{36}$/);
      expect(context.traceId).toMatch(/^[0-9a-f]{32}$/);
    });
  },
);

test.each([
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', true],
  ['cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-future', true],
  ['ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', false],
  ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more', false],
  ['00-00000000000000000000000000000000-b7ad6b7169203331-01', false],
  ['00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01', false],
  ['00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01', false],
  [undefined, false],
])('traceparent %s: valid %s (W3C Trace Context 3.2)', (header, valid) => {
  expect(parseTraceparent(header) !== undefined).toBe(valid);
});
