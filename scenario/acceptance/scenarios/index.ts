import type { Scenario } from '../system.ts';
import { anchoringScenarios } from './anchoring.ts';
import { refusalScenarios } from './refusals.ts';
import { topologyScenarios } from './topology.ts';

/** Every scenario, in the order in which they run. */
export const scenarios: readonly Scenario[] = [...topologyScenarios, ...anchoringScenarios, ...refusalScenarios];
