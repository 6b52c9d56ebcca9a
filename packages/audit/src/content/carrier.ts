import type { ContentDescription } from './description.ts';
import { epcisIdentity, epcisPlace, epcisSchema } from './epcis-places.ts';

/** A carrier's and a warehouse's records: time, storage mode, batch, route (D4). */
export const carrierContent: readonly ContentDescription[] = [
  {
    schema: 'waymark/transport/v1',
    fields: [
      { name: 'transport-time', places: [{ at: '/at', value: 'time' }] },
      {
        name: 'storage-mode',
        places: [{ at: '/storage', value: { oneOf: ['ambient', 'chilled', 'frozen', 'controlled', 'hazardous'] } }],
      },
      {
        name: 'shipment-batch',
        places: [
          { at: '/batch', value: 'text' },
          { at: '/batches', value: 'list' },
        ],
      },
      {
        name: 'route',
        places: [
          { at: '/route', value: 'text' },
          { at: '/route', value: 'list' },
        ],
      },
    ],
  },
  {
    schema: 'cargo2000-milestone-v1',
    fields: [
      { name: 'transport-time', places: [{ at: '/effective/endTime', value: 'time' }] },
      { name: 'shipment-batch', places: [{ at: '/shipment', value: 'number' }] },
      { name: 'route', places: [{ at: '/leg/id', value: 'number' }] },
      {
        name: 'transport-service',
        places: [{ at: '/service', value: { oneOf: ['RCS', 'DEP', 'RCF', 'DLV'] } }],
      },
    ],
  },
  {
    schema: epcisSchema,
    when: { at: '/bizStep', oneOf: ['loading', 'unloading', 'departing', 'arriving', 'transporting'] },
    fields: [
      { name: 'transport-time', places: [{ at: '/eventTime', value: 'time' }] },
      { name: 'shipment-batch', places: epcisIdentity },
      { name: 'route', places: epcisPlace },
    ],
  },
];
