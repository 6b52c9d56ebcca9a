import type { Scenario } from '../system.ts';
import { anchoringScenarios } from './anchoring.ts';
import { concurrencyScenarios } from './concurrency.ts';
import { contentScenarios } from './content.ts';
import { externalScenarios } from './external.ts';
import { faultScenarios } from './faults.ts';
import { growthScenarios } from './growth.ts';
import { ledgerScenarios } from './ledgers.ts';
import { identityScenarios, limitScenarios } from './identities.ts';
import { readingScenarios } from './reading.ts';
import { refusalScenarios } from './refusals.ts';
import { topologyScenarios } from './topology.ts';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [
  ...topologyScenarios,
  ...anchoringScenarios,
  ...refusalScenarios,
  ...concurrencyScenarios,
  ...readingScenarios,
  ...contentScenarios,
  ...externalScenarios,
  ...identityScenarios,
  ...limitScenarios,
  ...ledgerScenarios,
  ...faultScenarios,
  ...growthScenarios,
];
