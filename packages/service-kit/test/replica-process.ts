/**
 * A process that follows a channel which never ends, for tests that kill it. Prints each block number once the replica has
 * it. Arguments: replica file.
 */
import { createLogger } from '../src/log/logger.ts';
import { openReplica } from '../src/replica/replica.ts';
import { endlessChannel } from './channel-writes.ts';

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: replica-process FILE');
const replica = openReplica({
  path,
  ledger: endlessChannel(),
  content: { get: () => Promise.reject(new Error('there is no content')) },
  logger: createLogger({ service: 'test', level: 'silent' }),
  indexes: () => false,
});
await replica.start();
for (let next = (replica.state.blockNumber ?? -1n) + 1n; ; next += 1n) {
  await replica.waitForBlock(next);
  process.stdout.write(`${next}\n`);
}
