/** The process of a firm's center: `node services/enterprise/src/main.ts --config FILE`. */
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';

enableCompileCache();
const { createLogger, exitCodeOf, runService } = await import('@waymark/service-kit');
const { loadEnterpriseConfiguration } = await import('./configuration.ts');
const { createEnterprise } = await import('./enterprise.ts');

const logger = createLogger({ service: 'enterprise' });
try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) {
    process.stderr.write('usage: main.ts --config FILE\n');
    process.exit(2);
  }
  const configuration = loadEnterpriseConfiguration(values.config);
  const enterprise = await createEnterprise(
    configuration,
    createLogger({ service: `enterprise ${configuration.mspId}`, level: configuration.logLevel }),
  );
  await runService({ logger, components: enterprise.components });
  process.stdout.write(`${JSON.stringify({ event: 'ready', ...enterprise.ports() })}\n`);
} catch (error) {
  logger.error('the center did not start', { error });
  process.exit(exitCodeOf(error));
}
