import { checkConfiguration, type Configuration } from '@waymark/rsl';
import { type ConfigurationTypes, loadConfiguration } from '@waymark/service-kit';
import { z } from 'zod';

const define = (types: ConfigurationTypes) => {
  const names = (min: number) => z.array(types.name()).min(min).max(32);
  return types.section({
    epoch: z.literal(1),
    members: names(1),
    learners: names(0),
    eligible: names(1),
    profile: z.discriminatedUnion('center', [
      types.section({ center: z.literal('trusted') }),
      types.section({ center: z.literal('lying'), colluding: types.integer({ min: 0, max: 30 }) }),
    ]),
  });
};

/**
 * Reads the first configuration of a private ledger: JSON `{epoch: 1, members, learners, eligible, profile}`, names in order.
 * @throws WaymarkError configuration-invalid
 */
export function loadFirstConfiguration(file: string): Configuration {
  // JSON is YAML.
  const read = loadConfiguration<z.infer<ReturnType<typeof define>>>(file, define);
  const configuration: Configuration = {
    ...read,
    members: [...read.members].sort(),
    learners: [...read.learners].sort(),
  };
  checkConfiguration(configuration);
  return configuration;
}
