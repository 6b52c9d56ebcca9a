/** The process of an outlet: `node services/department/src/main.ts --config FILE`. */
import { enableCompileCache } from 'node:module';
import { parseArgs } from 'node:util';

enableCompileCache();
const { createLogger, exitCodeOf, runService } = await import('@waymark/service-kit');
const { loadDepartmentConfiguration } = await import('./configuration.ts');
const { createDepartment } = await import('./department.ts');

const logger = createLogger({ service: 'department' });
try {
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  if (values.config === undefined) {
    process.stderr.write('usage: main.ts --config FILE\n');
    process.exit(2);
  }
  const configuration = loadDepartmentConfiguration(values.config);
  const department = await createDepartment(
    configuration,
    createLogger({ service: `department ${configuration.mspId}`, level: configuration.logLevel }),
  );
  await runService({ logger, components: department.components });
  process.stdout.write(`${JSON.stringify({ event: 'ready', ...department.ports() })}\n`);
} catch (error) {
  logger.error('the outlet did not start', { error });
  process.exit(exitCodeOf(error));
}
