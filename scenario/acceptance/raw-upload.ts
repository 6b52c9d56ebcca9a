import { join } from 'node:path';
import { isWaymarkError } from '@waymark/protocol';
import {
  type Answer,
  type Built,
  buildMessage,
  rawOutlet,
  type RawOutlet,
  type RawOutletIdentity,
  type Spoiled,
} from '../../services/enterprise/test/harness/raw-outlet.ts';
import type { Firm } from '../support/running-consortium.ts';
import { type System, until } from './system.ts';

/** An outlet of the firm that builds every message by hand, known to register and center. */
export interface HandOutlet extends RawOutlet {
  readonly firm: Firm;
  /** The message that is due next, but for what is spoiled. */
  next(spoiled?: Spoiled): Promise<Built>;
  /** Sends the message that is due next, but for what is spoiled; the code of the answer. */
  codeOf(spoiled?: Spoiled): Promise<string>;
}

/** Connects to the firm's center as any identity. */
export function handOutlet(system: System, firm: Firm, identity: RawOutletIdentity): HandOutlet {
  const { layout } = system.consortium;
  const rootFile = join(layout.root, 'organisations', firm.organisation.domain, 'msp-root.pem');
  const outlet = rawOutlet(
    { mspId: firm.mspId, rootFile, organisation: { gateway: { tlsRootCertPem: firm.tlsRootPem } } },
    firm.channel,
    firm.ports.center.grpcPort,
    identity,
  );
  const next: HandOutlet['next'] = async (spoiled = {}) =>
    buildMessage(
      {
        mspId: firm.mspId,
        channel: firm.channel,
        identity,
        key: await outlet.transportKey(),
        previous: await outlet.position(),
      },
      spoiled,
    );
  return {
    ...outlet,
    firm,
    next,
    async codeOf(spoiled = {}) {
      const [answer] = await outlet.upload((await next(spoiled)).sealed);
      return codeOf(answer);
    },
  };
}

/** The code of an answer; `none` when there is none. */
export const codeOf = (answer: Answer | undefined): string => answer?.code ?? 'none';

const enrolled = new WeakMap<System, Map<string, Promise<HandOutlet>>>();

/** One hand-made outlet for a firm and name, enrolled when it is first asked for. */
export function enrolledOutlet(system: System, firm: Firm, name: string): Promise<HandOutlet> {
  const known = enrolled.get(system) ?? new Map<string, Promise<HandOutlet>>();
  enrolled.set(system, known);
  const key = `${firm.mspId} ${name}`;
  const outlet = known.get(key) ?? enrolOutlet(system, firm, name);
  known.set(key, outlet);
  return outlet;
}

async function enrolOutlet(system: System, firm: Firm, name: string): Promise<HandOutlet> {
  const outlet = handOutlet(system, firm, await system.enrol(firm, name, 'outlet'));
  // The center reads the register out of blocks.
  await until('the center to know a new outlet', async () => {
    try {
      return await outlet.position();
    } catch (error) {
      if (isWaymarkError(error, 'role-not-permitted')) return undefined;
      throw error;
    }
  });
  return outlet;
}
