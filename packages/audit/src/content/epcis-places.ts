import type { FieldPlace } from './description.ts';

/** Schema id of EPCIS 2.0 events. */
export const epcisSchema = 'epcis-2.0';

/** What an event is about. */
export const epcisIdentity: readonly FieldPlace[] = [
  { at: '/epcList', value: 'list' },
  { at: '/quantityList', value: 'list' },
  { at: '/childEPCs', value: 'list' },
  { at: '/childQuantityList', value: 'list' },
  { at: '/parentID', value: 'text' },
  { at: '/outputEPCList', value: 'list' },
  { at: '/outputQuantityList', value: 'list' },
  { at: '/inputEPCList', value: 'list' },
  { at: '/inputQuantityList', value: 'list' },
  { at: '/bizTransactionList', value: 'list' },
];

/** Where an event was, or between which parties it went. */
export const epcisPlace: readonly FieldPlace[] = [
  { at: '/readPoint/id', value: 'text' },
  { at: '/bizLocation/id', value: 'text' },
  { at: '/sourceList', value: 'list' },
  { at: '/destinationList', value: 'list' },
];
