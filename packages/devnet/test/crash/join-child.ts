import { startDevnet } from '../../src/index.ts';
import { third } from '../network/third-organisation.ts';
import { CrashPoints, type Crash } from './crash-points.ts';
import { networkOptions } from './network-options.ts';

/** A network that another organisation joins, and that kills itself at one point of it: `join-child.ts PLAN`. */
export interface JoinPlan {
  readonly dir: string;
  readonly chaincodeAddress: string;
  readonly crash: Crash;
}

const plan = JSON.parse(process.argv[2] ?? '{}') as JoinPlan;
const points = new CrashPoints('orderer.example.com');
points.install();
const devnet = await startDevnet(networkOptions(plan.dir, plan.chaincodeAddress));
points.arm(plan.crash);
await devnet.addOrganisation(third);
// The point was not met: that is for the test to find wrong.
process.exit(0);
