import { createHash, createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { privateKeySigner } from '../src/index.ts';
import { backoffDelayMs } from '../src/flow/backoff.ts';
import { createSlots } from '../src/flow/slots.ts';
import { toLowS } from '../src/identity/signer.ts';

test('no more calls run at once than there are slots, and the others come in order', async () => {
  const slots = createSlots(3);
  const finish: (() => void)[] = [];
  const started: number[] = [];
  const calls = Array.from({ length: 8 }, (_, index) =>
    slots.run(() => {
      started.push(index);
      return new Promise<void>((resolve) => finish.push(resolve));
    }),
  );
  expect(slots).toMatchObject({ inFlight: 3, waiting: 5 });
  while (started.length < 8) {
    finish.shift()?.();
    await new Promise(setImmediate);
    expect(slots.inFlight).toBe(3);
  }
  for (const end of finish) end();
  await Promise.all(calls);
  expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  expect(slots).toMatchObject({ inFlight: 0, waiting: 0 });
});

test('a call that is given up leaves the queue', async () => {
  const slots = createSlots(1);
  let end: () => void = () => undefined;
  const first = slots.run(() => new Promise<void>((resolve) => (end = resolve)));
  const abort = new AbortController();
  const second = slots.run(() => Promise.resolve(2), abort.signal);
  const third = slots.run(() => Promise.resolve(3));
  abort.abort();
  await expect(second).rejects.toMatchObject({ code: 'unavailable' });
  end();
  await first;
  expect(await third).toBe(3);
  expect(slots.inFlight).toBe(0);
});

test('a queue has an end', async () => {
  const slots = createSlots(1, 1);
  let end: () => void = () => undefined;
  const first = slots.run(() => new Promise<void>((resolve) => (end = resolve)));
  const second = slots.run(() => Promise.resolve());
  await expect(slots.run(() => Promise.resolve())).rejects.toMatchObject({ code: 'limit-exceeded' });
  end();
  await Promise.all([first, second]);
});

test('a call that fails gives its slot back', async () => {
  const slots = createSlots(1);
  await expect(slots.run(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
  expect(await slots.run(() => Promise.resolve(1))).toBe(1);
});

test('waits grow to a bound and are never nothing', () => {
  const backoff = { baseMs: 100, maxMs: 1_000 };
  expect(backoffDelayMs(backoff, 1, 0)).toBe(50);
  expect(backoffDelayMs(backoff, 3, 0.999)).toBeLessThanOrEqual(400);
  expect(backoffDelayMs(backoff, 60, 0.999)).toBeLessThanOrEqual(1_000);
});

test('every signature has the low s, whoever made it', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const message = Buffer.from('message');
  const sign = privateKeySigner(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  const signature = await sign(createHash('sha256').update(message).digest());
  expect(toLowS(signature)).toEqual(signature);

  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const r = signature.subarray(4, 4 + (signature[3] ?? 0));
  const s = BigInt(`0x${Buffer.from(signature.subarray(6 + r.length)).toString('hex')}`);
  const high = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex');
  const body = Buffer.concat([Buffer.of(2, r.length), r, Buffer.of(2, 33, 0), high]);
  const highSignature = Buffer.concat([Buffer.of(0x30, body.length), body]);
  expect(verify('sha256', message, createPublicKey(privateKey), highSignature)).toBe(true);
  expect(Buffer.from(toLowS(highSignature))).toEqual(Buffer.from(signature));
  expect(verify('sha256', message, publicKey, toLowS(highSignature))).toBe(true);
});

test('what is not a DER signature or not a P-256 key is refused', () => {
  expect(() => toLowS(Buffer.from('3006020101020101ff', 'hex'))).toThrow(/DER/);
  expect(() => toLowS(new Uint8Array())).toThrow(/DER/);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  expect(() => privateKeySigner(privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())).toThrow(
    expect.objectContaining({ code: 'key-invalid' }) as Error,
  );
  expect(() => privateKeySigner('nonsense')).toThrow(expect.objectContaining({ code: 'key-invalid' }) as Error);
});
