import type { ContentDescription, FieldDescription } from './description.ts';

const authority: FieldDescription = { name: 'authority', places: [{ at: '/authority', value: 'text' }] };
const subject: FieldDescription = {
  name: 'subject',
  places: [
    { at: '/subject', value: 'text' },
    { at: '/subjects', value: 'list' },
  ],
};

/** A regulator's records: approvals, spot checks, quarantine, entry and exit (D4). */
export const regulatorContent: readonly ContentDescription[] = [
  {
    schema: 'waymark/approval/v1',
    fields: [
      authority,
      subject,
      { name: 'approval-number', places: [{ at: '/approval', value: 'text' }] },
      {
        name: 'decision',
        places: [{ at: '/decision', value: { oneOf: ['granted', 'refused', 'suspended', 'withdrawn'] } }],
      },
      { name: 'decision-time', places: [{ at: '/decidedAt', value: 'time' }] },
    ],
  },
  {
    schema: 'waymark/spot-check/v1',
    fields: [
      authority,
      subject,
      { name: 'check-time', places: [{ at: '/checkedAt', value: 'time' }] },
      { name: 'check-result', places: [{ at: '/result', value: { oneOf: ['passed', 'failed', 'pending'] } }] },
    ],
  },
  {
    schema: 'waymark/quarantine/v1',
    fields: [
      authority,
      subject,
      { name: 'quarantine-place', places: [{ at: '/place', value: 'text' }] },
      {
        name: 'quarantine-state',
        places: [{ at: '/state', value: { oneOf: ['ordered', 'extended', 'released', 'destroyed'] } }],
      },
      { name: 'quarantine-time', places: [{ at: '/at', value: 'time' }] },
    ],
  },
  {
    schema: 'waymark/border-crossing/v1',
    fields: [
      authority,
      subject,
      { name: 'crossing-direction', places: [{ at: '/direction', value: { oneOf: ['entry', 'exit'] } }] },
      { name: 'crossing-place', places: [{ at: '/place', value: 'text' }] },
      { name: 'crossing-time', places: [{ at: '/at', value: 'time' }] },
    ],
  },
];
