import { plantedFaults, type PlantedFault, type PlantedFaults } from '../../src/index.ts';

/** Bugs in the simulated driver: duties of the driver that it does wrongly. */
export const DRIVER_BUGS = {
  sendBeforeSync: 'Messages leave before what they promise is synced (ack before fsync).',
  ignoreSyncError: 'The member goes on after a failed fsync.',
  ignoreFullDisk: 'The member goes on when the disk took nothing.',
  forgetSeals: 'Seals are not written.',
  restoreBackup: 'A machine restored from an old backup goes on under its old name.',
  anchorSealed: 'The relay anchors the last sealed block instead of the last confirmed one.',
  auditForgets: 'The index of accepted oids is lost in a restart.',
} as const satisfies Record<string, string>;

export type DriverBug = keyof typeof DRIVER_BUGS;

/** Name of a bug that can be planted. */
export type PlantedBug = PlantedFault | DriverBug;

export const PLANTED_BUGS: readonly PlantedBug[] = [
  ...(Object.keys(plantedFaults) as PlantedFault[]),
  ...(Object.keys(DRIVER_BUGS) as DriverBug[]),
];

export function isPlantedBug(name: string): name is PlantedBug {
  return Object.hasOwn(plantedFaults, name) || Object.hasOwn(DRIVER_BUGS, name);
}

export function describeBug(bug: PlantedBug): string {
  return isDriverBug(bug) ? DRIVER_BUGS[bug] : plantedFaults[bug];
}

export function isDriverBug(bug: PlantedBug): bug is DriverBug {
  return Object.hasOwn(DRIVER_BUGS, bug);
}

/** The core's seams for a bug: none for a driver's. */
export function coreFaults(bug: PlantedBug | undefined): PlantedFaults {
  return bug === undefined || isDriverBug(bug) ? {} : { [bug]: true };
}
