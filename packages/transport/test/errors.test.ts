import { Metadata, status } from '@grpc/grpc-js';
import { WaymarkError, errorCodes, type ErrorCode } from '@waymark/protocol';
import { fromFailure, fromServiceError, toFailure, toServiceError } from '../src/index.ts';

const codes = Object.keys(errorCodes) as ErrorCode[];

test.each(codes)('the code %s survives a gRPC status and a Failure', (code) => {
  const error = new WaymarkError(code, 'because of a test');
  expect(fromServiceError(toServiceError(error))).toMatchObject({ code, message: 'because of a test' });
  expect(fromFailure(toFailure(error))).toMatchObject({ code, message: 'because of a test' });
});

test('the details center and reason survive a gRPC status and a Failure; others, and texts of another form, stay here', () => {
  const error = new WaymarkError('unavailable', 'not in office', { details: { center: 'center-2', reason: 'a.b', path: '/x' } }); // prettier-ignore
  expect(fromFailure(toFailure(error)).details).toEqual({ center: 'center-2', reason: 'a.b' });
  expect(fromServiceError(toServiceError(error)).details).toEqual({
    grpcStatus: 'UNAVAILABLE',
    center: 'center-2',
    reason: 'a.b',
  });
  const odd = new WaymarkError('unavailable', 'x', { details: { center: 'two\nlines', reason: 'x'.repeat(129) } });
  expect(fromFailure(toFailure(odd)).details).toEqual({});
  expect(fromServiceError(toServiceError(odd)).details).toEqual({ grpcStatus: 'UNAVAILABLE' });
});

test('of a fault that is not a WaymarkError the peer learns nothing', () => {
  const failure = toFailure(new Error('secret path /var/keys'));
  expect(failure).toEqual({ code: 'internal', message: errorCodes.internal });
  expect(toServiceError(new Error('secret')).details).toBe(errorCodes.internal);
});

test.each([
  [status.UNAVAILABLE, 'unavailable'],
  [status.DEADLINE_EXCEEDED, 'unavailable'],
  [status.UNIMPLEMENTED, 'unsupported'],
  [status.RESOURCE_EXHAUSTED, 'limit-exceeded'],
  [status.UNKNOWN, 'internal'],
])('without our trailer the gRPC status %i becomes %s', (code, expected) => {
  const error = Object.assign(new Error('text of a stranger'), { code, details: 'text', metadata: new Metadata() });
  const mapped = fromServiceError(error);
  expect(mapped.code).toBe(expected);
  expect(mapped.message).not.toContain('stranger');
});

test('a code this version does not know becomes internal', () => {
  expect(fromFailure({ code: '__proto__', message: 'x' }).code).toBe('internal');
  const metadata = new Metadata();
  metadata.set('waymark-code', 'constructor');
  const error = Object.assign(new Error('x'), { code: status.UNAVAILABLE, details: 'x', metadata });
  expect(fromServiceError(error).code).toBe('unavailable');
});
