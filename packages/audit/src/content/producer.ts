import type { ContentDescription } from './description.ts';
import { epcisIdentity, epcisSchema } from './epcis-places.ts';

/** A producer's records: batch, production time, process, raw materials, line number (D4). */
export const producerContent: readonly ContentDescription[] = [
  {
    schema: 'waymark/production/v1',
    fields: [
      { name: 'batch-number', places: [{ at: '/batch', value: 'text' }] },
      { name: 'production-time', places: [{ at: '/producedAt', value: 'time' }] },
      { name: 'process', places: [{ at: '/process', value: 'text' }] },
      {
        name: 'raw-materials',
        places: [
          { at: '/materials', value: 'list' },
          { at: '/materials', value: 'text' },
        ],
      },
      {
        name: 'line-number',
        places: [
          { at: '/line', value: 'text' },
          { at: '/line', value: 'number' },
        ],
      },
    ],
  },
  {
    schema: epcisSchema,
    when: { at: '/bizStep', oneOf: ['commissioning'] },
    fields: [
      // A lot is named by its number or its class; goods with serial numbers need none.
      {
        name: 'batch-number',
        places: [{ at: '/ilmd/*:lotNumber', value: 'text' }, ...epcisIdentity],
      },
      { name: 'production-time', places: [{ at: '/eventTime', value: 'time' }] },
    ],
  },
  {
    // What went into a product is in its transformation.
    schema: epcisSchema,
    when: { at: '/type', oneOf: ['TransformationEvent'] },
    fields: [
      {
        name: 'raw-materials',
        places: [
          { at: '/inputEPCList', value: 'list' },
          { at: '/inputQuantityList', value: 'list' },
          { at: '/transformationID', value: 'text' },
        ],
      },
    ],
  },
];
