import type { ContentDescription } from './description.ts';
import { epcisIdentity, epcisSchema } from './epcis-places.ts';

/** A seller's records: what was sold, when, how much of it, under which receipt (D4). */
export const sellerContent: readonly ContentDescription[] = [
  {
    schema: 'waymark/sale/v1',
    fields: [
      { name: 'sale-number', places: [{ at: '/sale', value: 'text' }] },
      { name: 'sale-time', places: [{ at: '/soldAt', value: 'time' }] },
      {
        name: 'sold-item',
        places: [
          { at: '/item', value: 'text' },
          { at: '/items', value: 'list' },
        ],
      },
      {
        name: 'sold-quantity',
        places: [
          { at: '/quantity', value: 'number' },
          { at: '/items/*/quantity', value: 'number' },
        ],
      },
    ],
  },
  {
    schema: epcisSchema,
    when: { at: '/bizStep', oneOf: ['retail_selling'] },
    fields: [
      { name: 'sale-time', places: [{ at: '/eventTime', value: 'time' }] },
      { name: 'sold-item', places: epcisIdentity },
    ],
  },
];
