/** Health check of a service's container: 0 when the operations port named in the configuration says that the service is ready. */
import { readFileSync } from 'node:fs';

const [file = '/etc/waymark/configuration.yaml'] = process.argv.slice(2);
const port = /^\s*operationsPort:\s*(\d+)\s*$/m.exec(readFileSync(file, 'utf8'))?.[1];
const { ok } = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) });
process.exit(ok ? 0 : 1);
