import { WaymarkError } from '@waymark/protocol';
import { z } from 'zod';
import type { Consortium } from '../consortium.ts';
import { readStatus } from '../status/status.ts';
import type { ControlActions } from './control-server.ts';
import type { Keeper } from './keeper.ts';

const named = z.strictObject({ name: z.string().min(1).max(256) });

/** What a supervisor does when it is told to. */
export function actionsOf(consortium: Consortium, keeper: Keeper, _dataDir: string): ControlActions {
  return {
    status: () => readStatus(consortium, keeper.away),
    processes: () => Promise.resolve(consortium.processes().map(({ name, pid }) => ({ name, pid }))),
    describe: async () => ({ blockBytes: await consortium.channel.blockBytes(), services: servicesOf(consortium) }),
    halt: (argument) => keeper.halt(parsed(named, argument).name),
    resume: (argument) => keeper.resume(parsed(named, argument).name),
  };
}

function parsed<T>(schema: z.ZodType<T>, argument: unknown): T {
  const result = schema.safeParse(argument);
  if (result.success) return result.data;
  throw new WaymarkError('input-invalid', result.error.issues[0]?.message ?? 'wrong argument');
}

/** How the services are reached. */
export interface DescribedService {
  readonly mspId: string;
  readonly name: string;
  readonly node: string;
  readonly operationsUrl: string;
}

function servicesOf({ services }: Consortium): DescribedService[] {
  return services.map(({ organisation, node, process, operationsUrl }) => ({
    mspId: organisation.mspId,
    name: process.name,
    node,
    operationsUrl,
  }));
}
