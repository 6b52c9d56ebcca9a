export { openOrderingService, type OpenOrderingServiceParams, type OrderingService } from './ordering-service.ts';
export type { BroadcastResult } from './broadcast-filter.ts';
export { SYSTEM_TIME, type OrdererTime } from './orderer-time.ts';
