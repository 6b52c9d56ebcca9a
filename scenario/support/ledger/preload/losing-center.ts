/**
 * Loaded before a center's program (`--import FILE?folder=PATH`): while the folder has a file with the process's id for a name, its content store seems to have
 * nothing for those who ask it from outside, as if the center had taken records in and lost or never kept their envelopes.
 */
import { registerHooks } from 'node:module';

const folder = new URL(import.meta.url).searchParams.get('folder') ?? '';
const honest = '/packages/content/src/gateway/gateway-handler.ts';

registerHooks({
  load(url, context, next) {
    if (!url.endsWith(honest)) return next(url, context);
    const source = `
      import { existsSync } from 'node:fs';
      import { join } from 'node:path';
      import { WaymarkError } from '@waymark/protocol';
      import { createGatewayHandler as honest } from ${JSON.stringify(`${url}?honest`)};
      const file = join(${JSON.stringify(folder)}, String(process.pid));
      const missing = () => new WaymarkError('unavailable', 'The block is not here.', { details: { reason: 'missing' } });
      export const createGatewayHandler = (store, options) =>
        honest({ get: async (cid, how) => { if (existsSync(file)) throw missing(); return store.get(cid, how); } }, options);
    `;
    return { format: 'module', source, shortCircuit: true };
  },
});
