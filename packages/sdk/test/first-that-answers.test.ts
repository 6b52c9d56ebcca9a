import { WaymarkError } from '@waymark/protocol';
import type { ApiClient } from '../src/api/api-client.ts';
import { firstThatAnswers } from '../src/api/first-that-answers.ts';

const away = new WaymarkError('unavailable', 'away');
const notThere = new WaymarkError('unavailable', 'not there');

function scripted(answers: readonly unknown[]): ApiClient & { readonly calls: string[]; isClosed: boolean } {
  const left = [...answers];
  const client = {
    calls: [] as string[],
    isClosed: false,
    call(method: string, path: string) {
      client.calls.push(`${method} ${path}`);
      const answer = left.shift();
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    close: () => void (client.isClosed = true),
  };
  return client;
}

test('a service that does not answer gives way to the next, which is asked first from then on', async () => {
  const [center, standby] = [scripted([away]), scripted(['one', 'two'])];
  const api = firstThatAnswers([center, standby]);
  expect([await api.call('GET', 'a'), await api.call('GET', 'b')]).toEqual(['one', 'two']);
  expect([center.calls, standby.calls]).toEqual([['GET a'], ['GET a', 'GET b']]);
  api.close();
  expect([center.isClosed, standby.isClosed]).toEqual([true, true]);
});

test('the first is asked again when the next one goes away', async () => {
  const [center, standby] = [scripted([away, 'three']), scripted(['one', notThere])];
  const api = firstThatAnswers([center, standby]);
  expect([await api.call('GET', 'a'), await api.call('GET', 'b')]).toEqual(['one', 'three']);
});

test('an answer that refuses is an answer, and where nobody answers the first one tells why', async () => {
  const refused = new WaymarkError('refused', 'no');
  const standby = scripted([notThere]);
  await expect(firstThatAnswers([scripted([refused]), standby]).call('GET', 'a')).rejects.toBe(refused);
  expect(standby.calls).toEqual([]);
  await expect(firstThatAnswers([scripted([away]), standby]).call('GET', 'a')).rejects.toBe(away);
});
