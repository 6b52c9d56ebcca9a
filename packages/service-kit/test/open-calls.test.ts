import { WaymarkError } from '@waymark/protocol';
import { createOpenCalls } from '../src/index.ts';

const forever = (): Promise<never> => new Promise(() => undefined);
const revoked = (): never => {
  throw new WaymarkError('certificate-revoked', 'The node was revoked.');
};

test('who may not make a call does not begin it', async () => {
  const calls = createOpenCalls();
  let begun = false;
  const work = (): Promise<void> => {
    begun = true;
    return Promise.resolve();
  };
  await expect(calls.serve(revoked, work)).rejects.toMatchObject({ code: 'certificate-revoked' });
  expect(begun).toBe(false);
});

test('who loses the right to a call loses the call; the others go on', async () => {
  const calls = createOpenCalls();
  let may = true;
  const lost = calls.serve(() => (may ? undefined : revoked()), forever);
  const kept = Promise.withResolvers<string>();
  const other = calls.serve(
    () => undefined,
    () => kept.promise,
  );
  calls.recheck();
  may = false;
  calls.recheck();
  await expect(lost).rejects.toMatchObject({ code: 'certificate-revoked' });
  kept.resolve('done');
  await expect(other).resolves.toBe('done');
});

test('calls are asked about again without a reason, since certificates expire', async () => {
  const calls = createOpenCalls({ recheckMs: 5 });
  await calls.start();
  let asked = 0;
  const lost = calls.serve(() => {
    asked += 1;
    if (asked > 2) throw new WaymarkError('certificate-expired', 'It is over.');
  }, forever);
  await expect(lost).rejects.toMatchObject({ code: 'certificate-expired' });
  await calls.stop();
});

test('a call that is over is not asked about any more', async () => {
  const calls = createOpenCalls();
  let asked = 0;
  await calls.serve(
    () => void (asked += 1),
    () => Promise.resolve(),
  );
  calls.recheck();
  expect(asked).toBe(1);
});
