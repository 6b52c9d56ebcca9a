import { WaymarkError, errorCodes, type ErrorCode } from '@waymark/protocol';
import { toProblem } from '../src/index.ts';

test.each(Object.keys(errorCodes) as ErrorCode[])('%s becomes a problem with its own code', (code) => {
  const problem = toProblem(new WaymarkError(code, 'because of a test', { details: { seq: 1 } }), 'r-1');
  expect(problem).toMatchObject({
    code,
    type: `urn:waymark:error:${code}`,
    detail: 'because of a test',
    requestId: 'r-1',
  });
  expect(problem.status).toBeGreaterThanOrEqual(400);
  expect(problem.status).toBeLessThan(600);
});

test('of a fault of ours the client learns only that it happened', () => {
  const problem = toProblem(new Error('password 123 of /var/keys'));
  expect(problem).toMatchObject({ status: 500, code: 'internal' });
  expect(JSON.stringify(problem)).not.toMatch(/password|keys/);
});

test('too many requests is 429', () => {
  const error = new WaymarkError('limit-exceeded', 'slower', { details: { retryAfterMs: 1_500 } });
  expect(toProblem(error).status).toBe(429);
});

test('a schema validator’s findings are passed on by place', () => {
  const error = Object.assign(new Error('request/body/queries must be array, got "secret"'), {
    status: 400,
    errors: [{ path: '/body/queries', message: 'must be array', errorCode: 'type.openapi.validation' }],
  });
  const problem = toProblem(error);
  expect(problem).toMatchObject({
    status: 400,
    code: 'input-invalid',
    details: { places: ['/body/queries: must be array'] },
  });
  expect(JSON.stringify(problem)).not.toContain('secret');
});
